#include "tests/conformance/store_harness.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "broker/store/lmdb_store.h"
#include "broker/store/memory_store.h"
#include "tests/conformance/temporary_directory.h"

namespace millrace::testing {
namespace {

constexpr int kDeadlineMilliseconds = 60'000;

class LmdbHarness final : public StoreHarness {
 public:
  LmdbHarness() { open(); }

  broker::Store& store() override { return *store_; }

  void commit() override {
    const BatchNumber newest = store_->submit({});
    while (store_->durable() < newest) {
      pollfd wakeup{store_->wakeup_descriptor(), POLLIN, 0};
      ASSERT_EQ(::poll(&wakeup, 1, kDeadlineMilliseconds), 1) << "no commit in time";
      store_->acknowledge_wakeup();
    }
  }

  void restart() override {
    store_.reset();
    open();
  }

 private:
  void open() {
    broker::StoreSettings settings;
    settings.directory = directory_.path();
    settings.map_bytes_max = ByteCount::mebibytes(256);
    settings.disk_reserve = ByteCount::mebibytes(1);
    Result<std::unique_ptr<broker::LmdbStore>> opened = broker::LmdbStore::open(settings);
    MILLRACE_CHECK(opened.ok(), opened.error().message.c_str());
    store_ = *std::move(opened);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<broker::LmdbStore> store_;
};

class MemoryHarness final : public StoreHarness {
 public:
  broker::Store& store() override { return store_; }
  void commit() override { store_.commit_all(); }
  void restart() override { store_.crash(); }

 private:
  broker::MemoryStore store_;
};

template <class Harness>
std::unique_ptr<StoreHarness> make() {
  return std::make_unique<Harness>();
}

}  // namespace

std::vector<StoreKind> all_store_kinds() {
  return {{"Lmdb", make<LmdbHarness>}, {"Memory", make<MemoryHarness>}};
}

}  // namespace millrace::testing

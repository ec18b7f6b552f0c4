// A real LMDB store in a directory of the test's own.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/store/lmdb_store.h"
#include "tests/conformance/store_values.h"
#include "tests/conformance/temporary_directory.h"

namespace millrace::testing {

// Returns when everything submitted is durable; fails the test when that takes a minute.
inline void wait_durable(broker::LmdbStore& store) {
  const BatchNumber newest = store.submit({});
  while (store.durable() < newest) {
    pollfd wakeup{store.wakeup_descriptor(), POLLIN, 0};
    ASSERT_EQ(::poll(&wakeup, 1, 60'000), 1) << "no commit in time";
    store.acknowledge_wakeup();
  }
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class LmdbStoreTest : public ::testing::Test {
 protected:
  LmdbStoreTest() {
    settings_.directory = directory_.path() + "/data";
    settings_.map_bytes_max = ByteCount::mebibytes(16);
    settings_.disk_reserve = ByteCount::kibibytes(256);
  }

  using Opened = Result<std::unique_ptr<broker::LmdbStore>>;
  Opened try_open() { return broker::LmdbStore::open(settings_); }
  std::unique_ptr<broker::LmdbStore> open() {
    Opened opened = try_open();
    MILLRACE_CHECK(opened.ok(), opened.error().message.c_str());
    return *std::move(opened);
  }
  // Opening must fail with this code and a line that says all of `parts`.
  void expect_refused(ErrorCode code, const std::vector<std::string>& parts) {
    const Opened opened = try_open();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, code) << opened.error().message;
    for (const std::string& part : parts) {
      EXPECT_NE(opened.error().message.find(part), std::string::npos) << opened.error().message;
    }
    EXPECT_EQ(opened.error().message.find('\n'), std::string::npos);
  }
  // A closed store with these writes.
  void make_store(std::vector<broker::Write> writes) {
    const std::unique_ptr<broker::LmdbStore> store = open();
    store->submit(std::move(writes));
    wait_durable(*store);
  }
  std::string data_file() const { return settings_.directory + "/data.mdb"; }

  TemporaryDirectory directory_;
  broker::StoreSettings settings_;
};

}  // namespace millrace::testing

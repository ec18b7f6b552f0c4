#include "tests/attack/damaged_store.h"

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "broker/store/page_layout.h"
#include "broker/store/store_check.h"
#include "broker/store/store_reader.h"
#include "tests/attack/apart.h"

namespace millrace::attack {
namespace {

namespace fs = std::filesystem;

using broker::lmdb::Meta;
using broker::lmdb::PageHead;

constexpr std::size_t kPageBytes = 4'096;
constexpr std::size_t kMetaBytes = sizeof(PageHead) + sizeof(Meta);  // of the first two pages

// What became of damaged copies.
struct Outcomes {
  std::uint64_t intact = 0;    // nothing that counts was hit
  std::uint64_t reported = 0;  // by the check, and by the store where it met it
  std::uint64_t failures = 0;

  void add(const Outcomes& other) {
    intact += other.intact;
    reported += other.reported;
    failures += other.failures;
  }
};

// The lines of a check of the whole; empty: it says that all is intact.
std::string check(const std::string& directory) {
  const auto reader = broker::StoreReader::open(directory);
  if (!reader.ok()) return reader.error().message;
  std::string lines;
  const auto summary =
      broker::check_store(**reader, [&](const std::string& line) { lines += line + "; "; });
  return summary.ok() ? lines : summary.error().message;
}

class DamagedStore {
 public:
  DamagedStore(const std::string& directory, std::string work_directory, const Life& life)
      : sound_(read(directory + "/data.mdb")),
        directory_(std::move(work_directory) + "/damaged"),
        life_(life) {}

  std::size_t size() const { return sound_.size(); }

  Outcomes flip(std::uint64_t bit) {
    if (is_unnoticeable(bit)) return {};
    std::string bytes = sound_;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    return judge(bytes, "bit " + std::to_string(bit));
  }
  Outcomes cut(std::size_t size) {
    return judge(sound_.substr(0, size), "cut to " + std::to_string(size) + " bytes");
  }

 private:
  // What LMDB itself leaves of a meta page whose write failed: docs/decisions/0014.
  bool is_unnoticeable(std::uint64_t bit) const {
    const std::array<std::uint64_t, 2> numbers = {transaction_of(0), transaction_of(1)};
    const std::size_t newest = numbers[0] > numbers[1] ? 0 : 1;
    const std::uint64_t field = number_at(newest) * 8;
    if (bit < field || bit >= field + 64) return false;
    return (numbers[newest] ^ (std::uint64_t{1} << (bit - field))) == numbers[newest] - 2;
  }
  static std::size_t number_at(std::size_t page) {
    return page * kPageBytes + sizeof(PageHead) + offsetof(Meta, transaction);
  }
  std::uint64_t transaction_of(std::size_t page) const {
    std::uint64_t number = 0;
    std::memcpy(&number, &sound_[number_at(page)], sizeof(number));
    return number;
  }

  static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  void make(const std::string& bytes) const {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    std::ofstream(directory_ + "/data.mdb", std::ios::binary) << bytes;
  }

  Verdict open_and_read() const {
    const auto store = broker::LmdbStore::open(small_store(directory_));
    if (!store.ok()) return {0, store.error().message, true};
    const std::uint64_t batches = (*store)->durable().value;
    if (batches < life_.batches.size()) return {batches, "acknowledged batches are gone", false};
    return compare(**store, life_, batches);
  }

  Outcomes judge(const std::string& bytes, const std::string& damage) {
    make(bytes);
    const ApartVerdict checked = examine_apart([&] { return Verdict{0, check(directory_), true}; });
    if (checked.died) return fail(damage, "check: " + checked.verdict.problem);
    const ApartVerdict read = examine_apart([&] { return open_and_read(); });
    const Verdict& verdict = read.verdict;
    if (read.died) return fail(damage, "start: " + verdict.problem);
    if (verdict.problem.find('\n') != std::string::npos) return fail(damage, "more than a line");
    if (!verdict.problem.empty() && !verdict.reported) return fail(damage, verdict.problem);
    if (!verdict.problem.empty() && checked.verdict.problem.empty()) {
      return fail(damage, "the check says nothing of: " + verdict.problem);
    }
    const bool intact = verdict.problem.empty() && checked.verdict.problem.empty();
    return intact ? Outcomes{1, 0, 0} : Outcomes{0, 1, 0};
  }

  static Outcomes fail(const std::string& damage, const std::string& problem) {
    std::fprintf(stderr, "%s: %s\n", damage.c_str(), problem.c_str());
    return {0, 0, 1};
  }

  std::string sound_;
  std::string directory_;
  const Life& life_;
};

// Anywhere, but often in a meta page: there one bit decides over everything.
std::uint64_t draw_bit(const DamagedStore& store, std::uint64_t seed) {
  Random random(seed);
  if (!random.chance(1, 4)) return random.below(store.size() * 8);
  const std::uint64_t page = random.below(2);
  return (page * kPageBytes + random.below(kMetaBytes)) * 8 + random.below(8);
}

}  // namespace

bool examine_damage(const std::string& directory, const std::string& work_directory,
                    const Life& life, std::uint64_t flips, std::uint64_t seed) {
  DamagedStore store(directory, work_directory, life);
  Outcomes flipped;
  for (std::uint64_t flip = 0; flip < flips; ++flip) {
    flipped.add(store.flip(draw_bit(store, seed + flip)));
  }
  Outcomes cut;
  for (std::size_t size = 0; size < store.size(); size += kPageBytes) cut.add(store.cut(size));
  std::printf(
      "{\"bytes\": %zu, \"flips\": {\"intact\": %llu, \"reported\": %llu, \"failures\": %llu}, "
      "\"truncations\": {\"intact\": %llu, \"reported\": %llu, \"failures\": %llu}}\n",
      store.size(), static_cast<unsigned long long>(flipped.intact),
      static_cast<unsigned long long>(flipped.reported),
      static_cast<unsigned long long>(flipped.failures),
      static_cast<unsigned long long>(cut.intact), static_cast<unsigned long long>(cut.reported),
      static_cast<unsigned long long>(cut.failures));
  return flipped.failures + cut.failures == 0;
}

}  // namespace millrace::attack

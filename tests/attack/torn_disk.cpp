#include "tests/attack/torn_disk.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/attack/apart.h"

namespace millrace::attack {
namespace {

namespace fs = std::filesystem;

// The store is written through a map, which no recording shows: after a power cut it holds
// anything.
constexpr char kReaderTable[] = "lock.mdb";

std::string common_folder(const std::vector<Call>& calls) {
  for (const Call& call : calls) {
    if (call.head.operation == Operation::make_directory) return call.bytes;
  }
  return {};
}

void write_files(const std::map<std::string, std::string>& files, const std::string& recorded,
                 const std::string& directory, Random& random) {
  fs::remove_all(directory);
  fs::create_directories(directory);
  for (const auto& [name, content] : files) {
    const fs::path path = directory + name.substr(recorded.size());
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    if (path.filename() != kReaderTable) {
      file << content;
      continue;
    }
    for (std::uint64_t left = random.below(3) * 1'024; left > 0; --left) {
      const std::uint64_t word = random.next();
      file.write(reinterpret_cast<const char*>(&word), sizeof(word));
    }
  }
}

}  // namespace

bool examine_torn_disks(const std::string& path, const std::string& work_directory,
                        const Life& life, std::uint64_t images, std::uint64_t seed, Disk kind) {
  const std::vector<Call> calls = read_recording(path);
  const std::string recorded = common_folder(calls);
  const std::string directory = work_directory + "/image";
  std::uint64_t failures = 0;
  std::uint64_t between = 0;  // held more than was acknowledged
  for (std::uint64_t image = 0; image < images; ++image) {
    Random random(seed + image);
    RecordedDisk disk(kind);
    const std::uint64_t crash = 1 + random.below(calls.size());
    for (std::uint64_t i = 0; i < crash; ++i) disk.apply(calls[i]);
    write_files(disk.after_crash(random), recorded, directory, random);
    const Verdict verdict =
        examine_apart([&] { return examine(directory, life, disk.acknowledged()); }).verdict;
    if (verdict.batches > disk.acknowledged()) ++between;
    if (verdict.problem.empty()) continue;
    ++failures;
    if (kind == Disk::lying) continue;
    std::fprintf(stderr, "image seed %llu, after call %llu: %s\n",
                 static_cast<unsigned long long>(seed + image),
                 static_cast<unsigned long long>(crash), verdict.problem.c_str());
  }
  std::printf(
      "{\"calls\": %zu, \"images\": %llu, \"with_unacknowledged_batches\": %llu, "
      "\"failures\": %llu}\n",
      calls.size(), static_cast<unsigned long long>(images),
      static_cast<unsigned long long>(between), static_cast<unsigned long long>(failures));
  return failures == 0;
}

}  // namespace millrace::attack

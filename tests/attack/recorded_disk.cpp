#include "tests/attack/recorded_disk.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "common/base/check.h"

namespace millrace::attack {
namespace {

// Which share of what is under way has reached the disk: none, hardly anything, … all of it.
constexpr std::array<std::uint64_t, 6> kEighths = {0, 1, 4, 7, 7, 8};
// What is written as a whole or not at all, as disks and file systems differ: a sector, a page, a
// call.
constexpr std::array<std::size_t, 3> kUnits = {kSectorBytes, 4'096, std::size_t{1} << 30};

void fill(std::string& content, std::size_t size, Random* garbage) {
  while (content.size() < size) {
    content.push_back(garbage == nullptr ? '\0' : static_cast<char>(garbage->next()));
  }
}

void put(std::string& content, std::uint64_t offset, std::string_view bytes, Random* garbage) {
  fill(content, offset + bytes.size(), garbage);
  std::copy(bytes.begin(), bytes.end(),
            content.begin() + static_cast<std::string::difference_type>(offset));
}

// The part of each unit that is written; units begin at multiples of their size in the file.
void put_some(std::string& content, std::uint64_t offset, std::string_view bytes, std::size_t unit,
              std::uint64_t eighths, Random& random, Random* garbage) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), unit - offset % unit);
    if (random.chance(eighths, 8)) put(content, offset, bytes.substr(0, size), garbage);
    bytes.remove_prefix(size);
    offset += size;
  }
}

}  // namespace

std::vector<Call> read_recording(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<Call> calls;
  Call call;
  while (file.read(reinterpret_cast<char*>(&call.head), sizeof(call.head))) {
    call.bytes.resize(call.head.bytes);
    file.read(call.bytes.data(), static_cast<std::streamsize>(call.bytes.size()));
    MILLRACE_CHECK(file.good(), "a recording is whole");
    calls.push_back(call);
  }
  MILLRACE_CHECK(!calls.empty(), "a recording has calls");
  return calls;
}

void RecordedDisk::apply(const Call& call) {
  File* const file = file_of(call);
  switch (call.head.operation) {
    case Operation::open:
      return open(call);
    case Operation::close:
      open_files_.erase(call.head.file);
      return;
    case Operation::write:
    case Operation::truncate:
    case Operation::extend:
      MILLRACE_CHECK(file != nullptr, "what is written is open");
      file->pending.push_back(
          {call.head.operation, static_cast<int>(call.head.file), call.head.offset, call.bytes});
      return;
    case Operation::synced_write_done:
      return finish_synced_write(call);
    case Operation::sync:
      syncing_[call.head.file] = file != nullptr ? file->pending.size() : pending_names_.size();
      return;
    case Operation::sync_done:
      return finish_sync(call);
    case Operation::make_directory:
      directories_[call.bytes] = true;
      return;
    case Operation::rename_from:
      renamed_from_ = call.bytes;
      return;
    case Operation::rename_to:
      return change_name({renamed_from_, call.bytes, names_.at(renamed_from_)});
    case Operation::unlink:
      if (names_.count(call.bytes) > 0) change_name({call.bytes, "", names_.at(call.bytes)});
      return;
    case Operation::acknowledge:
      acknowledged_ = std::strtoull(call.bytes.c_str(), nullptr, 10);
      return;
  }
}

RecordedDisk::File* RecordedDisk::file_of(const Call& call) {
  const auto found = open_files_.find(call.head.file);
  return found == open_files_.end() ? nullptr : &files_[found->second];
}

void RecordedDisk::open(const Call& call) {
  open_files_.erase(call.head.file);
  const std::string& path = call.bytes;
  if (directories_.count(path) > 0) return;
  if (names_.count(path) == 0) {
    files_.emplace_back();
    change_name({"", path, files_.size() - 1});
  }
  open_files_[call.head.file] = names_.at(path);
}

void RecordedDisk::change_name(NameChange change) {
  rename(names_, change);
  pending_names_.push_back(std::move(change));
}

void RecordedDisk::rename(Names& names, const NameChange& change) {
  if (!change.from.empty()) names.erase(change.from);
  if (!change.to.empty()) names[change.to] = change.file;
}

void RecordedDisk::finish_sync(const Call& call) {
  if (disk_ == Disk::lying) return;
  const auto count = static_cast<std::ptrdiff_t>(syncing_.at(call.head.file));
  File* const file = file_of(call);
  if (file == nullptr) {
    for (auto change = pending_names_.begin(); change != pending_names_.begin() + count; ++change) {
      rename(durable_names_, *change);
    }
    pending_names_.erase(pending_names_.begin(), pending_names_.begin() + count);
    return;
  }
  for (auto change = file->pending.begin(); change != file->pending.begin() + count; ++change) {
    if (change->operation == Operation::truncate) file->durable.resize(change->offset);
    if (change->operation == Operation::extend) fill(file->durable, change->offset, nullptr);
    if (change->operation == Operation::write) {
      put(file->durable, change->offset, change->bytes, nullptr);
    }
  }
  file->pending.erase(file->pending.begin(), file->pending.begin() + count);
}

void RecordedDisk::finish_synced_write(const Call& call) {
  File& file = *file_of(call);
  const auto written = std::find_if(
      file.pending.rbegin(), file.pending.rend(),
      [&](const Change& change) { return change.file == static_cast<int>(call.head.file); });
  MILLRACE_CHECK(written != file.pending.rend(), "what is done was begun");
  // LMDB writes its meta page so. It has no checksum, and needs none against a torn write as long
  // as it lies within one sector.
  MILLRACE_CHECK(written->offset / kSectorBytes ==
                     (written->offset + written->bytes.size() - 1) / kSectorBytes,
                 "a meta page is written in one sector");
  put(file.durable, written->offset, written->bytes, nullptr);
  file.pending.erase(std::next(written).base());
}

std::string RecordedDisk::torn(const File& file, Random& random) {
  std::string content = file.durable;
  const std::uint64_t eighths = kEighths[random.below(kEighths.size())];
  const std::size_t unit = kUnits[random.below(kUnits.size())];
  Random* const garbage = random.chance(1, 4) ? &random : nullptr;
  for (const Change& change : file.pending) {
    if (change.operation == Operation::write) {
      put_some(content, change.offset, change.bytes, unit, eighths, random, garbage);
    } else if (random.chance(eighths, 8)) {
      if (change.operation == Operation::truncate) content.resize(change.offset);
      if (change.operation == Operation::extend) fill(content, change.offset, nullptr);
    }
  }
  return content;
}

std::map<std::string, std::string> RecordedDisk::after_crash(Random& random) const {
  // Journals keep changes of names in order.
  Names names = durable_names_;
  for (std::size_t i = random.below(pending_names_.size() + 1);
       const auto& change : pending_names_) {
    if (i-- == 0) break;
    rename(names, change);
  }
  std::map<std::string, std::string> files;
  for (const auto& [name, file] : names) files[name] = torn(files_[file], random);
  return files;
}

}  // namespace millrace::attack

// A disk below the system's page cache: what a recording has made durable, and what is under way.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "tests/attack/recording_format.h"

namespace millrace::attack {

struct Call {
  RecordedCall head;
  std::string bytes;
};
// The calls of one or several processes, one after the other. Ends the process when the file cannot
// be read.
std::vector<Call> read_recording(const std::string& path);

enum class Disk { honest, lying };  // lying: it forgets at a crash what was synced

// Follows a recording call by call. What a crash may leave is taken from the weakest disk that
// keeps its word: a sector of 512 bytes is written as a whole or not at all; a finished sync, and a
// finished write of a descriptor opened with O_DSYNC, are kept; of everything else any part may be
// there, in any order, and where nothing was written before there may be anything. Since a sector
// that is written twice holds the older or the newer bytes, subsets of sectors are all orders there
// are.
class RecordedDisk {
 public:
  explicit RecordedDisk(Disk disk) : disk_(disk) {}

  void apply(const Call& call);
  // The newest number that was acknowledged; 0: none.
  std::uint64_t acknowledged() const { return acknowledged_; }

  // What a crash at this point may leave: the contents of files by name.
  std::map<std::string, std::string> after_crash(Random& random) const;

 private:
  struct Change {
    Operation operation;  // write, truncate or extend
    int file = -1;
    std::uint64_t offset = 0;
    std::string bytes;
  };
  struct File {
    std::string durable;
    std::vector<Change> pending;
  };
  struct NameChange {
    std::string from;  // empty: a new name
    std::string to;    // empty: it goes
    std::size_t file = 0;
  };
  using Names = std::map<std::string, std::size_t>;

  File* file_of(const Call& call);
  void open(const Call& call);
  void finish_sync(const Call& call);
  void finish_synced_write(const Call& call);
  void change_name(NameChange change);
  static void rename(Names& names, const NameChange& change);
  static std::string torn(const File& file, Random& random);

  Disk disk_;
  std::vector<File> files_;
  Names names_;  // as the program sees them
  Names durable_names_;
  std::vector<NameChange> pending_names_;
  std::map<std::uint32_t, std::size_t> open_files_;  // by descriptor; none: a directory
  std::map<std::uint32_t, std::size_t> syncing_;     // how much was pending when it began
  std::map<std::string, bool> directories_;
  std::string renamed_from_;
  std::uint64_t acknowledged_ = 0;
};

}  // namespace millrace::attack

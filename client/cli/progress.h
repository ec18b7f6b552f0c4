// The progress bar of a batch, on a terminal only.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "common/base/time.h"

namespace millrace::cli {

struct ProgressFigures {
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // so far, when `total_is_final` is false
  bool total_is_final = true;
  std::uint64_t dead = 0;
};

// One line: "  612/1,000  61 % ▕████▏ 3,210/s  dead 0  ETA 2 s".
std::string progress_line(const ProgressFigures& figures, Duration elapsed);

// Redraws at most ten times a second; erased by the destructor.
class Progress {
 public:
  // Silent unless `file` is a terminal.
  Progress(std::FILE* file, Time start);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const ProgressFigures& figures, Time now);
  // Takes the bar away, so that other lines can be printed; the next show draws it again.
  void erase();

 private:
  std::FILE* file_;
  bool enabled_;
  bool drawn_ = false;
  Time start_;
  Time last_;
};

}  // namespace millrace::cli

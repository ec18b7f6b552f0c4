// What goes into a program and comes out of it, without ever blocking.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "worker/cpp/child_process.h"
#include "worker/cpp/worker.h"

namespace millrace::worker {

class ProgramStreams {
 public:
  ProgramStreams(ChildProcess& child, SharedBytes payload, ByteCount result_bytes_max,
                 bool pass_errors_on);

  // Moves what can be moved now; closes what is at its end.
  void move();
  // False when the program's outputs are both at their end.
  bool is_open() const { return child_.output.is_open() || child_.error.is_open(); }
  // The program wrote more than a result may hold; what is over the limit is not kept.
  bool is_too_large() const { return too_large_; }

  std::vector<std::uint8_t> take_result() { return std::move(result_); }
  // The end of what it wrote to its standard error, without the newlines at its end.
  std::string error_tail() const;

 private:
  void write_input();
  void read_output();
  void read_error();

  ChildProcess& child_;
  SharedBytes payload_;
  std::size_t written_ = 0;
  std::size_t result_bytes_max_;
  bool pass_errors_on_;
  bool too_large_ = false;
  std::vector<std::uint8_t> result_;
  std::string error_;
};

}  // namespace millrace::worker

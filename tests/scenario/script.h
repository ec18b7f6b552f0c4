// The text of a scenario: blocks of commands, each followed by the recorded trace.
//
//   # A comment, kept on a rewrite.
//   submit id=a queue=mail
//   ----
//   c1 <- submitted accepted
//
// The commands of a block, down to "----", are stepped in order and closed by one tick; the trace
// ends at the first empty line.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

namespace millrace::broker::test {

// "complete worker=w1 task=a error=\"no space\"": a verb, plain words and named values.
class Command {
 public:
  // Errors: invalid, for an open quote.
  static Result<Command> parse(std::string_view line);

  const std::string& verb() const { return verb_; }
  const std::vector<std::string>& words() const { return words_; }
  bool has_word(std::string_view word) const;

  // The named value, or `otherwise`. Values that were never asked for are reported by unused().
  std::string text(const std::string& name, std::string otherwise = "") const;
  bool has(const std::string& name) const;
  // The value split at commas; empty when it is not there.
  std::vector<std::string> list(const std::string& name) const;
  std::uint64_t number(const std::string& name, std::uint64_t otherwise) const;
  Duration duration(const std::string& name, Duration otherwise) const;
  // A name that the command carries and nobody has read: a misspelling.
  std::optional<std::string> unused() const;
  // A value that could not be read as what it was asked for.
  const std::optional<std::string>& problem() const { return problem_; }

 private:
  std::string verb_;
  std::vector<std::string> words_;
  std::map<std::string, std::string> values_;
  mutable std::map<std::string, bool> used_;
  mutable std::optional<std::string> problem_;
};

struct Block {
  std::vector<std::string> preamble;  // comments and empty lines
  std::vector<std::string> commands;
  std::vector<std::string> trace;
  int line = 1;  // of the first command
};

struct Script {
  std::vector<Block> blocks;
  std::vector<std::string> ending;  // comments after the last block
};

Script parse_script(std::string_view text);
std::string to_text(const Script& script);

std::vector<std::string> split(std::string_view text, char separator);

}  // namespace millrace::broker::test

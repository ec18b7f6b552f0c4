#include "tests/scenario/script.h"

#include <algorithm>
#include <charconv>

namespace millrace::broker::test {
namespace {

constexpr std::string_view kDivider = "----";

bool is_preamble(std::string_view line) {
  return line.empty() || line.front() == '#';
}

void add_lines(std::string& text, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) text += line + "\n";
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

Result<Command> Command::parse(std::string_view line) {
  std::vector<std::string> tokens;
  std::string token;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      if (!token.empty()) tokens.push_back(std::move(token));
      token.clear();
    } else {
      token.push_back(c);
    }
  }
  if (quoted) return Error{ErrorCode::invalid, "a quote is not closed; close it"};
  if (!token.empty()) tokens.push_back(std::move(token));
  Command command;
  if (tokens.empty()) return Error{ErrorCode::invalid, "an empty command; name one"};
  command.verb_ = tokens.front();
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    const std::size_t at = tokens[i].find('=');
    if (at == std::string::npos) {
      command.words_.push_back(tokens[i]);
    } else {
      command.values_[tokens[i].substr(0, at)] = tokens[i].substr(at + 1);
    }
  }
  return command;
}

bool Command::has_word(std::string_view word) const {
  return std::find(words_.begin(), words_.end(), word) != words_.end();
}

bool Command::has(const std::string& name) const {
  used_[name] = true;
  return values_.contains(name);
}

std::string Command::text(const std::string& name, std::string otherwise) const {
  return has(name) ? values_.at(name) : std::move(otherwise);
}

std::vector<std::string> Command::list(const std::string& name) const {
  return split(text(name), ',');
}

std::uint64_t Command::number(const std::string& name, std::uint64_t otherwise) const {
  if (!has(name)) return otherwise;
  const std::string& value = values_.at(name);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    problem_ = name + "=" + value + " is not a number";
  }
  return number;
}

Duration Command::duration(const std::string& name, Duration otherwise) const {
  if (!has(name)) return otherwise;
  const Result<Duration> duration = parse_duration(values_.at(name));
  if (duration.ok()) return *duration;
  problem_ = duration.error().message;
  return otherwise;
}

std::optional<std::string> Command::unused() const {
  for (const auto& [name, value] : values_) {
    if (!used_.contains(name)) return name;
  }
  return std::nullopt;
}

Script parse_script(std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const std::vector<std::string> lines = split(text, '\n');
  Script script;
  std::size_t at = 0;
  while (at < lines.size()) {
    Block block;
    while (at < lines.size() && is_preamble(lines[at])) block.preamble.push_back(lines[at++]);
    if (at == lines.size()) {
      script.ending = std::move(block.preamble);
      break;
    }
    block.line = static_cast<int>(at) + 1;
    while (at < lines.size() && lines[at] != kDivider && !lines[at].empty()) {
      block.commands.push_back(lines[at++]);
    }
    if (at < lines.size() && lines[at] == kDivider) {
      ++at;
      while (at < lines.size() && !lines[at].empty()) block.trace.push_back(lines[at++]);
    }
    script.blocks.push_back(std::move(block));
  }
  return script;
}

std::string to_text(const Script& script) {
  std::string text;
  for (const Block& block : script.blocks) {
    add_lines(text, block.preamble);
    add_lines(text, block.commands);
    text += std::string(kDivider) + "\n";
    add_lines(text, block.trace);
  }
  add_lines(text, script.ending);
  return text;
}

}  // namespace millrace::broker::test

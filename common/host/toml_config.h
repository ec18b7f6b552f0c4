// A configuration file in TOML for CLI11, read by toml++ so that errors have a line.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::host {

// Keys are long option names, tables are subcommands. A value whose option has an environment
// variable set is left out: CLI11 alone would let the file win over the environment.
class TomlConfig final : public CLI::Config {
 public:
  // `app` outlives this object.
  explicit TomlConfig(const CLI::App& app) : app_(app) {}

  // Throws CLI::FileError for text that is not TOML, an unknown key or a value of a wrong kind; the
  // line has file, line and key.
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

  // Not offered: programs are configured by hand.
  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }

  // "FILE:LINE: key" of the value that was read for `option`; empty when none was.
  std::string place_of(const CLI::Option* option) const;

 private:
  const CLI::App& app_;
  mutable std::map<const CLI::Option*, std::string> places_;
};

// The value of the variable; empty when it is not set.
std::string environment_value(const std::string& variable);

// The message without what would break it into several lines.
std::string one_line(std::string_view text);

}  // namespace millrace::host

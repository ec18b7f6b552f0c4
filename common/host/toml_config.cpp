#include "common/host/toml_config.h"

#include <toml++/toml.h>

#include <cstdlib>
#include <optional>

namespace millrace::host {
namespace {

std::string place(const std::string& file, const toml::source_region& source) {
  return file + ":" + std::to_string(source.begin.line);
}

// Text for an option; nothing for kinds that no option takes.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  if (const auto* number = node.as_floating_point()) {
    std::ostringstream text;
    text << number->get();
    return text.str();
  }
  return std::nullopt;
}

std::vector<std::string> texts_of(const toml::node& node, const std::string& where) {
  std::vector<std::string> texts;
  const auto add = [&texts, &where](const toml::node& element) {
    std::optional<std::string> text = scalar_text(element);
    if (!text.has_value()) {
      throw CLI::FileError(where + ": the value must be text, a number, true or false, or a list");
    }
    texts.push_back(std::move(*text));
  };
  if (const toml::array* list = node.as_array()) {
    for (const toml::node& element : *list) add(element);
  } else {
    add(node);
  }
  return texts;
}

const CLI::App* subcommand_of(const CLI::App& app, const std::string& name) {
  for (const CLI::App* candidate : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (candidate->get_name() == name) return candidate;
  }
  return nullptr;
}

class Walk {
 public:
  Walk(std::string file, std::map<const CLI::Option*, std::string>& places)
      : file_(std::move(file)), places_(places) {}

  void table(const CLI::App& app, const toml::table& table, std::vector<std::string> parents) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const std::string where = place(file_, node.source()) + ": " +
                                CLI::detail::join(parents, ".") + (parents.empty() ? "" : ".") +
                                name;
      if (const toml::table* inner = node.as_table()) {
        const CLI::App* subcommand = subcommand_of(app, name);
        if (subcommand == nullptr) throw CLI::FileError(where + " is not a known table");
        std::vector<std::string> path = parents;
        path.push_back(name);
        this->table(*subcommand, *inner, std::move(path));
      } else {
        value(app, node, parents, name, where);
      }
    }
  }

  std::vector<CLI::ConfigItem> take() { return std::move(items_); }

 private:
  void value(const CLI::App& app, const toml::node& node, const std::vector<std::string>& parents,
             const std::string& name, const std::string& where) {
    const CLI::Option* option = app.get_option_no_throw("--" + name);
    if (option == nullptr || !option->get_configurable()) {
      throw CLI::FileError(where + " is not a known key; keys are the long option names of --help");
    }
    std::vector<std::string> texts = texts_of(node, where);
    places_[option] = where;
    if (!environment_value(option->get_envname()).empty()) return;
    CLI::ConfigItem item;
    item.parents = parents;
    item.name = name;
    item.inputs = std::move(texts);
    items_.push_back(std::move(item));
  }

  std::string file_;
  std::map<const CLI::Option*, std::string>& places_;
  std::vector<CLI::ConfigItem> items_;
};

}  // namespace

std::vector<CLI::ConfigItem> TomlConfig::from_config(std::istream& input) const {
  const std::string file = app_.get_config_ptr()->as<std::string>();
  try {
    const toml::table root = toml::parse(input, file);
    Walk walk(file, places_);
    walk.table(app_, root, {});
    return walk.take();
  } catch (const toml::parse_error& error) {
    throw CLI::FileError(place(file, error.source()) + ": " + one_line(error.description()));
  }
}

std::string TomlConfig::place_of(const CLI::Option* option) const {
  const auto found = places_.find(option);
  return found == places_.end() ? std::string() : found->second;
}

std::string environment_value(const std::string& variable) {
  if (variable.empty()) return {};
  const char* value = std::getenv(variable.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool breaks = static_cast<unsigned char>(c) < 0x20;
    if (!breaks) {
      line.push_back(c);
    } else if (!line.empty() && line.back() != ' ') {
      line.push_back(' ');
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace millrace::host

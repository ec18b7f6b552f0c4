#include "common/json/strict_json.h"

#include <set>
#include <vector>

namespace millrace::json {
namespace {

constexpr int kDepthMax = 8;
// Each value costs memory beyond its text; ten thousand tasks with every key stay far below.
constexpr std::size_t kValuesMax = 1'000'000;
constexpr std::size_t kShownBytesMax = 60;

// The library's message without its own prefix and without bytes that harm a terminal.
std::string reason_of(const nlohmann::json::parse_error& error) {
  std::string text = error.what();
  text.erase(0, text.find("syntax error"));
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  if (text.size() > 160) text = text.substr(0, 160) + "...";
  return text;
}

// Sees each key before the DOM merges equal ones.
class KeyWatch {
 public:
  bool operator()(int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > kDepthMax) {
      too_deep = true;
      return false;
    }
    if (++values_ > kValuesMax) return false;  // dropped, so that memory stays bounded
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second && duplicate.empty()) duplicate = show(parsed);
    }
    return true;
  }

  bool too_many() const { return values_ > kValuesMax; }
  bool too_deep = false;
  std::string duplicate;

 private:
  std::size_t values_ = 0;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

std::optional<Problem> parse_strict(std::string_view text, nlohmann::json& value) {
  KeyWatch watch;
  try {
    const nlohmann::json::parser_callback_t callback =
        [&watch](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
          return watch(depth, event, parsed);
        };
    value = nlohmann::json::parse(text.begin(), text.end(), callback);
  } catch (const nlohmann::json::parse_error& error) {
    return Problem{error.byte, "not valid JSON: " + reason_of(error)};
  } catch (const nlohmann::json::exception& error) {
    return Problem{0, std::string("not usable JSON: ") + error.what()};
  }
  if (watch.too_deep) {
    return Problem{0, "nested more than " + std::to_string(kDepthMax) + " levels deep"};
  }
  if (watch.too_many()) return Problem{0, "more than a million values in one document"};
  if (!watch.duplicate.empty()) {
    return Problem{0, "the key " + watch.duplicate + " stands twice; give it once"};
  }
  return std::nullopt;
}

std::string show(const nlohmann::json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kShownBytesMax) text = text.substr(0, kShownBytesMax) + "...";
  return text;
}

}  // namespace millrace::json

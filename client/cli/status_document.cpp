#include "client/cli/status_document.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "client/cli/display.h"
#include "common/json/strict_json.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

Json parse(std::string_view text) {
  return Json::parse(text.begin(), text.end(), nullptr, false);
}

const Json& field(const Json& object, const char* name) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found == object.end() ? kNone : *found;
}

std::string number_text(const Json& value) {
  if (value.is_number_unsigned()) return grouped(value.get<std::uint64_t>());
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  if (!value.is_number_float()) return "";
  const double number = value.get<double>();
  if (number == std::floor(number) && number >= 0 && number < 1e15) {
    return grouped(static_cast<std::uint64_t>(number));
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", number);
  return text;
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (!value.is_array()) return number_text(value);
  std::string all;
  for (const Json& item : value) all += (all.empty() ? "" : ",") + text_of(item);
  return all;
}

std::string age_of(const Json& seconds) {
  if (!seconds.is_number()) return "";
  const double value = std::clamp(seconds.get<double>(), 0.0, 1e9);
  return age_text(Duration::milliseconds(static_cast<std::int64_t>(value * 1e3)));
}

std::string percent_of(const Json& ratio) {
  if (!ratio.is_number()) return "";
  return std::to_string(std::lround(std::clamp(ratio.get<double>(), 0.0, 10.0) * 100)) + " %";
}

// The entries of a list with "name" fields, or of an object by name.
std::vector<std::pair<std::string, Json>> entries_of(const Json& document, const char* inside) {
  const Json& inner = field(document, inside);
  const Json& entries = inner.is_null() ? document : inner;
  std::vector<std::pair<std::string, Json>> result;
  if (entries.is_array()) {
    for (const Json& entry : entries) result.emplace_back(text_of(field(entry, "name")), entry);
  } else if (entries.is_object()) {
    for (const auto& [name, entry] : entries.items()) {
      if (entry.is_object()) result.emplace_back(name, entry);
    }
  }
  return result;
}

void flatten(const std::string& prefix, const Json& value,
             std::vector<std::pair<std::string, std::string>>& lines) {
  if (value.is_object()) {
    for (const auto& [name, inner] : value.items()) {
      flatten(prefix.empty() ? name : prefix + "." + name, inner, lines);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string name = text_of(field(value[i], "name"));
      flatten(prefix + "." + (name.empty() ? std::to_string(i) : name), value[i], lines);
    }
  } else {
    lines.emplace_back(prefix, text_of(value));
  }
}

}  // namespace

std::string queues_text(std::string_view json, bool colour) {
  Table table({{"QUEUE"},
               {"STATE"},
               {"PENDING", Align::right},
               {"DELAYED", Align::right},
               {"IN PROGRESS", Align::right},
               {"DEAD", Align::right},
               {"OLDEST", Align::right},
               {"WORKERS", Align::right}},
              colour);
  for (const auto& [name, queue] : entries_of(parse(json), "queues")) {
    const Json& paused = field(queue, "paused");
    table.add({name, paused.is_boolean() && paused.get<bool>() ? "paused" : "running",
               number_text(field(queue, "pending")), number_text(field(queue, "delayed")),
               number_text(field(queue, "in_progress")), number_text(field(queue, "dead")),
               age_of(field(queue, "oldest_pending_seconds")),
               number_text(field(queue, "workers"))});
  }
  return table.empty() ? "" : table.text();
}

std::string workers_text(std::string_view json, bool colour) {
  Table table({{"WORKER"},
               {"STATUS"},
               {"COMPLETED", Align::right},
               {"HOLDING", Align::right},
               {"SLOTS", Align::right},
               {"UTILISATION", Align::right},
               {"LAST BEAT", Align::right},
               {"VERSION"},
               {"QUEUES"}},
              colour);
  for (const auto& [name, worker] : entries_of(parse(json), "workers")) {
    table.add({name, text_of(field(worker, "status")),
               number_text(field(worker, "tasks_completed")), number_text(field(worker, "holding")),
               number_text(field(worker, "slots")), percent_of(field(worker, "utilisation")),
               age_of(field(worker, "last_heartbeat_age_seconds")),
               text_of(field(worker, "version")), text_of(field(worker, "queues"))});
  }
  return table.empty() ? "" : table.text();
}

std::string metrics_text(std::string_view json) {
  std::vector<std::pair<std::string, std::string>> lines;
  const Json document = parse(json);
  if (document.is_object()) flatten("", document, lines);
  std::size_t name_width = 0;
  std::size_t value_width = 0;
  for (const auto& [name, value] : lines) {
    name_width = std::max(name_width, width_of(printable(name)));
    value_width = std::max(value_width, width_of(printable(value)));
  }
  std::string text;
  for (const auto& [name, value] : lines) {
    const std::string shown_name = printable(name);
    const std::string shown_value = printable(value);
    text += shown_name + std::string(name_width - width_of(shown_name) + 2, ' ') +
            std::string(value_width - width_of(shown_value), ' ') + shown_value + "\n";
  }
  return text;
}

}  // namespace millrace::cli

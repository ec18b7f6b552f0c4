#include "common/host/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <array>
#include <string_view>
#include <utility>

#include "common/wire/utf8.h"

namespace millrace::host {
namespace {

using spdlog::details::log_msg;

struct LevelName {
  std::string_view name;
  std::string_view padded;  // to one width, so that lines align
  spdlog::level::level_enum level;
};
constexpr std::array<LevelName, 6> kLevels = {{{"trace", "trace", spdlog::level::trace},
                                               {"debug", "debug", spdlog::level::debug},
                                               {"info", "info ", spdlog::level::info},
                                               {"warn", "warn ", spdlog::level::warn},
                                               {"error", "error", spdlog::level::err},
                                               {"off", "off  ", spdlog::level::off}}};

void append(spdlog::memory_buf_t& line, std::string_view text) {
  line.append(text.data(), text.data() + text.size());
}

// The names that --log-level takes.
class LevelFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
    for (const LevelName& known : kLevels) {
      if (known.level == message.level) return append(line, known.padded);
    }
    append(line, "fatal");
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelFlag>();
  }
};

// The text with control characters spelled out: one record is one line, whatever a peer sent.
class TextFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : std::string_view(message.payload.data(), message.payload.size())) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '\n') {
        append(line, "\\n");
      } else if (byte < 0x20 || byte == 0x7f) {
        const std::array<char, 4> escape = {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
        append(line, {escape.data(), escape.size()});
      } else {
        line.push_back(c);
      }
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<TextFlag>();
  }
};

// The text as the inside of a JSON string.
class JsonTextFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    const std::string text = replace_invalid_utf8({message.payload.data(), message.payload.size()});
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        line.push_back('\\');
        line.push_back(c);
      } else if (byte < 0x20) {
        append(line, "\\u00");
        line.push_back(kDigits[byte >> 4]);
        line.push_back(kDigits[byte & 15]);
      } else {
        line.push_back(c);
      }
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonTextFlag>();
  }
};

// The level without the blanks that align lines.
class JsonLevelFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
    for (const LevelName& known : kLevels) {
      if (known.level == message.level) return append(line, known.name);
    }
    append(line, "fatal");
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonLevelFlag>();
  }
};

std::unique_ptr<spdlog::pattern_formatter> make_formatter(bool json) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  if (json) {
    formatter->add_flag<JsonLevelFlag>('K').add_flag<JsonTextFlag>('Q');
    formatter->set_pattern(
        "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%K\",\"program\":\"%n\","
        "\"pid\":%P,\"text\":\"%Q\"}");
  } else {
    formatter->add_flag<LevelFlag>('K').add_flag<TextFlag>('Q');
    formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%K%$ %n: %Q");
  }
  return formatter;
}

}  // namespace

Result<Log> make_log(const std::string& program, const std::string& level,
                     const std::string& format) {
  if (format != "text" && format != "json") {
    return Error{ErrorCode::misconfigured,
                 "log format '" + format + "' is not known; use text or json"};
  }
  auto log = std::make_shared<spdlog::logger>(
      program, std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  log->set_formatter(make_formatter(format == "json"));
  if (const Status set = set_level(*log, level); !set) return set.error();
  log->flush_on(spdlog::level::trace);
  return log;
}

Status set_level(spdlog::logger& log, const std::string& level) {
  for (const LevelName& known : kLevels) {
    if (known.name != level) continue;
    log.set_level(known.level);
    return Done{};
  }
  return Error{
      ErrorCode::misconfigured,
      "log level '" + level + "' is not known; use trace, debug, info, warn, error or off"};
}

}  // namespace millrace::host

#include "client/cli/command.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/shown_text.h"

namespace millrace::cli {

std::optional<client::Client> CommandContext::connect(int& exit_code) {
  client::ClientSettings settings;
  settings.broker = options_.broker;
  settings.key = options_.key;
  settings.connect_timeout = options_.timeout;
  settings.call_timeout = options_.timeout;
  settings.outage_max = std::max(settings.outage_max, options_.timeout);
  settings.proceed = [this] { return may_proceed(); };
  Result<client::Client> client = client::Client::connect(settings);
  if (!client) {
    exit_code = fail(client.error());
    return std::nullopt;
  }
  log_->debug("connected to {}, broker {}", options_.broker, client->broker_version());
  return std::move(*client);
}

int CommandContext::fail(const Error& error) {
  if (interrupted()) {
    complain("interrupted");
    return kExitInterrupted;
  }
  complain(error.message);
  switch (error.code) {
    case ErrorCode::unavailable:
    case ErrorCode::busy:
    case ErrorCode::store_full:
    case ErrorCode::shutting_down:
      return static_cast<int>(host::ExitCode::unreachable);
    case ErrorCode::invalid:
    case ErrorCode::too_large:
    case ErrorCode::misconfigured:
    case ErrorCode::unsupported:
      return static_cast<int>(host::ExitCode::usage);
    default:
      return static_cast<int>(host::ExitCode::work_failed);
  }
}

int CommandContext::fail_usage(const std::string& message) {
  complain(message);
  return static_cast<int>(host::ExitCode::usage);
}

void CommandContext::complain(const std::string& message) const {
  std::fprintf(stderr, "millrace: %s\n", message.c_str());
}

int CommandContext::finish(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  // A reader who has seen enough (EPIPE) needs no words.
  if (errno != EPIPE) complain(std::string("cannot write the output: ") + std::strerror(errno));
  return static_cast<int>(host::ExitCode::work_failed);
}

Result<std::vector<TaskId>> parse_task_ids(const std::vector<std::string>& texts) {
  std::vector<TaskId> ids;
  for (const std::string& text : texts) {
    const std::optional<TaskId> id = parse_id<TaskId>(text);
    if (!id.has_value()) {
      return Error{ErrorCode::invalid, "'" + shown_text(text) +
                                           "' is not a task id; ids are UUIDs such as "
                                           "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f"};
    }
    ids.push_back(*id);
  }
  return ids;
}

int run_document(CommandContext& context, StatusTopic topic, bool json, const char* nothing,
                 const std::function<std::string(const std::string&)>& render) {
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  const Result<std::string> document = client->status(topic);
  if (!document) return context.fail(document.error());
  const std::string text = json ? *document : render(*document);
  if (text.empty()) context.complain(nothing);
  std::fputs(text.c_str(), stdout);
  return context.finish(host::ExitCode::done);
}

void print_line(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace millrace::cli

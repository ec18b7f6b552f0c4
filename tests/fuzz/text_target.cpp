// The texts that people and scripts write: lines of a submit, durations, times, ids, addresses,
// base64. What is read must come back the same when it is written; what is refused must say why.
#include "common/host/host_port.h"
#include "common/json/base64.h"
#include "common/json/task_fields.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/property.h"

namespace millrace::fuzz {
namespace {

void run_duration(std::string_view text) {
  const Result<Duration> duration = parse_duration(text);
  if (!duration.ok()) return require_readable(duration.error().message);
  const Result<Duration> again = parse_duration(to_text(*duration));
  require(again.ok() && *again == *duration, "a duration is written as it is read", text);
}

void run_time(std::string_view text) {
  const Result<Time> time = parse_rfc3339(text);
  if (!time.ok()) return require_readable(time.error().message);
  const Result<Time> again = parse_rfc3339(to_rfc3339(*time));
  require(again.ok(), "a time is written as it is read", text);
  const Duration lost = *time - *again;
  require(lost >= Duration() && lost < Duration::milliseconds(1), "to the millisecond", text);
}

void run_id(std::string_view text) {
  const std::optional<TaskId> id = parse_id<TaskId>(text);
  if (!id) return;
  require(!id->is_nil(), "an id is not nil", text);
  require(parse_id<TaskId>(to_text(*id)) == id, "an id is written as it is read", text);
}

void run_address(std::string_view text) {
  const auto address = host::parse_host_port(std::string(text), 5555);
  if (!address.ok()) return require_readable(address.error().message);
  require(!address->host.empty() && address->port != 0, "an address has a host and a port", text);
  const auto again = host::parse_host_port(host::to_tcp_address(*address), 1);
  require(again.ok() && again->host == address->host && again->port == address->port,
          "an address is written as it is read", text);
}

// Strict, so that there is one text for any bytes.
void run_base64(std::string_view text) {
  const auto bytes = json::decode_base64(text);
  if (bytes) require(json::encode_base64(*bytes) == text, "base64 is read strictly", text);
}

void run_task_line(std::string_view text) {
  wire::TaskDescription task;
  task.queue = "mail";
  const auto problem = json::read_task_line(text, json::QueueKey::unknown, PeerLimits(), task);
  if (problem) {
    require(problem->column <= text.size() + 1, "a fault lies in its line", text);
    return require_readable(problem->message);
  }
  if (const auto wrong = json::check_task(task, PeerLimits())) {
    return require_readable(wrong->message);
  }
  if (task.id.is_nil()) task.id.bytes[0] = 1;
  require(wire::check_task(task, PeerLimits()).ok(), "a checked line makes a task", text);
  const auto sent = wire::decode_task(wire::encode_task(task).bytes, PeerLimits());
  require(sent.ok() && wire::content_hash(*sent) == wire::content_hash(task),
          "a task arrives as it was written", text);
}

void run(Input& input) {
  const std::size_t kind = input.below(8);
  const auto rest = input.rest();
  // A copy of exactly this size, so that a read past its end is seen.
  const std::vector<char> bytes(rest.begin(), rest.end());
  const std::string_view text(bytes.data(), bytes.size());
  switch (kind) {
    case 0:
      return run_duration(text);
    case 1:
      return run_time(text);
    case 2:
      return run_id(text);
    case 3:
      return run_address(text);
    case 4:
      return run_base64(text);
    default:
      return run_task_line(text);
  }
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::fuzz::Input input({data, size});
  millrace::fuzz::run(input);
  return 0;
}

// Every decoder of the protocol, both directions. What decodes must come back the same when it is
// encoded and decoded again; what is refused must say why; the address of the bytes must not
// matter.
#include <algorithm>
#include <optional>

#include "common/wire/heartbeat_codec.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/wire_input.h"
#include "tests/unit/wire/frame_tools.h"
#include "tests/unit/wire/message_text.h"

namespace millrace::fuzz {
namespace {

// An item with a problem has no spec to send again.
ClientMessage repeatable(ClientMessage message) {
  if (auto* submit = std::get_if<Submit>(&message)) {
    std::erase_if(submit->tasks, [](const SubmitItem& item) { return item.problem.has_value(); });
  }
  return message;
}
template <class Message>
Message repeatable(Message message) {
  return message;
}

template <class Value>
std::string outcome_of(const Result<Value>& decoded) {
  return decoded.ok() ? wire::text_of(*decoded) : decoded.error().message;
}

template <class Decode>
void run_control(const WireInput& input, Decode decode) {
  const PeerLimits limits = input.limits();
  const auto decoded = decode(input.frames, limits);
  if (input.shift != 0) {
    const auto elsewhere = decode(wire::shifted(input.frames, input.shift), limits);
    require(outcome_of(decoded) == outcome_of(elsewhere), "an address decides nothing");
  }
  if (!decoded.ok()) return require_readable(decoded.error().message);
  const auto message = repeatable(*decoded);
  const auto again = decode(wire::encode(message), PeerLimits());
  require(again.ok(), "what was decoded can be sent on", outcome_of(again));
  require(wire::text_of(*again) == wire::text_of(message), "and is the same", outcome_of(again));
}

void run_task(const WireInput& input) {
  const SharedBytes bytes = wire::shifted(input.control(), input.shift);
  const PeerLimits limits = input.limits();
  const auto task = wire::decode_task(bytes, limits);
  const auto spec = wire::decode_task_spec(bytes, limits);
  require(task.ok() == spec.ok(), "broker and worker agree on what a task is");
  if (!task.ok()) return require_readable(task.error().message);
  require(wire::check_task(*task, limits).ok(), "what was decoded passes the check");
  require(wire::content_hash(*task) == spec->content_hash, "one content has one hash");
  const TaskSpec again = wire::encode_task(*task);
  require(again.content_hash == spec->content_hash, "encoding keeps the content");
  const auto read = wire::decode_task(again.bytes, limits);
  require(read.ok() && wire::text_of(*read) == wire::text_of(*task), "a task comes back the same");
}

template <class Decode>
void run_heartbeat(const WireInput& input, Decode decode) {
  const auto decoded = decode(wire::shifted(input.control(), input.shift));
  if (!decoded.ok()) return require_readable(decoded.error().message);
  const auto again = decode(wire::encode(*decoded));
  require(again.ok() && wire::text_of(*again) == wire::text_of(*decoded),
          "a heartbeat comes back the same");
}

void run(const WireInput& input) {
  switch (input.kind) {
    case WireKind::client_message:
      run_control(input, wire::decode_client_message);
      wire::request_of(input.frames);
      return;
    case WireKind::client_reply:
      return run_control(input, wire::decode_client_reply);
    case WireKind::worker_message:
      return run_control(input, wire::decode_worker_message);
    case WireKind::worker_reply:
      return run_control(input, wire::decode_worker_reply);
    case WireKind::task:
      return run_task(input);
    case WireKind::beat:
      return run_heartbeat(input, wire::decode_beat);
    case WireKind::pulse:
      return run_heartbeat(input, wire::decode_pulse);
    case WireKind::count:
      return;
  }
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto input = millrace::fuzz::read_wire_input({data, size})) {
    millrace::fuzz::run(*input);
  }
  return 0;
}

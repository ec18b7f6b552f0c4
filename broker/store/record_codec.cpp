#include "broker/store/record_codec.h"

#include <cstring>
#include <limits>

#include "common/base/check.h"
#include "schemas/record_generated.h"

namespace millrace::broker {
namespace {

static_assert(sizeof(record::TaskV1) == kTaskBodyBytes);
static_assert(sizeof(record::TotalsV1) == kTotalsBodyBytes);

template <class Struct>
std::array<std::uint8_t, sizeof(Struct)> bytes_of(const Struct& value) {
  std::array<std::uint8_t, sizeof(Struct)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(Struct));
  return bytes;
}
// Copies, because a stored body is not aligned for the struct.
template <class Struct>
std::optional<Struct> struct_of(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != sizeof(Struct)) return std::nullopt;
  Struct value;
  std::memcpy(static_cast<void*>(&value), bytes.data(), sizeof(Struct));
  return value;
}

std::uint64_t half_of(const TaskId& id, std::size_t offset) {
  std::uint64_t half = 0;
  for (std::size_t i = 0; i < 8; ++i) half = (half << 8) | id.bytes[offset + i];
  return half;
}
void set_half(TaskId& id, std::size_t offset, std::uint64_t half) {
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[offset + i] = static_cast<std::uint8_t>(half >> (8 * (7 - i)));
  }
}

std::uint32_t narrow(ByteCount bytes) {
  MILLRACE_CHECK(bytes.value <= std::numeric_limits<std::uint32_t>::max(),
                 "a task's parts are below 4 GiB");
  return static_cast<std::uint32_t>(bytes.value);
}

std::int64_t nanoseconds_of(Time time) {
  return time.since_epoch().in_nanoseconds();
}
Time time_of(std::int64_t nanoseconds) {
  return Time::since_epoch(Duration::nanoseconds(nanoseconds));
}

bool is_state(std::uint8_t number) {
  return number >= 1 && number <= static_cast<std::uint8_t>(TaskState::expired);
}
bool is_reason(std::uint8_t number) {
  return number <= static_cast<std::uint8_t>(Reason::expired);
}

}  // namespace

TaskBody::TaskBody(const TaskRecord& task) {
  // Only a delayed task is due; what has been leased has the time of its lease there.
  const Time due = task.state == TaskState::delayed ? task.due : task.leased;
  const record::TaskV1 stored(
      half_of(task.id, 0), half_of(task.id, 8), task.content_hash, task.fence.value,
      nanoseconds_of(task.accepted), nanoseconds_of(due), nanoseconds_of(task.expires),
      nanoseconds_of(task.ended), task.timeout.in_nanoseconds(), task.retention.in_nanoseconds(),
      task.backoff.initial.in_nanoseconds(), task.backoff.max.in_nanoseconds(), task.queue.value,
      task.spec_stored ? 1U : 0U, narrow(task.payload_bytes), narrow(task.result_bytes),
      task.attempts, task.max_attempts, task.attempt_records, static_cast<std::uint8_t>(task.state),
      static_cast<std::uint8_t>(task.reason), task.priority, task.cancel_requested, 0, 0);
  const std::span<const std::uint8_t> name = task.last_worker.view();
  MILLRACE_CHECK(name.size() <= kTaskNameBytesMost, "a worker's name is short");
  std::memcpy(bytes_.data(), &stored, sizeof stored);
  if (!name.empty()) std::memcpy(bytes_.data() + sizeof stored, name.data(), name.size());
  size_ = sizeof stored + name.size();
}

std::optional<TaskRecord> decode_task(TaskSequence sequence, std::span<const std::uint8_t> body) {
  if (body.size() < kTaskBodyBytes || body.size() > kTaskBodyBytes + kTaskNameBytesMost) {
    return std::nullopt;
  }
  const auto stored = struct_of<record::TaskV1>(body.first(kTaskBodyBytes));
  if (!stored || !is_state(stored->state()) || !is_reason(stored->reason()) ||
      stored->priority() > kPriorityHighest) {
    return std::nullopt;
  }
  TaskRecord task;
  task.sequence = sequence;
  set_half(task.id, 0, stored->id_high());
  set_half(task.id, 8, stored->id_low());
  task.queue = QueueNumber(stored->queue());
  task.state = static_cast<TaskState>(stored->state());
  task.reason = static_cast<Reason>(stored->reason());
  task.priority = stored->priority();
  task.cancel_requested = stored->cancel_requested();
  task.attempts = stored->attempts();
  task.max_attempts = stored->max_attempts();
  task.attempt_records = stored->attempt_records();
  task.fence = Fence(stored->fence());
  task.content_hash = stored->content_hash();
  task.accepted = time_of(stored->accepted());
  (task.state == TaskState::delayed ? task.due : task.leased) = time_of(stored->due());
  task.last_worker = SharedBytes::copy_of(body.subspan(kTaskBodyBytes));
  task.expires = time_of(stored->expires());
  task.ended = time_of(stored->ended());
  task.timeout = Duration::nanoseconds(stored->timeout());
  task.retention = Duration::nanoseconds(stored->retention());
  task.backoff = Backoff{Duration::nanoseconds(stored->backoff_initial()),
                         Duration::nanoseconds(stored->backoff_max())};
  task.spec_stored = stored->spec_bytes() != 0;
  task.payload_bytes = ByteCount(stored->payload_bytes());
  task.result_bytes = ByteCount(stored->result_bytes());
  return task;
}

std::array<std::uint8_t, kTotalsBodyBytes> encode_totals(const Totals& totals) {
  return bytes_of(record::TotalsV1(totals.accepted, totals.succeeded, totals.dead, totals.cancelled,
                                   totals.expired, totals.requeued, totals.retries, totals.pruned,
                                   totals.lease_losses, totals.timeouts, totals.last_sequence));
}

std::optional<Totals> decode_totals(std::span<const std::uint8_t> body) {
  const std::optional<record::TotalsV1> stored = struct_of<record::TotalsV1>(body);
  if (!stored) return std::nullopt;
  Totals totals;
  totals.accepted = stored->accepted();
  totals.succeeded = stored->succeeded();
  totals.dead = stored->dead();
  totals.cancelled = stored->cancelled();
  totals.expired = stored->expired();
  totals.requeued = stored->requeued();
  totals.retries = stored->retries();
  totals.pruned = stored->pruned();
  totals.lease_losses = stored->lease_losses();
  totals.timeouts = stored->timeouts();
  totals.last_sequence = stored->last_sequence();
  return totals;
}

std::vector<std::uint8_t> encode_attempt(const AttemptRecord& attempt) {
  flatbuffers::FlatBufferBuilder builder(256);
  const auto worker = builder.CreateString(attempt.worker);
  const auto error = builder.CreateString(attempt.error);
  record::FinishAttemptBuffer(
      builder,
      record::CreateAttempt(builder, attempt.attempt, static_cast<std::uint8_t>(attempt.reason),
                            attempt.fence.value, nanoseconds_of(attempt.started),
                            nanoseconds_of(attempt.ended), worker, error));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

std::optional<AttemptRecord> decode_attempt(std::span<const std::uint8_t> body) {
  flatbuffers::Verifier verifier(body.data(), body.size());
  if (!record::VerifyAttemptBuffer(verifier)) return std::nullopt;
  const record::Attempt& stored = *record::GetAttempt(body.data());
  if (!is_reason(stored.reason())) return std::nullopt;
  AttemptRecord attempt;
  attempt.attempt = stored.attempt();
  attempt.fence = Fence(stored.fence());
  attempt.reason = static_cast<Reason>(stored.reason());
  attempt.started = time_of(stored.started());
  attempt.ended = time_of(stored.ended());
  if (stored.worker() != nullptr) attempt.worker = stored.worker()->str();
  if (stored.error() != nullptr) attempt.error = stored.error()->str();
  return attempt;
}

std::vector<std::uint8_t> encode_queue(const PutQueue& queue) {
  std::vector<std::uint8_t> body;
  body.reserve(1 + queue.name.size());
  body.push_back(queue.paused ? 1 : 0);
  body.insert(body.end(), queue.name.begin(), queue.name.end());
  return body;
}

std::optional<StoredQueue> decode_queue(QueueNumber queue, std::span<const std::uint8_t> body) {
  if (body.empty() || body[0] > 1) return std::nullopt;
  return StoredQueue{queue, std::string(body.begin() + 1, body.end()), body[0] == 1};
}

std::array<std::uint8_t, 8> encode_number(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(number);
    number >>= 8;
  }
  return bytes;
}

std::optional<std::uint64_t> decode_number(std::span<const std::uint8_t> body) {
  if (body.size() != 8) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = 8; i > 0; --i) number = (number << 8) | body[i - 1];
  return number;
}

}  // namespace millrace::broker

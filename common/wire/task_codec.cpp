#include "common/wire/task_codec.h"

#include "common/wire/content_hasher.h"
#include "common/wire/flatbuffer_bytes.h"
#include "common/wire/task_rules.h"
#include "schemas/task_generated.h"

namespace millrace::wire {
namespace {

constexpr Duration kRetentionDefault = Duration::nanoseconds(-1);

// Negative stands for one thing only, so that equal tasks have equal bytes and hashes.
Duration normal_retention(Duration retention) {
  return retention < Duration() ? kRetentionDefault : retention;
}

TaskFields fields_of(const TaskDescription& task) {
  TaskFields fields;
  fields.id = task.id;
  fields.queue = task.queue;
  fields.payload_bytes = task.payload.size();
  fields.headers = task.headers.size();
  for (const auto& [key, value] : task.headers) fields.headers_bytes += key.size() + value.size();
  fields.priority = task.priority;
  fields.max_attempts = task.max_attempts;
  fields.delay = task.delay;
  fields.not_before = task.not_before;
  fields.ttl = task.ttl;
  fields.timeout = task.timeout;
  fields.retention = normal_retention(task.retention);
  fields.backoff = task.backoff;
  return fields;
}

TaskFields fields_of(const schema::TaskSpec& spec) {
  TaskFields fields;
  fields.id = to_id<TaskId>(spec.id());
  fields.queue = text_of(spec.queue());
  fields.payload_bytes = spec.payload() == nullptr ? 0 : spec.payload()->size();
  if (spec.headers() != nullptr) {
    fields.headers = spec.headers()->size();
    for (const schema::Header* header : *spec.headers()) {
      fields.headers_bytes += text_of(header->key()).size() + text_of(header->value()).size();
    }
  }
  fields.priority = spec.priority();
  fields.max_attempts = spec.max_attempts();
  fields.delay = Duration::nanoseconds(spec.delay_ns());
  fields.not_before = Time::since_epoch(Duration::nanoseconds(spec.not_before_ns()));
  fields.ttl = Duration::nanoseconds(spec.ttl_ns());
  fields.timeout = Duration::nanoseconds(spec.timeout_ns());
  fields.retention = normal_retention(Duration::nanoseconds(spec.retention_ns()));
  fields.backoff.initial = Duration::nanoseconds(spec.backoff_initial_ns());
  fields.backoff.max = Duration::nanoseconds(spec.backoff_max_ns());
  return fields;
}

void hash_fields(const TaskFields& fields, ContentHasher& hasher) {
  hasher.add(fields.queue);
  hasher.add(std::uint64_t{fields.priority});
  hasher.add(std::uint64_t{fields.max_attempts});
  hasher.add(fields.delay.in_nanoseconds());
  hasher.add(fields.not_before.since_epoch().in_nanoseconds());
  hasher.add(fields.ttl.in_nanoseconds());
  hasher.add(fields.timeout.in_nanoseconds());
  hasher.add(fields.retention.in_nanoseconds());
  hasher.add(fields.backoff.initial.in_nanoseconds());
  hasher.add(fields.backoff.max.in_nanoseconds());
  hasher.add(fields.headers);
}

// Takes over what description and specification share.
template <class Task>
Task task_of(const TaskFields& fields) {
  Task task;
  task.id = fields.id;
  task.queue = std::string(fields.queue);
  task.priority = fields.priority;
  task.max_attempts = fields.max_attempts;
  task.delay = fields.delay;
  task.not_before = fields.not_before;
  task.ttl = fields.ttl;
  task.timeout = fields.timeout;
  task.retention = fields.retention;
  task.backoff = fields.backoff;
  return task;
}

std::uint64_t size_limit(const PeerLimits& limits) {
  constexpr std::uint64_t kRoomForTheRest = 64 * 1024;  // fields, header tables, padding
  return limits.payload_bytes_max.value + limits.headers_bytes_max.value + kRoomForTheRest;
}

// The verified and validated root inside `bytes`, which must be aligned.
Result<const schema::TaskSpec*> open_task_spec(const SharedBytes& bytes, const PeerLimits& limits) {
  if (bytes.size() > size_limit(limits)) {
    return Error{ErrorCode::too_large, "task spec is " + std::to_string(bytes.size()) +
                                           " bytes; at most " + std::to_string(size_limit(limits)) +
                                           " are allowed"};
  }
  flatbuffers::Verifier::Options options;
  options.max_depth = 4;
  options.max_tables = 1 + static_cast<flatbuffers::uoffset_t>(kHeadersMost);
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), options);
  if (!schema::VerifyTaskSpecBuffer(verifier)) {
    return Error{ErrorCode::invalid,
                 "task spec is not a TaskSpec FlatBuffer (identifier MRT1) with "
                 "at most " +
                     std::to_string(kHeadersMost) + " headers"};
  }
  const schema::TaskSpec* spec = schema::GetTaskSpec(bytes.data());
  const Status fields = check_task_fields(fields_of(*spec), limits);
  if (!fields.ok()) return fields.error();
  if (spec->headers() != nullptr) {
    for (const schema::Header* header : *spec->headers()) {
      const Status status = check_header(text_of(header->key()), text_of(header->value()));
      if (!status.ok()) return status.error();
    }
  }
  return spec;
}

std::span<const std::uint8_t> payload_of(const schema::TaskSpec& spec) {
  if (spec.payload() == nullptr) return {};
  return {spec.payload()->data(), spec.payload()->size()};
}

flatbuffers::Offset<schema::TaskSpec> build_task_spec(flatbuffers::FlatBufferBuilder& builder,
                                                      const TaskDescription& task) {
  std::vector<flatbuffers::Offset<schema::Header>> headers;
  headers.reserve(task.headers.size());
  for (const auto& header : task.headers) {
    const auto key = builder.CreateString(header.first);
    const auto value = builder.CreateString(header.second);
    headers.push_back(schema::CreateHeader(builder, key, value));
  }
  const auto header_vector =
      headers.empty()
          ? flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<schema::Header>>>()
          : builder.CreateVector(headers);
  const auto payload = builder.CreateVector(task.payload.data(), task.payload.size());
  const auto queue = builder.CreateString(task.queue);
  const schema::Uuid id = to_uuid(task.id);
  return schema::CreateTaskSpec(
      builder, &id, queue, payload, header_vector, task.priority, task.max_attempts,
      task.delay.in_nanoseconds(), task.not_before.since_epoch().in_nanoseconds(),
      task.ttl.in_nanoseconds(), task.timeout.in_nanoseconds(),
      normal_retention(task.retention).in_nanoseconds(), task.backoff.initial.in_nanoseconds(),
      task.backoff.max.in_nanoseconds());
}

}  // namespace

Status check_task(const TaskDescription& task, const PeerLimits& limits) {
  const Status fields = check_task_fields(fields_of(task), limits);
  if (!fields.ok()) return fields;
  for (const auto& header : task.headers) {
    const Status status = check_header(header.first, header.second);
    if (!status.ok()) return status;
  }
  return Done{};
}

TaskSpec encode_task(const TaskDescription& task) {
  const TaskFields fields = fields_of(task);
  flatbuffers::FlatBufferBuilder builder(512 + task.queue.size() + task.payload.size() +
                                         fields.headers_bytes + 48 * task.headers.size());
  schema::FinishTaskSpecBuffer(builder, build_task_spec(builder, task));
  TaskSpec spec = task_of<TaskSpec>(fields);
  spec.payload_bytes = ByteCount(task.payload.size());
  spec.content_hash = content_hash(task);
  spec.bytes = release(builder);
  return spec;
}

Result<TaskSpec> decode_task_spec(const SharedBytes& bytes, const PeerLimits& limits) {
  const SharedBytes frame = aligned(bytes);
  const Result<const schema::TaskSpec*> opened = open_task_spec(frame, limits);
  if (!opened.ok()) return opened.error();
  const schema::TaskSpec& root = **opened;
  const TaskFields fields = fields_of(root);
  ContentHasher hasher;
  hash_fields(fields, hasher);
  if (root.headers() != nullptr) {
    for (const schema::Header* header : *root.headers()) {
      hasher.add(text_of(header->key()));
      hasher.add(text_of(header->value()));
    }
  }
  TaskSpec spec = task_of<TaskSpec>(fields);
  spec.payload_bytes = ByteCount(fields.payload_bytes);
  spec.content_hash = hasher.finish(payload_of(root));
  spec.bytes = frame;
  return spec;
}

Result<TaskDescription> decode_task(const SharedBytes& bytes, const PeerLimits& limits) {
  const SharedBytes frame = aligned(bytes);
  const Result<const schema::TaskSpec*> opened = open_task_spec(frame, limits);
  if (!opened.ok()) return opened.error();
  const schema::TaskSpec& root = **opened;
  TaskDescription task = task_of<TaskDescription>(fields_of(root));
  if (root.headers() != nullptr) {
    task.headers.reserve(root.headers()->size());
    for (const schema::Header* header : *root.headers()) {
      task.headers.emplace_back(text_of(header->key()), text_of(header->value()));
    }
  }
  const std::span<const std::uint8_t> payload = payload_of(root);
  if (!payload.empty()) {
    task.payload =
        frame.slice(static_cast<std::size_t>(payload.data() - frame.data()), payload.size());
  }
  return task;
}

std::uint64_t content_hash(const TaskDescription& task) {
  ContentHasher hasher;
  hash_fields(fields_of(task), hasher);
  for (const auto& header : task.headers) {
    hasher.add(std::string_view(header.first));
    hasher.add(std::string_view(header.second));
  }
  return hasher.finish(task.payload.view());
}

}  // namespace millrace::wire

#include "tests/golden/sample_json.h"

#include "tests/golden/json_words.h"

namespace millrace::golden {
namespace {

Json fields_of(const wire::TaskDescription& task) {
  Json headers = Json::array();
  for (const auto& [key, value] : task.headers) headers.push_back({{"key", key}, {"value", value}});
  return {{"id", json_of(task.id)},
          {"queue", task.queue},
          {"payload", base64(task.payload)},
          {"headers", headers},
          {"priority", task.priority},
          {"max_attempts", task.max_attempts},
          {"delay_ns", json_of(task.delay)},
          {"not_before_ns", json_of(task.not_before)},
          {"ttl_ns", json_of(task.ttl)},
          {"timeout_ns", json_of(task.timeout)},
          {"retention_ns", json_of(task.retention)},
          {"backoff_initial_ns", json_of(task.backoff.initial)},
          {"backoff_max_ns", json_of(task.backoff.max)}};
}

Json fields_of(const Beat& beat) {
  return {{"protocol_version", kProtocolVersion},
          {"worker", json_of(beat.worker)},
          {"session", json_of(beat.session)},
          {"number", wide(beat.number)},
          {"running", beat.running},
          {"queued", beat.queued}};
}

Json fields_of(const Pulse& pulse) {
  return {{"protocol_version", kProtocolVersion},
          {"epoch", json_of(pulse.epoch)},
          {"number", wide(pulse.number)},
          {"time_ns", json_of(pulse.time)},
          {"stopping", pulse.stopping}};
}

Json document(const Sample& sample, const char* root, const char* identifier, Json fields) {
  return {{"about", sample.about},
          {"root", root},
          {"identifier", identifier},
          {"fields", std::move(fields)}};
}

template <class Message>
Json envelope(const Sample& sample, const Message& message) {
  Parts parts;
  Json body = golden::fields_of(message, parts);
  Json fields = {{"protocol_version", kProtocolVersion},
                 {"request", wide(request_of(sample.value))},
                 {"body_type", name_of_table(sample.value)},
                 {"body", std::move(body)}};
  Json whole = document(sample, "Envelope", "MRC1", std::move(fields));
  Json bundle = Json::array();
  for (const SharedBytes& part : parts) bundle.push_back(base64(part));
  whole["bundle"] = std::move(bundle);
  return whole;
}

struct Documents {
  const Sample& sample;

  Json operator()(const wire::TaskDescription& task) const {
    return document(sample, "TaskSpec", "MRT1", fields_of(task));
  }
  Json operator()(const Beat& beat) const {
    return document(sample, "Beat", "MRB1", fields_of(beat));
  }
  Json operator()(const Pulse& pulse) const {
    return document(sample, "Pulse", "MRP1", fields_of(pulse));
  }
  template <class Message>
  Json operator()(const Message& message) const {
    return envelope(sample, message);
  }
};

}  // namespace

Json json_of(const Sample& sample) {
  return std::visit(Documents{sample}, sample.value);
}

}  // namespace millrace::golden

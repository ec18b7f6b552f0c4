#include "tests/golden/json_words.h"

namespace millrace::golden {

// RFC 4648 section 4, with padding.
std::string base64(const SharedBytes& bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? bytes.data()[i + j] : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text.push_back(i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=');
    }
  }
  return text;
}

Json ids_of(const std::vector<TaskId>& ids) {
  Json list = Json::array();
  for (const TaskId& id : ids) list.push_back(json_of(id));
  return list;
}

Json leases_of(const std::vector<HeldLease>& leases) {
  Json list = Json::array();
  for (const HeldLease& lease : leases) {
    list.push_back({{"task", json_of(lease.task)}, {"fence", json_of(lease.fence)}});
  }
  return list;
}

Json json_of(const Endpoints& endpoints) {
  return {{"client_port", endpoints.client_port},
          {"worker_port", endpoints.worker_port},
          {"beat_port", endpoints.beat_port},
          {"pulse_port", endpoints.pulse_port},
          {"http_port", endpoints.http_port}};
}

Json json_of(const PeerLimits& limits) {
  return {{"frame_bytes_max", wide(limits.frame_bytes_max.value)},
          {"payload_bytes_max", wide(limits.payload_bytes_max.value)},
          {"result_bytes_max", wide(limits.result_bytes_max.value)},
          {"error_bytes_max", wide(limits.error_bytes_max.value)},
          {"headers_bytes_max", wide(limits.headers_bytes_max.value)},
          {"queue_name_bytes_max", limits.queue_name_bytes_max},
          {"batch_items_max", limits.batch_items_max},
          {"worker_queues_max", limits.worker_queues_max},
          {"credit_max", limits.credit_max}};
}

Json json_of(const Refused& refused) {
  return {{"code", word(refused.code)},
          {"message", refused.message},
          {"retry_after_ns", json_of(refused.retry_after)}};
}

std::string word(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::unknown_session:
      return "unknown_session";
    default:
      return std::to_string(static_cast<unsigned>(code));
  }
}

std::string word(TaskState state) {
  return state == TaskState{0} ? "unset" : std::string(name_of(state));
}
std::string word(Outcome outcome) {
  return std::string(name_of(outcome));
}
std::string word(Reason reason) {
  return std::string(name_of(reason));
}

}  // namespace millrace::golden

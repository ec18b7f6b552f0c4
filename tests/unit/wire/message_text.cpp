#include "tests/unit/wire/message_text.h"

#include <type_traits>

namespace millrace::wire {
namespace {

class Text {
 public:
  template <class... Fields>
  Text& fields(const char* name, const Fields&... values) {
    out_ += name;
    out_ += '{';
    ((put(values), out_ += ' '), ...);
    out_ += '}';
    return *this;
  }
  std::string take() { return std::move(out_); }

  template <class Value>
  void put(const Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      out_ += std::to_string(static_cast<unsigned>(value));
    } else if constexpr (std::is_arithmetic_v<Value>) {
      out_ += std::to_string(value);
    } else {
      show(value);
    }
  }

 private:
  void show(const std::string& text) { out_ += '"' + text + '"'; }
  void show(const SharedBytes& bytes) { out_ += '<' + std::string(bytes.text()) + '>'; }
  void show(const Duration& duration) { out_ += to_text(duration); }
  void show(const Time& time) { put(time.since_epoch()); }
  void show(const ByteCount& bytes) { put(bytes.value); }
  template <class Tag>
  void show(const Id128<Tag>& id) {
    out_ += to_text(id);
  }
  template <class Tag, class Value>
  void show(const Number<Tag, Value>& number) {
    put(number.value);
  }
  template <class Item>
  void show(const std::vector<Item>& items) {
    out_ += '[';
    for (const Item& item : items) put(item);
    out_ += ']';
  }
  template <class First, class Second>
  void show(const std::pair<First, Second>& pair) {
    fields("pair", pair.first, pair.second);
  }
  template <class Value>
  void show(const std::optional<Value>& value) {
    if (value.has_value()) put(*value);
  }
  template <class... Bodies>
  void show(const std::variant<Bodies...>& message) {
    std::visit([this](const auto& body) { this->put(body); }, message);
  }

  void show(const Error& v) { fields("Error", v.code, v.message); }
  void show(const Backoff& v) { fields("Backoff", v.initial, v.max); }
  void show(const HeldLease& v) { fields("HeldLease", v.task, v.fence); }
  void show(const TaskSpec& v) {
    const auto& [id, queue, priority, attempts, delay, not_before, ttl, timeout, retention, backoff,
                 payload_bytes, content_hash, bytes] = v;
    fields("TaskSpec", id, queue, priority, attempts, delay, not_before, ttl, timeout, retention,
           backoff, payload_bytes, content_hash, bytes);
  }
  void show(const TaskDescription& v) {
    const auto& [id, queue, payload, headers, priority, attempts, delay, not_before, ttl, timeout,
                 retention, backoff] = v;
    fields("TaskDescription", id, queue, payload, headers, priority, attempts, delay, not_before,
           ttl, timeout, retention, backoff);
  }

  void show(const ClientHello& v) {
    const auto& [request, client, version] = v;
    fields("ClientHello", request, client, version);
  }
  void show(const SubmitItem& v) {
    const auto& [spec, problem] = v;
    fields("SubmitItem", spec, problem);
  }
  void show(const Submit& v) {
    const auto& [request, watch, tasks] = v;
    fields("Submit", request, watch, tasks);
  }
  void show(const Watch& v) {
    const auto& [request, tasks] = v;
    fields("Watch", request, tasks);
  }
  void show(const Cancel& v) {
    const auto& [request, tasks] = v;
    fields("Cancel", request, tasks);
  }
  void show(const GetTasks& v) {
    const auto& [request, tasks, payload, result, attempts] = v;
    fields("GetTasks", request, tasks, payload, result, attempts);
  }
  void show(const TaskFilter& v) {
    const auto& [queue, state, reason, least, most, after, before] = v;
    fields("TaskFilter", queue, state, reason, least, most, after, before);
  }
  void show(const ListTasks& v) {
    const auto& [request, filter, cursor, limit, attempts] = v;
    fields("ListTasks", request, filter, cursor, limit, attempts);
  }
  void show(const RequeueDead& v) {
    const auto& [request, tasks, queue] = v;
    fields("RequeueDead", request, tasks, queue);
  }
  void show(const PurgeDead& v) {
    const auto& [request, tasks, queue] = v;
    fields("PurgeDead", request, tasks, queue);
  }
  void show(const ControlQueue& v) {
    const auto& [request, queue, action] = v;
    fields("ControlQueue", request, queue, action);
  }
  void show(const DrainWorker& v) {
    const auto& [request, worker] = v;
    fields("DrainWorker", request, worker);
  }
  void show(const GetStatus& v) {
    const auto& [request, topic] = v;
    fields("GetStatus", request, topic);
  }
  void show(const Ping& v) {
    const auto& [request] = v;
    fields("Ping", request);
  }
  void show(const ClientGoodbye&) { fields("ClientGoodbye"); }
  void show(const Explain& v) {
    const auto& [request, task] = v;
    fields("Explain", request, task);
  }
  void show(const ChangeTasks& v) {
    const auto& [request, action, filter, cursor, limit] = v;
    fields("ChangeTasks", request, action, filter, cursor, limit);
  }

  void show(const Endpoints& v) {
    const auto& [client, worker, beat, pulse, http] = v;
    fields("Endpoints", client, worker, beat, pulse, http);
  }
  void show(const PeerLimits& v) {
    const auto& [frame, payload, result, error, headers, name, items, queues, credit] = v;
    fields("PeerLimits", frame, payload, result, error, headers, name, items, queues, credit);
  }
  void show(const LivenessSettings& v) {
    const auto& [beat_interval, silence_max] = v;
    fields("LivenessSettings", beat_interval, silence_max);
  }
  void show(const ClientWelcome& v) {
    const auto& [request, epoch, endpoints, limits, beat_interval, version] = v;
    fields("ClientWelcome", request, epoch, endpoints, limits, beat_interval, version);
  }
  void show(const SubmitAnswer& v) {
    const auto& [status, message] = v;
    fields("SubmitAnswer", status, message);
  }
  void show(const Submitted& v) {
    const auto& [request, items, retry_after] = v;
    fields("Submitted", request, items, retry_after);
  }
  void show(const Watching& v) {
    const auto& [request, unknown] = v;
    fields("Watching", request, unknown);
  }
  void show(const FinishedTask& v) {
    const auto& [id, state, reason, attempts, error, result] = v;
    fields("FinishedTask", id, state, reason, attempts, error, result);
  }
  void show(const Finished& v) {
    const auto& [tasks] = v;
    fields("Finished", tasks);
  }
  void show(const CancelAnswer& v) {
    const auto& [status, state] = v;
    fields("CancelAnswer", status, state);
  }
  void show(const Cancelled& v) {
    const auto& [request, items] = v;
    fields("Cancelled", request, items);
  }
  void show(const AttemptRecord& v) {
    const auto& [attempt, fence, reason, started, ended, worker, error] = v;
    fields("AttemptRecord", attempt, fence, reason, started, ended, worker, error);
  }
  void show(const TaskView& v) {
    const auto& [id, sequence, queue, state, reason, cancel_requested, priority, attempts,
                 max_attempts, fence, timeout, accepted, due, expires, ended, worker, progress,
                 error, payload_bytes, result_bytes, spec, result, attempt_records] = v;
    fields("TaskView", id, sequence, queue, state, reason, cancel_requested, priority, attempts,
           max_attempts, fence, timeout, accepted, due, expires, ended, worker, progress, error,
           payload_bytes, result_bytes, spec, result, attempt_records);
  }
  void show(const TaskList& v) {
    const auto& [request, tasks, unknown, next_cursor] = v;
    fields("TaskList", request, tasks, unknown, next_cursor);
  }
  void show(const Changed& v) {
    const auto& [request, count] = v;
    fields("Changed", request, count);
  }
  void show(const Explained& v) {
    const auto& [request, task, standing, text, since, until, started, ahead, estimate, wait,
                 workers] = v;
    fields("Explained", request, task, standing, text, since, until, started, ahead, estimate, wait,
           workers);
  }
  void show(const TasksChanged& v) {
    const auto& [request, count, cursor] = v;
    fields("TasksChanged", request, count, cursor);
  }
  void show(const StatusReport& v) {
    const auto& [request, json] = v;
    fields("StatusReport", request, json);
  }
  void show(const Pong& v) {
    const auto& [request, epoch] = v;
    fields("Pong", request, epoch);
  }
  void show(const Refused& v) {
    const auto& [request, code, message, retry_after] = v;
    fields("Refused", request, code, message, retry_after);
  }
  void show(const BrokerGoodbye& v) {
    const auto& [message] = v;
    fields("BrokerGoodbye", message);
  }

  void show(const WorkerHello& v) {
    const auto& [number, worker, name, queues, slots, credit, version, protocol, holding] = v;
    fields("WorkerHello", number, worker, name, queues, slots, credit, version, protocol, holding);
  }
  void show(const Completion& v) {
    const auto& [task, fence, outcome, error, result, elapsed] = v;
    fields("Completion", task, fence, outcome, error, result, elapsed);
  }
  void show(const Complete& v) {
    const auto& [items, credit, answers_recall] = v;
    fields("Complete", items, credit, answers_recall);
  }
  void show(const Extension& v) {
    const auto& [task, fence, by, progress] = v;
    fields("Extension", task, fence, by, progress);
  }
  void show(const Extend& v) {
    const auto& [items] = v;
    fields("Extend", items);
  }
  void show(const WorkerGoodbye& v) {
    const auto& [message] = v;
    fields("WorkerGoodbye", message);
  }

  void show(const WorkerWelcome& v) {
    const auto& [number, session, epoch, endpoints, limits, liveness, stale, version] = v;
    fields("WorkerWelcome", number, session, epoch, endpoints, limits, liveness, stale, version);
  }
  void show(const DispatchedTask& v) {
    const auto& [task, fence, attempt, max_attempts, timeout, queue, spec] = v;
    fields("DispatchedTask", task, fence, attempt, max_attempts, timeout, queue, spec);
  }
  void show(const Dispatch& v) {
    const auto& [tasks] = v;
    fields("Dispatch", tasks);
  }
  void show(const CompletionAnswer& v) {
    const auto& [task, fence, accepted] = v;
    fields("CompletionAnswer", task, fence, accepted);
  }
  void show(const Completed& v) {
    const auto& [items] = v;
    fields("Completed", items);
  }
  void show(const StoppedTask& v) {
    const auto& [task, fence, cause] = v;
    fields("StoppedTask", task, fence, cause);
  }
  void show(const StopTasks& v) {
    const auto& [tasks] = v;
    fields("StopTasks", tasks);
  }
  void show(const Recall& v) {
    const auto& [number, tasks] = v;
    fields("Recall", number, tasks);
  }
  void show(const Drain&) { fields("Drain"); }

  void show(const Beat& v) {
    const auto& [worker, session, number, running, queued] = v;
    fields("Beat", worker, session, number, running, queued);
  }
  void show(const Pulse& v) {
    const auto& [epoch, number, time, stopping] = v;
    fields("Pulse", epoch, number, time, stopping);
  }

  std::string out_;
};

template <class Value>
std::string shown(const Value& value) {
  Text text;
  text.put(value);
  return text.take();
}

}  // namespace

std::string text_of(const ClientMessage& message) {
  return shown(message);
}
std::string text_of(const ClientReply& reply) {
  return shown(reply);
}
std::string text_of(const WorkerMessage& message) {
  return shown(message);
}
std::string text_of(const WorkerReply& reply) {
  return shown(reply);
}
std::string text_of(const Beat& beat) {
  return shown(beat);
}
std::string text_of(const Pulse& pulse) {
  return shown(pulse);
}
std::string text_of(const TaskSpec& spec) {
  return shown(spec);
}
std::string text_of(const TaskDescription& task) {
  return shown(task);
}

}  // namespace millrace::wire

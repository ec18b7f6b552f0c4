// The commands that speak as a client.
#include <utility>

#include "tests/scenario/interpreter.h"

namespace millrace::broker::test {
namespace {

std::vector<TaskId> tasks_named(const Command& command) {
  std::vector<TaskId> tasks;
  for (const std::string& word : command.words()) tasks.push_back(id_named<TaskId>(word));
  return tasks;
}

std::string first_word(const Command& command) {
  return command.words().empty() ? "" : command.words().front();
}

// The content hash of a task that nothing else tells apart.
std::uint64_t hash_of(const std::string& text) {
  return std::hash<std::string>()(text);
}

}  // namespace

void Interpreter::from_client(const Command& command, ClientMessage message) {
  step(FromClient{peers_.peer(command.text("client", "c1")), std::move(message)});
}

// submit id=a,b queue=mail priority=4 delay=1s not_before=5s ttl=1m timeout=10s attempts=3
//   backoff=1s,10s retention=1h content=x [watch] [invalid] [too_large]
void Interpreter::submit(const Command& command) {
  TaskSpec spec;
  spec.queue = command.text("queue", "mail");
  spec.priority = static_cast<std::uint8_t>(command.number("priority", kPriorityDefault));
  spec.max_attempts = static_cast<std::uint16_t>(command.number("attempts", kAttemptsDefault));
  spec.delay = command.duration("delay", Duration());
  if (command.has("not_before")) {
    spec.not_before = start_ + command.duration("not_before", Duration());
  }
  spec.ttl = command.duration("ttl", Duration());
  spec.timeout = command.duration("timeout", Duration());
  spec.retention = command.duration("retention", Duration::nanoseconds(-1));
  const std::vector<std::string> backoff = command.list("backoff");
  if (backoff.size() == 2) {
    const Result<Duration> initial = parse_duration(backoff[0]);
    const Result<Duration> most = parse_duration(backoff[1]);
    if (!initial.ok() || !most.ok()) return problem("backoff is INITIAL,MAX");
    spec.backoff = Backoff{*initial, *most};
  }
  const std::string content = command.text("content", "payload");
  spec.content_hash = hash_of(spec.queue + content);
  spec.bytes = SharedBytes::copy_of(content);
  spec.payload_bytes = ByteCount(content.size());
  Submit message;
  message.watch = command.has_word("watch");
  for (const std::string& name : command.list("id")) {
    SubmitItem item{spec, std::nullopt};
    item.spec.id = id_named<TaskId>(name);
    if (command.has_word("invalid")) item.problem = Error{ErrorCode::invalid, "no queue; name one"};
    if (command.has_word("too_large")) {
      item.problem = Error{ErrorCode::too_large, "payload over its limit; split it"};
    }
    message.tasks.push_back(std::move(item));
  }
  from_client(command, std::move(message));
}

void Interpreter::watch(const Command& command) {
  from_client(command, Watch{RequestId(), tasks_named(command)});
}

void Interpreter::cancel(const Command& command) {
  from_client(command, Cancel{RequestId(), tasks_named(command)});
}

void Interpreter::get(const Command& command) {
  from_client(command, GetTasks{RequestId(), tasks_named(command), true, true, true});
}

void Interpreter::list(const Command& command) {
  ListTasks message;
  message.filter.queue = command.text("queue");
  if (command.has("state")) {
    const std::optional<TaskState> state = task_state_named(command.text("state"));
    if (!state.has_value()) return problem("unknown state");
    message.filter.state = *state;
  }
  message.cursor = command.number("cursor", 0);
  message.limit = static_cast<std::uint32_t>(command.number("limit", 100));
  from_client(command, std::move(message));
}

void Interpreter::explain(const Command& command) {
  for (const TaskId& task : tasks_named(command)) from_client(command, Explain{RequestId(), task});
}

// change cancel|requeue|forget queue=mail state=dead reason=failed priority=2,7 after=1s before=1m
//   cursor=3 limit=10
void Interpreter::change(const Command& command) {
  ChangeTasks message;
  const std::string action = first_word(command);
  if (action == "requeue") message.action = TaskAction::requeue;
  if (action == "forget") message.action = TaskAction::forget;
  message.filter.queue = command.text("queue");
  message.filter.state = task_state_named(command.text("state")).value_or(TaskState{0});
  message.filter.reason = reason_named(command.text("reason")).value_or(Reason::none);
  const std::vector<std::string> priority = command.list("priority");
  if (priority.size() == 2) {
    message.filter.priority_least = static_cast<std::uint8_t>(std::stoi(priority[0]));
    message.filter.priority_most = static_cast<std::uint8_t>(std::stoi(priority[1]));
  }
  if (command.has("after")) {
    message.filter.accepted_after = start_ + command.duration("after", Duration());
  }
  if (command.has("before")) {
    message.filter.accepted_before = start_ + command.duration("before", Duration());
  }
  message.cursor = command.number("cursor", 0);
  message.limit = static_cast<std::uint32_t>(command.number("limit", 0));
  from_client(command, std::move(message));
}

void Interpreter::requeue(const Command& command) {
  from_client(command, RequeueDead{RequestId(), tasks_named(command), command.text("queue")});
}

void Interpreter::purge_dead(const Command& command) {
  from_client(command, PurgeDead{RequestId(), tasks_named(command), command.text("queue")});
}

void Interpreter::control(const Command& command, QueueAction action) {
  from_client(command, ControlQueue{RequestId(), first_word(command), action});
}

void Interpreter::pause(const Command& command) {
  control(command, QueueAction::pause);
}

void Interpreter::resume(const Command& command) {
  control(command, QueueAction::resume);
}

void Interpreter::purge(const Command& command) {
  control(command, QueueAction::purge);
}

void Interpreter::drain(const Command& command) {
  from_client(command, DrainWorker{RequestId(), first_word(command)});
}

void Interpreter::greet(const Command& command) {
  from_client(command, ClientHello{});
}

void Interpreter::ping(const Command& command) {
  from_client(command, Ping{});
}

void Interpreter::leave(const Command& command) {
  from_client(command, ClientGoodbye{});
}

}  // namespace millrace::broker::test

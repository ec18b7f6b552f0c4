// The commands that speak as a worker, or of what befell one.
#include <utility>

#include "tests/scenario/interpreter.h"

namespace millrace::broker::test {
namespace {

std::optional<Outcome> outcome_named(std::string_view name) {
  for (const Outcome outcome :
       {Outcome::succeeded, Outcome::failed, Outcome::failed_for_good, Outcome::timed_out,
        Outcome::crashed, Outcome::cancelled, Outcome::released}) {
    if (name_of(outcome) == name) return outcome;
  }
  return std::nullopt;
}

}  // namespace

std::string Interpreter::worker_named(const Command& command) {
  return command.text("worker", "w1");
}

// "a:1,b:2": task and fence.
std::vector<HeldLease> Interpreter::leases_named(const Command& command, const std::string& name) {
  std::vector<HeldLease> leases;
  for (const std::string& lease : command.list(name)) {
    const std::vector<std::string> parts = split(lease, ':');
    if (parts.size() != 2) {
      problem(name + " is TASK:FENCE,…");
      continue;
    }
    leases.push_back({id_named<TaskId>(parts[0]), Fence(std::stoull(parts[1]))});
  }
  return leases;
}

// hello worker=w1 queues=mail,video slots=1 credit=1 holding=a:1 number=2
void Interpreter::hello(const Command& command) {
  const std::string name = worker_named(command);
  WorkerHello message;
  message.hello_number = command.number("number", hellos_[name] + 1);
  hellos_[name] = std::max(hellos_[name], message.hello_number);
  message.worker = id_named<WorkerId>(name);
  message.name = command.text("name", name);
  message.queues =
      command.has("queues") ? command.list("queues") : std::vector<std::string>{"mail"};
  message.slots = static_cast<std::uint32_t>(command.number("slots", 1));
  message.credit = static_cast<std::uint32_t>(command.number("credit", message.slots));
  message.version = "1";
  message.holding = leases_named(command, "holding");
  credits_[name] = message.credit;
  const std::string connection = command.text("over", name);
  step(FromWorker{peers_.peer(connection), std::move(message)});
}

// complete worker=w1 task=a,b fence=1,1 outcome=succeeded result=x error=y credit=4 recall=1
//   elapsed=1s
void Interpreter::complete(const Command& command) {
  const std::string name = worker_named(command);
  const std::vector<std::string> tasks = command.list("task");
  const std::vector<std::string> fences = command.list("fence");
  const std::optional<Outcome> outcome = outcome_named(command.text("outcome", "succeeded"));
  if (!outcome.has_value()) return problem("unknown outcome");
  Complete message;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Completion completion;
    completion.task = id_named<TaskId>(tasks[i]);
    completion.fence = Fence(i < fences.size() ? std::stoull(fences[i]) : 1);
    completion.outcome = *outcome;
    completion.error = command.text("error");
    completion.result = SharedBytes::copy_of(command.text("result"));
    completion.elapsed = command.duration("elapsed", Duration());
    message.items.push_back(std::move(completion));
  }
  credits_[name] = static_cast<std::uint32_t>(command.number("credit", credits_[name]));
  message.credit = credits_[name];
  message.answers_recall = command.number("recall", 0);
  step(FromWorker{peers_.peer(name), std::move(message)});
}

// extend worker=w1 task=a fence=1 by=10s progress=40
void Interpreter::extend(const Command& command) {
  Extension extension;
  extension.task = id_named<TaskId>(command.text("task"));
  extension.fence = Fence(command.number("fence", 1));
  extension.by = command.duration("by", Duration());
  extension.progress_percent = static_cast<std::uint8_t>(command.number("progress", 0));
  step(FromWorker{peers_.peer(worker_named(command)), Extend{{extension}}});
}

void Interpreter::goodbye(const Command& command) {
  step(FromWorker{peers_.peer(worker_named(command)), WorkerGoodbye{}});
}

// beat worker=w1 [wrong_session]
void Interpreter::beat(const Command& command) {
  send_beat(worker_named(command), !command.has_word("wrong_session"));
}

void Interpreter::send_beat(const std::string& worker, bool right_session) {
  Beat beat;
  beat.worker = id_named<WorkerId>(worker);
  beat.session = right_session ? sessions_[worker] : SessionNonce(42);
  beat.number = ++beats_;
  step(BeatHeard{beat});
}

// undeliverable worker=w1 leases=a:1
void Interpreter::undeliverable(const Command& command) {
  step(DispatchUndeliverable{peers_.peer(worker_named(command)), leases_named(command, "leases")});
}

// unreadable task=a fence=1: the store cannot read its spec.
void Interpreter::unreadable(const Command& command) {
  step(SpecUnreadable{id_named<TaskId>(command.text("task")), Fence(command.number("fence", 1)),
                      "the stored payload fails its checksum"});
}

void Interpreter::unreachable(const Command& command) {
  step(WorkerUnreachable{peers_.peer(worker_named(command))});
}

// reconnect w1: the next message comes over another connection.
void Interpreter::reconnect(const Command& command) {
  for (const std::string& name : command.words()) peers_.reconnect(name);
}

}  // namespace millrace::broker::test

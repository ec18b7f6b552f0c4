// What clients ask for, and what they must be answered.
#include "tests/model/world.h"

namespace millrace::broker::test {
namespace {

std::string queue_numbered(std::uint8_t number) {
  return number % 3 == 0 ? "video" : "mail";
}

}  // namespace

// A task is always submitted with the same content, but for submit_changed.
TaskSpec World::spec_of(const Command& command) const {
  constexpr std::int64_t kBackoffs[] = {0, 1'000, 400};
  const std::uint8_t number = command.a % 8;
  TaskSpec spec;
  spec.id = task_numbered(number);
  spec.queue = queue_numbered(number);
  spec.priority = static_cast<std::uint8_t>(4 + number % 2);
  spec.max_attempts = static_cast<std::uint16_t>(1 + number % 3);
  spec.delay = Duration::milliseconds(number % 4 == 1 ? 300 : 0);
  spec.ttl = Duration::milliseconds(number % 4 == 2 ? 1'000 : 0);
  spec.timeout = Duration::milliseconds(number % 2 == 0 ? 800 : 5'000);
  spec.retention = Duration::milliseconds(number == 7 ? 0 : 2'000);
  spec.backoff =
      Backoff{Duration::milliseconds(kBackoffs[number % 3]), Duration::milliseconds(1'500)};
  spec.content_hash = command.act == Act::submit_changed ? 666 : number;
  spec.bytes = SharedBytes::copy_of("spec");
  return spec;
}

void World::submit(const Command& command) {
  const PeerId client = client_numbered(command.b);
  const TaskSpec spec = spec_of(command);
  const bool watch = command.b % 3 != 0;
  Submit message;
  message.watch = watch;
  // Sometimes the same task twice in one message.
  const std::size_t times = command.b % 5 == 0 ? 2 : 1;
  std::vector<SubmitStatus> expected;
  for (std::size_t i = 0; i < times; ++i) {
    message.tasks.push_back(SubmitItem{spec, std::nullopt});
    expected.push_back(reference_.submit(client, spec, watch));
  }
  step(FromClient{client, std::move(message)});
  const Submitted* answer = client_reply<Submitted>(client);
  expect(answer != nullptr && answer->items.size() == times, "a submit was not answered");
  if (answer == nullptr) return;
  for (std::size_t i = 0; i < times; ++i) {
    expect(answer->items[i].status == expected[i], "a submit was answered wrongly");
  }
}

void World::cancel(const Command& command) {
  const PeerId client = client_numbered(command.b);
  const TaskId id = task_numbered(command.a);
  const CancelAnswer expected = reference_.cancel(id);
  step(FromClient{client, Cancel{RequestId(), {id}}});
  const Cancelled* answer = client_reply<Cancelled>(client);
  expect(answer != nullptr && answer->items.size() == 1 &&
             answer->items[0].status == expected.status && answer->items[0].state == expected.state,
         "a cancel was answered wrongly");
}

void World::watch(const Command& command) {
  const PeerId client = client_numbered(command.b);
  const TaskId id = task_numbered(command.a);
  const bool known = reference_.watch(client, id);
  step(FromClient{client, Watch{RequestId(), {id}}});
  const Watching* answer = client_reply<Watching>(client);
  expect(answer != nullptr && answer->unknown.empty() == known, "a watch was answered wrongly");
}

void World::get(const Command& command) {
  const PeerId client = client_numbered(command.b);
  const TaskId id = task_numbered(command.a);
  step(FromClient{client, GetTasks{RequestId(), {id}, false, false, false}});
  const auto* told = std::get_if<TaskListToClient>(&effects_.sends.back());
  expect(told != nullptr, "a get was not answered");
  if (told == nullptr) return;
  const TaskList list = told->list;  // the next step moves the sends
  core_->step(FromClient{client, Explain{RequestId(), id}}, now_, effects_);
  const auto task = reference_.tasks().find(id);
  if (task == reference_.tasks().end()) {
    expect(list.unknown.size() == 1, "an unknown task was shown");
    return;
  }
  expect(list.tasks.size() == 1, "a known task was not shown");
  if (list.tasks.size() != 1) return;
  const TaskView& view = list.tasks.front();
  expect(view.state == task->second.state && view.attempts == task->second.attempts &&
             view.fence.value == task->second.fence && view.queue == task->second.spec.queue &&
             view.cancel_requested == task->second.cancel_requested,
         "a task was shown as it is not");
}

void World::change_dead(const Command& command) {
  const PeerId client = client_numbered(command.b);
  const TaskId id = task_numbered(command.a);
  std::uint64_t expected = 0;
  if (command.act == Act::requeue) {
    expected = reference_.requeue_dead(id);
    step(FromClient{client, RequeueDead{RequestId(), {id, id}, ""}});
  } else {
    expected = reference_.purge_dead(id);
    step(FromClient{client, PurgeDead{RequestId(), {id, id}, ""}});
  }
  const Changed* answer = client_reply<Changed>(client);
  expect(answer != nullptr && answer->count == expected, "the wrong number of dead tasks changed");
}

void World::control(const Command& command) {
  const PeerId client = client_numbered(command.b);
  const std::string queue = queue_numbered(command.a);
  QueueAction action = QueueAction::purge;
  std::uint64_t purged = 0;
  if (command.act == Act::purge && command.b % 4 < 2) return purge_by_filter(client, queue);
  if (command.act == Act::purge) {
    purged = reference_.purge(queue);
  } else {
    action = command.act == Act::pause ? QueueAction::pause : QueueAction::resume;
    reference_.pause(queue, action == QueueAction::pause);
  }
  step(FromClient{client, ControlQueue{RequestId(), queue, action}});
  const Changed* answer = client_reply<Changed>(client);
  if (action == QueueAction::purge && answer != nullptr) {
    expect(answer->count == purged, "the wrong number of tasks was purged");
  }
  expect(answer != nullptr || client_reply<Refused>(client) != nullptr,
         "a control went unanswered");
}

// As `millrace queue purge` does it.
void World::purge_by_filter(PeerId client, const std::string& queue) {
  const std::uint64_t expected = reference_.purge(queue);
  std::uint64_t count = 0;
  bool known = true;
  for (const TaskState state : {TaskState::delayed, TaskState::pending}) {
    ChangeTasks change;
    change.filter.queue = queue;
    change.filter.state = state;
    step(FromClient{client, change});
    const TasksChanged* answer = client_reply<TasksChanged>(client);
    known = answer != nullptr;
    if (known) count += answer->count;
    expect(!known || answer->next_cursor == 0, "a short step was not the last");
    expect(known || client_reply<Refused>(client) != nullptr, "a change went unanswered");
  }
  expect(count == expected, "the wrong number of tasks was purged by filter");
}

// The standing of a task is one of its state, and says the truth about its queue.
void World::judge_explained(const Explained& explained) {
  const auto found = reference_.tasks().find(explained.task.id);
  expect(found != reference_.tasks().end(), "an unknown task was explained");
  if (found == reference_.tasks().end()) return;
  const auto& task = found->second;
  expect(explained.task.state == task.state, "a task was explained as it is not");
  const TaskStanding standing = explained.standing;
  const bool waits =
      standing >= TaskStanding::queue_paused && standing <= TaskStanding::broker_stopping;
  const bool leased = standing >= TaskStanding::running && standing <= TaskStanding::worker_awaited;
  const bool delayed = standing == TaskStanding::delayed || standing == TaskStanding::retry_wait;
  expect(waits == (task.state == TaskState::pending) &&
             leased == (task.state == TaskState::in_progress) &&
             delayed == (task.state == TaskState::delayed),
         "a task stands where its state is not");
  if (is_terminal(task.state)) {
    expect(name_of(standing) == name_of(task.state), "an end was explained as another");
  }
  if (waits) {
    expect((standing == TaskStanding::queue_paused) == reference_.is_paused(task.spec.queue),
           "a pause was explained wrongly");
    expect((standing == TaskStanding::no_worker) == (explained.workers == 0) ||
               standing == TaskStanding::queue_paused,
           "the workers of a queue were explained wrongly");
  }
  if (leased) {
    expect((standing == TaskStanding::cancelling) == task.cancel_requested,
           "a cancel was explained wrongly");
  }
  expect(!explained.text.empty(), "an explanation without words");
}

void World::drain(const Command& command) {
  const PeerId client = client_numbered(command.b);
  const WorkerId worker = worker_numbered(command.a);
  const bool known = reference_.workers().contains(worker);
  if (known) reference_.drain(worker);
  step(FromClient{client, DrainWorker{RequestId(), std::to_string(worker.bytes[0])}});
  const Changed* answer = client_reply<Changed>(client);
  expect((answer != nullptr && answer->count == 1) == known, "a drain was answered wrongly");
}

}  // namespace millrace::broker::test

// What clients say, and what the broker answers them.
#include "tests/golden/sample.h"
#include "tests/golden/sample_values.h"

namespace millrace::golden {
namespace {

SubmitItem item_of(const TaskId& id, std::size_t payload_bytes) {
  wire::TaskDescription task;
  task.id = id;
  task.queue = "resize";
  task.payload = bytes_of(payload_bytes);
  return {wire::encode_task(task), std::nullopt};
}

TaskView full_view() {
  TaskView view;
  view.id = second_task();
  view.sequence = TaskSequence(kMost64);
  view.queue = "resize";
  view.state = TaskState::in_progress;
  view.reason = Reason::crashed;
  view.cancel_requested = true;
  view.priority = 9;
  view.attempts = 2;
  view.max_attempts = 1'000;
  view.fence = Fence(kMost64 - 1);
  view.timeout = Duration::seconds(30);
  view.accepted = kMoment;
  view.due = kMoment + Duration::seconds(1);
  view.expires = kMoment + Duration::seconds(2);
  view.ended = kMoment + Duration::seconds(3);
  view.worker = "w-\u00e4";
  view.progress_percent = 100;
  view.error = "died by signal 11";
  view.payload_bytes = ByteCount(1'000'000);
  view.result_bytes = ByteCount(13);
  view.spec = item_of(second_task(), 3).spec.bytes;
  view.result = bytes_of(13);
  view.attempt_records = {
      {1, Fence(5), Reason::lease_lost, kMoment, kMoment + Duration::seconds(1), "w1", ""},
      {2, Fence(6), Reason::crashed, kMoment, kMoment + Duration::seconds(2), "w-\u00e4",
       "signal 11"}};
  return view;
}

TaskView least_view() {
  TaskView view;
  view.id = first_task();
  view.sequence = TaskSequence(1);
  view.queue = "q";
  view.state = TaskState::delayed;
  return view;
}

Submitted every_status() {
  Submitted submitted;
  submitted.request = RequestId(3);
  for (const SubmitStatus status :
       {SubmitStatus::accepted, SubmitStatus::duplicate, SubmitStatus::conflict,
        SubmitStatus::invalid, SubmitStatus::too_large, SubmitStatus::busy,
        SubmitStatus::store_full, SubmitStatus::shutting_down}) {
    const bool good = status <= SubmitStatus::duplicate;
    submitted.items.push_back({status, good ? "" : "why not: \u201creason\u201d"});
  }
  submitted.retry_after = Duration::milliseconds(250);
  return submitted;
}

Finished every_end() {
  Finished finished;
  finished.tasks = {
      {first_task(), TaskState::succeeded, Reason::none, 1, "", bytes_of(5)},
      {second_task(), TaskState::dead, Reason::failed, 3, "no such picture", {}},
      {highest_task(), TaskState::cancelled, Reason::cancelled, kMost16, "", {}},
      {lowest_task(), TaskState::expired, Reason::expired, 0, "", {}},
      {first_task(), TaskState::succeeded, Reason::none, 2, "", bytes_of(16)},
      {first_task(), TaskState::succeeded, Reason::none, 2, "", {}},
      {second_task(), TaskState::dead, Reason::timed_out, 1, "timed out after 30s", {}}};
  return finished;
}

TaskFilter dead_ones() {
  TaskFilter filter;
  filter.queue = "resize";
  filter.state = TaskState::dead;
  return filter;
}

TaskFilter every_condition() {
  TaskFilter filter;
  filter.queue = "resize";
  filter.state = TaskState::dead;
  filter.reason = Reason::timed_out;
  filter.priority_least = 2;
  filter.priority_most = 7;
  filter.accepted_after = kMoment;
  filter.accepted_before = kMoment + Duration::seconds(60);
  return filter;
}

Explained waiting() {
  Explained explained;
  explained.request = RequestId(15);
  explained.task = full_view();
  explained.task.spec = {};
  explained.task.result = {};
  explained.standing = TaskStanding::workers_full;
  explained.text = "behind about 1,204 tasks of priority 4 and above";
  explained.since = kMoment;
  explained.until = kMoment + Duration::seconds(1);
  explained.started = kMoment + Duration::seconds(2);
  explained.ahead = kMost64;
  explained.ahead_is_estimate = true;
  explained.wait = Duration::seconds(3);
  explained.workers = 16;
  return explained;
}

Explained ended() {
  Explained explained;
  explained.request = RequestId(15);
  explained.task = least_view();
  explained.standing = TaskStanding::expired;
  return explained;
}

}  // namespace

std::vector<Sample> client_message_samples() {
  const std::vector<TaskId> tasks = {first_task(), second_task(), highest_task()};
  const auto client = id_of<ClientId>("8899aabb-ccdd-eeff-0011-223344556677");
  const auto say = [](ClientMessage message) { return Value(std::move(message)); };
  return {
      {"client_hello", "the first message of a client", say(ClientHello{RequestId(1), client, 1})},
      {"client_hello_later", "a client that speaks a later version too",
       say(ClientHello{RequestId(kMost64), client, kMost16})},
      {"submit", "three specs whose lengths are no multiples of 8",
       say(Submit{
           RequestId(2),
           true,
           {item_of(first_task(), 0), item_of(second_task(), 13), item_of(highest_task(), 1)}})},
      {"submit_empty", "no items, so no bundle", say(Submit{RequestId(2), false, {}})},
      {"watch", "three ids", say(Watch{RequestId(4), tasks})},
      {"watch_empty", "no ids", say(Watch{RequestId(4), {}})},
      {"cancel", "one id", say(Cancel{RequestId(5), {lowest_task()}})},
      {"get_tasks", "with everything", say(GetTasks{RequestId(6), tasks, true, true, true})},
      {"get_tasks_plain", "the views alone",
       say(GetTasks{RequestId(6), tasks, false, false, false})},
      {"list_tasks", "a later page of one queue and state",
       say(ListTasks{RequestId(7), dead_ones(), kMost64, 1'000, true})},
      {"list_tasks_defaults", "the first page of everything",
       say(ListTasks{RequestId(7), {}, 0, 100, false})},
      {"requeue_dead", "by id", say(RequeueDead{RequestId(8), tasks, ""})},
      {"requeue_dead_queue", "all of a queue", say(RequeueDead{RequestId(8), {}, "resize"})},
      {"purge_dead", "by id", say(PurgeDead{RequestId(9), tasks, ""})},
      {"purge_dead_all", "all of all queues", say(PurgeDead{RequestId(9), {}, ""})},
      {"control_queue_pause", "action 1",
       say(ControlQueue{RequestId(10), "q", QueueAction::pause})},
      {"control_queue_resume", "action 2",
       say(ControlQueue{RequestId(10), "q", QueueAction::resume})},
      {"control_queue_purge", "action 3, the longest name",
       say(ControlQueue{RequestId(10), std::string(128, 'q'), QueueAction::purge})},
      {"drain_worker", "a name that is not ASCII",
       say(DrainWorker{RequestId(11), "w\u00f6rker 1"})},
      {"get_status_metrics", "topic 1", say(GetStatus{RequestId(12), StatusTopic::metrics})},
      {"get_status_workers", "topic 2", say(GetStatus{RequestId(12), StatusTopic::workers})},
      {"get_status_queues", "topic 3", say(GetStatus{RequestId(12), StatusTopic::queues})},
      {"ping", "a table without fields", say(Ping{RequestId(13)})},
      {"client_goodbye", "request 0: there is no answer", say(ClientGoodbye{})},
      {"explain", "one task", say(Explain{RequestId(15), second_task()})},
      {"change_tasks", "requeue, with every condition",
       say(ChangeTasks{RequestId(16), TaskAction::requeue, every_condition(), kMost64, 500})},
      {"change_tasks_least", "cancel all that has not ended: every field at its default",
       say(ChangeTasks{RequestId(16), TaskAction::cancel, {}, 0, 0})},
  };
}

std::vector<Sample> client_reply_samples() {
  const auto say = [](ClientReply message) { return Value(std::move(message)); };
  return {
      {"client_welcome", "every limit differs from its default",
       say(ClientWelcome{RequestId(1), Epoch(kMost64), some_endpoints(), some_limits(),
                         Duration::milliseconds(1'500), "0.1.0"})},
      {"client_welcome_least", "the default limits, HTTP not served",
       say(ClientWelcome{
           RequestId(1), Epoch(1), {5555, 5556, 5557, 5558, 0}, {}, Duration::seconds(1), ""})},
      {"submitted", "every status", say(every_status())},
      {"submitted_accepted", "all accepted: no messages",
       say(Submitted{
           RequestId(3), {{SubmitStatus::accepted, ""}, {SubmitStatus::accepted, ""}}, {}})},
      {"watching", "one is unknown", say(Watching{RequestId(4), {second_task()}})},
      {"watching_all", "none is unknown", say(Watching{RequestId(4), {}})},
      {"finished", "every end; empty results between others", say(every_end())},
      {"cancelled", "every status",
       say(Cancelled{RequestId(5),
                     {{CancelStatus::cancelled, TaskState::cancelled},
                      {CancelStatus::cancelling, TaskState::in_progress},
                      {CancelStatus::already_finished, TaskState::succeeded},
                      {CancelStatus::not_found, TaskState{0}}}})},
      {"task_list", "a full view with spec, result and attempts beside a small one",
       say(TaskList{RequestId(6), {least_view(), full_view()}, {highest_task()}, kMost64})},
      {"task_list_empty", "the end of a listing", say(TaskList{RequestId(7), {}, {}, 0})},
      {"changed", "the most", say(Changed{RequestId(8), kMost64})},
      {"changed_nothing", "a count of 0", say(Changed{RequestId(8), 0})},
      {"status_report", "a JSON document",
       say(StatusReport{RequestId(12), "{\"pending_tasks\": 0}"})},
      {"pong", "an epoch", say(Pong{RequestId(13), Epoch(7)})},
      {"refused_client", "with the request that was refused",
       say(Refused{RequestId(14), ErrorCode::not_found, "there is no queue \"x\"", {}})},
      {"refused_unreadable", "request 0: it could not be read",
       say(Refused{RequestId(0), ErrorCode::invalid, "control frame is not an Envelope", {}})},
      {"broker_goodbye_client", "to a client", say(BrokerGoodbye{"the broker stops"})},
      {"explained", "a waiting task, every field", say(waiting())},
      {"explained_least", "an ended task, nothing known of its lease", say(ended())},
      {"tasks_changed", "there are more", say(TasksChanged{RequestId(16), 500, kMost64})},
      {"tasks_changed_end", "the end: nothing was meant", say(TasksChanged{RequestId(16), 0, 0})},
  };
}

}  // namespace millrace::golden

#include "client/cpp/client.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <random>
#include <unordered_map>
#include <utility>

#include "client/cpp/batch_call.h"
#include "client/cpp/connection.h"
#include "client/cpp/later_submits.h"

namespace millrace::client {
namespace {

constexpr std::uint16_t kClientPortDefault = 5555;
// How often a waiting call looks up.
constexpr Duration kTurnInterval = Duration::milliseconds(100);
// The broker's bound on one GetTasks that asks for stored parts.
constexpr std::size_t kPartsItemsMax = 1'000;

std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

Error error_of(const Refused& refused) {
  return Error{refused.code, refused.message};
}

// Calls `ask` with one part of `tasks` after the other; none at all is one empty part.
template <class Ask>
Status for_each_part(const std::vector<TaskId>& tasks, std::size_t items_max, const Ask& ask) {
  std::size_t first = 0;
  do {
    const std::size_t last = std::min(tasks.size(), first + items_max);
    const auto begin = tasks.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = tasks.begin() + static_cast<std::ptrdiff_t>(last);
    const Status status = ask(std::vector<TaskId>(begin, end));
    if (!status) return status;
    first = last;
  } while (first < tasks.size());
  return Done();
}

}  // namespace

struct Client::Implementation {
  Implementation(const ClientSettings& wanted, const host::HostPort& address,
                 std::shared_ptr<const keys::PeerKey> key, const SessionSettings& session_settings)
      : settings(wanted),
        broker(address.host + ":" + std::to_string(address.port)),
        later(std::make_shared<LaterSubmits>([this] { return no_answer(settings.call_timeout); })),
        has_key(key != nullptr),
        connection(address, std::move(key), session_settings),
        later_group(connection.new_group()) {}

  Error no_answer(Duration within) const {
    std::string message = "no answer from the broker at " + broker + " within " + to_text(within) +
                          "; is it running" +
                          (has_key ? ", and is this key in its allowlist?" : "?");
    const std::string complaint = connection.link().complaint;
    if (!complaint.empty()) message += " It last said: " + complaint;
    return Error{ErrorCode::unavailable, std::move(message)};
  }

  TaskId draw_id() {
    const std::lock_guard lock(random_mutex);
    return make_task_id(connection.now(), random);
  }

  std::uint64_t draw_seed() {
    const std::lock_guard lock(random_mutex);
    return random.next();
  }

  // Asks and waits for the answer of the expected kind.
  template <class Answer>
  Result<Answer> ask(ClientMessage message) {
    const Duration timeout = settings.call_timeout;
    const Result<SessionEvent> event = exchange(timeout, [&](const CallInboxPointer& inbox) {
      connection.request(std::move(message), connection.now() + timeout, inbox);
    });
    if (!event) return event.error();
    const auto* reply = std::get_if<Reply>(&*event);
    if (reply == nullptr) return no_answer(timeout);
    if (const auto* answer = std::get_if<Answer>(&reply->reply)) return *answer;
    if (const auto* refused = std::get_if<Refused>(&reply->reply)) return error_of(*refused);
    return Error{ErrorCode::unsupported,
                 "the broker's answer does not fit the question; update client or broker"};
  }

  // Begins a call and waits for its one event.
  template <class Begin>
  Result<SessionEvent> exchange(Duration timeout, const Begin& begin) {
    const auto inbox = std::make_shared<CallInbox>();
    const Time deadline = connection.now() + timeout;
    begin(inbox);
    std::vector<SessionEvent> events;
    Status going = Done();
    while (events.empty() && going.ok() && !inbox->closed() && connection.now() < deadline) {
      events = inbox->take(std::min(deadline - connection.now(), kTurnInterval));
      going = may_proceed();
    }
    connection.end_call(inbox);
    if (!events.empty()) return std::move(events.front());
    if (!going) return going.error();
    if (inbox->closed()) return Error{ErrorCode::unavailable, "the client was closed"};
    return no_answer(timeout);
  }

  Result<std::uint64_t> ask_count(ClientMessage message) {
    const Result<Changed> changed = ask<Changed>(std::move(message));
    if (!changed) return changed.error();
    return changed->count;
  }

  // RequeueDead or PurgeDead.
  template <class Message>
  Result<std::uint64_t> change_dead(const std::vector<TaskId>& tasks, const std::string& queue) {
    std::uint64_t count = 0;
    const Status status = for_each_part(tasks, batch_items_max(), [&](std::vector<TaskId> part) {
      const Result<std::uint64_t> changed = ask_count(Message{{}, std::move(part), queue});
      if (!changed) return Status(changed.error());
      count += *changed;
      return Status(Done());
    });
    if (!status) return status.error();
    return count;
  }

  Status may_proceed() const {
    if (!settings.proceed || settings.proceed()) return Done();
    return Error{ErrorCode::unavailable, "interrupted"};
  }

  Status check_batch() const {
    const Connection::LinkState link = connection.link();
    const bool away = !link.connected && connection.now() - link.since > settings.outage_max;
    if (away) return no_answer(settings.outage_max);
    return may_proceed();
  }

  std::size_t batch_items_max() const {
    return std::max<std::size_t>(1, connection.link().welcome.limits.batch_items_max);
  }

  Status run_batch(const BatchCallbacks& callbacks, const std::function<Status(BatchCall&)>& body) {
    Random batch_random(draw_seed());
    BatchCall call(connection, batch_random, callbacks, [this] { return check_batch(); });
    return body(call);
  }

  ClientSettings settings;
  std::string broker;  // for messages
  std::mutex random_mutex;
  Random random{random_seed()};
  std::shared_ptr<LaterSubmits> later;
  const bool has_key;
  Connection connection;
  SubmitGroup later_group;
};

Client::Client(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(const ClientSettings& settings) {
  const Result<host::HostPort> address = host::parse_host_port(settings.broker, kClientPortDefault);
  if (!address) return address.error();
  auto key = keys::load_peer_key(settings.key);
  if (!key) return key.error();
  Random random(random_seed());
  SessionSettings session_settings;
  session_settings.client = make_random_id<ClientId>(random);
  session_settings.random_seed = random.next();
  auto implementation = std::make_unique<Implementation>(
      settings, *address, *key != nullptr ? *std::move(key) : settings.key_in_memory,
      session_settings);
  Connection& connection = implementation->connection;
  const Status opened = connection.open();
  if (!opened) return opened.error();
  const Time deadline = connection.now() + settings.connect_timeout;
  Connection::LinkState link;
  while (!link.connected && !link.hello_refusal.has_value()) {
    if (connection.now() >= deadline) return implementation->no_answer(settings.connect_timeout);
    link = connection.wait_for_link(std::min(deadline - connection.now(), kTurnInterval));
    const Status going = implementation->may_proceed();
    if (!going) return going.error();
  }
  if (link.connected) return Client(std::move(implementation));
  return Error{link.hello_refusal->code,
               "the broker at " + implementation->broker +
                   " refused the connection: " + link.hello_refusal->message};
}

// ---- submitting and waiting ---------------------------------------------------------------------

void Client::submit_later(Task task, SubmitCallback on_answer) {
  Implementation& self = *implementation_;
  if (task.id.is_nil()) task.id = self.draw_id();
  const Status valid = wire::check_task(task, limits());
  if (!valid) {
    if (on_answer) on_answer(task.id, valid.error());
    return;
  }
  self.later->add(task.id, std::move(on_answer));
  Submission submission{wire::encode_task(task), self.later_group,
                        self.connection.now() + self.settings.call_timeout};
  self.connection.submit({std::move(submission)}, false, self.later);
}

Result<TaskId> Client::submit(Task task) {
  Implementation& self = *implementation_;
  if (task.id.is_nil()) task.id = self.draw_id();
  const Status valid = wire::check_task(task, limits());
  if (!valid) return valid.error();
  const Duration timeout = self.settings.call_timeout;
  const Result<SessionEvent> event = self.exchange(timeout, [&](const CallInboxPointer& inbox) {
    Submission submission{wire::encode_task(task), self.connection.new_group(),
                          self.connection.now() + timeout};
    self.connection.submit({std::move(submission)}, false, inbox);
  });
  if (!event) return event.error();
  const auto* result = std::get_if<SubmitResult>(&*event);
  if (result == nullptr) return self.no_answer(timeout);
  const Result<SubmitStatus> status = to_result(result->status, result->message);
  if (!status) return status.error();
  return task.id;
}

std::vector<Result<SubmitStatus>> Client::submit_batch(const std::vector<Task>& tasks) {
  Implementation& self = *implementation_;
  const Duration timeout = self.settings.call_timeout;
  const Time deadline = self.connection.now() + timeout;
  std::vector<Result<SubmitStatus>> answers(tasks.size(), self.no_answer(timeout));
  const SubmitGroup group = self.connection.new_group();
  std::unordered_map<TaskId, std::deque<std::size_t>> open;  // an id may stand in it twice
  std::vector<Submission> submissions;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const Status valid = wire::check_task(tasks[i], limits());
    if (!valid) {
      answers[i] = valid.error();
      continue;
    }
    open[tasks[i].id].push_back(i);
    submissions.push_back({wire::encode_task(tasks[i]), group, deadline});
  }
  std::size_t unanswered = submissions.size();
  const auto inbox = std::make_shared<CallInbox>();
  if (unanswered > 0) self.connection.submit(std::move(submissions), false, inbox);
  while (unanswered > 0 && self.connection.now() < deadline && self.may_proceed().ok() &&
         !inbox->closed()) {
    const Duration left = std::max(Duration(), deadline - self.connection.now());
    for (const SessionEvent& event : inbox->take(std::min(left, kTurnInterval))) {
      if (std::holds_alternative<SubmitUnanswered>(event)) --unanswered;
      const auto* result = std::get_if<SubmitResult>(&event);
      if (result == nullptr || open[result->id].empty()) continue;
      answers[open[result->id].front()] = to_result(result->status, result->message);
      open[result->id].pop_front();
      --unanswered;
    }
  }
  self.connection.end_call(inbox);
  return answers;
}

Status Client::submit_many(const TaskSource& next, const BatchCallbacks& callbacks) {
  return implementation_->run_batch(callbacks,
                                    [&](BatchCall& call) { return call.submit_all(next); });
}

Result<FinishedTask> Client::wait(const TaskId& task, Duration timeout) {
  Implementation& self = *implementation_;
  const Result<SessionEvent> event = self.exchange(
      timeout, [&](const CallInboxPointer& inbox) { self.connection.watch({task}, inbox); });
  if (!event) {
    if (!self.connection.link().connected) return event.error();
    return Error{ErrorCode::unavailable,
                 "task " + to_text(task) + " did not end within " + to_text(timeout)};
  }
  if (const auto* finished = std::get_if<FinishedTask>(&*event)) return *finished;
  return Error{ErrorCode::not_found, "task " + to_text(task) +
                                         " is not known to the broker: never accepted there, or "
                                         "forgotten after its retention"};
}

Status Client::wait_all(const std::vector<TaskId>& tasks, const BatchCallbacks& callbacks) {
  return implementation_->run_batch(callbacks,
                                    [&](BatchCall& call) { return call.wait_for(tasks); });
}

// ---- looking ------------------------------------------------------------------------------------

Result<TaskView> Client::get(const TaskId& task, const TaskParts& parts) {
  Result<TaskList> found = get_many({task}, parts);
  if (!found) return found.error();
  if (!found->tasks.empty()) return std::move(found->tasks.front());
  return Error{ErrorCode::not_found, "no task " + to_text(task)};
}

Result<TaskList> Client::get_many(const std::vector<TaskId>& tasks, const TaskParts& parts) {
  const bool with_parts = parts.payload || parts.result || parts.attempts;
  std::size_t items_max = implementation_->batch_items_max();
  if (with_parts) items_max = std::min(items_max, kPartsItemsMax);
  TaskList all;
  if (tasks.empty()) return all;
  const Status status = for_each_part(tasks, items_max, [&](std::vector<TaskId> part) {
    Result<TaskList> found = implementation_->ask<TaskList>(
        GetTasks{{}, std::move(part), parts.payload, parts.result, parts.attempts});
    if (!found) return Status(found.error());
    for (TaskView& view : found->tasks) all.tasks.push_back(std::move(view));
    all.unknown.insert(all.unknown.end(), found->unknown.begin(), found->unknown.end());
    return Status(Done());
  });
  if (!status) return status.error();
  return all;
}

Result<TaskList> Client::list(const TaskFilter& filter, std::uint64_t cursor, std::uint32_t limit,
                              bool with_attempts) {
  return implementation_->ask<TaskList>(ListTasks{{}, filter, cursor, limit, with_attempts});
}

Result<Explained> Client::explain(const TaskId& task) {
  return implementation_->ask<Explained>(Explain{{}, task});
}

Result<std::string> Client::status(StatusTopic topic) {
  Result<StatusReport> report = implementation_->ask<StatusReport>(GetStatus{{}, topic});
  if (!report) return report.error();
  return std::move(report->json);
}

PeerLimits Client::limits() const {
  return implementation_->connection.link().welcome.limits;
}

std::string Client::broker_version() const {
  return implementation_->connection.link().welcome.broker_version;
}

// ---- changing -----------------------------------------------------------------------------------

Result<std::vector<CancelAnswer>> Client::cancel(const std::vector<TaskId>& tasks) {
  std::vector<CancelAnswer> all;
  if (tasks.empty()) return all;
  const std::size_t items_max = implementation_->batch_items_max();
  const Status status = for_each_part(tasks, items_max, [&](std::vector<TaskId> part) {
    const std::size_t count = part.size();
    const Result<Cancelled> answer = implementation_->ask<Cancelled>(Cancel{{}, std::move(part)});
    if (!answer) return Status(answer.error());
    if (answer->items.size() != count) {
      return Status(Error{ErrorCode::unsupported, "the broker answered for other tasks"});
    }
    all.insert(all.end(), answer->items.begin(), answer->items.end());
    return Status(Done());
  });
  if (!status) return status.error();
  return all;
}

Result<std::uint64_t> Client::requeue(const std::vector<TaskId>& tasks, const std::string& queue) {
  return implementation_->change_dead<RequeueDead>(tasks, queue);
}

Result<std::uint64_t> Client::purge(const std::vector<TaskId>& tasks, const std::string& queue) {
  return implementation_->change_dead<PurgeDead>(tasks, queue);
}

Result<std::uint64_t> Client::control_queue(const std::string& queue, QueueAction action) {
  return implementation_->ask_count(ControlQueue{{}, queue, action});
}

Result<TasksChanged> Client::change_tasks(TaskAction action, const TaskFilter& filter,
                                          std::uint64_t cursor, std::uint32_t limit) {
  return implementation_->ask<TasksChanged>(ChangeTasks{{}, action, filter, cursor, limit});
}

Result<std::uint64_t> Client::drain_worker(const std::string& name) {
  return implementation_->ask_count(DrainWorker{{}, name});
}

}  // namespace millrace::client

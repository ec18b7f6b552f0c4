#include "broker/door/http_door.h"

#include <algorithm>
#include <random>
#include <utility>

namespace millrace::broker {
namespace {

// How often a request that waits looks whether anybody waits for it.
constexpr Duration kLookInterval = Duration::milliseconds(500);
constexpr Duration kConnectMax = Duration::seconds(5);

}  // namespace

HttpDoor::HttpDoor(HttpDoorSettings settings, LeaseDesk& leases, StatusSource status)
    : settings_(std::move(settings)),
      leases_(leases),
      status_(std::move(status)),
      random_(static_cast<std::uint64_t>(std::random_device{}()) << 32 | std::random_device{}()) {}

void HttpDoor::close() {
  closing_ = true;
  leases_.close();
}

Result<HttpDoor::ClientPointer> HttpDoor::client() {
  const std::lock_guard lock(mutex_);
  if (client_ == nullptr) {
    client::ClientSettings settings;
    settings.broker = settings_.client_address;
    settings.key_in_memory = settings_.key;
    settings.connect_timeout = kConnectMax;
    settings.call_timeout = settings_.call_timeout;
    settings.proceed = [this] { return !closing_; };
    Result<client::Client> connected = client::Client::connect(settings);
    if (!connected) return connected.error();
    client_ = std::make_shared<client::Client>(*std::move(connected));
  }
  return client_;
}

TaskId HttpDoor::draw_id() {
  const std::lock_guard lock(mutex_);
  return make_task_id(clock_.now(), random_);
}

// A client tries again while a broker refuses; whoever asks over HTTP should be told at once.
std::optional<Error> HttpDoor::refusal_ahead() const {
  const StatusPointer status = status_();
  if (status == nullptr) return std::nullopt;
  if (status->stopping) return Error{ErrorCode::shutting_down, "the broker is stopping"};
  if (!status->store_accepting) {
    return Error{ErrorCode::store_full,
                 "the disk is nearly full: tasks are refused until there is room again"};
  }
  return std::nullopt;
}

std::vector<Result<SubmitStatus>> HttpDoor::submit(
    const std::vector<wire::TaskDescription>& tasks) {
  if (const auto refusal = refusal_ahead()) return {tasks.size(), *refusal};
  const Result<ClientPointer> connected = client();
  if (!connected) return {tasks.size(), connected.error()};
  return (*connected)->submit_batch(tasks);
}

Result<TaskView> HttpDoor::get(const TaskId& task, Duration wait, const Abandoned& abandoned) {
  const Result<ClientPointer> connected = client();
  if (!connected) return connected.error();
  client::Client& client = **connected;
  if (wait > Duration()) {
    const Status waited = wait_for_end(client, task, wait, abandoned);
    if (!waited) return waited.error();
  }
  return client.get(task, {.payload = false, .result = true, .attempts = true});
}

Status HttpDoor::wait_for_end(client::Client& client, const TaskId& task, Duration wait,
                              const Abandoned& abandoned) const {
  const Time deadline = clock_.now() + wait;
  for (Time now = clock_.now(); now < deadline && !abandoned(); now = clock_.now()) {
    const Result<FinishedTask> end = client.wait(task, std::min(deadline - now, kLookInterval));
    if (end) return Done{};
    if (end.error().code != ErrorCode::unavailable) return end.error();
  }
  return Done{};
}

Result<CancelAnswer> HttpDoor::cancel(const TaskId& task) {
  const Result<ClientPointer> connected = client();
  if (!connected) return connected.error();
  const Result<std::vector<CancelAnswer>> answers = (*connected)->cancel({task});
  if (!answers) return answers.error();
  return answers->front();
}

Result<std::uint64_t> HttpDoor::control_queue(const std::string& queue, QueueAction action) {
  const Result<ClientPointer> connected = client();
  if (!connected) return connected.error();
  return (*connected)->control_queue(queue, action);
}

Result<std::uint64_t> HttpDoor::drain_worker(const std::string& worker) {
  const Result<ClientPointer> connected = client();
  if (!connected) return connected.error();
  return (*connected)->drain_worker(worker);
}

Result<std::uint64_t> HttpDoor::requeue(const TaskId& task) {
  const Result<ClientPointer> connected = client();
  if (!connected) return connected.error();
  return (*connected)->requeue({task}, "");
}

Result<TasksChanged> HttpDoor::change_tasks(const ChangeTasks& change) {
  const Result<ClientPointer> connected = client();
  if (!connected) return connected.error();
  return (*connected)->change_tasks(change.action, change.filter, change.cursor, change.limit);
}

Result<std::optional<DispatchedTask>> HttpDoor::lease(const LeaseRequest& request,
                                                      const Abandoned& abandoned) {
  return leases_.lease(request, abandoned);
}

Result<LeaseState> HttpDoor::heartbeat(const HeldLease& lease, const LeaseUpdate& update) {
  return leases_.heartbeat(lease, update);
}

Result<LeaseState> HttpDoor::finish(Completion completion) {
  return leases_.finish(std::move(completion));
}

void HttpDoor::hand_back(const HeldLease& lease) {
  leases_.hand_back(lease);
}

}  // namespace millrace::broker

#include "broker/door/lease_desk.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "common/host/signals_blocked.h"
#include "common/wire/heartbeat_codec.h"
#include "common/wire/socket.h"

namespace millrace::broker {
namespace {

// How often a call that waits looks whether anybody waits for it.
constexpr Duration kLookInterval = Duration::milliseconds(200);
// A request that does not want to wait waits this long: for the session, and for the disk.
constexpr Duration kWaitLeast = Duration::milliseconds(250);
constexpr Duration kTurnMost = Duration::seconds(1);
constexpr int kMessagesPerTurn = 64;
// A claim that comes back without a word of its own about the time goes on for this long.
constexpr Duration kClaimedLease = Duration::seconds(30);

bool in_order(const HeldLease& a, const HeldLease& b) {
  return a.task != b.task ? a.task < b.task : a.fence < b.fence;
}

Error unavailable(const char* what) {
  return {ErrorCode::unavailable, what};
}

Error no_answer() {
  return unavailable("the broker did not answer in time; say it again");
}

bool is_answer(LeaseState state) {
  return state == LeaseState::accepted || state == LeaseState::stale ||
         state == LeaseState::cancelled;
}

}  // namespace

LeaseDesk::LeaseDesk(zmq::context_t& context, TaskReader& tasks, LeaseDeskSettings settings)
    : context_(context),
      tasks_(tasks),
      settings_(std::move(settings)),
      random_(static_cast<std::uint64_t>(std::random_device{}()) << 32 | std::random_device{}()),
      held_(in_order) {}

LeaseDesk::~LeaseDesk() {
  close();
  if (thread_.joinable()) thread_.join();
}

Status LeaseDesk::open() {
  if (!wake_.ok()) return Error{ErrorCode::io, "no file descriptor is left; raise ulimit -n"};
  const wire::SocketOptions options{.linger = Duration()};
  auto publisher = wire::connect_publisher(context_, settings_.beats_address, options);
  if (!publisher) return publisher.error();
  publisher_ = *std::move(publisher);
  auto subscriber = wire::connect_subscriber(context_, settings_.pulse_address, options);
  if (!subscriber) return subscriber.error();
  subscriber_ = *std::move(subscriber);
  const host::SignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
  return Done{};
}

void LeaseDesk::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  wake_.raise();
}

// ---- the calls ----------------------------------------------------------------------------------

// Waits until the condition holds, the desk closes, or the deadline.
template <class Condition>
void LeaseDesk::wait_until(Lock& lock, Time deadline, const Condition& condition) {
  while (!closing_ && !condition()) {
    const Time now = clock_.now();
    if (now >= deadline) return;
    const Duration step = std::min(deadline - now, kLookInterval);
    changed_.wait_for(lock, std::chrono::nanoseconds(step.in_nanoseconds()));
  }
}

HttpLease::Identity LeaseDesk::draw_identity(std::string name, std::vector<std::string> queues) {
  return {make_random_id<WorkerId>(random_), std::move(name), std::move(queues), settings_.version};
}

Result<std::optional<DispatchedTask>> LeaseDesk::lease(const LeaseRequest& request,
                                                       const Abandoned& abandoned) {
  using Phase = HttpLease::Phase;
  Lock lock(mutex_);
  if (seats_.size() >= settings_.leases_max) {
    return Error{ErrorCode::busy, "too many leases over HTTP at once; see --http-leases"};
  }
  const Time began = clock_.now();
  const auto seat = std::make_shared<Seat>(HttpLease(draw_identity(request.worker, request.queues),
                                                     request.lease, Random(random_.next()), began));
  seats_.push_back(seat);
  wake_.raise();
  bool unwanted = false;
  wait_until(lock, began + std::max(request.wait, kWaitLeast), [&] {
    unwanted = abandoned();
    return unwanted || seat->lease.phase() != Phase::seeking;
  });
  if (seat->lease.failure()) return *seat->lease.failure();
  const bool leased = seat->lease.phase() == Phase::held;
  if (leased && !unwanted && !closing_) {
    const DispatchedTask& task = *seat->lease.task();
    held_[{task.task, task.fence}] = seat;
    return std::optional<DispatchedTask>(task);
  }
  seat->lease.withdraw(clock_.now());
  wake_.raise();
  return std::optional<DispatchedTask>();
}

Result<LeaseState> LeaseDesk::heartbeat(const HeldLease& lease, const LeaseUpdate& update) {
  const Result<SeatPointer> seat = seat_of(lease, true);
  if (!seat) return seat.error();
  if (*seat == nullptr) return LeaseState::stale;
  const Lock lock(mutex_);
  HttpLease& held = (*seat)->lease;
  held.heartbeat(update, clock_.now());
  wake_.raise();
  if (held.phase() == HttpLease::Phase::claiming) return no_answer();
  // With its end on the way, it is nobody's business any more.
  return held.answer() == LeaseState::unknown ? LeaseState::held : held.answer();
}

Result<LeaseState> LeaseDesk::finish(Completion completion) {
  const Result<SeatPointer> seat = seat_of({completion.task, completion.fence}, false);
  if (!seat) return seat.error();
  if (*seat == nullptr) return LeaseState::stale;
  Lock lock(mutex_);
  HttpLease& held = (*seat)->lease;
  held.finish(completion.outcome, std::move(completion.result), std::move(completion.error),
              clock_.now());
  wake_.raise();
  wait_until(lock, clock_.now() + settings_.answer_max,
             [&] { return is_answer(held.answer()) || held.phase() == HttpLease::Phase::ended; });
  return is_answer(held.answer()) ? Result<LeaseState>(held.answer()) : no_answer();
}

void LeaseDesk::hand_back(const HeldLease& lease) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(lease);
  if (found == held_.end()) return;
  found->second->lease.withdraw(clock_.now());
  wake_.raise();
}

// The seat of a lease; of one that this process does not know, if the broker gives it to us: it may
// be of the time before a restart, or its end may be known and the answer lost. Null when it is
// lost.
Result<LeaseDesk::SeatPointer> LeaseDesk::seat_of(const HeldLease& lease, bool must_run) {
  Lock lock(mutex_);
  const auto known = held_.find(lease);
  SeatPointer seat = known == held_.end() ? nullptr : known->second;
  if (seat == nullptr) {
    lock.unlock();
    GetTasks get;
    get.tasks = {lease.task};
    const Result<TaskList> found = tasks_.get(get);
    if (!found) return found.error();
    if (found->tasks.empty()) return SeatPointer();
    const TaskView& task = found->tasks.front();
    if (task.fence != lease.fence) return SeatPointer();
    if (must_run && task.state != TaskState::in_progress) return SeatPointer();
    lock.lock();
    Result<SeatPointer> claimed = claim(lease, task, lock);
    if (!claimed) return claimed.error();
    seat = *std::move(claimed);
  }
  wait_until(lock, clock_.now() + settings_.answer_max,
             [&] { return seat->lease.phase() != HttpLease::Phase::claiming; });
  return seat;
}

Result<LeaseDesk::SeatPointer> LeaseDesk::claim(const HeldLease& lease, const TaskView& task,
                                                Lock&) {
  const auto known = held_.find(lease);  // another call may have been faster
  if (known != held_.end()) return known->second;
  if (seats_.size() >= settings_.leases_max) {
    return Error{ErrorCode::busy, "too many leases over HTTP at once; see --http-leases"};
  }
  DispatchedTask dispatched;
  dispatched.task = lease.task;
  dispatched.fence = lease.fence;
  dispatched.attempt = task.attempts;
  dispatched.max_attempts = task.max_attempts;
  dispatched.timeout = task.timeout;
  dispatched.queue = task.queue;
  const auto seat = std::make_shared<Seat>(HttpLease(draw_identity("http", {task.queue}),
                                                     kClaimedLease, Random(random_.next()),
                                                     std::move(dispatched), clock_.now()));
  seats_.push_back(seat);
  held_[lease] = seat;
  wake_.raise();
  return seat;
}

// ---- the thread ---------------------------------------------------------------------------------

void LeaseDesk::run() {
  while (true) {
    wait();
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    turn();
    changed_.notify_all();
  }
}

void LeaseDesk::wait() {
  std::vector<zmq::pollitem_t> items;
  Time wake = clock_.now() + kTurnMost;
  {
    const std::lock_guard lock(mutex_);
    items.push_back({nullptr, wake_.descriptor(), ZMQ_POLLIN, 0});
    items.push_back({subscriber_.handle(), 0, ZMQ_POLLIN, 0});
    for (const SeatPointer& seat : seats_) {
      if (seat->dealer) items.push_back({seat->dealer.handle(), 0, ZMQ_POLLIN, 0});
      wake = std::min(wake, seat->lease.next_deadline());
    }
  }
  const Duration timeout = std::max(Duration(), wake - clock_.now());
  wire::poll_items(items.data(), items.size(), timeout);
  wake_.clear();
}

void LeaseDesk::turn() {
  const Time now = clock_.now();
  hear_pulses(now);
  for (const SeatPointer& seat : seats_) {
    hear(*seat, now);
    perform(*seat, seat->lease.tick(now));
  }
  forget_ended();
}

void LeaseDesk::hear_pulses(Time now) {
  wire::Frames frames;
  while (wire::receive_frames(subscriber_, frames, 1) == wire::ReceiveStatus::received) {
    const Result<Pulse> pulse = wire::decode_pulse(frames[0]);
    if (!pulse) continue;
    for (const SeatPointer& seat : seats_) seat->lease.hear_pulse(*pulse, now);
  }
}

void LeaseDesk::hear(Seat& seat, Time now) {
  wire::Frames frames;
  for (int i = 0; i < kMessagesPerTurn && seat.dealer; ++i) {
    const auto status = wire::receive_frames(seat.dealer, frames);
    if (status == wire::ReceiveStatus::nothing) return;
    if (status != wire::ReceiveStatus::received) continue;
    const Result<WorkerReply> reply = wire::decode_worker_reply(frames, PeerLimits());
    if (reply) seat.lease.receive(*reply, now);
  }
}

// What the connection does not take now the session says again in its time.
void LeaseDesk::perform(Seat& seat, const worker::Actions& actions) {
  if (actions.reconnect || (!seat.dealer && !actions.sends.empty())) {
    wire::SocketOptions options;
    if (!settings_.door_pass.empty()) {
      options.routing_id = settings_.door_pass + std::to_string(++connections_);
    }
    auto dealer = wire::connect_dealer(context_, settings_.workers_address, options);
    if (dealer) seat.dealer = *std::move(dealer);
  }
  for (const WorkerMessage& message : actions.sends) {
    if (seat.dealer) static_cast<void>(wire::send_frames(seat.dealer, wire::encode(message)));
  }
  for (const Beat& beat : actions.beats) {
    static_cast<void>(wire::send_frames(publisher_, {wire::encode(beat)}));
  }
}

void LeaseDesk::forget_ended() {
  const auto ended = [](const SeatPointer& seat) {
    return seat->lease.phase() == HttpLease::Phase::ended;
  };
  for (auto held = held_.begin(); held != held_.end();) {
    held = ended(held->second) ? held_.erase(held) : std::next(held);
  }
  seats_.erase(std::remove_if(seats_.begin(), seats_.end(), ended), seats_.end());
}

}  // namespace millrace::broker

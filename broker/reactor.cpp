#include "broker/reactor.h"

#include <algorithm>
#include <utility>

#include "common/wire/heartbeat_codec.h"

namespace millrace::broker {
namespace {

// What the turn gives the store, roughly: payloads and results count, records are small.
ByteCount bytes_of(const std::vector<Write>& writes) {
  constexpr std::uint64_t kRecordBytes = 128;
  std::uint64_t bytes = writes.size() * kRecordBytes;
  for (const Write& write : writes) {
    if (const auto* spec = std::get_if<PutSpec>(&write)) bytes += spec->bytes.size();
    if (const auto* result = std::get_if<PutResult>(&write)) bytes += result->bytes.size();
  }
  return ByteCount(bytes);
}

}  // namespace

Reactor::Reactor(BrokerSockets& sockets, BrokerCore& core, Store& store, StatusBoard& status,
                 const host::Clock& clock, host::StopSignal& stop, const AccessKeeper* keeper,
                 const BrokerConfig& config)
    : sockets_(sockets),
      core_(core),
      store_(store),
      status_(status),
      clock_(clock),
      stop_(stop),
      uncommitted_bytes_max_(config.uncommitted_bytes_max),
      pulse_interval_(config.core.liveness.beat_interval),
      peers_(config.unsent),
      inbox_(sockets, peers_, keeper, config.core.limits),
      outbox_(sockets, peers_, store, status, config),
      now_(clock.now()) {}

void Reactor::run() {
  while (!finished()) {
    wait();
    turn();
    longest_turn_ = std::max(longest_turn_, clock_.now() - now_);
  }
}

// One pass of every stage. Beats first: listen before judging anyone late.
void Reactor::turn() {
  events_.swap(undelivered_);
  undelivered_.clear();
  effects_.clear();
  inbox_.drain_revocations(events_);
  inbox_.drain_beats(events_);
  inbox_.drain_workers(events_, effects_);
  if (!overloaded()) inbox_.drain_clients(events_, effects_);
  watch_store_level();

  now_ = clock_.now();
  for (Event& event : events_) core_.step(std::move(event), now_, effects_);
  core_.tick(now_, effects_);

  const ByteCount write_bytes = bytes_of(effects_.writes);
  outbox_.remember_specs(effects_.writes);
  const std::size_t writes = effects_.writes.size();
  last_batch_ = store_.submit(std::move(effects_.writes));
  effects_.writes = {};
  effects_.writes.reserve(writes);  // the next turn is likely to be like this one
  outbox_.hold(last_batch_, effects_, write_bytes);
  outbox_.release(store_.durable(), undelivered_);
  pulse_if_due(now_);
  publish_status_if_due(now_);
  events_.clear();
}

// Sleeps until a socket, the store or a stop signal has news, or the core wants its tick.
void Reactor::wait() {
  const Time now = clock_.now();
  Time until = std::min(core_.next_deadline(), next_pulse_);
  if (status_stale_) until = std::min(until, status_.next());
  if (!undelivered_.empty()) until = now;
  const Duration timeout = until > now ? until - now : Duration();
  zmq::pollitem_t items[] = {
      {nullptr, store_.wakeup_descriptor(), ZMQ_POLLIN, 0},
      {nullptr, stop_.descriptor(), ZMQ_POLLIN, 0},
      {sockets_.beats.handle(), 0, ZMQ_POLLIN, 0},
      {sockets_.workers.handle(), 0, ZMQ_POLLIN, 0},
      {sockets_.clients.handle(), 0, ZMQ_POLLIN, 0},
  };
  const std::size_t count = std::size(items) - (overloaded() ? 1 : 0);
  wire::poll_items(items, count, timeout);
  if ((items[0].revents & ZMQ_POLLIN) != 0) store_.acknowledge_wakeup();
  if (!stopping_ && stop_.count() > 0) {
    stopping_ = true;
    undelivered_.emplace_back(StopRequested{});
    next_pulse_ = now;
  }
}

// Back-pressure: while too much waits for its commit, clients are not read, and TCP slows them
// down.
bool Reactor::overloaded() const {
  return outbox_.held_write_bytes() > uncommitted_bytes_max_;
}

void Reactor::watch_store_level() {
  const bool accepting = store_.usage().accepting;
  if (accepting == store_accepting_) return;
  store_accepting_ = accepting;
  events_.emplace_back(StoreLevelChanged{accepting});
}

void Reactor::pulse_if_due(Time now) {
  if (now < next_pulse_) return;
  next_pulse_ = now + pulse_interval_;
  const Pulse pulse{core_.settings().epoch, ++pulse_number_, now, stopping_};
  wire::send_frames(sockets_.pulse, {wire::encode(pulse)});
}

void Reactor::publish_status_if_due(Time now) {
  if (!status_.is_due(now)) {
    status_stale_ = true;
    return;
  }
  status_.publish(clock_, core_, store_,
                  ShellFigures{inbox_.counters().bad_messages + inbox_.counters().forbidden,
                               outbox_.sends_dropped() + inbox_.counters().unread_answers,
                               std::max(longest_turn_, longest_turn_before_), stopping_});
  if (now - second_began_ >= Duration::seconds(1)) {
    second_began_ = now;
    longest_turn_before_ = std::exchange(longest_turn_, Duration());
  }
  status_stale_ = false;
}

// After a stop signal: everything decided is durable and told.
bool Reactor::finished() const {
  return stopping_ && undelivered_.empty() && outbox_.empty() && store_.durable() >= last_batch_;
}

}  // namespace millrace::broker

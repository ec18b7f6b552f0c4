// A core and its reference side by side: each command goes to both, and every answer, record and
// choice of the core is judged.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/model/reference_broker.h"

namespace millrace::broker::test {

enum class Act : std::uint8_t {
  submit,
  submit_changed,
  cancel,
  watch,
  get,
  requeue,
  purge_dead,
  pause,
  resume,
  purge,
  hello,
  hello_old,
  hello_elsewhere,
  reconnect,
  complete,
  complete_wrongly,
  extend,
  goodbye,
  beat,
  beat_all,
  undeliverable,
  unreachable,
  drain,
  store_level,
  advance,
  stall,
  restart,
  count
};

// Any three numbers are a command, so that a failing sequence shrinks to a short one.
struct Command {
  Act act = Act::submit;
  std::uint8_t a = 0;
  std::uint8_t b = 0;
  std::uint8_t c = 0;
};
std::ostream& operator<<(std::ostream& out, const Command& command);

class World {
 public:
  World();

  // False when something was wrong; problem() then says what.
  bool play(const Command& command);
  const std::string& problem() const { return problem_; }
  // What was reached, to know that the commands go deep.
  std::uint64_t ended() const { return ended_; }

 private:
  void act(const Command& command);
  void expect(bool condition, const std::string& what);
  void step(Event event);
  void tick();
  void judge_turn();
  void judge_replies();
  void judge_explained(const Explained& explained);
  void purge_by_filter(PeerId client, const std::string& queue);
  void notice(const ToWorker& send);

  // world_clients.cpp
  void submit(const Command& command);
  void cancel(const Command& command);
  void watch(const Command& command);
  void get(const Command& command);
  void change_dead(const Command& command);
  void control(const Command& command);
  void drain(const Command& command);
  TaskSpec spec_of(const Command& command) const;

  // world_workers.cpp
  void hello(const Command& command);
  void reconnect(const Command& command);
  void complete(const Command& command);
  void extend(const Command& command);
  void goodbye(const Command& command);
  void beat(const WorkerId& worker);
  void undeliverable(const Command& command);
  bool refused_as_unknown(PeerId peer, WorkerMessage message);
  std::vector<HeldLease> holding_of(const WorkerId& worker, std::uint8_t wish) const;

  // world.cpp
  void advance(const Command& command);
  void restart();

  // The newest reply of this kind to the peer, in this turn.
  template <class Reply>
  const Reply* client_reply(PeerId peer) const;
  template <class Reply>
  const Reply* worker_reply(PeerId peer) const;

  CoreSettings settings_;
  std::unique_ptr<BrokerCore> core_;
  RecordedStore store_;
  ReferenceBroker reference_;
  Effects effects_;
  Time now_;
  std::map<WorkerId, PeerId> peers_;
  std::map<WorkerId, std::uint64_t> hellos_;
  std::map<WorkerId, SessionNonce> sessions_;
  std::uint64_t next_peer_ = 100;
  std::uint64_t ended_ = 0;
  std::string problem_;
};

template <class Reply>
const Reply* World::client_reply(PeerId peer) const {
  for (auto send = effects_.sends.rbegin(); send != effects_.sends.rend(); ++send) {
    const auto* typed = std::get_if<ToClient>(&*send);
    if (typed != nullptr && typed->peer == peer) return std::get_if<Reply>(&typed->reply);
  }
  return nullptr;
}

template <class Reply>
const Reply* World::worker_reply(PeerId peer) const {
  for (auto send = effects_.sends.rbegin(); send != effects_.sends.rend(); ++send) {
    const auto* typed = std::get_if<ToWorker>(&*send);
    if (typed == nullptr || typed->peer != peer) continue;
    if (const auto* reply = std::get_if<Reply>(&typed->reply)) return reply;
  }
  return nullptr;
}

// Tasks 1 to 8 are submitted; higher numbers are strangers.
inline TaskId task_numbered(std::uint8_t number) {
  TaskId id;
  id.bytes[0] = static_cast<std::uint8_t>(1 + number % 10);
  return id;
}
inline WorkerId worker_numbered(std::uint8_t number) {
  WorkerId id;
  id.bytes[0] = static_cast<std::uint8_t>(1 + number % 4);
  return id;
}
inline PeerId client_numbered(std::uint8_t number) {
  return PeerId(1 + number % 2U);
}

}  // namespace millrace::broker::test

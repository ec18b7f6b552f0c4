// The broker's one loop: inbox -> core -> store -> outbox.
#pragma once

#include <vector>

#include "broker/broker_sockets.h"
#include "broker/core/broker_core.h"
#include "broker/inbox.h"
#include "broker/outbox.h"
#include "broker/peer_directory.h"
#include "broker/status_board.h"
#include "broker/store/store.h"
#include "common/host/clock.h"
#include "common/host/stop_signal.h"

namespace millrace::broker {

class Reactor {
 public:
  // All must outlive the reactor. The core must have been restored from the store.
  // `keeper`: null without keys.
  Reactor(BrokerSockets& sockets, BrokerCore& core, Store& store, StatusBoard& status,
          const host::Clock& clock, host::StopSignal& stop, const AccessKeeper* keeper,
          const BrokerConfig& config);

  // Runs until a stop signal; then everything decided is durable and sent.
  void run();

 private:
  void wait();
  void turn();
  void pulse_if_due(Time now);
  void watch_store_level();
  void publish_status_if_due(Time now);
  bool overloaded() const;
  bool finished() const;

  BrokerSockets& sockets_;
  BrokerCore& core_;
  Store& store_;
  StatusBoard& status_;
  const host::Clock& clock_;
  host::StopSignal& stop_;
  ByteCount uncommitted_bytes_max_;
  Duration pulse_interval_;

  PeerDirectory peers_;
  Inbox inbox_;
  Outbox outbox_;
  std::vector<Event> events_;
  std::vector<Event> undelivered_;  // of the last release: events of the next turn
  Effects effects_;
  Time now_;
  Time next_pulse_;
  std::uint64_t pulse_number_ = 0;
  // The longest turn of this second and of the one before.
  Duration longest_turn_;
  Duration longest_turn_before_;
  Time second_began_;
  bool store_accepting_ = true;
  bool stopping_ = false;
  bool status_stale_ = true;  // something may have happened since the last snapshot
  BatchNumber last_batch_;
};

}  // namespace millrace::broker

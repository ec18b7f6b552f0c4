// The network between the nodes and the broker: ordered connections with delays that can be cut and
// partitioned, and the lossy channels of beats and pulses. Messages travel as values.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "tests/simulation/plan.h"
#include "tests/simulation/world.h"

namespace millrace::simulation {

class Route;

// One DEALER socket and the broker's side of it. In each direction messages arrive in order.
class Wire {
 public:
  Wire(World& world, const Plan& plan, Route& route);

  // `arrive` runs when the message arrives, never when it is lost.
  void to_broker(Step arrive) { send(up_, std::move(arrive)); }
  void to_node(Step arrive) { send(down_, std::move(arrive)); }

  // TCP ended: what is under way is lost. What the node sends from now on waits in its socket or is
  // lost with it; what the broker sends is lost.
  void detach();
  // TCP is back, over the same socket.
  void attach();
  // The node closed its socket: nothing moves any more.
  void close();
  // Something of the route has changed.
  void refresh();

  bool is_attached() const { return attached_; }
  bool is_closed() const { return closed_; }
  // The broker's transport would refuse a message for it.
  bool is_known_gone() const { return closed_ || (!attached_ && noticed_); }
  Route& route() const { return route_; }

 private:
  enum class Gate : std::uint8_t { open, hold, lose };
  struct Lane {
    Gate gate = Gate::open;
    Time last_arrival;
    std::uint64_t generation = 0;
    std::deque<Step> held;
  };

  void send(Lane& lane, Step arrive);
  void lose_under_way(Lane& lane);
  void set_gate(Lane& lane, Gate gate);

  World& world_;
  const Plan& plan_;
  Route& route_;
  bool attached_ = false;
  bool closed_ = false;
  bool noticed_ = false;
  bool keeps_ = true;  // the socket keeps what it could not send
  Lane up_;
  Lane down_;
};

// The way of one node to the broker, over all the sockets it opens.
class Route {
 public:
  Route(World& world, const Plan& plan, std::uint32_t node);

  std::uint32_t node() const { return node_; }
  // Closes the present wire and opens another.
  std::shared_ptr<Wire> connect();
  const std::shared_ptr<Wire>& wire() const { return wire_; }
  // The process has ended.
  void hang_up();

  // The broker's host answers (or does not).
  void set_broker_up(bool up);
  bool broker_up() const { return broker_up_; }
  // Cuts the present wire; it comes back by itself.
  void cut(Duration length);
  // What is sent in a blocked direction waits; when it ends, it may arrive or be lost.
  void block(bool to_broker, bool from_broker);
  void unblock(bool breaks_connection);
  bool is_blocked() const { return blocked_up_ || blocked_down_; }
  bool blocks_up() const { return blocked_up_; }
  bool blocks_down() const { return blocked_down_; }

  // The lossy channels. False: lost at once.
  bool beat(Step arrive);
  bool pulse(Step arrive);

 private:
  void attach_soon(const std::shared_ptr<Wire>& wire, Duration low, Duration high);
  bool lossy(bool blocked, std::uint32_t loss, Happening what, Time& last, Step arrive);

  World& world_;
  const Plan& plan_;
  std::uint32_t node_;
  std::shared_ptr<Wire> wire_;
  std::vector<std::shared_ptr<Wire>> wires_;  // all ever made: their steps may still be to come
  bool broker_up_ = false;
  bool blocked_up_ = false;
  bool blocked_down_ = false;
  std::uint64_t lossy_generation_ = 0;
  Time last_beat_;
  Time last_pulse_;
};

}  // namespace millrace::simulation

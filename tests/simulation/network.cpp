#include "tests/simulation/network.h"

#include <algorithm>
#include <utility>

namespace millrace::simulation {

// ---- one wire -----------------------------------------------------------------------------------

Wire::Wire(World& world, const Plan& plan, Route& route)
    : world_(world), plan_(plan), route_(route) {
  refresh();
}

void Wire::send(Lane& lane, Step arrive) {
  if (lane.gate == Gate::lose) return;
  if (lane.gate == Gate::hold) {
    lane.held.push_back(std::move(arrive));
    return;
  }
  const Time arrival = std::max(world_.now() + world_.pick(plan_.delay_min, plan_.delay_max),
                                lane.last_arrival + Duration::nanoseconds(1));
  lane.last_arrival = arrival;
  world_.at(arrival, [&lane, generation = lane.generation, step = std::move(arrive)] {
    if (generation == lane.generation) step();
  });
}

void Wire::lose_under_way(Lane& lane) {
  ++lane.generation;
  lane.last_arrival = Time();
}

void Wire::set_gate(Lane& lane, Gate gate) {
  lane.gate = gate;
  if (gate == Gate::lose) lane.held.clear();
  if (gate != Gate::open) return;
  std::deque<Step> held = std::exchange(lane.held, {});
  for (Step& step : held) send(lane, std::move(step));
}

void Wire::refresh() {
  Gate up = Gate::open;
  Gate down = Gate::open;
  if (closed_) {
    up = down = Gate::lose;
  } else if (!attached_) {
    up = keeps_ ? Gate::hold : Gate::lose;
    down = Gate::lose;
  } else {
    if (route_.blocks_up()) up = Gate::hold;
    if (route_.blocks_down()) down = Gate::hold;
  }
  set_gate(up_, up);
  set_gate(down_, down);
}

void Wire::detach() {
  if (closed_ || !attached_) return;
  attached_ = false;
  noticed_ = world_.chance(500);
  keeps_ = world_.chance(500);
  lose_under_way(up_);
  lose_under_way(down_);
  up_.held.clear();
  refresh();
}

void Wire::attach() {
  if (closed_ || attached_) return;
  attached_ = true;
  noticed_ = false;
  refresh();
}

void Wire::close() {
  closed_ = true;
  lose_under_way(up_);
  lose_under_way(down_);
  refresh();
}

// ---- a node's way -------------------------------------------------------------------------------

Route::Route(World& world, const Plan& plan, std::uint32_t node)
    : world_(world), plan_(plan), node_(node) {}

std::shared_ptr<Wire> Route::connect() {
  if (wire_ != nullptr) wire_->close();
  wire_ = std::make_shared<Wire>(world_, plan_, *this);
  wires_.push_back(wire_);
  if (broker_up_) attach_soon(wire_, Duration::microseconds(100), Duration::milliseconds(2));
  return wire_;
}

void Route::hang_up() {
  if (wire_ != nullptr) wire_->close();
  wire_ = nullptr;
}

void Route::attach_soon(const std::shared_ptr<Wire>& wire, Duration low, Duration high) {
  world_.after(world_.pick(low, high), [this, wire] {
    if (broker_up_) wire->attach();
  });
}

void Route::set_broker_up(bool up) {
  broker_up_ = up;
  ++lossy_generation_;
  if (wire_ == nullptr) return;
  if (up) {
    attach_soon(wire_, Duration(), Duration::milliseconds(300));
  } else {
    wire_->detach();
  }
}

void Route::cut(Duration length) {
  if (wire_ == nullptr || !wire_->is_attached()) return;
  wire_->detach();
  world_.after(length, [this, wire = wire_] {
    if (!broker_up_ || wire->is_closed() || wire->is_attached()) return;
    wire->attach();
    world_.note(Happening::wire_restored, node_);
  });
}

void Route::block(bool to_broker, bool from_broker) {
  blocked_up_ = to_broker;
  blocked_down_ = from_broker;
  if (wire_ != nullptr) wire_->refresh();
}

void Route::unblock(bool breaks_connection) {
  if (breaks_connection && wire_ != nullptr && wire_->is_attached()) {
    wire_->detach();
    attach_soon(wire_, Duration(), Duration::milliseconds(300));
  }
  block(false, false);
}

bool Route::lossy(bool blocked, std::uint32_t loss, Happening what, Time& last, Step arrive) {
  if (blocked || !broker_up_) return false;
  if (world_.chance(loss)) {
    world_.note(what, node_);
    return false;
  }
  last = std::max(world_.now() + world_.pick(plan_.delay_min, plan_.delay_max),
                  last + Duration::nanoseconds(1));
  world_.at(last, [this, generation = lossy_generation_, step = std::move(arrive)] {
    if (generation == lossy_generation_) step();
  });
  return true;
}

bool Route::beat(Step arrive) {
  return lossy(blocked_up_, plan_.beat_loss, Happening::beat_lost, last_beat_, std::move(arrive));
}

bool Route::pulse(Step arrive) {
  return lossy(blocked_down_, plan_.pulse_loss, Happening::pulse_lost, last_pulse_,
               std::move(arrive));
}

}  // namespace millrace::simulation

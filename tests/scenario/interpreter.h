// Runs the commands of a scenario against the real core, with a recorded store behind it and every
// invariant checked after every tick.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/broker_core.h"
#include "tests/scenario/names.h"
#include "tests/scenario/recorded_store.h"
#include "tests/scenario/script.h"
#include "tests/scenario/trace.h"

namespace millrace::broker::test {

class Interpreter {
 public:
  Interpreter();

  // One turn: steps the commands, ticks, and returns the trace. What goes wrong stands in
  // problems() afterwards.
  std::vector<std::string> run(const Block& block);
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  using Handler = void (Interpreter::*)(const Command&);
  static const std::map<std::string, Handler>& handlers();
  void execute(const std::string& line);
  void problem(const std::string& text);

  // The world (interpreter.cpp).
  void settings(const Command& command);
  void advance(const Command& command);
  void stall(const Command& command);
  void restart(const Command& command);
  void stop(const Command& command);
  void store_full(const Command& command);
  void store_accepting(const Command& command);

  // Clients (client_commands.cpp). All take client=c1.
  void submit(const Command& command);
  void watch(const Command& command);
  void cancel(const Command& command);
  void get(const Command& command);
  void explain(const Command& command);
  void change(const Command& command);
  void list(const Command& command);
  void requeue(const Command& command);
  void purge_dead(const Command& command);
  void pause(const Command& command);
  void resume(const Command& command);
  void purge(const Command& command);
  void drain(const Command& command);
  void greet(const Command& command);
  void ping(const Command& command);
  void leave(const Command& command);
  void control(const Command& command, QueueAction action);
  void from_client(const Command& command, ClientMessage message);

  // Workers (worker_commands.cpp). All take worker=w1.
  void hello(const Command& command);
  void complete(const Command& command);
  void extend(const Command& command);
  void goodbye(const Command& command);
  void beat(const Command& command);
  void undeliverable(const Command& command);
  void unreadable(const Command& command);
  void unreachable(const Command& command);
  void reconnect(const Command& command);
  void send_beat(const std::string& worker, bool right_session);
  std::vector<HeldLease> leases_named(const Command& command, const std::string& name);
  std::string worker_named(const Command& command);

  // What can be looked at (show.cpp).
  void show(const Command& command);
  void show_tasks();
  void show_workers(const CoreStatus& status);
  void show_queues(const CoreStatus& status);
  void show_totals(const CoreStatus& status);

  void make_core();
  void step(Event event);
  void tick(bool with_time);
  void notice(const Effects& effects);
  void say(std::string text) { output_.push_back(std::move(text)); }

  CoreSettings settings_;
  Time start_;
  Time now_;
  RecordedStore store_;
  std::unique_ptr<BrokerCore> core_;
  Effects effects_;
  PeerNames peers_;
  std::map<std::string, SessionNonce> sessions_;
  std::map<std::string, std::uint64_t> hellos_;
  std::map<std::string, std::uint32_t> credits_;
  std::uint64_t beats_ = 0;
  std::vector<std::string> output_;
  std::vector<std::string> problems_;
};

}  // namespace millrace::broker::test

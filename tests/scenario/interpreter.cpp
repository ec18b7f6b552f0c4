#include "tests/scenario/interpreter.h"

#include <utility>

namespace millrace::broker::test {

Interpreter::Interpreter() : start_(Time::since_epoch(Duration::days(20'000))), now_(start_) {
  make_core();
  tick(false);
}

const std::map<std::string, Interpreter::Handler>& Interpreter::handlers() {
  static const std::map<std::string, Handler> kHandlers = {
      {"settings", &Interpreter::settings},
      {"advance", &Interpreter::advance},
      {"stall", &Interpreter::stall},
      {"restart", &Interpreter::restart},
      {"stop", &Interpreter::stop},
      {"store_full", &Interpreter::store_full},
      {"store_accepting", &Interpreter::store_accepting},
      {"submit", &Interpreter::submit},
      {"watch", &Interpreter::watch},
      {"cancel", &Interpreter::cancel},
      {"get", &Interpreter::get},
      {"explain", &Interpreter::explain},
      {"change", &Interpreter::change},
      {"list", &Interpreter::list},
      {"requeue", &Interpreter::requeue},
      {"purge_dead", &Interpreter::purge_dead},
      {"pause", &Interpreter::pause},
      {"resume", &Interpreter::resume},
      {"purge", &Interpreter::purge},
      {"drain", &Interpreter::drain},
      {"greet", &Interpreter::greet},
      {"ping", &Interpreter::ping},
      {"leave", &Interpreter::leave},
      {"hello", &Interpreter::hello},
      {"complete", &Interpreter::complete},
      {"extend", &Interpreter::extend},
      {"goodbye", &Interpreter::goodbye},
      {"beat", &Interpreter::beat},
      {"undeliverable", &Interpreter::undeliverable},
      {"unreadable", &Interpreter::unreadable},
      {"unreachable", &Interpreter::unreachable},
      {"reconnect", &Interpreter::reconnect},
      {"show", &Interpreter::show},
  };
  return kHandlers;
}

std::vector<std::string> Interpreter::run(const Block& block) {
  output_.clear();
  problems_.clear();
  for (const std::string& line : block.commands) execute(line);
  tick(false);
  return std::exchange(output_, {});
}

void Interpreter::execute(const std::string& line) {
  const Result<Command> command = Command::parse(line);
  if (!command.ok()) return problem("'" + line + "': " + command.error().message);
  const auto handler = handlers().find(command->verb());
  if (handler == handlers().end()) return problem("'" + line + "': unknown command");
  (this->*handler->second)(*command);
  if (command->problem().has_value()) problem("'" + line + "': " + *command->problem());
  if (const auto unused = command->unused()) problem("'" + line + "': unknown name " + *unused);
}

void Interpreter::problem(const std::string& text) {
  problems_.push_back(text);
}

void Interpreter::make_core() {
  core_ = std::make_unique<BrokerCore>(settings_, Random(1));
  store_.restore(*core_, now_);
}

void Interpreter::step(Event event) {
  core_->step(std::move(event), now_, effects_);
}

// Closes the turn: what it wrote is stored, what it sent is shown, what it left is checked.
void Interpreter::tick(bool with_time) {
  core_->tick(now_, effects_);
  const Totals before = store_.totals();
  store_.apply(effects_.writes);
  notice(effects_);
  const std::vector<std::string> lines = Trace(peers_, store_, start_).lines(effects_, before);
  if (with_time && !lines.empty()) say("at " + in_milliseconds(now_ - start_));
  for (const std::string& line : lines) say(line);
  effects_.clear();
  if (const auto broken = Invariants::check(*core_)) problem("broken invariant: " + *broken);
  if (const auto wrong = store_.contradiction()) problem("contradicting writes: " + *wrong);
}

// What the peers would remember of their replies.
void Interpreter::notice(const Effects& effects) {
  for (const Send& send : effects.sends) {
    const auto* reply = std::get_if<ToWorker>(&send);
    if (reply == nullptr) continue;
    if (const auto* welcome = std::get_if<WorkerWelcome>(&reply->reply)) {
      const std::string connection = peers_.name(reply->peer);
      sessions_[connection.substr(0, connection.find('/'))] = welcome->session;
    }
  }
}

// ---- the world ----------------------------------------------------------------------------------

// Takes effect on a fresh core: only before anything else has happened, or before a restart.
void Interpreter::settings(const Command& command) {
  CoreSettings& s = settings_;
  s.aging_interval = command.duration("aging", s.aging_interval);
  s.adoption_grace = command.duration("adoption_grace", s.adoption_grace);
  s.timeout_default = command.duration("timeout", s.timeout_default);
  s.retention_default = command.duration("retention", s.retention_default);
  s.client_silence_max = command.duration("client_silence", s.client_silence_max);
  s.retained_bytes_max = ByteCount(command.number("retained_bytes", s.retained_bytes_max.value));
  s.retained_tasks_max = command.number("retained_tasks", s.retained_tasks_max);
  s.tasks_max = command.number("tasks_max", s.tasks_max);
  s.watches_max = command.number("watches_max", s.watches_max);
  const auto small = [&command](const char* name, std::uint32_t& field) {
    field = static_cast<std::uint32_t>(command.number(name, field));
  };
  small("queues_max", s.queues_max);
  small("workers_max", s.workers_max);
  small("clients_max", s.clients_max);
  small("prefetch_quantum", s.prefetch_quantum);
  small("tick_work_max", s.tick_work_max);
  small("request_work_max", s.request_work_max);
  make_core();
}

// "advance 3s [beats=w1,w2]": ticks as often as the shell would; these workers beat each second.
void Interpreter::advance(const Command& command) {
  const Result<Duration> length =
      parse_duration(command.words().empty() ? "" : command.words().front());
  if (!length.ok()) return problem(length.error().message);
  const std::vector<std::string> beating = command.list("beats");
  const Time end = now_ + *length;
  Time next_beat = now_ + settings_.liveness.beat_interval;
  tick(false);
  while (now_ < end) {
    const Time wake = std::max(core_->next_deadline(), now_ + Duration::nanoseconds(1));
    if (wake > now_ + settings_.tick_interval_max) problem("the next deadline is too far away");
    now_ = std::min({end, wake, next_beat});
    if (now_ == next_beat) {
      for (const std::string& worker : beating) send_beat(worker, true);
      next_beat = next_beat + settings_.liveness.beat_interval;
    }
    tick(true);
  }
}

// Time passes without a tick, as when the broker's process was stopped.
void Interpreter::stall(const Command& command) {
  const Result<Duration> length =
      parse_duration(command.words().empty() ? "" : command.words().front());
  if (!length.ok()) return problem(length.error().message);
  now_ = now_ + *length;
}

// A new process on the same store: everything but the records is gone, and so are connections.
void Interpreter::restart(const Command& command) {
  tick(false);
  now_ = now_ + command.duration("down", Duration());
  settings_.epoch = settings_.epoch.next();
  make_core();
}

void Interpreter::stop(const Command&) {
  step(StopRequested{});
}

void Interpreter::store_full(const Command&) {
  step(StoreLevelChanged{false});
}

void Interpreter::store_accepting(const Command&) {
  step(StoreLevelChanged{true});
}

}  // namespace millrace::broker::test

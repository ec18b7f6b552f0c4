#include <algorithm>
#include <set>

#include "client/cpp/session.h"
#include "tests/fuzz/message_maker.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/session_runs.h"

namespace millrace::fuzz {
namespace {

class ClientRun {
 public:
  explicit ClientRun(Input& input) : input_(input), session_(small_settings(input)) {
    session_.start(now_, actions_);
    take_actions();
  }

  void play() {
    while (!input_.empty() && !stopped_) {
      act();
      take_actions();
    }
  }

 private:
  static client::SessionSettings small_settings(Input& input) {
    client::SessionSettings settings;
    settings.client.bytes[0] = 1;
    settings.random_seed = input.byte();
    settings.in_flight_tasks_max = static_cast<std::uint32_t>(1 + input.below(8));
    settings.in_flight_bytes_max = ByteCount(1 + input.below(256) * 8);
    settings.batch_items = static_cast<std::uint32_t>(1 + input.below(4));
    settings.batch_bytes = ByteCount(1 + input.below(256) * 4);
    settings.watches_in_flight_max = static_cast<std::uint32_t>(1 + input.below(3));
    return settings;
  }

  void act() {
    switch (input_.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        if (auto reply = any_client_reply(input_)) {
          session_.receive(std::move(*reply), now_, actions_);
        }
        return;
      case 4:
        return welcome();
      case 5:
        return submit();
      case 6:
        return session_.watch({any_task_id(input_), any_task_id(input_)}, now_, actions_);
      case 7:
        return request();
      case 8:
        return let_go();
      case 9: {
        Pulse pulse;
        pulse.epoch = Epoch(input_.number());
        return session_.hear_pulse(pulse, now_, actions_);
      }
      case 10:
        advance(now_ + std::max(Duration(), input_.duration()));
        return tick();
      default:
        advance(std::min(session_.next_deadline(), now_ + Duration::hours(1)));
        return tick();
    }
  }

  // A wall clock may be wrong, but not without end.
  void advance(Time to) { now_ = std::clamp(to, now_, wire::kNotBeforeLatest); }

  void tick() {
    session_.tick(now_, actions_);
    require(session_.next_deadline() > now_, "a tick leaves nothing due");
  }

  // The one answer that the fuzzer could not guess.
  void welcome() {
    ClientWelcome welcome;
    welcome.request = hello_;
    welcome.epoch = Epoch(1 + input_.below(3));
    if (input_.truth()) {
      welcome.limits.batch_items_max = static_cast<std::uint32_t>(1 + input_.below(4));
    }
    session_.receive(welcome, now_, actions_);
  }

  void submit() {
    std::vector<client::Submission> submissions;
    const bool watch = input_.truth();
    for (std::size_t left = input_.below(6); left > 0; --left) {
      client::Submission submission;
      submission.group = client::SubmitGroup(1 + input_.below(3));
      if (input_.truth()) submission.give_up = now_ + input_.duration();
      std::optional<TaskSpec> spec = any_task(input_);
      if (!spec) continue;
      submission.spec = std::move(*spec);
      submissions.push_back(std::move(submission));
    }
    session_.submit(std::move(submissions), watch, now_, actions_);
  }

  void request() {
    const Time give_up = input_.truth() ? now_ + input_.duration() : Time::never();
    std::optional<ClientMessage> message = any_client_message(input_);
    if (!message) return;
    const bool is_the_sessions_own =
        std::holds_alternative<ClientHello>(*message) || std::holds_alternative<Submit>(*message) ||
        std::holds_alternative<Watch>(*message) || std::holds_alternative<ClientGoodbye>(*message);
    if (is_the_sessions_own) return;
    open_.insert(session_.request(std::move(*message), give_up, now_, actions_));
  }

  void let_go() {
    switch (input_.below(4)) {
      case 0:
        return session_.unwatch({any_task_id(input_)});
      case 1:
        return session_.abandon(client::SubmitGroup(1 + input_.below(3)));
      case 2:
        if (open_.empty()) return;
        session_.abandon(*open_.begin());
        open_.erase(open_.begin());
        return;
      default:
        if (input_.byte() % 8 != 0) return;
        session_.stop(actions_);
        stopped_ = true;
    }
  }

  void take_actions() {
    for (const ClientMessage& message : actions_.sends) {
      received(message);
      if (const auto* hello = std::get_if<ClientHello>(&message)) hello_ = hello->request;
      if (const auto* submit = std::get_if<Submit>(&message)) check_batch(submit->tasks.size());
      if (const auto* watch = std::get_if<Watch>(&message)) check_batch(watch->tasks.size());
    }
    for (const client::SessionEvent& event : actions_.events) {
      if (const auto* reply = std::get_if<client::Reply>(&event)) close(reply->request);
      if (const auto* gone = std::get_if<client::RequestUnanswered>(&event)) close(gone->request);
    }
    require(session_.has_outstanding() || session_.unanswered_submits() + session_.watched() == 0,
            "what is outstanding is said to be");
    actions_.clear();
  }

  void check_batch(std::size_t items) {
    require(items >= 1, "nothing empty is asked");
    require(items <= std::max(1U, session_.limits().batch_items_max),
            "a batch keeps to the broker's limit");
  }

  // Each request is answered at most once. None: a message that the broker could not read.
  void close(RequestId request) {
    if (request.is_none()) return;
    require(open_.erase(request) == 1, "a request is answered once");
  }

  Input& input_;
  client::Session session_;
  client::Actions actions_;
  RequestId hello_;  // of the newest ClientHello
  std::set<RequestId> open_;
  bool stopped_ = false;
  Time now_ = Time::since_epoch(Duration::days(20'000));
};

}  // namespace

void run_client_session(Input& input) {
  ClientRun(input).play();
}

}  // namespace millrace::fuzz

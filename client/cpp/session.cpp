#include "client/cpp/session.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace millrace::client {
namespace {

// Hellos on one connection before it is made anew.
constexpr std::uint32_t kHellosMax = 2;

}  // namespace

Session::Session(const SessionSettings& settings)
    : settings_(settings),
      random_(settings.random_seed),
      limits_(settings.limits),
      submits_(settings),
      watches_(settings),
      requests_(settings) {}

// ---- the link -----------------------------------------------------------------------------------

void Session::start(Time now, Actions& actions) {
  MILLRACE_CHECK(link_ == Link::stopped, "a session starts once");
  hellos_ = 0;
  greet(now, actions);
}

void Session::stop(Actions& actions) {
  if (link_ == Link::connected) actions.sends.push_back(ClientGoodbye{});
  link_ = Link::stopped;
}

void Session::greet(Time now, Actions& actions) {
  link_ = Link::greeting;
  hello_ = counter_.next();
  ++hellos_;
  hello_again_ = now + settings_.resend_after;
  actions.sends.push_back(ClientHello{hello_, settings_.client, kProtocolVersion});
}

void Session::lose_connection(const char* cause, Duration wait_at_least, Time now,
                              Actions& actions) {
  if (link_ == Link::connected) actions.events.push_back(Disconnected{cause});
  link_ = Link::waiting;
  connect_at_ = now + std::max(wait_at_least, Duration()) +
                full_jitter(settings_.backoff_initial, settings_.backoff_max, failures_, random_);
  ++failures_;
}

bool Session::has_outstanding() const {
  return !submits_.empty() || !watches_.empty() || !requests_.empty();
}

// An idle client is not answered by anyone: its silence begins with the next thing it asks.
void Session::note_outstanding(bool had_outstanding, Time now) {
  if (had_outstanding) return;
  last_reply_ = std::max(last_reply_, now);
  last_heard_ = std::max(last_heard_, now);
  ping_at_ = now + settings_.ping_interval;
}

Time Session::silence_deadline() const {
  // Pulses without any reply mean a broken connection to a living broker, once pings go unanswered.
  return std::min(last_heard_ + settings_.silence_max, last_reply_ + settings_.silence_max * 2);
}

void Session::check_silence(Time now, Actions& actions) {
  if (!has_outstanding()) return;
  if (silence_deadline() <= now) {
    lose_connection("no word from the broker", Duration(), now, actions);
  } else if (ping_at_ <= now) {
    ping_at_ = now + settings_.ping_interval;
    actions.sends.push_back(Ping{counter_.next()});
  }
}

void Session::check_link(Time now, Actions& actions) {
  if (link_ == Link::connected) check_silence(now, actions);
  if (link_ == Link::greeting && hello_again_ <= now) {
    if (hellos_ < kHellosMax) {
      greet(now, actions);
    } else {
      lose_connection("no answer to hello", Duration(), now, actions);
    }
  }
  if (link_ == Link::waiting && connect_at_ <= now) {
    actions.reconnect = true;
    // What an earlier input of this turn wanted sent belongs to the old connection.
    actions.sends.clear();
    hellos_ = 0;
    greet(now, actions);
  }
}

void Session::send_due(Time now, Actions& actions) {
  if (link_ != Link::connected) return;
  submits_.send_due(now, counter_, actions);
  watches_.send_due(now, counter_, actions);
  requests_.send_due(now, actions);
}

void Session::tick(Time now, Actions& actions) {
  if (link_ == Link::stopped) return;
  const std::size_t first_event = actions.events.size();
  submits_.give_up(now, actions);
  settle_watches(first_event, now, actions);
  requests_.give_up(now, actions);
  check_link(now, actions);
  send_due(now, actions);
}

Time Session::next_deadline() const {
  Time next = std::min(submits_.next_give_up(), requests_.next_give_up());
  switch (link_) {
    case Link::stopped:
      return Time::never();
    case Link::waiting:
      return std::min(next, connect_at_);
    case Link::greeting:
      return std::min(next, hello_again_);
    case Link::connected:
      if (!has_outstanding()) return next;
      next = std::min({next, ping_at_, silence_deadline()});
      return std::min({next, submits_.next_send(), watches_.next_send(), requests_.next_send()});
  }
  return next;
}

// ---- what the broker says -----------------------------------------------------------------------

void Session::receive(ClientReply reply, Time now, Actions& actions) {
  // Late words on a connection that is given up must not revive it.
  if (link_ == Link::stopped || link_ == Link::waiting) return;
  last_reply_ = last_heard_ = now;
  std::visit([&](auto& message) { take(message, now, actions); }, reply);
  send_due(now, actions);
}

void Session::hear_pulse(const Pulse& pulse, Time now, Actions& actions) {
  if (link_ != Link::connected || pulse.epoch < epoch_) return;
  last_heard_ = now;
  take_epoch(pulse.epoch, now, actions);
}

void Session::take_epoch(Epoch epoch, Time now, Actions& actions) {
  if (link_ != Link::connected || epoch == epoch_) return;
  actions.events.push_back(Disconnected{"the broker started anew"});
  hellos_ = 0;
  greet(now, actions);
}

void Session::take(ClientWelcome& welcome, Time now, Actions& actions) {
  if (link_ != Link::greeting || welcome.request != hello_) return;
  link_ = Link::connected;
  failures_ = 0;
  epoch_ = welcome.epoch;
  limits_ = welcome.limits;
  ping_at_ = now + settings_.ping_interval;
  submits_.set_limits(limits_);
  submits_.take_back_unanswered();
  watches_.set_limits(limits_);
  watches_.ask_all_again();
  requests_.send_all_again();
  actions.events.push_back(Connected{std::move(welcome)});
}

void Session::take(Submitted& submitted, Time now, Actions& actions) {
  const std::size_t first_event = actions.events.size();
  submits_.answer(submitted, now, random_, actions);
  settle_watches(first_event, now, actions);
}

// Follows the fate of submits into the watches.
void Session::settle_watches(std::size_t first_event, Time now, Actions& actions) {
  for (std::size_t i = first_event; i < actions.events.size(); ++i) {
    if (const auto* result = std::get_if<SubmitResult>(&actions.events[i])) {
      if (result->status == SubmitStatus::accepted || result->status == SubmitStatus::duplicate) {
        watches_.confirm(result->id, now);
      } else {
        watches_.dismiss(result->id);
      }
    } else if (const auto* unanswered = std::get_if<SubmitUnanswered>(&actions.events[i])) {
      watches_.dismiss(unanswered->id);
    }
  }
}

void Session::take(Watching& watching, Time, Actions& actions) {
  watches_.answer(watching, actions);
}

void Session::take(Finished& finished, Time now, Actions& actions) {
  watches_.heard(now);
  for (FinishedTask& task : finished.tasks) {
    if (watches_.remove(task.id)) actions.events.push_back(std::move(task));
  }
}

void Session::take(Pong& pong, Time now, Actions& actions) {
  take_epoch(pong.epoch, now, actions);
}

void Session::take(Refused& refused, Time now, Actions& actions) {
  if (link_ == Link::greeting && refused.request == hello_) {
    const bool passing =
        refused.code == ErrorCode::busy || refused.code == ErrorCode::shutting_down;
    if (!passing) actions.events.push_back(HelloRefused{refused});
    lose_connection("the broker refused the hello", refused.retry_after, now, actions);
    return;
  }
  const std::size_t first_event = actions.events.size();
  if (submits_.refuse(refused, now, random_, actions)) {
    settle_watches(first_event, now, actions);
  } else if (!watches_.refuse(refused, now) && !requests_.retry(refused, now, random_) &&
             (refused.request.is_none() || requests_.close(refused.request))) {
    actions.events.push_back(Reply{refused.request, refused});
  }
  if (refused.code == ErrorCode::unknown_session && link_ == Link::connected) {
    actions.events.push_back(Disconnected{"the broker does not know this session"});
    hellos_ = 0;
    greet(now, actions);
  }
}

void Session::take(BrokerGoodbye& goodbye, Time now, Actions& actions) {
  const std::string cause = "the broker said goodbye: " + goodbye.message;
  lose_connection(cause.c_str(), settings_.backoff_initial, now, actions);
}

template <class Answer>
void Session::take(Answer& answer, Time, Actions& actions) {
  const RequestId request = answer.request;
  if (requests_.close(request)) actions.events.push_back(Reply{request, std::move(answer)});
}

// ---- what the caller wants ----------------------------------------------------------------------

void Session::submit(std::vector<Submission> submissions, bool watch, Time now, Actions& actions) {
  note_outstanding(has_outstanding(), now);
  for (Submission& submission : submissions) {
    if (watch) watches_.expect(submission.spec.id);
    submits_.add(std::move(submission), watch);
  }
  send_due(now, actions);
}

void Session::watch(const std::vector<TaskId>& tasks, Time now, Actions& actions) {
  note_outstanding(has_outstanding(), now);
  for (const TaskId& task : tasks) watches_.add(task);
  send_due(now, actions);
}

void Session::unwatch(const std::vector<TaskId>& tasks) {
  for (const TaskId& task : tasks) watches_.remove(task);
}

RequestId Session::request(ClientMessage message, Time give_up, Time now, Actions& actions) {
  note_outstanding(has_outstanding(), now);
  const RequestId request = counter_.next();
  std::visit(
      [&](auto& body) {
        using Body = std::decay_t<decltype(body)>;
        constexpr bool is_the_sessions_own =
            std::is_same_v<Body, ClientHello> || std::is_same_v<Body, Submit> ||
            std::is_same_v<Body, Watch> || std::is_same_v<Body, ClientGoodbye>;
        MILLRACE_CHECK(!is_the_sessions_own, "a request that the session makes itself");
        if constexpr (!std::is_same_v<Body, ClientGoodbye>) body.request = request;
      },
      message);
  requests_.add(request, std::move(message), give_up);
  send_due(now, actions);
  return request;
}

}  // namespace millrace::client

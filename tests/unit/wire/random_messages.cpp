#include "tests/unit/wire/random_messages.h"

#include <array>

namespace millrace::wire {
namespace {

// Draws field after field; initialiser lists keep the order of the draws.
class Draw {
 public:
  explicit Draw(Random& random) : random_(random) {}

  std::size_t count() { return random_.chance(1, 4) ? 0 : random_.below(6); }
  bool truth() { return random_.chance(1, 2); }
  std::uint64_t number() { return random_.chance(1, 8) ? ~std::uint64_t{0} : random_.next(); }
  std::uint64_t from_one() { return number() | 1; }
  template <class Small>
  Small small() {
    return static_cast<Small>(random_.next());
  }
  template <class Enum>
  Enum word(Enum first, Enum last) {
    return static_cast<Enum>(
        random_.between(static_cast<std::int64_t>(first), static_cast<std::int64_t>(last)));
  }
  Duration duration() { return Duration::nanoseconds(random_.between(0, 86'400'000'000'000)); }
  Time time() {
    return random_.chance(1, 4) ? Time()
                                : Time::since_epoch(Duration::nanoseconds(
                                      random_.between(1, 4'000'000'000'000'000'000)));
  }
  template <class IdType>
  IdType id() {
    return make_random_id<IdType>(random_);
  }
  template <class Item, class Make>
  std::vector<Item> list(Make make) {
    std::vector<Item> items;
    for (std::size_t left = count(); left > 0; --left) items.push_back(make());
    return items;
  }
  std::vector<TaskId> ids() {
    return list<TaskId>([this] { return id<TaskId>(); });
  }
  HeldLease lease() { return {id<TaskId>(), Fence(number())}; }
  std::vector<HeldLease> leases() {
    return list<HeldLease>([this] { return lease(); });
  }
  // UTF-8 with characters of one to four bytes.
  std::string text() {
    static constexpr std::array<const char*, 6> kPieces = {
        "a", "Z9", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\x89", " "};
    std::string drawn;
    for (std::size_t left = count() * 3; left > 0; --left) {
      drawn += kPieces[random_.below(kPieces.size())];
    }
    return drawn;
  }
  std::string name() { return "n" + text(); }
  std::string queue() {
    static constexpr std::array<const char*, 4> kNames = {"demo", "a.b_c:d/e-f", "Q", "0"};
    return kNames[random_.below(kNames.size())];
  }
  std::string queue_or_any() { return truth() ? queue() : std::string(); }
  SharedBytes bytes() {
    std::vector<std::uint8_t> drawn(random_.chance(1, 3) ? 0 : random_.below(40));
    for (std::uint8_t& byte : drawn) byte = small<std::uint8_t>();
    return SharedBytes::adopt(std::move(drawn));
  }
  Random& random() { return random_; }

 private:
  Random& random_;
};

SubmitItem submit_item(Draw& draw) {
  SubmitItem item;
  item.spec = encode_task(random_task(draw.random()));
  return item;
}

Endpoints endpoints(Draw& draw) {
  return {draw.small<std::uint16_t>(), draw.small<std::uint16_t>(), draw.small<std::uint16_t>(),
          draw.small<std::uint16_t>(), draw.small<std::uint16_t>()};
}

PeerLimits limits(Draw& draw) {
  PeerLimits drawn;
  drawn.frame_bytes_max = ByteCount(draw.from_one());
  drawn.payload_bytes_max = ByteCount(draw.from_one());
  drawn.result_bytes_max = ByteCount(draw.from_one());
  drawn.error_bytes_max = ByteCount(draw.from_one());
  drawn.headers_bytes_max = ByteCount(draw.from_one());
  drawn.queue_name_bytes_max = draw.small<std::uint32_t>() | 1;
  drawn.batch_items_max = draw.small<std::uint32_t>() | 1;
  drawn.worker_queues_max = draw.small<std::uint32_t>() | 1;
  drawn.credit_max = draw.small<std::uint32_t>() | 1;
  return drawn;
}

AttemptRecord attempt(Draw& draw) {
  return {draw.small<std::uint16_t>(),
          Fence(draw.number()),
          draw.word(Reason::none, Reason::expired),
          draw.time(),
          draw.time(),
          draw.name(),
          draw.text()};
}

TaskView view(Draw& draw) {
  TaskView drawn;
  drawn.id = draw.id<TaskId>();
  drawn.sequence = TaskSequence(draw.number());
  drawn.queue = draw.queue();
  drawn.state = draw.word(TaskState::delayed, TaskState::expired);
  drawn.reason = draw.word(Reason::none, Reason::expired);
  drawn.cancel_requested = draw.truth();
  drawn.priority = draw.small<std::uint8_t>();
  drawn.attempts = draw.small<std::uint16_t>();
  drawn.max_attempts = draw.small<std::uint16_t>();
  drawn.fence = Fence(draw.number());
  drawn.timeout = draw.duration();
  drawn.accepted = draw.time();
  drawn.due = draw.time();
  drawn.expires = draw.time();
  drawn.ended = draw.time();
  drawn.worker = draw.text();
  drawn.progress_percent = draw.small<std::uint8_t>();
  drawn.error = draw.text();
  drawn.payload_bytes = ByteCount(draw.number());
  drawn.result_bytes = ByteCount(draw.number());
  drawn.spec = draw.bytes();
  drawn.result = draw.bytes();
  drawn.attempt_records = draw.list<AttemptRecord>([&] { return attempt(draw); });
  return drawn;
}

Completion completion(Draw& draw) {
  Completion drawn;
  drawn.task = draw.id<TaskId>();
  drawn.fence = Fence(draw.number());
  drawn.outcome = draw.word(Outcome::succeeded, Outcome::released);
  drawn.error = draw.text();
  if (drawn.outcome == Outcome::succeeded) drawn.result = draw.bytes();
  drawn.elapsed = draw.duration();
  return drawn;
}

WorkerHello worker_hello(Draw& draw) {
  WorkerHello drawn;
  drawn.hello_number = draw.from_one();
  drawn.worker = draw.id<WorkerId>();
  drawn.name = draw.name();
  drawn.queues = {"first", "second"};
  drawn.slots = static_cast<std::uint32_t>(draw.random().between(1, 10'000));
  drawn.credit = static_cast<std::uint32_t>(draw.random().between(0, 10'000));
  drawn.version = draw.text();
  drawn.protocol_version = draw.small<std::uint16_t>();
  drawn.holding = draw.leases();
  return drawn;
}

}  // namespace

TaskDescription random_task(Random& random) {
  Draw draw(random);
  TaskDescription task;
  task.id = draw.id<TaskId>();
  task.queue = draw.queue();
  task.payload = draw.bytes();
  for (std::size_t left = draw.count(); left > 0; --left) {
    task.headers.emplace_back(draw.name(), draw.text() + "\n");
  }
  task.priority = static_cast<std::uint8_t>(random.below(10));
  task.max_attempts = static_cast<std::uint16_t>(random.between(1, 1'000));
  task.delay = draw.truth() ? Duration() : draw.duration();
  task.not_before = draw.time();
  task.ttl = draw.truth() ? Duration() : draw.duration();
  task.timeout = draw.truth() ? Duration() : Duration::milliseconds(100) + draw.duration();
  task.retention = draw.truth() ? Duration::nanoseconds(-1) : draw.duration();
  task.backoff.max = draw.duration();
  task.backoff.initial =
      Duration::nanoseconds(random.between(0, task.backoff.max.in_nanoseconds()));
  return task;
}

ClientMessage random_client_message(std::size_t kind, Random& random) {
  Draw draw(random);
  const RequestId request(draw.from_one());
  switch (kind) {
    case 0:
      return ClientHello{request, draw.id<ClientId>(), draw.small<std::uint16_t>()};
    case 1:
      return Submit{request, draw.truth(),
                    draw.list<SubmitItem>([&] { return submit_item(draw); })};
    case 2:
      return Watch{request, draw.ids()};
    case 3:
      return Cancel{request, draw.ids()};
    case 4:
      return GetTasks{request, draw.ids(), draw.truth(), draw.truth(), draw.truth()};
    case 5:
      return ListTasks{request,
                       {draw.queue_or_any(), draw.word(TaskState{0}, TaskState::expired),
                        Reason::none, 0, kPriorityHighest, Time(), Time()},
                       draw.number(),
                       static_cast<std::uint32_t>(random.between(1, 1'000)),
                       draw.truth()};
    case 6:
      return RequeueDead{request, draw.ids(), draw.queue_or_any()};
    case 7:
      return PurgeDead{request, draw.ids(), draw.queue_or_any()};
    case 8:
      return ControlQueue{request, draw.queue(), draw.word(QueueAction::pause, QueueAction::purge)};
    case 9:
      return DrainWorker{request, draw.name()};
    case 10:
      return GetStatus{request, draw.word(StatusTopic::metrics, StatusTopic::queues)};
    case 11:
      return Ping{request};
    case 12:
      return ClientGoodbye{};
    case 13:
      return Explain{request, draw.id<TaskId>()};
    default: {
      ChangeTasks change;
      change.request = request;
      change.action = draw.word(TaskAction::cancel, TaskAction::forget);
      change.filter.queue = draw.queue_or_any();
      change.filter.state = draw.word(TaskState{0}, TaskState::expired);
      change.filter.reason = draw.word(Reason::none, Reason::expired);
      change.filter.priority_most = static_cast<std::uint8_t>(random.below(kPriorities));
      change.filter.priority_least =
          static_cast<std::uint8_t>(random.below(change.filter.priority_most + 1U));
      change.filter.accepted_after = draw.time();
      change.filter.accepted_before = draw.time();
      change.cursor = draw.number();
      change.limit = draw.small<std::uint32_t>();
      return change;
    }
  }
}

ClientReply random_client_reply(std::size_t kind, Random& random) {
  Draw draw(random);
  const RequestId request(draw.number());
  switch (kind) {
    case 0:
      return ClientWelcome{request,      Epoch(draw.number()), endpoints(draw),
                           limits(draw), draw.duration(),      draw.text()};
    case 1:
      return Submitted{request, draw.list<SubmitAnswer>([&] {
                         return SubmitAnswer{
                             draw.word(SubmitStatus::accepted, SubmitStatus::shutting_down),
                             draw.text()};
                       }),
                       draw.duration()};
    case 2:
      return Watching{request, draw.ids()};
    case 3:
      return Finished{draw.list<FinishedTask>([&] {
        return FinishedTask{draw.id<TaskId>(),
                            draw.word(TaskState::succeeded, TaskState::expired),
                            draw.word(Reason::none, Reason::expired),
                            draw.small<std::uint16_t>(),
                            draw.text(),
                            draw.bytes()};
      })};
    case 4:
      return Cancelled{request, draw.list<CancelAnswer>([&] {
                         return CancelAnswer{
                             draw.word(CancelStatus::cancelled, CancelStatus::not_found),
                             draw.word(TaskState::delayed, TaskState::expired)};
                       })};
    case 5:
      return TaskList{request, draw.list<TaskView>([&] { return view(draw); }), draw.ids(),
                      draw.number()};
    case 6:
      return Changed{request, draw.number()};
    case 7:
      return StatusReport{request, "{\"a\":\"" + draw.text() + "\"}"};
    case 8:
      return Pong{request, Epoch(draw.number())};
    case 9:
      return Refused{request, draw.word(ErrorCode::invalid, ErrorCode::misconfigured), draw.text(),
                     draw.duration()};
    case 10:
      return BrokerGoodbye{draw.text()};
    case 11: {
      Explained explained;
      explained.request = request;
      explained.task = view(draw);
      explained.standing = draw.word(TaskStanding::delayed, TaskStanding::expired);
      explained.text = draw.text();
      explained.since = draw.time();
      explained.until = draw.time();
      explained.started = draw.time();
      explained.ahead = draw.number();
      explained.ahead_is_estimate = draw.truth();
      explained.wait = draw.duration();
      explained.workers = draw.small<std::uint32_t>();
      return explained;
    }
    default:
      return TasksChanged{request, draw.number(), draw.number()};
  }
}

WorkerMessage random_worker_message(std::size_t kind, Random& random) {
  Draw draw(random);
  switch (kind) {
    case 0:
      return worker_hello(draw);
    case 1:
      return Complete{draw.list<Completion>([&] { return completion(draw); }),
                      static_cast<std::uint32_t>(random.between(0, 10'000)), draw.number()};
    case 2:
      return Extend{draw.list<Extension>([&] {
        return Extension{draw.id<TaskId>(), Fence(draw.number()), draw.duration(),
                         static_cast<std::uint8_t>(random.below(101))};
      })};
    default:
      return WorkerGoodbye{draw.text()};
  }
}

WorkerReply random_worker_reply(std::size_t kind, Random& random) {
  Draw draw(random);
  switch (kind) {
    case 0: {
      const Duration beat = Duration::milliseconds(1) + draw.duration();
      return WorkerWelcome{draw.number(),        SessionNonce(draw.number()),
                           Epoch(draw.number()), endpoints(draw),
                           limits(draw),         {beat, beat + Duration::nanoseconds(1)},
                           draw.leases(),        draw.text()};
    }
    case 1:
      return Dispatch{draw.list<DispatchedTask>([&] {
        return DispatchedTask{draw.id<TaskId>(),
                              Fence(draw.number()),
                              draw.small<std::uint16_t>(),
                              draw.small<std::uint16_t>(),
                              draw.duration(),
                              draw.queue(),
                              draw.bytes()};
      })};
    case 2:
      return Completed{draw.list<CompletionAnswer>([&] {
        return CompletionAnswer{draw.id<TaskId>(), Fence(draw.number()), draw.truth()};
      })};
    case 3:
      return StopTasks{draw.list<StoppedTask>([&] {
        return StoppedTask{draw.id<TaskId>(), Fence(draw.number()),
                           draw.word(StopCause::cancelled, StopCause::timed_out)};
      })};
    case 4:
      return Recall{draw.number(), draw.leases()};
    case 5:
      return Drain{};
    case 6:
      return Refused{RequestId(draw.number()),
                     draw.word(ErrorCode::invalid, ErrorCode::misconfigured), draw.text(),
                     draw.duration()};
    default:
      return BrokerGoodbye{draw.text()};
  }
}

Beat random_beat(Random& random) {
  Draw draw(random);
  return {draw.id<WorkerId>(), SessionNonce(draw.number()), draw.number(),
          draw.small<std::uint32_t>(), draw.small<std::uint32_t>()};
}

Pulse random_pulse(Random& random) {
  Draw draw(random);
  return {Epoch(draw.from_one()), draw.number(), draw.time(), draw.truth()};
}

}  // namespace millrace::wire

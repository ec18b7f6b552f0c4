// Hostile but well-formed peers against the broker's core on a store in memory: after every turn
// the invariants hold, the store does not contradict itself, and every peer can read what it was
// told. The process may die between a turn and its commit, and starts again from what the store
// has.
#include <map>
#include <memory>

#include "broker/core/broker_core.h"
#include "broker/store/memory_store.h"
#include "tests/fuzz/message_maker.h"
#include "tests/fuzz/property.h"
#include "tests/scenario/recorded_store.h"

namespace millrace::fuzz {
namespace {

using broker::BrokerCore;
using broker::CoreSettings;

// Nothing happens after this: a wall clock may be wrong, but not without end.
constexpr Time kEndOfTime = wire::kNotBeforeLatest;

// Limits within the reach of a short input.
CoreSettings small_settings(Input& input) {
  CoreSettings settings;
  settings.aging_interval = input.truth() ? Duration::seconds(1) : Duration();
  settings.tasks_max = 1 + input.below(8);
  settings.queues_max = static_cast<std::uint32_t>(1 + input.below(4));
  settings.workers_max = static_cast<std::uint32_t>(1 + input.below(4));
  settings.clients_max = static_cast<std::uint32_t>(1 + input.below(4));
  settings.watches_max = 1 + input.below(16);
  settings.retained_tasks_max = input.below(6);
  settings.tick_work_max = static_cast<std::uint32_t>(1 + input.below(8));
  settings.request_work_max = static_cast<std::uint32_t>(1 + input.below(8));
  settings.prefetch_quantum = static_cast<std::uint32_t>(1 + input.below(4));
  return settings;
}

class Broker {
 public:
  explicit Broker(Input& input) : input_(input), settings_(small_settings(input)) { start(); }

  void play() {
    while (!input_.empty()) {
      act();
      if (input_.byte() % 4 != 0) end_turn();
    }
    end_turn();
  }

 private:
  void act() {
    switch (input_.below(12)) {
      case 0:
      case 1:
      case 2:
        if (auto message = any_client_message(input_)) {
          step(broker::FromClient{PeerId(1 + input_.below(4)), std::move(*message)});
        }
        return;
      case 3:
      case 4:
      case 5:
        return hear_worker(PeerId(11 + input_.below(5)));
      case 6:
        return beat();
      case 7:
        return lose_a_send();
      case 8:
        return step(broker::StoreLevelChanged{input_.truth()});
      case 9:
        return input_.byte() % 8 == 0 ? step(broker::StopRequested{}) : end_turn();
      case 10:
        end_turn();
        now_ = std::min(kEndOfTime, now_ + std::max(Duration(), input_.duration()));
        return;
      default:
        return restart();
    }
  }

  void hear_worker(PeerId peer) {
    auto message = any_worker_message(input_);
    if (!message) return;
    if (const auto* hello = std::get_if<WorkerHello>(&*message)) workers_[peer] = hello->worker;
    step(broker::FromWorker{peer, std::move(*message)});
  }

  void beat() {
    broker::BeatHeard heard;
    heard.beat.worker = any_worker_id(input_);
    heard.beat.session = nonces_[heard.beat.worker];
    step(heard);
  }

  // Of a dispatch or another message; and a stored payload may turn out to be damaged.
  void lose_a_send() {
    const PeerId peer(11 + input_.below(5));
    const TaskId task = any_task_id(input_);
    const Fence fence(input_.number());
    switch (input_.below(3)) {
      case 0:
        return step(broker::DispatchUndeliverable{peer, {{task, fence}}});
      case 1:
        return step(broker::SpecUnreadable{task, fence, "damaged"});
      default:
        return step(broker::WorkerUnreachable{peer});
    }
  }

  void step(broker::Event event) { core_->step(std::move(event), now_, effects_); }

  void end_turn() {
    core_->tick(now_, effects_);
    recorded_.apply(effects_.writes);
    store_.submit(effects_.writes);
    check();
    effects_.clear();
  }

  void check() {
    const auto broken = broker::Invariants::check(*core_);
    require(!broken, "the core's invariants hold", broken.value_or(""));
    const auto wrong = recorded_.contradiction();
    require(!wrong, "the store does not contradict itself", wrong.value_or(""));
    require(core_->next_deadline() <= now_ + settings_.tick_interval_max,
            "ticks come often enough");
    require(core_->status(now_).counters.invariant_violations == 0, "the books balance");
    for (const broker::Send& send : effects_.sends) {
      std::visit([this](const auto& typed) { deliver(typed); }, send);
    }
  }

  // ---- what a peer is told, as the outbox completes it -----------------------------------------

  void deliver(const broker::ToClient& send) { received(send.reply); }
  void deliver(const broker::ToWorker& send) {
    const WorkerReply reply = received(send.reply);
    if (const auto* welcome = std::get_if<WorkerWelcome>(&reply)) {
      nonces_[workers_[send.peer]] = welcome->session;
    }
  }
  void deliver(const broker::DispatchToWorker& send) {
    Dispatch dispatch;
    for (const auto& item : send.items) {
      dispatch.tasks.push_back(item.task);
      const auto spec = store_.read_spec(item.sequence);
      require(spec.ok(), "a task that is given out has a payload");
      require(wire::decode_task(*spec, PeerLimits()).ok(), "and the worker can read it");
      dispatch.tasks.back().spec = *spec;
    }
    received(WorkerReply(dispatch));
  }
  void deliver(const broker::FinishedToClient& send) {
    Finished finished;
    for (const auto& item : send.items) {
      finished.tasks.push_back(item.task);
      if (item.read_result) {
        require(store_.read_result(item.sequence).ok(), "a result that is told is stored");
      }
      if (item.read_error) {
        require(store_.read_attempt(item.sequence, item.attempt_records).ok(),
                "an error that is told is stored");
      }
    }
    received(ClientReply(finished));
  }
  void deliver(const broker::TaskListToClient& send) {
    require(send.stored.size() == send.list.tasks.size(), "every listed task says what is stored");
    received(ClientReply(send.list));
  }
  void deliver(const broker::ExplainedToClient&) {}
  void deliver(const broker::StatusToClient&) {}
  void deliver(const broker::GoodbyeToAll& send) {
    received(ClientReply(BrokerGoodbye{send.message}));
  }

  // ---- the process -----------------------------------------------------------------------------

  // Dies with the turn under way, which nobody has heard of.
  void restart() {
    effects_.clear();
    nonces_.clear();
    store_.crash();
    start();
  }

  void start() {
    settings_.epoch = store_.epoch();
    core_ = std::make_unique<BrokerCore>(settings_, Random(settings_.epoch.value));
    recorded_.restore(*core_, now_);
    const auto broken = broker::Invariants::check(*core_);
    require(!broken, "a restart restores the invariants", broken.value_or(""));
  }

  Input& input_;
  CoreSettings settings_;
  broker::MemoryStore store_{{true}};
  broker::test::RecordedStore recorded_;
  std::unique_ptr<BrokerCore> core_;
  broker::Effects effects_;
  Time now_ = Time::since_epoch(Duration::days(20'000));
  std::map<PeerId, WorkerId> workers_;  // who said hello there
  std::map<WorkerId, SessionNonce> nonces_;
};

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::fuzz::Input input({data, size});
  millrace::fuzz::Broker(input).play();
  return 0;
}

// What the core's decisions cost: the whole life of a task in memory, without store and sockets.
#include <benchmark/benchmark.h>

#include "broker/core/broker_core.h"

namespace {

using namespace millrace;
using namespace millrace::broker;

constexpr PeerId kClient(1);
constexpr PeerId kWorker(2);

class Bench {
 public:
  explicit Bench(std::uint32_t credit) : core_(CoreSettings(), Random(1)), random_(7) {
    WorkerHello hello;
    hello.hello_number = 1;
    hello.worker = make_random_id<WorkerId>(random_);
    hello.name = "bench";
    hello.queues = {"demo"};
    hello.slots = 1;
    hello.credit = credit;
    credit_ = credit;
    if (credit > 0) turn(FromWorker{kWorker, hello});
  }

  void turn(Event event) {
    effects_.clear();
    core_.step(std::move(event), now_, effects_);
    core_.tick(now_, effects_);
    now_ = now_ + Duration::microseconds(50);
  }

  Submit make_submit(std::size_t count) {
    Submit submit;
    submit.tasks.resize(count);
    for (SubmitItem& item : submit.tasks) {
      item.spec.id = make_random_id<TaskId>(random_);
      item.spec.queue = "demo";
      item.spec.bytes = spec_;
      item.spec.retention = Duration();
    }
    return submit;
  }

  // What the last turn dispatched, all succeeded.
  Complete complete_all() const {
    Complete complete;
    complete.credit = credit_;
    for (const Send& send : effects_.sends) {
      const auto* dispatch = std::get_if<DispatchToWorker>(&send);
      if (dispatch == nullptr) continue;
      for (const auto& item : dispatch->items) {
        complete.items.push_back({item.task.task, item.task.fence, Outcome::succeeded, "", {}, {}});
      }
    }
    return complete;
  }

  BrokerCore& core() { return core_; }
  Time now() const { return now_; }

 private:
  BrokerCore core_;
  Random random_;
  Effects effects_;
  Time now_ = Time::since_epoch(Duration::days(20'000));
  std::uint32_t credit_ = 0;
  SharedBytes spec_ = SharedBytes::copy_of(std::string_view("a spec of about this many bytes"));
};

// Submit, dispatch, complete, forget: a batch of range(0) tasks a turn, range(1) tasks waiting
// behind.
void whole_life(benchmark::State& state) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  Bench bench(static_cast<std::uint32_t>(batch));
  for (std::int64_t waiting = 0; waiting < state.range(1); waiting += 1'000) {
    Submit backlog = bench.make_submit(1'000);
    for (SubmitItem& item : backlog.tasks) item.spec.queue = "backlog";
    bench.turn(FromClient{kClient, std::move(backlog)});
  }
  for (auto _ : state) {
    bench.turn(FromClient{kClient, bench.make_submit(batch)});
    bench.turn(FromWorker{kWorker, bench.complete_all()});
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(whole_life)->ArgsProduct({{1, 100, 1'000}, {0, 1'000'000}});

// A delayed task's timer: into the heap and out again at its time.
void delayed_tasks(benchmark::State& state) {
  Bench bench(0);
  for (auto _ : state) {
    Submit submit = bench.make_submit(1'000);
    std::int64_t spread = 0;
    for (SubmitItem& item : submit.tasks) {
      item.spec.delay = Duration::microseconds(1'000 + (spread = (spread * 31 + 7) % 997));
      item.spec.ttl = Duration::milliseconds(1'100);
    }
    bench.turn(FromClient{kClient, std::move(submit)});
  }
  state.SetItemsProcessed(state.iterations() * 1'000);
}
BENCHMARK(delayed_tasks);

}  // namespace

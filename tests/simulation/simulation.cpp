#include "tests/simulation/simulation.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/faults.h"

namespace millrace::simulation {
namespace {

// P19: how long everything may take to end once faults have stopped. Far above what queued work,
// backoffs, delays and a clock that was an hour wrong add up to.
constexpr Duration kSettleMax = Duration::hours(4);
constexpr Duration kSettleCheck = Duration::milliseconds(500);
constexpr Duration kSettleAgain = Duration::seconds(10);
// A run that takes more steps than any sound one goes round in circles.
constexpr std::uint64_t kStepsMax = 5'000'000;

class Run {
 public:
  explicit Run(const RunOptions& options)
      : world_(options.seed, Story(options.story, options.focus)),
        plan_(draw_plan(options.size, world_.random())),
        oracle_(world_, plan_),
        broker_(world_, plan_, options.mutant, oracle_),
        faults_(world_, plan_, oracle_, Cluster{broker_, workers_, clients_}) {
    add_nodes();
  }

  RunReport operator()() {
    broker_.start();
    for (auto& worker : workers_) worker->start_process();
    for (auto& client : clients_) client->start_process();
    const Time end = world_.now() + plan_.fault_phase;
    for (auto& client : clients_) client->begin(end);
    faults_.begin(end);
    world_.at(end, [this] { end_faults(); });
    while (!done_ && !world_.violation().has_value() && world_.run_step()) {
      if (world_.steps() > kStepsMax) world_.fail("P19", "the cluster goes round in circles");
    }
    if (!world_.violation().has_value()) check_end();
    return RunReport{world_.violation(), world_.story().hash(), world_.story().counts(),
                     world_.elapsed(), world_.steps()};
  }

 private:
  void add_nodes() {
    std::vector<std::string> queues;
    for (std::uint32_t i = 0; i < plan_.queues; ++i) queues.push_back("queue-" + std::to_string(i));
    std::vector<std::string> names;
    for (std::uint32_t i = 1; i <= plan_.workers; ++i) {
      WorkerSetup setup{i, queues, 1 + world_.index(4)};
      // The first serves every queue, others perhaps one only.
      if (i > 1 && world_.chance(300)) setup.queues = {queues[world_.index(queues.size())]};
      workers_.push_back(
          std::make_unique<WorkerNode>(world_, plan_, oracle_, broker_, std::move(setup)));
      names.push_back(workers_.back()->name());
    }
    for (std::uint32_t i = 1; i <= plan_.clients; ++i) {
      const std::uint32_t share =
          plan_.tasks * i / plan_.clients - plan_.tasks * (i - 1) / plan_.clients;
      clients_.push_back(std::make_unique<ClientNode>(
          world_, plan_, oracle_, broker_, ClientSetup{plan_.workers + i, share, queues, names}));
    }
    for (auto& worker : workers_) broker_.introduce(*worker);
    for (auto& client : clients_) broker_.introduce(*client);
  }

  // From safety to liveness: faults under way heal by themselves, the losses of the lossy channels
  // end now, the broker's clock is set right, and everything must end.
  void end_faults() {
    world_.note(Happening::faults_end);
    plan_.beat_loss = plan_.pulse_loss = plan_.unreadable = 0;
    broker_.correct_clock();
    settle_until_ = world_.now() + kSettleMax;
    settle();
    check_settled();
  }

  // Repeated: a pause of a queue that was asked for earlier may arrive late.
  void settle() {
    for (auto& client : clients_) client->settle();
    world_.after(kSettleAgain, [this] { settle(); });
  }

  void check_settled() {
    done_ = oracle_.books().all_ended() && broker_.is_quiet() &&
            std::all_of(workers_.begin(), workers_.end(), [](auto& w) { return w->is_quiet(); }) &&
            std::all_of(clients_.begin(), clients_.end(), [](auto& c) { return c->is_quiet(); });
    if (world_.now() > settle_until_) {
      const char* what = oracle_.books().all_ended() ? "somebody still waits for an answer"
                                                     : "tasks have not ended";
      world_.fail("P19", std::string(what) + " long after the last fault: " + broker_.describe());
    }
    if (!done_) world_.after(kSettleCheck, [this] { check_settled(); });
  }

  void check_end() {
    if (!done_) return world_.fail("P19", "nothing happens any more");
    broker_.disk().settle();
    broker_.crash();  // tells its counters
    oracle_.check_export(broker_.disk().store());
  }

  World world_;
  Plan plan_;
  Oracle oracle_;
  BrokerNode broker_;
  std::vector<std::unique_ptr<WorkerNode>> workers_;
  std::vector<std::unique_ptr<ClientNode>> clients_;
  Faults faults_;
  Time settle_until_;
  bool done_ = false;
};

}  // namespace

RunReport run(const RunOptions& options) {
  return Run(options)();
}

}  // namespace millrace::simulation

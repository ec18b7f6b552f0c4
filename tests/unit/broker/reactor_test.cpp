// The loop: what it tells the core, and what it waits for before it ends.
#include "broker/reactor.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "broker/store/memory_store.h"
#include "common/wire/task_codec.h"
#include "tests/unit/broker/shell_fixture.h"

namespace millrace::broker::test {
namespace {

// Commits when the loop asks what is durable, as often as the test lets it. But for its switches,
// for the loop's thread alone.
class SwitchedStore final : public Store {
 public:
  // The next that many looks find nothing new durable.
  void set_looks_in_vain(int looks) { looks_in_vain_ = looks; }
  void set_accepting(bool accepting) { accepting_ = accepting; }
  std::size_t waiting() const { return store_.waiting(); }

  Epoch epoch() const override { return store_.epoch(); }
  Status load(const LoadVisitor& visitor) override { return store_.load(visitor); }
  BatchNumber submit(std::vector<Write> writes) override {
    return store_.submit(std::move(writes));
  }
  BatchNumber durable() const override {
    if (looks_in_vain_ > 0) {
      --looks_in_vain_;
    } else {
      store_.commit_all();
    }
    return store_.durable();
  }
  int wakeup_descriptor() const override { return -1; }
  void acknowledge_wakeup() override {}
  Result<TaskRecord> read_task(TaskSequence sequence) override {
    return store_.read_task(sequence);
  }
  Result<SharedBytes> read_spec(TaskSequence sequence) override {
    return store_.read_spec(sequence);
  }
  Result<SharedBytes> read_result(TaskSequence sequence) override {
    return store_.read_result(sequence);
  }
  Result<AttemptRecord> read_attempt(TaskSequence sequence, std::uint16_t number) override {
    return store_.read_attempt(sequence, number);
  }
  StoreUsage usage() const override {
    StoreUsage usage = store_.usage();
    usage.accepting = accepting_;
    return usage;
  }
  StoreCounters counters() const override { return store_.counters(); }

 private:
  mutable MemoryStore store_;
  mutable std::atomic<int> looks_in_vain_ = 0;
  std::atomic<bool> accepting_ = true;
};

class ReactorTest : public ShellTest {
 protected:
  ReactorTest()
      : core_(config_.core, Random(1)),
        status_("test", clock_.now()),
        reactor_(sockets_, core_, store_, status_, clock_, stop_, nullptr, config_),
        client_(connect_client()) {
    zmq::pollitem_t item{client_.handle(), 0, ZMQ_POLLOUT, 0};
    EXPECT_EQ(wire::poll_items(&item, 1, kPatience), 1);
  }
  ~ReactorTest() override {
    if (loop_.joinable()) stop();
  }

  void start() {
    loop_ = std::thread([this] { reactor_.run(); });
  }
  void stop() {
    ::kill(::getpid(), SIGTERM);
    loop_.join();
  }
  SubmitStatus submit_one() {
    Submit submit;
    submit.request = RequestId(++requests_);
    wire::TaskDescription task;
    task.id.bytes[0] = static_cast<std::uint8_t>(requests_);
    task.id.bytes[1] = static_cast<std::uint8_t>(requests_ >> 8);
    task.queue = "mail";
    submit.tasks.push_back(SubmitItem{wire::encode_task(task), std::nullopt});
    say(client_, submit);
    const Submitted answer = next_reply<Submitted>(client_);
    return answer.items.empty() ? SubmitStatus::invalid : answer.items[0].status;
  }

  // Submits until the answer is this; the loop looks at the store once a turn.
  bool is_answered(SubmitStatus wanted) {
    for (int tries = 0; tries < 1'000; ++tries) {
      if (submit_one() == wanted) return true;
    }
    return false;
  }

  host::StopSignal stop_;  // before any thread
  host::Clock clock_;
  SwitchedStore store_;
  BrokerCore core_;
  StatusBoard status_;
  Reactor reactor_;
  zmq::socket_t client_;
  std::uint64_t requests_ = 0;
  std::thread loop_;
};

TEST_F(ReactorTest, AFullStoreRefusesSubmitsUntilThereIsRoom) {
  start();
  EXPECT_TRUE(is_answered(SubmitStatus::accepted));
  store_.set_accepting(false);
  EXPECT_TRUE(is_answered(SubmitStatus::store_full));
  store_.set_accepting(true);
  EXPECT_TRUE(is_answered(SubmitStatus::accepted));
}

TEST_F(ReactorTest, EndsWhenEverythingIsDurableAndTold) {
  start();
  EXPECT_EQ(submit_one(), SubmitStatus::accepted);
  store_.set_looks_in_vain(4);
  ControlQueue pause;
  pause.request = RequestId(100);
  pause.queue = "mail";
  say(client_, pause);
  stop();
  EXPECT_EQ(store_.waiting(), 0U);
  next_reply<BrokerGoodbye>(client_);
}

}  // namespace
}  // namespace millrace::broker::test

// Millrace beside the queues of other makers: the adapter of its public client and worker
// libraries, default configuration, to the driver that measures them all (see bench/compare.py).
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <peer.hpp>  // of the drivers
#include <thread>

#include "client/cpp/client.h"
#include "worker/cpp/worker.h"

namespace {

using millrace::Duration;
using millrace::SharedBytes;
using millrace::client::Client;
using millrace::client::SourceState;

constexpr char kQueue[] = "bench";

std::string broker_at(int port) {
  return "127.0.0.1:" + std::to_string(port);
}

millrace::client::Task task_of(std::string_view payload) {
  millrace::client::Task task;
  task.queue = kQueue;
  task.payload = SharedBytes::copy_of(payload);
  return task;
}

// Many at a time: submit_many, whose source takes what was posted. One at a time: submit_later.
class MillraceProducer final : public Producer {
 public:
  explicit MillraceProducer(const Options& options) : one_by_one_(options.lowlat) {
    millrace::client::ClientSettings settings;
    settings.broker = broker_at(options.port);
    auto connected = Client::connect(settings);
    if (!connected) fail(connected.error().message);
    client_.emplace(std::move(*connected));
    if (!one_by_one_) pump_ = std::thread([this] { pump(); });
  }
  ~MillraceProducer() override {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    posted_.notify_all();
    if (pump_.joinable()) pump_.join();
  }

  void post(const std::vector<std::string_view>& payloads) override {
    if (payloads.size() == 1) {
      client_->submit_later(task_of(payloads.front()), [this](const auto&, const auto& answer) {
        if (!answer) fail(answer.error().message);
        acknowledge(1);
      });
      return;
    }
    std::vector<millrace::client::Task> tasks;
    tasks.reserve(payloads.size());
    for (const std::string_view payload : payloads) tasks.push_back(task_of(payload));
    {
      const std::lock_guard lock(mutex_);
      for (auto& task : tasks) waiting_.push_back(std::move(task));
    }
    posted_.notify_one();
  }

  int reap() override {
    std::unique_lock lock(mutex_);
    acknowledged_now_.wait(lock, [this] { return acknowledged_ > 0; });
    return std::exchange(acknowledged_, 0);
  }

 private:
  void acknowledge(int count) {
    {
      const std::lock_guard lock(mutex_);
      acknowledged_ += count;
    }
    acknowledged_now_.notify_one();
  }

  // The source waits a moment itself, so that the client need not ask again.
  SourceState next(millrace::client::Task& task) {
    if (taken_.empty()) {
      std::unique_lock lock(mutex_);
      posted_.wait_for(lock, std::chrono::milliseconds(1),
                       [this] { return closed_ || !waiting_.empty(); });
      if (waiting_.empty()) return closed_ ? SourceState::end : SourceState::pause;
      taken_.swap(waiting_);
    }
    task = std::move(taken_.front());
    taken_.pop_front();
    return SourceState::task;
  }

  void pump() {
    millrace::client::BatchCallbacks callbacks;
    callbacks.on_submitted = [this](const auto&, const auto& answer) {
      if (!answer) fail(answer.error().message);
      acknowledge(1);
    };
    const auto status = client_->submit_many([this](auto& task) { return next(task); }, callbacks);
    if (!status) fail(status.error().message);
  }

  bool one_by_one_;
  std::optional<Client> client_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::condition_variable acknowledged_now_;
  std::deque<millrace::client::Task> waiting_;
  std::deque<millrace::client::Task> taken_;  // of the pump
  int acknowledged_ = 0;
  bool closed_ = false;
  std::thread pump_;
};

// A worker of its own; a task counts as done when the broker has acknowledged its completion.
class MillraceConsumer final : public Consumer {
 public:
  MillraceConsumer(const Options& options, int index) : stamps_(options.lowlat) {
    millrace::worker::WorkerOptions wanted;
    wanted.broker = broker_at(options.port);
    wanted.slots = 1;
    wanted.name = "bench-" + std::to_string(index);
    wanted.acknowledged = [this](const millrace::CompletionAnswer& answer) { note(answer); };
    worker_.emplace(wanted);
    worker_->handle(kQueue, [this](const millrace::worker::Task& task) {
      if (stamps_) {
        const std::lock_guard lock(mutex_);
        payloads_.emplace(task.id(), std::string(task.payload().text()));
      }
      return millrace::worker::done();
    });
    thread_ = std::thread([this] {
      const auto status = worker_->run();
      if (!status) fail(status.error().message);
    });
  }
  ~MillraceConsumer() override {
    worker_->request_stop();
    thread_.join();
  }

  int step(int, const Done& done) override {
    std::vector<std::string> ended;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(500), [this] { return !ended_.empty(); });
      ended.swap(ended_);
    }
    for (const std::string& payload : ended) done(payload.data(), payload.size());
    return static_cast<int>(ended.size());
  }

 private:
  void note(const millrace::CompletionAnswer& answer) {
    {
      const std::lock_guard lock(mutex_);
      const auto payload = payloads_.find(answer.task);
      if (payload == payloads_.end()) {
        ended_.emplace_back();
      } else {
        ended_.push_back(std::move(payload->second));
        payloads_.erase(payload);
      }
    }
    changed_.notify_one();
  }

  bool stamps_;
  std::optional<millrace::worker::Worker> worker_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<millrace::TaskId, std::string> payloads_;
  std::vector<std::string> ended_;
  std::thread thread_;
};

class Millrace final : public Peer {
 public:
  explicit Millrace(const Options& options) : options_(options) {}
  std::unique_ptr<Producer> producer() override {
    return std::make_unique<MillraceProducer>(options_);
  }
  std::unique_ptr<Consumer> consumer(int index) override {
    Options worker = options_;
    worker.port = options_.port + 1;
    return std::make_unique<MillraceConsumer>(worker, index);
  }

 private:
  Options options_;
};

}  // namespace

std::unique_ptr<Peer> make_peer(const std::string& name, const Options& options) {
  if (name == "ours") return std::make_unique<Millrace>(options);
  if (name == "beanstalkd") return make_beanstalkd(options);
  if (name == "redis-stream") return make_redis_stream(options);
  if (name == "redis-list") return make_redis_list(options);
  if (name == "rabbitmq") return make_rabbitmq(options);
  if (name == "nats") return make_nats(options);
  if (name == "gearman") return make_gearman(options);
  if (name == "postgres") return make_postgres(options);
  fail("unknown peer " + name);
}

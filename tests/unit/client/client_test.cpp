// The library over real sockets against a scripted broker.
#include "client/cpp/client.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <set>

#include "tests/unit/client/fake_broker.h"

namespace millrace::client {
namespace {

constexpr Duration kGenerous = Duration::seconds(60);

Task make_task(const std::string& payload) {
  Task task;
  task.queue = "mail";
  task.payload = SharedBytes::copy_of(payload);
  return task;
}

class ClientTest : public ::testing::Test {
 protected:
  void start_broker(BrokerScript script = {}) {
    if (broker_ != nullptr) script.port = broker_->port();
    broker_.reset();
    broker_ = std::make_unique<FakeBroker>(std::move(script), memory_);
  }
  Client connect(Duration call_timeout = kGenerous) {
    ClientSettings settings;
    settings.broker = broker_->address();
    settings.connect_timeout = kGenerous;
    settings.call_timeout = call_timeout;
    Result<Client> client = Client::connect(settings);
    EXPECT_TRUE(client.ok()) << (client.ok() ? "" : client.error().message);
    return std::move(*client);
  }
  std::size_t kept_tasks() {
    const std::lock_guard lock(memory_->mutex);
    return memory_->tasks.size();
  }
  static TaskSource source_of(std::size_t count) {
    return [count, given = std::size_t{0}](Task& task) mutable {
      if (given == count) return SourceState::end;
      task = make_task("payload " + std::to_string(++given));
      return SourceState::task;
    };
  }

  std::shared_ptr<BrokerMemory> memory_ = std::make_shared<BrokerMemory>();
  std::unique_ptr<FakeBroker> broker_;
};

TEST_F(ClientTest, UnreachableBrokerIsSaidInOneLineThatHelps) {
  std::uint16_t free_port = 0;
  {
    FakeBroker gone({}, memory_);
    free_port = gone.port();
  }
  ClientSettings settings;
  settings.broker = "127.0.0.1:" + std::to_string(free_port);
  settings.connect_timeout = Duration::milliseconds(300);
  const Result<Client> client = Client::connect(settings);
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code, ErrorCode::unavailable);
  EXPECT_EQ(client.error().message,
            "no answer from the broker at " + settings.broker + " within 300ms; is it running?");
}

TEST_F(ClientTest, BadAddressIsMisconfigured) {
  ClientSettings settings;
  settings.broker = "host:notaport";
  const Result<Client> client = Client::connect(settings);
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code, ErrorCode::misconfigured);
}

TEST_F(ClientTest, ARefusedHelloEndsConnectAtOnce) {
  BrokerScript script;
  script.handle = [](const ClientMessage& message) -> std::optional<std::vector<ClientReply>> {
    const auto* hello = std::get_if<ClientHello>(&message);
    if (hello == nullptr) return std::nullopt;
    return {{Refused{hello->request, ErrorCode::unsupported, "speak version 9", Duration()}}};
  };
  start_broker(script);
  ClientSettings settings;
  settings.broker = broker_->address();
  settings.connect_timeout = kGenerous;
  const Result<Client> client = Client::connect(settings);
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code, ErrorCode::unsupported);
  EXPECT_NE(client.error().message.find("speak version 9"), std::string::npos);
}

TEST_F(ClientTest, SubmitsAndWaits) {
  start_broker();
  Client client = connect();
  const Result<TaskId> id = client.submit(make_task("hello"));
  ASSERT_TRUE(id.ok()) << id.error().message;
  EXPECT_EQ(kept_tasks(), 1U);
  const Result<FinishedTask> end = client.wait(*id, kGenerous);
  ASSERT_TRUE(end.ok()) << end.error().message;
  EXPECT_EQ(end->state, TaskState::succeeded);
  EXPECT_EQ(end->result.text(), "done");
}

TEST_F(ClientTest, ABatchIsAnsweredInItsOrder) {
  start_broker();
  Client client = connect();
  std::vector<Task> tasks(4, make_task("x"));
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    tasks[i].id.bytes[0] = static_cast<std::uint8_t>(i + 1);
  }
  tasks[1].queue = "no queue";
  tasks[3] = tasks[0];  // in it twice
  const auto answers = client.submit_batch(tasks);
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_TRUE(answers[0].ok());
  ASSERT_FALSE(answers[1].ok());
  EXPECT_EQ(answers[1].error().code, ErrorCode::invalid);
  EXPECT_TRUE(answers[2].ok());
  EXPECT_TRUE(answers[3].ok());
  EXPECT_EQ(kept_tasks(), 2U);
  EXPECT_TRUE(client.submit_batch({}).empty());
}

TEST_F(ClientTest, ABatchWithoutAnAnswerIsUnknownWhenItsTimeIsOver) {
  BrokerScript script;
  script.handle = [](const ClientMessage& message) -> std::optional<std::vector<ClientReply>> {
    if (!std::holds_alternative<Submit>(message)) return std::nullopt;
    return std::vector<ClientReply>();
  };
  start_broker(script);
  Client client = connect(Duration::milliseconds(200));
  Task task = make_task("x");
  task.id.bytes[0] = 1;
  const auto answers = client.submit_batch({task, task});
  ASSERT_EQ(answers.size(), 2U);
  for (const Result<SubmitStatus>& answer : answers) {
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  }
}

TEST_F(ClientTest, AnInvalidTaskIsRefusedBeforeItIsSent) {
  start_broker();
  Client client = connect();
  Task task = make_task("x");
  task.queue = "no spaces";
  const Result<TaskId> id = client.submit(task);
  ASSERT_FALSE(id.ok());
  EXPECT_EQ(id.error().code, ErrorCode::invalid);
  EXPECT_EQ(kept_tasks(), 0U);
}

TEST_F(ClientTest, ATakenIdIsAConflict) {
  start_broker();
  Client client = connect();
  Task task = make_task("one");
  task.id.bytes[0] = 9;
  ASSERT_TRUE(client.submit(task).ok());
  ASSERT_TRUE(client.submit(task).ok()) << "the same again is the same task";
  task.payload = SharedBytes::copy_of("two");
  const Result<TaskId> other = client.submit(task);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::conflict);
}

TEST_F(ClientTest, ASubmitWithoutAnswerIsUnavailable) {
  BrokerScript script;
  script.handle = [](const ClientMessage& message) -> std::optional<std::vector<ClientReply>> {
    if (!std::holds_alternative<Submit>(message)) return std::nullopt;
    return std::vector<ClientReply>();
  };
  start_broker(script);
  Client client = connect(Duration::milliseconds(300));
  const Result<TaskId> id = client.submit(make_task("x"));
  ASSERT_FALSE(id.ok());
  EXPECT_EQ(id.error().code, ErrorCode::unavailable);
}

// Collects what submit_later answers.
class LaterAnswers {
 public:
  Client::SubmitCallback note() {
    return [this](const TaskId& id, const Result<SubmitStatus>& answer) {
      const std::lock_guard lock(mutex_);
      answers_.emplace_back(id, answer);
      changed_.notify_all();
    };
  }
  std::vector<std::pair<TaskId, Result<SubmitStatus>>> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [&] { return answers_.size() >= count; });
    return answers_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<TaskId, Result<SubmitStatus>>> answers_;
};

TEST_F(ClientTest, LaterSubmitsAreAnsweredOnceEach) {
  start_broker();
  Client client = connect();
  LaterAnswers answers;
  for (int i = 0; i < 500; ++i) client.submit_later(make_task("later"), answers.note());
  Task bad = make_task("x");
  bad.queue = "no spaces";
  client.submit_later(bad, answers.note());
  client.submit_later(make_task("nobody wants to know"), {});
  std::set<TaskId> seen;
  std::size_t refused = 0;
  for (const auto& [id, answer] : answers.wait_for(501)) {
    EXPECT_TRUE(seen.insert(id).second) << "answered twice";
    if (answer.ok()) continue;
    EXPECT_EQ(answer.error().code, ErrorCode::invalid);
    ++refused;
  }
  EXPECT_EQ(seen.size(), 501U);
  EXPECT_EQ(refused, 1U);
}

TEST_F(ClientTest, ALaterSubmitWithoutAnswerIsUnavailable) {
  BrokerScript script;
  script.handle = [](const ClientMessage& message) -> std::optional<std::vector<ClientReply>> {
    if (!std::holds_alternative<Submit>(message)) return std::nullopt;
    return std::vector<ClientReply>();
  };
  start_broker(script);
  LaterAnswers in_time;
  Client impatient = connect(Duration::milliseconds(300));
  impatient.submit_later(make_task("x"), in_time.note());
  const auto unanswered = in_time.wait_for(1);
  ASSERT_EQ(unanswered.size(), 1U);
  EXPECT_EQ(unanswered.front().second.error().code, ErrorCode::unavailable);

  LaterAnswers at_the_end;
  {
    Client leaving = connect();
    leaving.submit_later(make_task("y"), at_the_end.note());
  }
  const auto closed = at_the_end.wait_for(1);
  ASSERT_EQ(closed.size(), 1U) << "a client that goes answers what is open";
  EXPECT_EQ(closed.front().second.error().code, ErrorCode::unavailable);
}

TEST_F(ClientTest, ALostAnswerIsAskedForAgain) {
  auto lost = std::make_shared<std::atomic<int>>(0);
  BrokerScript script;
  script.handle = [lost](const ClientMessage& message) -> std::optional<std::vector<ClientReply>> {
    const bool drop = std::holds_alternative<Submit>(message) && lost->fetch_add(1) == 0;
    if (!drop) return std::nullopt;
    return std::vector<ClientReply>();
  };
  start_broker(script);
  Client client = connect();
  EXPECT_TRUE(client.submit(make_task("x")).ok());
  EXPECT_GE(lost->load(), 2);
  EXPECT_EQ(kept_tasks(), 1U);
}

TEST_F(ClientTest, BusyIsRetriedUntilAccepted) {
  auto tries = std::make_shared<std::atomic<int>>(0);
  BrokerScript script;
  script.handle = [tries](const ClientMessage& message) -> std::optional<std::vector<ClientReply>> {
    const auto* submit = std::get_if<Submit>(&message);
    if (submit == nullptr || tries->fetch_add(1) >= 3) return std::nullopt;
    Submitted busy;
    busy.request = submit->request;
    busy.items.assign(submit->tasks.size(), SubmitAnswer{SubmitStatus::busy, "full"});
    busy.retry_after = Duration::milliseconds(10);
    return std::vector<ClientReply>{busy};
  };
  start_broker(script);
  Client client = connect();
  EXPECT_TRUE(client.submit(make_task("x")).ok());
  EXPECT_EQ(tries->load(), 4);
}

TEST_F(ClientTest, ManyAreSubmittedOnceEachAndTheirEndsTold) {
  start_broker();
  Client client = connect();
  std::set<TaskId> submitted;
  std::set<TaskId> finished;
  BatchCallbacks callbacks;
  callbacks.on_submitted = [&](const TaskId& id, const Result<SubmitStatus>& answer) {
    EXPECT_TRUE(answer.ok());
    EXPECT_TRUE(submitted.insert(id).second);
  };
  callbacks.on_finished = [&](const FinishedTask& task) {
    EXPECT_TRUE(finished.insert(task.id).second);
  };
  const Status status = client.submit_many(source_of(25'000), callbacks);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(submitted.size(), 25'000U);
  EXPECT_EQ(finished, submitted);
  EXPECT_EQ(kept_tasks(), 25'000U);
}

TEST_F(ClientTest, ABatchGoesOnWhileItsSourcePauses) {
  start_broker();
  Client client = connect();
  std::size_t answered = 0;
  std::size_t given = 0;
  const TaskSource source = [&](Task& task) {
    if (given == 3) return SourceState::end;
    if (answered < given) return SourceState::pause;  // one at a time
    ++given;
    task = make_task("x");
    return SourceState::task;
  };
  BatchCallbacks callbacks;
  callbacks.on_submitted = [&](const TaskId&, const Result<SubmitStatus>&) { ++answered; };
  EXPECT_TRUE(client.submit_many(source, callbacks).ok());
  EXPECT_EQ(answered, 3U);
}

TEST_F(ClientTest, ABadTaskOfABatchIsToldAndTheOthersGoOn) {
  start_broker();
  Client client = connect();
  std::size_t given = 0;
  const TaskSource source = [&](Task& task) {
    if (given == 3) return SourceState::end;
    task = make_task("x");
    if (++given == 2) task.priority = 77;
    return SourceState::task;
  };
  std::size_t good = 0;
  std::size_t bad = 0;
  BatchCallbacks callbacks;
  callbacks.on_submitted = [&](const TaskId&, const Result<SubmitStatus>& answer) {
    answer.ok() ? ++good : ++bad;
  };
  EXPECT_TRUE(client.submit_many(source, callbacks).ok());
  EXPECT_EQ(good, 2U);
  EXPECT_EQ(bad, 1U);
}

TEST_F(ClientTest, ABatchOutlivesARestartOfTheBroker) {
  BrokerScript before;
  before.end = [](const TaskSpec&) { return std::optional<FinishedTask>(); };
  start_broker(before);
  Client client = connect();
  std::atomic<std::size_t> accepted = 0;
  std::size_t finished = 0;
  BatchCallbacks callbacks;
  callbacks.on_submitted = [&](const TaskId&, const Result<SubmitStatus>& answer) {
    EXPECT_TRUE(answer.ok());
    ++accepted;
  };
  callbacks.on_finished = [&](const FinishedTask&) { ++finished; };
  std::thread chaos([&] {
    while (accepted < 500) std::this_thread::yield();
    start_broker();
  });
  const Status status = client.submit_many(source_of(500), callbacks);
  chaos.join();
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(finished, 500U);
}

TEST_F(ClientTest, ProceedEndsAWaitingCall) {
  BrokerScript script;
  script.end = [](const TaskSpec&) { return std::optional<FinishedTask>(); };
  start_broker(script);
  ClientSettings settings;
  settings.broker = broker_->address();
  auto go_on = std::make_shared<std::atomic<bool>>(true);
  settings.proceed = [go_on] { return go_on->load(); };
  Result<Client> client = Client::connect(settings);
  ASSERT_TRUE(client.ok());
  const Result<TaskId> id = client->submit(make_task("x"));
  ASSERT_TRUE(id.ok());
  *go_on = false;
  EXPECT_FALSE(client->wait_all({*id}, {}).ok());
  EXPECT_FALSE(client->wait(*id, kGenerous).ok());
}

TEST_F(ClientTest, WaitingForAnUnknownTaskIsNotFound) {
  start_broker();
  Client client = connect();
  TaskId id;
  id.bytes[0] = 5;
  const Result<FinishedTask> end = client.wait(id, kGenerous);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::not_found);
}

TEST_F(ClientTest, WaitingEndsAtItsDeadline) {
  BrokerScript script;
  script.end = [](const TaskSpec&) { return std::optional<FinishedTask>(); };
  start_broker(script);
  Client client = connect();
  const Result<TaskId> id = client.submit(make_task("x"));
  ASSERT_TRUE(id.ok());
  const Result<FinishedTask> end = client.wait(*id, Duration::milliseconds(200));
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::unavailable);
}

TEST_F(ClientTest, RequestsComeBackOrAreRefusedInWords) {
  BrokerScript script;
  script.handle = [](const ClientMessage& message) -> std::optional<std::vector<ClientReply>> {
    if (const auto* get = std::get_if<GetStatus>(&message)) {
      return {{StatusReport{get->request, R"({"queues":[]})"}}};
    }
    if (const auto* control = std::get_if<ControlQueue>(&message)) {
      return {{Changed{control->request, 1}}};
    }
    if (const auto* drain = std::get_if<DrainWorker>(&message)) {
      return {{Refused{drain->request, ErrorCode::not_found, "no such worker", Duration()}}};
    }
    if (const auto* cancel = std::get_if<Cancel>(&message)) {
      Cancelled cancelled;
      cancelled.request = cancel->request;
      cancelled.items.resize(cancel->tasks.size());
      return {{cancelled}};
    }
    return std::nullopt;
  };
  start_broker(script);
  Client client = connect();
  EXPECT_EQ(client.status(StatusTopic::queues).value(), R"({"queues":[]})");
  EXPECT_EQ(client.control_queue("mail", QueueAction::pause).value(), 1U);
  EXPECT_EQ(client.drain_worker("w").error().code, ErrorCode::not_found);
  std::vector<TaskId> ids(10'500);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i].bytes[0] = 1;
    ids[i].bytes[1] = static_cast<std::uint8_t>(i >> 8);
    ids[i].bytes[2] = static_cast<std::uint8_t>(i);
  }
  EXPECT_EQ(client.cancel(ids).value().size(), ids.size()) << "asked in parts";
}

TEST_F(ClientTest, ThreadsShareOneClient) {
  start_broker();
  Client client = connect();
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        const Result<TaskId> id = client.submit(make_task("x"));
        if (!id.ok() || !client.wait(*id, kGenerous).ok()) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(kept_tasks(), 160U);
}

}  // namespace
}  // namespace millrace::client

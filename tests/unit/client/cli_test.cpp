// The program `millrace` from outside: exit codes and what it prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/unit/client/cli_process.h"
#include "tests/unit/client/fake_broker.h"

namespace millrace::cli {
namespace {

using client::BrokerMemory;
using client::BrokerScript;
using client::FakeBroker;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Replies = std::optional<std::vector<ClientReply>>;

class CliTest : public ::testing::Test {
 protected:
  void start_broker(BrokerScript script = {}) {
    broker_.reset();
    broker_ = std::make_unique<FakeBroker>(std::move(script), memory_);
  }
  std::vector<std::string> with_broker(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--broker", broker_->address(), "--timeout", "60s"});
    return arguments;
  }
  CliOutcome run(std::vector<std::string> arguments, const std::string& input = "") const {
    return run_cli(with_broker(std::move(arguments)), input);
  }
  std::size_t kept_tasks() const {
    const std::lock_guard lock(memory_->mutex);
    return memory_->tasks.size();
  }
  static std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  std::shared_ptr<BrokerMemory> memory_ = std::make_shared<BrokerMemory>();
  std::unique_ptr<FakeBroker> broker_;
};

TEST_F(CliTest, UnreachableBrokerIsThree) {
  start_broker();
  const std::string address = broker_->address();
  broker_.reset();
  const CliOutcome outcome =
      run_cli({"submit", "q", "--count", "1", "--broker", address, "--timeout", "300ms"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.err, "millrace: no answer from the broker at " + address +
                             " within 300ms; is it running?\n");
  EXPECT_THAT(outcome.out, IsEmpty());
}

TEST_F(CliTest, WrongUseIsTwoInOneLine) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"bogus"},
      {"submit"},
      {"submit", "q", "--priority", "12", "--count", "1"},
      {"submit", "q", "--count", "1", "--header", "novalue"},
      {"submit", "q", "file", "--count", "1"},
      {"submit", "q", "-", "--payload", "x"},
      {"submit", "q", "--count", "1", "--results"},
      {"submit", "q", "/nonexistent/file"},
      {"get", "xx"},
      {"wait"},
      {"tasks", "--state", "lost"},
      {"dlq"},
      {"dlq", "requeue"},
      {"dlq", "purge", "--all", "--queue", "q"},
      {"queue", "pause"},
      {"stats", "--timeout", "soon"},
      {"stats", "--broker", "host:notaport"}};
  for (const std::vector<std::string>& arguments : wrong) {
    const CliOutcome outcome = run_cli(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_EQ(lines(outcome.err), 1U) << outcome.err;
    EXPECT_THAT(outcome.out, IsEmpty());
  }
}

TEST_F(CliTest, HelpAndVersion) {
  EXPECT_EQ(run_cli({"--help"}).code, 0);
  EXPECT_THAT(run_cli({"submit", "--help"}).out, HasSubstr("--task-timeout"));
  EXPECT_THAT(run_cli({"--version"}).out, HasSubstr("millrace 0."));
}

TEST_F(CliTest, ABadLineInAPipeSendsNothing) {
  start_broker();
  const CliOutcome outcome =
      run({"submit", "q", "-"}, "{\"payload\":\"a\"}\n{\"payload\":\"b\",\"priority\":12}\n");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("standard input:2: 'priority' is 12; it must be 0 to 9"));
  EXPECT_THAT(outcome.err, HasSubstr("nothing was submitted"));
  EXPECT_EQ(kept_tasks(), 0U);
}

TEST_F(CliTest, ABadLineInAFileSendsNothing) {
  start_broker();
  const std::string name = ::testing::TempDir() + "/batch.jsonl";
  std::ofstream(name) << "{\"payload\":\"a\"}\n\n{\"payload\": }\n";
  const CliOutcome outcome = run({"submit", "q", name});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr(name + ":3:13: not valid JSON"));
  EXPECT_EQ(kept_tasks(), 0U);
}

TEST_F(CliTest, SubmitPrintsTheIdsOneALine) {
  start_broker();
  const std::string id = "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f";
  const CliOutcome outcome =
      run({"submit", "q"}, "{\"payload\":\"a\",\"id\":\"" + id + "\"}\n{\"payload\":\"b\"}");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(lines(outcome.out), 2U);
  EXPECT_EQ(outcome.out.substr(0, 37), id + "\n");
  EXPECT_THAT(outcome.err, IsEmpty());
}

TEST_F(CliTest, LinesArePayloadsAsTheyStand) {
  start_broker();
  const CliOutcome outcome = run({"submit", "q", "-", "--lines"}, "{not json\n\nlast");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(kept_tasks(), 3U);
}

TEST_F(CliTest, EqualIdsAreOneTaskOthersAreRefused) {
  start_broker();
  const std::string line = "{\"payload\":\"a\",\"id\":\"0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f\"}\n";
  const CliOutcome same = run({"submit", "q", "--wait", "--json"}, line + line);
  EXPECT_EQ(same.code, 0) << same.err;
  const auto summary = nlohmann::json::parse(same.out);
  EXPECT_EQ(summary["submitted"], 1);
  EXPECT_EQ(summary["duplicates"], 1);
  EXPECT_EQ(summary["succeeded"], 1);
  std::string other = line;
  other.replace(other.find("\"a\""), 3, "\"b\"");
  const CliOutcome different = run({"submit", "q"}, line + other);
  EXPECT_EQ(different.code, 2);
  EXPECT_THAT(different.err, HasSubstr("standard input:2: the id"));
}

TEST_F(CliTest, WaitWithSummaryAndResults) {
  start_broker();
  const CliOutcome outcome =
      run({"submit", "q", "--count", "1200", "--wait", "--results", "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_EQ(lines(outcome.out), 1'201U);
  const auto first = nlohmann::json::parse(outcome.out.substr(0, outcome.out.find('\n')));
  EXPECT_EQ(first["state"], "succeeded");
  EXPECT_EQ(first["result"], "done");
  const std::size_t last = outcome.out.rfind('\n', outcome.out.size() - 2) + 1;
  const auto summary = nlohmann::json::parse(outcome.out.substr(last));
  EXPECT_EQ(summary["submitted"], 1'200);
  EXPECT_EQ(summary["succeeded"], 1'200);
  EXPECT_EQ(summary["dead"], 0);
  EXPECT_TRUE(summary["seconds"].is_number());
  EXPECT_THAT(outcome.err, IsEmpty()) << "no bar in a pipe";
}

TEST_F(CliTest, ADeadTaskIsOne) {
  BrokerScript script;
  script.end = [](const TaskSpec& spec) {
    return client::ended(spec.id, TaskState::dead, Reason::failed, "exit 1: no space");
  };
  start_broker(script);
  const CliOutcome outcome = run({"submit", "q", "--count", "3", "--wait", "--results"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("\"state\":\"dead\",\"attempts\":3"));
  EXPECT_THAT(outcome.out, HasSubstr("exit 1: no space"));
  EXPECT_THAT(outcome.err, HasSubstr("3 submitted, 0 succeeded, 3 dead in"));
}

TEST_F(CliTest, ARejectedTaskIsOne) {
  BrokerScript script;
  script.handle = [](const ClientMessage& message) -> Replies {
    const auto* submit = std::get_if<Submit>(&message);
    if (submit == nullptr) return std::nullopt;
    Submitted submitted;
    submitted.request = submit->request;
    submitted.items.assign(submit->tasks.size(), SubmitAnswer{SubmitStatus::conflict, "id taken"});
    return {{submitted}};
  };
  start_broker(script);
  const CliOutcome outcome = run({"submit", "q", "--count", "1"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("was rejected: id taken"));
}

TEST_F(CliTest, StreamingSubmitsUpToTheBadLine) {
  start_broker();
  const CliOutcome outcome =
      run({"submit", "q", "-", "--streaming"}, "{\"payload\":\"a\"}\n{\"payload\":\"b\"}\nnope\n");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(kept_tasks(), 2U);
  EXPECT_THAT(outcome.err, HasSubstr("standard input:3:"));
  EXPECT_THAT(outcome.err, HasSubstr("2 tasks were submitted before that line"));
}

TEST_F(CliTest, InterruptedWaitSaysThatTasksGoOn) {
  BrokerScript script;
  script.end = [](const TaskSpec&) { return std::optional<FinishedTask>(); };
  start_broker(script);
  CliProcess process(with_broker({"submit", "q", "--count", "5", "--wait"}));
  while (kept_tasks() < 5) std::this_thread::yield();
  process.interrupt();
  const CliOutcome outcome = process.wait();
  EXPECT_EQ(outcome.code, 130);
  EXPECT_THAT(outcome.err, HasSubstr("they go on in the broker"));
}

TEST_F(CliTest, WaitForAnUnknownTaskIsOne) {
  start_broker();
  const CliOutcome outcome = run({"wait", "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("is not known to the broker"));
}

TEST_F(CliTest, ListingsAsTableAndAsJson) {
  BrokerScript script;
  script.handle = [](const ClientMessage& message) -> Replies {
    if (const auto* list = std::get_if<ListTasks>(&message)) {
      TaskList answer;
      answer.request = list->request;
      TaskView view;
      view.id.bytes[0] = static_cast<std::uint8_t>(list->cursor + 1);
      view.queue = "mail";
      view.state = TaskState::dead;
      view.error = "line one\nline two";
      answer.tasks.push_back(view);
      answer.next_cursor = list->cursor < 2 ? list->cursor + 1 : 0;
      return {{answer}};
    }
    if (const auto* status = std::get_if<GetStatus>(&message)) {
      return {
          {StatusReport{status->request, "{\"queues\":[{\"name\":\"mail\",\"pending\":7}]}\n"}}};
    }
    return std::nullopt;
  };
  start_broker(script);
  const CliOutcome table = run({"tasks", "--all"});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_EQ(lines(table.out), 4U) << table.out;
  EXPECT_THAT(table.out, HasSubstr("line one line two"));
  const CliOutcome json = run({"dlq", "list", "--json", "--limit", "2"});
  EXPECT_EQ(lines(json.out), 2U);
  EXPECT_EQ(nlohmann::json::parse(json.out.substr(0, json.out.find('\n')))["state"], "dead");
  EXPECT_THAT(json.err, HasSubstr("there are more"));
  EXPECT_THAT(run({"queues"}).out, HasSubstr("mail   running        7"));
  EXPECT_EQ(run({"queues", "--json"}).out, "{\"queues\":[{\"name\":\"mail\",\"pending\":7}]}\n");
}

TEST_F(CliTest, CommandsThatChange) {
  BrokerScript script;
  script.handle = [](const ClientMessage& message) -> Replies {
    if (const auto* cancel = std::get_if<Cancel>(&message)) {
      Cancelled answer;
      answer.request = cancel->request;
      answer.items = {CancelAnswer{CancelStatus::already_finished, TaskState::succeeded}};
      return {{answer}};
    }
    if (const auto* change = std::get_if<ChangeTasks>(&message)) {
      return {{TasksChanged{change->request, 6, change->cursor == 0 ? 7U : 0U}}};
    }
    if (const auto* explain = std::get_if<Explain>(&message)) {
      Explained explained;
      explained.request = explain->request;
      explained.task.id = explain->task;
      explained.task.queue = "gpu";
      explained.task.accepted = Time::since_epoch(Duration::days(20'000));
      explained.standing = TaskStanding::no_worker;
      explained.text = "no worker serves queue gpu";
      return {{explained}};
    }
    if (const auto* control = std::get_if<ControlQueue>(&message)) {
      return {{Changed{control->request, 1}}};
    }
    if (const auto* drain = std::get_if<DrainWorker>(&message)) {
      return {{Refused{drain->request, ErrorCode::not_found, "no worker 'w9'", Duration()}}};
    }
    return std::nullopt;
  };
  start_broker(script);
  const std::string id = "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f";
  const CliOutcome cancel = run({"cancel", id});
  EXPECT_EQ(cancel.code, 1);
  EXPECT_EQ(cancel.out, id + "  already_finished (succeeded)\n");
  EXPECT_EQ(run({"dlq", "requeue", "--all"}).out, "12 tasks requeued\n");
  EXPECT_EQ(run({"queue", "purge", "mail"}).out, "24 tasks cancelled in mail\n");
  EXPECT_EQ(run({"cancel", "--queue", "mail", "--json"}).out, "{\"cancelled\":12}\n");
  EXPECT_EQ(run({"explain", id}).out, id + "  pending: no worker serves queue gpu\n");
  EXPECT_THAT(run({"history", id, "--json"}).out, HasSubstr(R"("event":"accepted")"));
  EXPECT_EQ(run({"queue", "pause", "mail"}).out, "mail is now paused\n");
  const CliOutcome drain = run({"worker", "drain", "w9"});
  EXPECT_EQ(drain.code, 1);
  EXPECT_EQ(drain.err, "millrace: no worker 'w9'\n");
}

}  // namespace
}  // namespace millrace::cli

#include "worker/cpp/program_runner.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/unit/worker/pool_fixture.h"

namespace millrace::worker {
namespace {

// Looks until `condition` holds, for at most a minute.
template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

// Neither there nor waiting to be collected by its parent.
bool is_dead(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return true;
  const char state = line.at(line.rfind(')') + 2);
  return state == 'Z' || state == 'X';
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class ProgramRunnerTest : public PoolTest {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "millrace-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    pool_.reset();
    std::filesystem::remove_all(folder_);
  }

  void use(std::vector<std::string> command, Duration grace = Duration::seconds(60)) {
    ProgramSettings settings;
    settings.command = std::move(command);
    settings.grace = grace;
    auto runner = ProgramRunner::find(settings);
    ASSERT_TRUE(runner) << runner.error().message;
    make_pool([program = *std::move(runner)](const Task& task) { return program.run(task); });
  }
  void use_script(const std::string& script, Duration grace = Duration::seconds(60)) {
    use({"sh", "-c", script}, grace);
  }
  Completion run_script(const std::string& script, const std::string& payload = "") {
    use_script(script);
    return run(make_task(1, payload));
  }
  // Starts the script and waits until it has written a line to the file named by $MARK; returns it.
  std::string start_and_wait_for_mark(const std::string& script, Duration grace) {
    const auto mark = folder_ / "mark";
    use_script("MARK=" + mark.string() + "; " + script, grace);
    task_ = make_task(1, "");
    pool_->start({task_});
    EXPECT_TRUE(eventually([&] { return read_file(mark).find('\n') != std::string::npos; }));
    return read_file(mark);
  }

  std::filesystem::path folder_;
  DispatchedTask task_;
};

TEST_F(ProgramRunnerTest, WhatCannotBeRunIsFoundOutBeforeTheFirstTask) {
  const auto find = [](const std::string& program) {
    return ProgramRunner::find(ProgramSettings{{program}});
  };
  std::ofstream(folder_ / "plain") << "text";
  EXPECT_FALSE(find("no-such-program-anywhere"));
  EXPECT_FALSE(find("/no/such/program"));
  EXPECT_FALSE(find(folder_.string()));
  EXPECT_FALSE(find((folder_ / "plain").string()));
  EXPECT_FALSE(find(""));
  EXPECT_EQ(find("").error().code, ErrorCode::misconfigured);
  EXPECT_TRUE(find("/bin/sh"));
  EXPECT_TRUE(find("cat"));
}

TEST_F(ProgramRunnerTest, AProgramThatCannotBeStartedIsRetried) {
  const auto path = folder_ / "nonsense";
  std::ofstream(path) << "no magic number";
  chmod(path.c_str(), 0755);
  use({path.string()});
  const Completion completion = run(make_task(1, ""));
  EXPECT_EQ(completion.outcome, Outcome::failed);
  EXPECT_NE(completion.error.find("cannot start"), std::string::npos) << completion.error;
}

TEST_F(ProgramRunnerTest, PayloadGoesInAndTheResultComesOut) {
  use({"cat"});
  const std::string payload("a\0b\xff\n", 5);
  const Completion completion = run(make_task(1, payload));
  EXPECT_EQ(completion.outcome, Outcome::succeeded);
  EXPECT_EQ(completion.result.text(), payload);
}

TEST_F(ProgramRunnerTest, LargePayloadsFlowBothWaysAtOnce) {
  use({"cat"});
  const std::string payload(4 << 20, 'x');
  const Completion completion = run(make_task(1, payload));
  EXPECT_EQ(completion.outcome, Outcome::succeeded);
  EXPECT_EQ(completion.result.size(), payload.size());
}

TEST_F(ProgramRunnerTest, AProgramNeedNotReadItsInput) {
  const Completion completion = run_script("echo done", std::string(1 << 20, 'x'));
  EXPECT_EQ(completion.outcome, Outcome::succeeded) << completion.error;
  EXPECT_EQ(completion.result.text(), "done\n");
  EXPECT_EQ(run_script("exec 0<&-; echo closed", std::string(1 << 20, 'x')).result.text(),
            "closed\n");
}

TEST_F(ProgramRunnerTest, ExitCodesDecide) {
  EXPECT_EQ(run_script("exit 0").outcome, Outcome::succeeded);
  EXPECT_EQ(run_script("exit 1").outcome, Outcome::failed);
  EXPECT_EQ(run_script("exit 1").error, "exit status 1");
  EXPECT_EQ(run_script("exit 64").outcome, Outcome::failed);
  EXPECT_EQ(run_script("exit 255").outcome, Outcome::failed);
  const Completion for_good = run_script("echo 'bad data' >&2; exit 65");
  EXPECT_EQ(for_good.outcome, Outcome::failed_for_good);
  EXPECT_EQ(for_good.error, "exit status 65: bad data");
}

TEST_F(ProgramRunnerTest, DeathByASignalIsACrash) {
  const Completion completion = run_script("echo last words >&2; kill -9 $$");
  EXPECT_EQ(completion.outcome, Outcome::crashed);
  EXPECT_EQ(completion.error, "killed by signal 9 (SIGKILL): last words");
}

TEST_F(ProgramRunnerTest, OutputOfAFailureIsNoResult) {
  const Completion completion = run_script("echo half; exit 1");
  EXPECT_TRUE(completion.result.empty());
}

TEST_F(ProgramRunnerTest, OfALongStandardErrorTheEndIsKept) {
  const Completion completion = run_script(
      "i=0; while [ $i -lt 3000 ]; do echo \"line $i of many\" >&2; i=$((i+1)); done; "
      "echo the cause >&2; exit 3");
  EXPECT_EQ(completion.outcome, Outcome::failed);
  EXPECT_EQ(completion.error.rfind("exit status 3: ", 0), 0U);
  EXPECT_EQ(completion.error.substr(completion.error.size() - 9), "the cause");
  EXPECT_LE(completion.error.size(), 4'200U);
}

TEST_F(ProgramRunnerTest, AResultOverTheLimitFailsForGood) {
  use({"yes"});
  pool_->set_result_bytes_max(ByteCount(100'000));
  const Completion completion = run(make_task(1, ""));
  EXPECT_EQ(completion.outcome, Outcome::failed_for_good);
  EXPECT_NE(completion.error.find("larger than 100000"), std::string::npos);
  use({"head", "-c", "100000", "/dev/zero"});
  pool_->set_result_bytes_max(ByteCount(100'000));
  EXPECT_EQ(run(make_task(1, "")).outcome, Outcome::succeeded);
}

TEST_F(ProgramRunnerTest, TheEnvironmentTellsTheTask) {
  use_script(
      "echo $MILLRACE_TASK_ID $MILLRACE_QUEUE $MILLRACE_ATTEMPT $MILLRACE_FENCE "
      "$MILLRACE_HEADER_TRACE_ID; env | grep -c MILLRACE_");
  const Completion completion =
      run(make_task(7, "", {{"trace-id", "abc"}, {"bad name!", "x"}, {"no=", "y"}}));
  EXPECT_EQ(completion.result.text(), "01000000-0000-0000-0000-000000000007 q 2 47 abc\n5\n");
}

TEST_F(ProgramRunnerTest, TheTraceOfTheTaskIsTheProgramsAndNoOther) {
  ::setenv("TRACEPARENT", "of-the-worker", 1);
  use_script("echo \"$TRACEPARENT $TRACESTATE\"");
  const Completion without = run(make_task(7, ""));
  const Completion with =
      run(make_task(8, "", {{"traceparent", "00-4bf9-00f0-01"}, {"tracestate", "k=v"}}));
  ::unsetenv("TRACEPARENT");
  EXPECT_EQ(without.result.text(), " \n");
  EXPECT_EQ(with.result.text(), "00-4bf9-00f0-01 k=v\n");
}

TEST_F(ProgramRunnerTest, TheProgramStartsWithPlainSignalsAndDescriptors) {
  const Completion completion =
      run_script("grep -E 'Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd | wc -l");
  // The fourth descriptor is the folder that ls reads.
  EXPECT_EQ(completion.result.text(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n4\n");
}

TEST_F(ProgramRunnerTest, AStopIsATermToTheWholeGroup) {
  const std::string mark = start_and_wait_for_mark(
      "trap 'echo told >&2; exit 9' TERM; sleep 1000 & echo $! > $MARK; wait", Duration::hours(1));
  pool_->stop(lease_of(task_), StopReason::cancelled);
  EXPECT_EQ(wait_for(1).at(0).error, "exit status 9: told");
  EXPECT_TRUE(eventually([&] { return is_dead(std::stoi(mark)); }));
}

TEST_F(ProgramRunnerTest, WhatIgnoresTheTermIsKilledAfterTheGrace) {
  const std::string mark = start_and_wait_for_mark(
      "trap '' TERM; (trap '' TERM; sleep 1000) & echo $! > $MARK; while :; do sleep 1; done",
      Duration::milliseconds(50));
  pool_->stop(lease_of(task_), StopReason::timed_out);
  const Completion completion = wait_for(1).at(0);
  EXPECT_EQ(completion.outcome, Outcome::crashed);
  EXPECT_TRUE(eventually([&] { return is_dead(std::stoi(mark)); }));
}

TEST_F(ProgramRunnerTest, AnEndOfTheWorkerDoesNotWaitForTheGrace) {
  start_and_wait_for_mark("trap '' TERM; echo > $MARK; while :; do sleep 1; done",
                          Duration::hours(1));
  pool_->stop(lease_of(task_), StopReason::cancelled);
  pool_->stop_all(StopReason::shutting_down);
  EXPECT_EQ(wait_for(1).at(0).outcome, Outcome::crashed);
}

TEST_F(ProgramRunnerTest, ADescendantThatKeepsThePipesOpenHoldsUpNothingAndIsKilled) {
  const Completion completion = run_script("sleep 1000 & echo $!");
  EXPECT_EQ(completion.outcome, Outcome::succeeded);
  const pid_t descendant = std::stoi(std::string(completion.result.text()));
  EXPECT_TRUE(eventually([&] { return is_dead(descendant); }));
}

TEST_F(ProgramRunnerTest, AKilledWorkerLeavesNoProgramBehind) {
  const auto mark = folder_ / "mark";
  const pid_t worker = fork();
  ASSERT_GE(worker, 0);
  if (worker == 0) {
    use_script("echo $$ > " + mark.string() + "; exec sleep 1000");
    pool_->start({make_task(1, "")});
    for (;;) pause();
  }
  EXPECT_TRUE(eventually([&] { return read_file(mark).find('\n') != std::string::npos; }));
  const pid_t program = std::stoi(read_file(mark));
  EXPECT_FALSE(is_dead(program));
  kill(worker, SIGKILL);
  EXPECT_EQ(waitpid(worker, nullptr, 0), worker);
  EXPECT_TRUE(eventually([&] { return is_dead(program); }));
}

}  // namespace
}  // namespace millrace::worker

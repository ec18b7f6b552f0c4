#include "worker/cpp/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::worker {
namespace {

std::optional<Options> read(std::vector<const char*> arguments,
                            host::ExitCode expected = host::ExitCode::done) {
  arguments.insert(arguments.begin(), "millrace-worker");
  host::ExitCode exit_now = host::ExitCode::done;
  const auto options = read_options(static_cast<int>(arguments.size()), arguments.data(), exit_now);
  EXPECT_EQ(exit_now, expected);
  return options;
}

TEST(WorkerOptionsTest, EverythingAfterTheDashesIsTheProgram) {
  const auto options = read({"--queue", "a,b", "--queue=c", "--slots", "3", "--", "sort",
                             "--reverse", "--queue", "x", "-n"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->queues, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(options->program,
            (std::vector<std::string>{"sort", "--reverse", "--queue", "x", "-n"}));
  EXPECT_EQ(options->slots, 3U);
  EXPECT_EQ(options->broker, "localhost");
  EXPECT_EQ(options->drain_timeout, Duration::seconds(30));
  EXPECT_EQ(options->grace, Duration::seconds(5));
}

TEST(WorkerOptionsTest, WhatCannotWorkIsAUsageError) {
  const auto usage = host::ExitCode::usage;
  EXPECT_FALSE(read({}, usage));
  EXPECT_FALSE(read({"--queue", "q"}, usage)) << "nothing to run";
  EXPECT_FALSE(read({"--", "cat"}, usage)) << "no queue";
  EXPECT_FALSE(read({"--queue", "q", "--builtin", "echo", "--", "cat"}, usage));
  EXPECT_FALSE(read({"--queue", "q", "--builtin", "poison"}, usage));
  EXPECT_FALSE(read({"--queue", "q", "--builtin", "poison", "--poison", "bite"}, usage));
  EXPECT_FALSE(read({"--queue", "q", "--builtin", "echo", "--poison", "hang"}, usage));
  EXPECT_FALSE(read({"--queue", "q", "--builtin", "dance"}, usage));
  EXPECT_FALSE(read({"--queue", "q", "--slots", "0", "--", "cat"}, usage));
  EXPECT_FALSE(read({"--queue", "q", "--grace", "soon", "--", "cat"}, usage));
}

TEST(WorkerOptionsTest, ABuiltinNeedsNoProgram) {
  const auto options = read({"--queue", "q", "--builtin", "poison", "--poison", "hang"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->poison, "hang");
}

}  // namespace
}  // namespace millrace::worker

#include "common/host/configuration.h"
#include "common/host/host_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace millrace::host {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// One program's options, parsed from flags, variables and a file of the test's choice.
class ConfigurationTest : public ::testing::Test {
 protected:
  ConfigurationTest() {
    add_common_options(app, log_level);
    app.add_option("--client-port", client_port, "port")->check(CLI::Range(0, 65535));
    app.add_flag("--quiet", quiet, "say less");
    app.add_option("--queue", queues, "queues")->delimiter(',');
    add_duration(app, "--lease", lease, "lease");
    add_bytes(app, "--cache", cache, "cache");
    app.require_subcommand(0, 1);
    CLI::App* submit = app.add_subcommand("submit", "submit tasks");
    submit->add_option("--priority", priority, "priority");
  }

  ~ConfigurationTest() override {
    for (const std::string& variable : variables_) unsetenv(variable.c_str());
    std::filesystem::remove(file_name());
  }

  static std::string file_name() {
    return ::testing::TempDir() + "millrace-configuration-" + std::to_string(getpid()) + ".toml";
  }

  void write_file(const std::string& text) { std::ofstream(file_name()) << text; }

  void set_variable(const std::string& name, const std::string& value) {
    variables_.push_back(name);
    setenv(name.c_str(), value.c_str(), 1);
  }

  ParseResult parse(std::vector<std::string> arguments) {
    std::vector<const char*> argv = {"/usr/bin/millrace-test"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const ParseResult result = parse_command_line(app, static_cast<int>(argv.size()), argv.data());
    output = ::testing::internal::GetCapturedStdout();
    errors = ::testing::internal::GetCapturedStderr();
    return result;
  }

  // Expects a refusal in exactly one line.
  std::string refusal(std::vector<std::string> arguments) {
    const ParseResult result = parse(std::move(arguments));
    EXPECT_FALSE(result.proceed);
    EXPECT_EQ(result.exit_now, ExitCode::usage);
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
    EXPECT_THAT(errors, StartsWith("millrace-test: "));
    return errors;
  }

  CLI::App app{"Tests the configuration", "millrace-test"};
  std::string log_level = "info";
  int client_port = 5555;
  bool quiet = false;
  std::vector<std::string> queues;
  Duration lease = Duration::seconds(3);
  ByteCount cache = ByteCount::mebibytes(64);
  int priority = 4;
  std::string output;
  std::string errors;

 private:
  std::vector<std::string> variables_;
};

TEST_F(ConfigurationTest, DefaultsStandWhereNothingIsSaid) {
  EXPECT_TRUE(parse({}).proceed);
  EXPECT_EQ(client_port, 5555);
  EXPECT_EQ(lease, Duration::seconds(3));
}

TEST_F(ConfigurationTest, FileBeatsDefault) {
  write_file("client-port = 7001\nquiet = true\nlease = \"5s\"\ncache = \"1GiB\"\n");
  EXPECT_TRUE(parse({"--config", file_name()}).proceed) << errors;
  EXPECT_EQ(client_port, 7001);
  EXPECT_TRUE(quiet);
  EXPECT_EQ(lease, Duration::seconds(5));
  EXPECT_EQ(cache, ByteCount::gibibytes(1));
}

TEST_F(ConfigurationTest, EnvironmentBeatsFile) {
  write_file("client-port = 7001\nlease = \"5s\"\n");
  set_variable("MILLRACE_CLIENT_PORT", "7002");
  EXPECT_TRUE(parse({"--config", file_name()}).proceed) << errors;
  EXPECT_EQ(client_port, 7002);
  EXPECT_EQ(lease, Duration::seconds(5));
}

TEST_F(ConfigurationTest, FlagBeatsEnvironmentAndFile) {
  write_file("client-port = 7001\nlease = \"5s\"\n");
  set_variable("MILLRACE_CLIENT_PORT", "7002");
  set_variable("MILLRACE_LEASE", "6s");
  EXPECT_TRUE(parse({"--client-port=7003", "--config", file_name(), "--lease", "7s"}).proceed);
  EXPECT_EQ(client_port, 7003);
  EXPECT_EQ(lease, Duration::seconds(7));
}

TEST_F(ConfigurationTest, FileMayBeNamedByVariable) {
  write_file("client-port = 7001\n");
  set_variable("MILLRACE_CONFIG", file_name());
  EXPECT_TRUE(parse({}).proceed) << errors;
  EXPECT_EQ(client_port, 7001);
}

TEST_F(ConfigurationTest, FlagNamesAnotherFileThanTheVariable) {
  write_file("client-port = 7001\n");
  set_variable("MILLRACE_CONFIG", "/does/not/exist");
  EXPECT_TRUE(parse({"--config", file_name()}).proceed) << errors;
  EXPECT_EQ(client_port, 7001);
}

TEST_F(ConfigurationTest, ListsComeFromAllThreePlaces) {
  write_file("queue = [\"a\", \"b\"]\n");
  EXPECT_TRUE(parse({"--config", file_name()}).proceed) << errors;
  EXPECT_EQ(queues, (std::vector<std::string>{"a", "b"}));
}

TEST_F(ConfigurationTest, VariableWithAListIsSplit) {
  set_variable("MILLRACE_QUEUE", "a,b,c");
  EXPECT_TRUE(parse({}).proceed) << errors;
  EXPECT_EQ(queues, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(ConfigurationTest, TableSetsSubcommandOptionsWithoutChoosingIt) {
  write_file("[submit]\npriority = 7\n");
  EXPECT_TRUE(parse({"--config", file_name()}).proceed) << errors;
  EXPECT_TRUE(app.get_subcommands().empty());
}

TEST_F(ConfigurationTest, TableServesTheChosenSubcommand) {
  write_file("[submit]\npriority = 7\n");
  EXPECT_TRUE(parse({"--config", file_name(), "submit"}).proceed) << errors;
  EXPECT_EQ(priority, 7);
}

TEST_F(ConfigurationTest, UnknownKeyIsNamedWithFileAndLine) {
  write_file("client-port = 7001\nclient-prot = 7001\n");
  EXPECT_THAT(refusal({"--config", file_name()}), HasSubstr(file_name() + ":2: client-prot"));
}

TEST_F(ConfigurationTest, UnknownTableIsNamed) {
  write_file("[sumbit]\npriority = 7\n");
  EXPECT_THAT(refusal({"--config", file_name()}), HasSubstr("sumbit"));
}

TEST_F(ConfigurationTest, UnknownKeyInATableIsNamedInFull) {
  write_file("[submit]\nprio = 7\n");
  EXPECT_THAT(refusal({"--config", file_name()}), HasSubstr(":2: submit.prio"));
}

TEST_F(ConfigurationTest, UnknownKeyIsRefusedEvenIfAVariableWins) {
  write_file("client-prot = 7001\n");
  set_variable("MILLRACE_CLIENT_PROT", "1");
  EXPECT_THAT(refusal({"--config", file_name()}), HasSubstr("client-prot"));
}

TEST_F(ConfigurationTest, HelpAndConfigAreNoKeys) {
  write_file("config = \"other.toml\"\n");
  EXPECT_THAT(refusal({"--config", file_name()}), HasSubstr("config is not a known key"));
}

TEST_F(ConfigurationTest, BrokenTomlIsShownWithItsLine) {
  write_file("client-port = 7001\nlease = = 5\n");
  EXPECT_THAT(refusal({"--config", file_name()}), HasSubstr(file_name() + ":2: "));
}

TEST_F(ConfigurationTest, ValueOfAWrongKindIsShownWithItsLine) {
  write_file("client-port = 1979-05-27\n");
  EXPECT_THAT(refusal({"--config", file_name()}), HasSubstr(":1: client-port"));
}

TEST_F(ConfigurationTest, BadValueInTheFileNamesFileAndLine) {
  write_file("\n\nclient-port = 70000\n");
  EXPECT_THAT(refusal({"--config", file_name()}), HasSubstr(file_name() + ":3: client-port"));
}

TEST_F(ConfigurationTest, BadVariableIsNamed) {
  set_variable("MILLRACE_CLIENT_PORT", "many");
  EXPECT_THAT(refusal({}), HasSubstr("MILLRACE_CLIENT_PORT: "));
}

TEST_F(ConfigurationTest, BadDurationInAVariableSaysWhatIsAllowed) {
  set_variable("MILLRACE_LEASE", "soon");
  EXPECT_THAT(refusal({}), ::testing::AllOf(HasSubstr("MILLRACE_LEASE: "), HasSubstr("250ms")));
}

TEST_F(ConfigurationTest, BadFlagIsNamedThoughAVariableIsSet) {
  set_variable("MILLRACE_CLIENT_PORT", "7002");
  const std::string line = refusal({"--client-port", "many"});
  EXPECT_THAT(line, HasSubstr("--client-port"));
  EXPECT_THAT(line, ::testing::Not(HasSubstr("MILLRACE_CLIENT_PORT")));
}

TEST_F(ConfigurationTest, BadSizeSaysWhatIsAllowed) {
  EXPECT_THAT(refusal({"--cache", "12parsecs"}), HasSubstr("16MiB"));
}

TEST_F(ConfigurationTest, SizeBeyondSixtyFourBitsIsRefused) {
  EXPECT_THAT(refusal({"--cache", "99999999999GiB"}), HasSubstr("--cache"));
}

TEST_F(ConfigurationTest, UnknownFlagIsNamed) {
  EXPECT_THAT(refusal({"--bogus"}), HasSubstr("--bogus"));
}

TEST_F(ConfigurationTest, MissingFileIsNamed) {
  EXPECT_THAT(refusal({"--config", "/does/not/exist"}), HasSubstr("/does/not/exist"));
}

TEST_F(ConfigurationTest, MissingFileOfTheVariableNamesTheVariable) {
  set_variable("MILLRACE_CONFIG", "/does/not/exist");
  EXPECT_THAT(refusal({}),
              ::testing::AllOf(HasSubstr("MILLRACE_CONFIG: "), HasSubstr("/does/not/exist")));
}

TEST_F(ConfigurationTest, DirectoryIsNoFile) {
  EXPECT_THAT(refusal({"--config", "/tmp"}), HasSubstr("/tmp"));
}

TEST_F(ConfigurationTest, MissingRequiredOptionNamesFlagAndVariable) {
  std::string broker;
  app.add_option("--broker", broker, "address")->required();
  EXPECT_THAT(refusal({}), ::testing::AllOf(HasSubstr("--broker"), HasSubstr("MILLRACE_BROKER")));
}

TEST_F(ConfigurationTest, RequiredOptionMayComeFromTheEnvironment) {
  std::string broker;
  app.add_option("--broker", broker, "address")->required();
  set_variable("MILLRACE_BROKER", "example.org");
  EXPECT_TRUE(parse({}).proceed) << errors;
  EXPECT_EQ(broker, "example.org");
}

TEST_F(ConfigurationTest, UnknownLogLevelIsRefused) {
  EXPECT_THAT(refusal({"--log-level", "loud"}), HasSubstr("loud"));
}

TEST_F(ConfigurationTest, HelpIsPrintedEvenIfTheFileIsBroken) {
  write_file("lease = = 5\n");
  const ParseResult result = parse({"--config", file_name(), "--help"});
  EXPECT_FALSE(result.proceed);
  EXPECT_EQ(result.exit_now, ExitCode::done);
  EXPECT_THAT(output, HasSubstr("--client-port"));
  EXPECT_TRUE(errors.empty());
}

TEST_F(ConfigurationTest, VersionIsPrinted) {
  const ParseResult result = parse({"--version"});
  EXPECT_FALSE(result.proceed);
  EXPECT_EQ(result.exit_now, ExitCode::done);
  EXPECT_THAT(output, StartsWith("millrace-test "));
}

TEST(HostPort, AcceptedForms) {
  const auto parsed = [](const std::string& text) {
    const Result<HostPort> result = parse_host_port(text, 5555);
    return result.ok() ? to_tcp_address(*result) : result.error().message;
  };
  EXPECT_EQ(parsed("broker"), "tcp://broker:5555");
  EXPECT_EQ(parsed("broker.example.org:80"), "tcp://broker.example.org:80");
  EXPECT_EQ(parsed("tcp://10.0.0.1:65535"), "tcp://10.0.0.1:65535");
  EXPECT_EQ(parsed("[::1]:9"), "tcp://[::1]:9");
  EXPECT_EQ(parsed("tcp://[fe80::1%eth0]"), "tcp://[fe80::1%eth0]:5555");
  EXPECT_EQ(parsed("*"), "tcp://*:5555");
}

TEST(HostPort, RefusedForms) {
  for (const char* text : {"",           ":",       ":80",       "host:",      "host:0",
                           "host:65536", "host:-1", "host:80x",  "host:8 0",   "::1",
                           "[::1",       "[::1]80", "[host]:80", "[]:80",      "udp://host:80",
                           "tcp://",     "ho st",   "host/x",    "host:80:90", "h\nost",
                           "**"}) {
    const Result<HostPort> result = parse_host_port(text, 5555);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().code, ErrorCode::misconfigured) << text;
    EXPECT_THAT(result.error().message, EndsWith("[IPV6]:PORT")) << text;
  }
}

TEST(HostPort, AnyBytesMakeOneReadableLine) {
  const Result<HostPort> result = parse_host_port("a\nb\x1b[1m\xff", 5555);
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, StartsWith("'a?b?[1m?' is not an address"));
}

}  // namespace
}  // namespace millrace::host

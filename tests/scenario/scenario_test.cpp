// Plays every scenario of scenarios/ and compares its trace with the recorded one. With --rewrite,
// or MILLRACE_REWRITE=1, writes what happened into the file instead, to be reviewed as a diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/scenario/interpreter.h"

namespace millrace::broker::test {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

class ScenarioTest : public testing::Test {
 public:
  ScenarioTest(std::filesystem::path path, bool rewrite)
      : path_(std::move(path)), rewrite_(rewrite) {}

  void TestBody() override {
    std::ifstream file(path_);
    ASSERT_TRUE(file) << "cannot read " << path_;
    std::ostringstream text;
    text << file.rdbuf();
    Script script = parse_script(text.str());
    ASSERT_FALSE(script.blocks.empty()) << path_ << " has no commands";
    Interpreter interpreter;
    for (Block& block : script.blocks) {
      std::vector<std::string> trace = interpreter.run(block);
      const std::string where = path_.filename().string() + ":" + std::to_string(block.line);
      for (const std::string& problem : interpreter.problems()) {
        ADD_FAILURE() << where << ": " << problem;
      }
      if (!rewrite_) {
        EXPECT_EQ(joined(block.trace), joined(trace)) << where;
      }
      block.trace = std::move(trace);
    }
    if (rewrite_) std::ofstream(path_) << to_text(script);
  }

 private:
  std::filesystem::path path_;
  bool rewrite_;
};

void register_scenarios(const std::filesystem::path& folder, bool rewrite) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  if (paths.empty()) {
    std::fprintf(stderr, "no scenarios in %s\n", folder.c_str());
    std::exit(1);
  }
  for (const auto& path : paths) {
    testing::RegisterTest(
        "Scenario", path.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
        [path, rewrite]() -> testing::Test* { return new ScenarioTest(path, rewrite); });
  }
}

}  // namespace
}  // namespace millrace::broker::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const char* wish = std::getenv("MILLRACE_REWRITE");
  bool rewrite = wish != nullptr && std::string(wish) == "1";
  for (int i = 1; i < argc; ++i) rewrite = rewrite || std::string(argv[i]) == "--rewrite";
  millrace::broker::test::register_scenarios(MILLRACE_SCENARIOS, rewrite);
  return RUN_ALL_TESTS();
}

// The allowlist: what is read, and that whatever is not understood is refused as a whole.
#include "broker/access/allowlist.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "broker/access/allowlist_file.h"
#include "tests/conformance/temporary_directory.h"

namespace millrace::broker::test {
namespace {

using ::testing::HasSubstr;

const std::string& key_a() {
  static const std::string key = keys::make_key_pair().public_key.text();
  return key;
}
const std::string& key_b() {
  static const std::string key = keys::make_key_pair().public_key.text();
  return key;
}
std::string entry(const std::string& name, const std::string& role, const std::string& key,
                  const std::string& more = "") {
  return "[" + name + "]\nrole = \"" + role + "\"\nkey = \"" + key + "\"\n" + more;
}

TEST(Allowlist, NamesRolesAndQueues) {
  const Result<Allowlist> list = parse_allowlist(
      "# who\n" + entry("mailer", "client", key_a(), "queues = [\"mail\", \"a.*\"]\n") +
          entry("boss", "admin", key_b()),
      "list");
  ASSERT_TRUE(list.ok()) << list.error().message;
  EXPECT_EQ(list->size(), 2U);
  const Grant* mailer = list->find(key_a());
  ASSERT_NE(mailer, nullptr);
  EXPECT_EQ(*mailer, (Grant{"mailer", Role::client, QueueScope({"mail", "a.*"})}));
  EXPECT_EQ(*list->find(key_b()), (Grant{"boss", Role::admin, {}}));
  EXPECT_EQ(list->find(keys::make_key_pair().public_key.text()), nullptr);
  EXPECT_EQ(list->find(""), nullptr);
}

TEST(Allowlist, WhatIsNotUnderstoodIsRefusedWithItsLine) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "has no keys"},
      {"# nothing but a comment\n", "has no keys"},
      {"[a\n", "list:1"},
      {"\x01garbage", "list:1"},
      {"role = \"client\"\n", "table of its own"},
      {"[a]\nrole = \"client\"\n", "list:1: [a] key is missing"},
      {"[a]\nkey = \"" + key_a() + "\"\n", "role is missing"},
      {entry("a", "door", key_a()), "list:2: [a] role must be"},
      {entry("a", "client", "short"), "list:3: [a] key must be"},
      {"[a]\nrole = 3\n", "role must be"},
      {entry("a", "client", key_a(), "queue = \"mail\"\n"), "list:4: [a] 'queue' is not known"},
      {entry("a", "client", key_a(), "queues = []\n"), "left out, it means all"},
      {entry("a", "client", key_a(), "queues = \"mail\"\n"), "must be a list"},
      {entry("a", "client", key_a(), "queues = [\"a*b\"]\n"), "a queue is its name"},
      {entry("a", "client", key_a(), "queues = [1]\n"), "a queue is its name"},
      {entry("a", "admin", key_a(), "queues = [\"mail\"]\n"), "an admin may use every queue"},
      {entry("a", "client", key_a()) + entry("b", "admin", key_a()), "under two names"},
      {entry("a", "client", key_a()) + entry("a", "admin", key_b()), "list:4"},
      {entry("\"a b\"", "client", key_a()), "a key's name is"},
  };
  for (const auto& [text, why] : wrong) {
    const Result<Allowlist> list = parse_allowlist(text, "list");
    ASSERT_FALSE(list.ok()) << text;
    EXPECT_THAT(list.error().message, HasSubstr(why)) << text;
    EXPECT_EQ(list.error().message.find('\n'), std::string::npos) << text;
    EXPECT_EQ(list.error().code, ErrorCode::misconfigured);
  }
}

class AllowlistFileTest : public ::testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream(path_) << text; }

  const millrace::testing::TemporaryDirectory folder_;
  const std::string path_ = folder_.path() + "/allowlist.toml";
};

TEST_F(AllowlistFileTest, AChangeIsReadOnceWhenItHasSettled) {
  write(entry("a", "client", key_a()));
  AllowlistFile file(path_);
  ASSERT_TRUE(file.read().ok());
  EXPECT_FALSE(file.read_if_changed().has_value());
  write(entry("a", "client", key_a()) + entry("b", "worker", key_b()));
  EXPECT_FALSE(file.read_if_changed().has_value()) << "it may still be written";
  const auto changed = file.read_if_changed();
  ASSERT_TRUE(changed.has_value() && changed->ok());
  EXPECT_EQ((*changed)->size(), 2U);
  EXPECT_FALSE(file.read_if_changed().has_value());
}

TEST_F(AllowlistFileTest, ItsEndAndItsReturnAreNoticed) {
  write(entry("a", "client", key_a()));
  AllowlistFile file(path_);
  ASSERT_TRUE(file.read().ok());
  std::filesystem::remove(path_);
  EXPECT_FALSE(file.read_if_changed().has_value());
  const auto gone = file.read_if_changed();
  ASSERT_TRUE(gone.has_value());
  EXPECT_FALSE(gone->ok());
  EXPECT_FALSE(file.read_if_changed().has_value()) << "said once";
  write(entry("a", "client", key_a()));
  EXPECT_FALSE(file.read_if_changed().has_value());
  const auto back = file.read_if_changed();
  ASSERT_TRUE(back.has_value());
  EXPECT_TRUE(back->ok());
}

TEST_F(AllowlistFileTest, OneThatOthersMayWriteIsRefusedWithTheFix) {
  write(entry("a", "client", key_a()));
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
  const Result<Allowlist> list = AllowlistFile(path_).read();
  ASSERT_FALSE(list.ok());
  EXPECT_THAT(list.error().message, HasSubstr("run: chmod go-w " + path_));
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  EXPECT_TRUE(AllowlistFile(path_).read().ok());
}

}  // namespace
}  // namespace millrace::broker::test

// Key files and sets: what is read back, what is refused, and that nothing is overwritten.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/keys/key_file.h"
#include "common/keys/key_set.h"
#include "common/keys/private_file.h"

namespace millrace::keys::test {
namespace {

using ::testing::HasSubstr;

class KeyFileTest : public testing::Test {
 protected:
  KeyFileTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "millrace-keys-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~KeyFileTest() override { std::filesystem::remove_all(folder_); }

  std::string in(const std::string& name) const { return folder_ + "/" + name; }
  std::string text(const std::string& name) const {
    std::ifstream file(in(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static mode_t mode(const std::string& path) {
    struct stat facts {};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 0777U;
  }

  std::string folder_;
};

TEST_F(KeyFileTest, AMadePairFitsAndAMixedOneDoesNot) {
  const KeyPair one = make_key_pair();
  const KeyPair other = make_key_pair();
  EXPECT_TRUE(one.fits());
  EXPECT_NE(one.public_key, other.public_key);
  EXPECT_FALSE((KeyPair{one.public_key, other.secret_key}.fits()));
}

TEST_F(KeyFileTest, OnlyFortyCharactersOfZ85AreAKey) {
  const std::string good = make_key_pair().public_key.text();
  EXPECT_TRUE(PublicKey::parse(good).has_value());
  for (const std::string& bad : {std::string(), good.substr(1), good + "0", "\"" + good.substr(1),
                                 std::string(40, '#'), std::string(40, '\0')}) {
    EXPECT_FALSE(PublicKey::parse(bad).has_value()) << bad;
  }
}

TEST_F(KeyFileTest, ASetIsMadeForItsOwnerAlone) {
  const std::string set = in("keys");
  ASSERT_TRUE(make_key_set(set).ok());
  EXPECT_EQ(mode(set), 0700U);
  for (const char* name :
       {"broker.key", "allowlist.toml", "client.key", "worker.key", "admin.key"}) {
    EXPECT_EQ(mode(set + "/" + name), 0600U) << name;
  }
  const Result<KeyPair> broker = read_broker_key(set + "/broker.key");
  const Result<PeerKey> worker = read_peer_key(set + "/worker.key");
  ASSERT_TRUE(broker.ok() && worker.ok());
  EXPECT_EQ(worker->broker, broker->public_key);
  EXPECT_EQ(worker->name, "worker");
  EXPECT_THAT(text("keys/allowlist.toml"), HasSubstr(worker->own.public_key.text()));
}

TEST_F(KeyFileTest, NothingIsOverwrittenAndNothingHalfMade) {
  ASSERT_TRUE(write_private_file(in("worker.key"), "precious").ok());
  const Status made = make_key_set(folder_);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message, HasSubstr("worker.key: is there already"));
  EXPECT_EQ(text("worker.key"), "precious");
  EXPECT_FALSE(std::filesystem::exists(in("broker.key")));
  EXPECT_FALSE(write_private_file(in("worker.key"), "new").ok());
  EXPECT_EQ(text("worker.key"), "precious");
}

// A crash while one was written leaves none, and is not in the way of the next attempt.
TEST_F(KeyFileTest, AFileIsThereWholeOrNotAtAll) {
  std::ofstream(in("worker.key.unfinished")) << "hal";
  ASSERT_TRUE(write_private_file(in("worker.key"), "whole").ok());
  EXPECT_EQ(text("worker.key"), "whole");
  EXPECT_EQ(mode(in("worker.key")), 0600U);
  EXPECT_FALSE(std::filesystem::exists(in("worker.key.unfinished")));
}

TEST_F(KeyFileTest, AKeyIsAddedOnceAndUnderItsRole) {
  ASSERT_TRUE(make_key_set(in("keys")).ok());
  ASSERT_TRUE(add_key(in("keys"), "mailer-2", "worker").ok());
  const Result<PeerKey> added = read_peer_key(in("keys/mailer-2.key"));
  ASSERT_TRUE(added.ok());
  EXPECT_THAT(text("keys/allowlist.toml"),
              HasSubstr("[mailer-2]\nrole = \"worker\"\nkey = \"" + added->own.public_key.text()));
  const std::string before = text("keys/allowlist.toml");
  EXPECT_FALSE(add_key(in("keys"), "mailer-2", "worker").ok());
  EXPECT_FALSE(add_key(in("keys"), "client", "client").ok());
  EXPECT_FALSE(add_key(in("keys"), "other", "door").ok());
  EXPECT_FALSE(add_key(in("keys"), "../other", "client").ok());
  EXPECT_FALSE(add_key(in("keys"), "broker", "client").ok());
  EXPECT_FALSE(add_key(in("nowhere"), "other", "client").ok());
  EXPECT_EQ(text("keys/allowlist.toml"), before);
}

TEST_F(KeyFileTest, AFileThatOthersMayReadIsRefusedWithTheFix) {
  ASSERT_TRUE(make_key_set(in("keys")).ok());
  for (const mode_t open_to : {0640U, 0604U, 0620U, 0777U}) {
    ASSERT_EQ(::chmod(in("keys/client.key").c_str(), open_to), 0);
    const Result<PeerKey> key = read_peer_key(in("keys/client.key"));
    ASSERT_FALSE(key.ok());
    EXPECT_THAT(key.error().message, HasSubstr("run: chmod 600 " + in("keys/client.key")));
    EXPECT_EQ(key.error().code, ErrorCode::misconfigured);
  }
}

TEST_F(KeyFileTest, WhatIsNoKeyFileIsRefusedInOneLineWithoutItsContents) {
  const KeyPair one = make_key_pair();
  const PeerKey mixed{"x", {one.public_key, make_key_pair().secret_key}, one.public_key};
  int number = 0;
  for (const std::string& contents :
       {std::string(), std::string("{"), std::string("[]"), std::string("{\"public\": 1}"),
        text_of_broker_key(one), text_of(mixed), std::string(100'000, ' ')}) {
    const std::string path = in(std::to_string(++number) + ".key");
    ASSERT_TRUE(write_private_file(path, contents).ok());
    const Result<PeerKey> key = read_peer_key(path);
    ASSERT_FALSE(key.ok()) << contents;
    EXPECT_EQ(key.error().message.find('\n'), std::string::npos);
    EXPECT_EQ(key.error().message.find(std::string(one.secret_key.text())), std::string::npos);
  }
  EXPECT_FALSE(read_peer_key(folder_).ok());
  EXPECT_FALSE(read_peer_key(in("none.key")).ok());
  EXPECT_TRUE(load_peer_key("").ok());
}

}  // namespace
}  // namespace millrace::keys::test

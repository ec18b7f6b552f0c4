// Who gets a message through to a guarded socket: with the real libzmq, also when its question is
// answered by nobody, too late, or by a keeper that has ended.
#include "broker/access/access_keeper.h"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include "tests/unit/access/key_fixture.h"

namespace millrace::broker::test {
namespace {

using ::testing::HasSubstr;

class KeeperTest : public KeyTest {
 protected:
  void bind(const std::shared_ptr<const keys::KeyPair>& broker_key) {
    wire::SocketOptions options;
    options.broker_key = broker_key;
    router_ = *wire::bind_router(context_, "tcp://127.0.0.1:*", options);
    address_ = "tcp://127.0.0.1:" + std::to_string(wire::port_of(router_));
  }
  zmq::socket_t knock(const std::shared_ptr<const keys::PeerKey>& key) {
    wire::SocketOptions options;
    options.key = key;
    options.linger = Duration();
    zmq::socket_t dealer = *wire::connect_dealer(context_, address_, options);
    dealer.disconnect(address_);
    dealer.set(zmq::sockopt::immediate, 0);  // so that the message waits for the handshake
    dealer.connect(address_);
    EXPECT_EQ(wire::send_frames(dealer, {SharedBytes::copy_of("hello")}), wire::SendStatus::sent);
    return dealer;
  }
  // What comes in within this time: its user id, or nothing.
  std::optional<std::string> heard(Duration within) {
    zmq::pollitem_t item{router_.handle(), 0, ZMQ_POLLIN, 0};
    wire::poll_items(&item, 1, within);
    wire::Frames frames;
    std::string user_id;
    if (wire::receive_frames(router_, frames, 4, &user_id) == wire::ReceiveStatus::nothing) {
      return std::nullopt;
    }
    return user_id;
  }
  static constexpr Duration kGenerous = Duration::seconds(30);
  // Longer than an admitted peer needs, by far.
  static constexpr Duration kLongEnough = Duration::milliseconds(300);

  zmq::socket_t router_;
  std::string address_;
};

TEST_F(KeeperTest, AKeyOfTheAllowlistIsLetInAndNamed) {
  const auto keeper = start_keeper();
  bind(keeper->broker_key());
  const zmq::socket_t dealer = knock(key("worker"));
  EXPECT_EQ(heard(kGenerous), key("worker")->own.public_key.text());
  const zmq::socket_t door = knock(keeper->door_key());
  EXPECT_EQ(heard(kGenerous), keeper->door_key()->own.public_key.text());
}

TEST_F(KeeperTest, StrangersAndPeersWithoutAKeyStayOut) {
  const auto keeper = start_keeper();
  bind(keeper->broker_key());
  const zmq::socket_t stranger_socket = knock(stranger());
  const zmq::socket_t plain = knock(nullptr);
  EXPECT_TRUE(eventually([&] { return keeper->connections_refused() >= 1; }));
  EXPECT_EQ(heard(kLongEnough), std::nullopt);
  EXPECT_THAT(log_text_.str(), HasSubstr("is not in the allowlist"));
}

TEST_F(KeeperTest, WithoutAnybodyToAskNobodyGetsIn) {
  bind(std::make_shared<const keys::KeyPair>(*keys::read_broker_key(folder_ + "/broker.key")));
  const zmq::socket_t good = knock(key("client"));
  const zmq::socket_t bad = knock(stranger());
  EXPECT_EQ(heard(kLongEnough), std::nullopt);
}

TEST_F(KeeperTest, WhenTheKeeperHasEndedNobodyGetsIn) {
  auto keeper = start_keeper();
  bind(keeper->broker_key());
  const zmq::socket_t before = knock(key("client"));
  EXPECT_TRUE(heard(kGenerous).has_value());
  keeper.reset();
  const zmq::socket_t good = knock(key("client"));
  const zmq::socket_t bad = knock(stranger());
  EXPECT_EQ(heard(kLongEnough), std::nullopt);
}

TEST_F(KeeperTest, WhileTheQuestionIsNotAnsweredNobodyGetsIn) {
  zmq::socket_t silent(context_, zmq::socket_type::rep);
  silent.set(zmq::sockopt::linger, 0);
  silent.bind(wire::kZapEndpoint);
  bind(std::make_shared<const keys::KeyPair>(*keys::read_broker_key(folder_ + "/broker.key")));
  const zmq::socket_t good = knock(key("client"));
  EXPECT_EQ(heard(kLongEnough), std::nullopt);
  EXPECT_FALSE(AccessKeeper::start(context_, folder_, log_).ok()) << "its place is taken";
}

TEST_F(KeeperTest, AChangedAllowlistHoldsForTheNextConnection) {
  const auto keeper = start_keeper();
  bind(keeper->broker_key());
  const std::uint64_t version = keeper->version();
  write_allowlist(allowlist_without("client"));
  ASSERT_TRUE(eventually([&] { return keeper->version() > version; }));
  const zmq::socket_t revoked = knock(key("client"));
  const zmq::socket_t still_good = knock(key("admin"));
  EXPECT_EQ(heard(kGenerous), key("admin")->own.public_key.text());
  EXPECT_EQ(heard(kLongEnough), std::nullopt);
}

TEST_F(KeeperTest, ABrokenOrMissingAllowlistLeavesTheOneBeforeInForce) {
  const auto keeper = start_keeper();
  const std::uint64_t version = keeper->version();
  const std::string good = allowlist_text();
  const std::string worker = key("worker")->own.public_key.text();
  const auto errors = [&] {
    const std::string text = log_text_.str();
    std::size_t count = 0;
    for (std::size_t at = text.find("stays in force"); at != std::string::npos;
         at = text.find("stays in force", at + 1)) {
      ++count;
    }
    return count;
  };
  write_allowlist("[garbage");
  EXPECT_TRUE(eventually([&] { return errors() == 1; }));
  write_allowlist("");
  EXPECT_TRUE(eventually([&] { return errors() == 2; }));
  std::filesystem::remove(folder_ + "/allowlist.toml");
  EXPECT_TRUE(eventually([&] { return errors() == 3; }));
  EXPECT_EQ(keeper->version(), version);
  EXPECT_NE(keeper->allowlist()->find(worker), nullptr);
  write_allowlist(good);
  EXPECT_TRUE(eventually([&] { return keeper->version() > version; }));
}

TEST_F(KeeperTest, WhatItCannotStartWithIsRefused) {
  const std::string path = folder_ + "/allowlist.toml";
  const std::string good = allowlist_text();
  write_allowlist("");
  EXPECT_FALSE(AccessKeeper::start(context_, folder_, log_).ok());
  std::filesystem::remove(path);
  EXPECT_FALSE(AccessKeeper::start(context_, folder_, log_).ok());
  write_allowlist(good);
  ASSERT_EQ(::chmod((folder_ + "/broker.key").c_str(), 0644), 0);
  const auto readable = AccessKeeper::start(context_, folder_, log_);
  ASSERT_FALSE(readable.ok());
  EXPECT_THAT(readable.error().message, HasSubstr("chmod 600"));
  EXPECT_FALSE(AccessKeeper::start(context_, "/nonexistent", log_).ok());
  EXPECT_EQ(*AccessKeeper::start(context_, "", log_), nullptr) << "no keys";
}

TEST_F(KeeperTest, NoSecretIsEverLogged) {
  const auto keeper = start_keeper();
  bind(keeper->broker_key());
  const auto wrong = stranger();
  const zmq::socket_t dealer = knock(wrong);
  EXPECT_TRUE(eventually([&] { return keeper->connections_refused() >= 1; }));
  for (const std::string_view secret :
       {keeper->broker_key()->secret_key.text(), keeper->door_key()->own.secret_key.text(),
        wrong->own.secret_key.text()}) {
    EXPECT_EQ(log_text_.str().find(secret), std::string::npos);
  }
}

}  // namespace
}  // namespace millrace::broker::test

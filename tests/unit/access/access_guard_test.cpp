// Whose a message is, by key and never by what a peer says of itself; and what a new allowlist
// ends.
#include "broker/access/access_guard.h"

#include "tests/unit/access/key_fixture.h"

namespace millrace::broker::test {
namespace {

const std::string kDrawnId("\0abcd", 5);

class GuardTest : public KeyTest {
 protected:
  GuardTest() : keeper_(start_keeper()), guard_(keeper_.get()) {}

  std::string public_key(const std::string& name) const { return key(name)->own.public_key.text(); }
  std::vector<KeyNumber> after(const std::string& allowlist) {
    const std::uint64_t version = keeper_->version();
    write_allowlist(allowlist);
    EXPECT_TRUE(eventually([&] { return keeper_->version() > version; }));
    return guard_.refresh();
  }

  std::unique_ptr<AccessKeeper> keeper_;
  AccessGuard guard_;
};

TEST(AccessGuard, WithoutKeysEverythingPasses) {
  AccessGuard guard(nullptr);
  EXPECT_FALSE(guard.uses_keys());
  const std::optional<Caller> caller = guard.caller("", "any id");
  ASSERT_TRUE(caller.has_value());
  EXPECT_TRUE(caller->key.is_none());
  ClientMessage message = ControlQueue();
  EXPECT_FALSE(guard.judge(*caller, message).has_value());
  EXPECT_TRUE(guard.beating_caller("").has_value());
  EXPECT_TRUE(guard.refresh().empty());
}

TEST_F(GuardTest, EveryKeyHasANumberOfItsOwnAndItsGrant) {
  const std::optional<Caller> client = guard_.caller(public_key("client"), kDrawnId);
  const std::optional<Caller> worker = guard_.caller(public_key("worker"), kDrawnId);
  ASSERT_TRUE(client.has_value() && worker.has_value());
  EXPECT_NE(client->key, worker->key);
  EXPECT_FALSE(client->key.is_none());
  EXPECT_EQ(worker->grant->role, Role::worker);
  EXPECT_EQ(client->scope(), nullptr);
  EXPECT_EQ(guard_.caller(public_key("client"), kDrawnId)->key, client->key);
}

TEST_F(GuardTest, WhoIsNotInTheListIsNobody) {
  EXPECT_FALSE(guard_.caller(stranger()->own.public_key.text(), kDrawnId).has_value());
  EXPECT_FALSE(guard_.caller("http", kDrawnId).has_value()) << "a name is no key";
}

TEST_F(GuardTest, ARoutingIdOfAPeersChoiceIsNotServed) {
  EXPECT_FALSE(guard_.caller(public_key("client"), "mine").has_value());
  EXPECT_FALSE(guard_.caller(public_key("client"), std::string_view("\0abc", 4)).has_value());
  EXPECT_FALSE(guard_.caller(public_key("client"), "").has_value());
  EXPECT_FALSE(guard_.caller(public_key("client"), keeper_->door_pass() + "1").has_value());
}

TEST_F(GuardTest, WithoutAKeyOnlyTheDoorsConnectionsPass) {
  EXPECT_FALSE(guard_.caller("", kDrawnId).has_value());
  EXPECT_FALSE(guard_.caller("", keeper_->door_pass().substr(1)).has_value());
  const std::optional<Caller> door = guard_.caller("", keeper_->door_pass() + "1");
  ASSERT_TRUE(door.has_value());
  EXPECT_EQ(door->grant->role, Role::door);
}

TEST_F(GuardTest, OnlyWorkersBeat) {
  EXPECT_TRUE(guard_.beating_caller(public_key("worker")).has_value());
  EXPECT_FALSE(guard_.beating_caller(public_key("client")).has_value());
  EXPECT_FALSE(guard_.beating_caller(public_key("admin")).has_value());
  EXPECT_FALSE(guard_.beating_caller(stranger()->own.public_key.text()).has_value());
}

TEST_F(GuardTest, ARevokedKeyIsNobodyAndItsConnectionsAreNamed) {
  const KeyNumber worker = guard_.caller(public_key("worker"), kDrawnId)->key;
  const KeyNumber client = guard_.caller(public_key("client"), kDrawnId)->key;
  EXPECT_EQ(after(allowlist_without("worker")), std::vector{worker});
  EXPECT_FALSE(guard_.caller(public_key("worker"), kDrawnId).has_value());
  EXPECT_EQ(guard_.caller(public_key("client"), kDrawnId)->key, client);
  EXPECT_TRUE(guard_.refresh().empty()) << "told once";
}

TEST_F(GuardTest, AKeyThatMayDoSomethingElseBeginsAnew) {
  const KeyNumber client = guard_.caller(public_key("client"), kDrawnId)->key;
  std::string text = allowlist_text();
  text.replace(text.find("role = \"client\""), 15, "role = \"client\"\nqueues = [\"mail\"]");
  EXPECT_EQ(after(text), std::vector{client});
  const std::optional<Caller> narrowed = guard_.caller(public_key("client"), kDrawnId);
  ASSERT_TRUE(narrowed.has_value());
  EXPECT_EQ(narrowed->key, client);
  ASSERT_NE(narrowed->scope(), nullptr);
  EXPECT_FALSE(narrowed->scope()->includes("pay"));
}

TEST_F(GuardTest, AnotherNameForTheSameKeyChangesNothing) {
  static_cast<void>(guard_.caller(public_key("client"), kDrawnId));
  std::string text = allowlist_text();
  text.replace(text.find("[client]"), 8, "[mailer]");
  EXPECT_TRUE(after(text).empty());
}

TEST_F(GuardTest, SubmitsAreJudgedItemByItem) {
  std::string text = allowlist_text();
  text.replace(text.find("role = \"client\""), 15, "role = \"client\"\nqueues = [\"mail\"]");
  static_cast<void>(after(text));
  const Caller caller = *guard_.caller(public_key("client"), kDrawnId);
  Submit submit;
  submit.tasks.resize(2);
  submit.tasks[0].spec.queue = "mail";
  submit.tasks[1].spec.queue = "pay";
  ClientMessage message = submit;
  EXPECT_FALSE(guard_.judge(caller, message).has_value());
  const auto& judged = std::get<Submit>(message);
  EXPECT_FALSE(judged.tasks[0].problem.has_value());
  EXPECT_TRUE(judged.tasks[1].problem.has_value());
}

}  // namespace
}  // namespace millrace::broker::test

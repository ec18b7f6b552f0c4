// The matrix: every role against every kind of message. A kind that is added to the protocol gets
// its row here, or this does not compile.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "broker/access/permissions.h"

namespace millrace::broker::test {
namespace {

constexpr std::array kRoles = {Role::client, Role::worker, Role::admin, Role::door};
// Whether client, worker, admin and door may.
using Row = std::array<bool, kRoles.size()>;
constexpr Row kClients = {true, false, true, true};
constexpr Row kAdmins = {false, false, true, true};
constexpr Row kWorkers = {false, true, false, true};

// What is expected, by kind; written down apart from the decision on purpose.
struct Expected {
  Row operator()(const ClientHello&) const { return kClients; }
  Row operator()(const Submit&) const { return kClients; }
  Row operator()(const Watch&) const { return kClients; }
  Row operator()(const Cancel&) const { return kClients; }
  Row operator()(const GetTasks&) const { return kClients; }
  Row operator()(const ListTasks&) const { return kClients; }
  Row operator()(const RequeueDead&) const { return kAdmins; }
  Row operator()(const PurgeDead&) const { return kAdmins; }
  Row operator()(const ControlQueue&) const { return kAdmins; }
  Row operator()(const DrainWorker&) const { return kAdmins; }
  Row operator()(const GetStatus&) const { return kClients; }
  Row operator()(const Ping&) const { return kClients; }
  Row operator()(const ClientGoodbye&) const { return kClients; }
  Row operator()(const Explain&) const { return kClients; }
  Row operator()(const ChangeTasks&) const { return kAdmins; }
  Row operator()(const WorkerHello&) const { return kWorkers; }
  Row operator()(const Complete&) const { return kWorkers; }
  Row operator()(const Extend&) const { return kWorkers; }
  Row operator()(const WorkerGoodbye&) const { return kWorkers; }
};

// One message of every kind of the variant.
template <class Message, std::size_t... kinds>
std::vector<Message> one_of_each(std::index_sequence<kinds...>) {
  return {Message(std::in_place_index<kinds>)...};
}
template <class Message>
std::vector<Message> one_of_each() {
  return one_of_each<Message>(std::make_index_sequence<std::variant_size_v<Message>>());
}

template <class Message>
void check_every_cell() {
  for (const Message& message : one_of_each<Message>()) {
    const Row expected = std::visit(Expected(), message);
    for (std::size_t i = 0; i < kRoles.size(); ++i) {
      const Grant grant{"somebody", kRoles[i], {}};
      const std::optional<Error> refused = refusal(grant, message);
      EXPECT_EQ(!refused.has_value(), expected[i])
          << name_of(kRoles[i]) << ", message kind " << message.index();
      if (!refused.has_value()) continue;
      EXPECT_EQ(refused->code, ErrorCode::forbidden);
      EXPECT_NE(refused->message.find("'somebody'"), std::string::npos) << refused->message;
      EXPECT_EQ(refused->message.find('\n'), std::string::npos);
    }
  }
}

TEST(Permissions, EveryRoleAgainstEveryClientMessage) {
  check_every_cell<ClientMessage>();
}

TEST(Permissions, EveryRoleAgainstEveryWorkerMessage) {
  check_every_cell<WorkerMessage>();
}

TEST(Permissions, OnlyWorkersBeat) {
  EXPECT_TRUE(may_beat({"w", Role::worker, {}}));
  EXPECT_TRUE(may_beat({"http", Role::door, {}}));
  EXPECT_FALSE(may_beat({"c", Role::client, {}}));
  EXPECT_FALSE(may_beat({"a", Role::admin, {}}));
}

TEST(Permissions, AWorkerServesTheQueuesOfItsKeyAndNoOther) {
  const Grant grant{"w", Role::worker, QueueScope({"mail", "sms.*"})};
  WorkerHello hello;
  hello.queues = {"mail", "sms.de", "sms."};
  EXPECT_FALSE(refusal(grant, hello).has_value());
  hello.queues.push_back("pay");
  const std::optional<Error> refused = refusal(grant, hello);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, ErrorCode::forbidden);
  EXPECT_NE(refused->message.find("'pay'"), std::string::npos);
}

TEST(Permissions, ItemsOfOtherQueuesGetAProblemAndTheRestDoesNot) {
  Submit submit;
  for (const char* queue : {"mail", "pay", "mailing", "pay"}) {
    submit.tasks.emplace_back();
    submit.tasks.back().spec.queue = queue;
  }
  submit.tasks[3].problem = Error{ErrorCode::too_large, "its own"};
  mark_items_out_of_scope({"c", Role::client, QueueScope({"mail"})}, submit);
  EXPECT_FALSE(submit.tasks[0].problem.has_value());
  EXPECT_EQ(submit.tasks[1].problem->code, ErrorCode::forbidden);
  EXPECT_TRUE(submit.tasks[2].problem.has_value());
  EXPECT_EQ(submit.tasks[3].problem->message, "its own");
}

TEST(QueueScope, MatchesWholeNamesAndBeginnings) {
  EXPECT_TRUE(QueueScope().includes("anything"));
  const QueueScope scope({"mail", "sms.*"});
  EXPECT_TRUE(scope.includes("mail"));
  EXPECT_FALSE(scope.includes("mail2"));
  EXPECT_FALSE(scope.includes("mai"));
  EXPECT_TRUE(scope.includes("sms.x"));
  EXPECT_FALSE(scope.includes("sms"));
  EXPECT_FALSE(scope.includes("sms.*x") && scope.includes("xsms."));
  EXPECT_TRUE(QueueScope({"*"}).includes("anything"));
  EXPECT_FALSE(QueueScope(std::vector<std::string>()).includes("anything"));
}

}  // namespace
}  // namespace millrace::broker::test

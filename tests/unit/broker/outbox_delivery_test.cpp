// What leaves when, what the store fills in, and what comes back when nobody takes it.
#include "broker/outbox.h"

#include "broker/store/memory_store.h"
#include "tests/unit/broker/shell_fixture.h"

namespace millrace::broker::test {
namespace {

constexpr TaskSequence kTask(7);

class OutboxDelivery : public ShellTest {
 protected:
  OutboxDelivery() : status_("test", Time()), outbox_(sockets_, peers_, store_, status_, config_) {}

  // A client that the broker's side has heard.
  std::pair<PeerId, zmq::socket_t> greeted_client() {
    zmq::socket_t client = connect_client();
    // Until the connection stands, the socket takes nothing.
    zmq::pollitem_t item{client.handle(), 0, ZMQ_POLLOUT, 0};
    EXPECT_EQ(wire::poll_items(&item, 1, kPatience), 1);
    say(client, Ping{RequestId(1)});
    const wire::Frames frames = receive(sockets_.clients);
    return {peers_.intern(PeerKind::client, frames.at(0).text()), std::move(client)};
  }
  PeerId nobody(PeerKind kind) { return peers_.intern(kind, "nobody has this routing id"); }

  std::vector<Event> release(Send send, BatchNumber batch = BatchNumber(1)) {
    Effects effects;
    effects.sends.push_back(std::move(send));
    outbox_.hold(batch, effects, ByteCount());
    std::vector<Event> undelivered;
    outbox_.release(batch, undelivered);
    return undelivered;
  }
  static DispatchToWorker dispatch_to(PeerId peer) {
    DispatchToWorker dispatch{peer, {}};
    DispatchToWorker::Item item;
    item.sequence = kTask;
    item.task.fence = Fence(3);
    dispatch.items.push_back(item);
    return dispatch;
  }
  void store(Write write) {
    store_.submit({std::move(write)});
    store_.commit_all();
  }

  PeerDirectory peers_{config_.unsent};
  MemoryStore store_;
  StatusBoard status_;
  Outbox outbox_;
};

TEST_F(OutboxDelivery, NothingLeavesBeforeItsBatchIsDurable) {
  auto [peer, client] = greeted_client();
  for (const std::uint64_t batch : {1U, 2U, 3U}) {
    Effects effects;
    effects.sends.push_back(ToClient{peer, Pong{RequestId(batch), Epoch(1)}});
    outbox_.hold(BatchNumber(batch), effects, ByteCount(10));
  }
  std::vector<Event> undelivered;
  outbox_.release(BatchNumber(), undelivered);
  EXPECT_EQ(outbox_.held_write_bytes(), ByteCount(30));
  outbox_.release(BatchNumber(2), undelivered);
  EXPECT_EQ(outbox_.held_write_bytes(), ByteCount(10));
  EXPECT_EQ(next_reply<Pong>(client).request, RequestId(1));
  EXPECT_EQ(next_reply<Pong>(client).request, RequestId(2));
  EXPECT_FALSE(outbox_.empty());
  outbox_.release(BatchNumber(3), undelivered);
  EXPECT_EQ(next_reply<Pong>(client).request, RequestId(3));
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(OutboxDelivery, ADispatchThatNobodyTakesComesBackWithItsLeases) {
  store(PutSpec{kTask, SharedBytes::copy_of("a spec")});
  const PeerId peer = nobody(PeerKind::worker);
  const std::vector<Event> events = release(dispatch_to(peer));
  ASSERT_EQ(events.size(), 1U);
  const auto* event = std::get_if<DispatchUndeliverable>(&events[0]);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->peer, peer);
  ASSERT_EQ(event->leases.size(), 1U);
  EXPECT_EQ(event->leases[0].fence, Fence(3));
  EXPECT_EQ(outbox_.sends_dropped(), 1U);
}

TEST_F(OutboxDelivery, AnyMessageThatNobodyTakesIsCounted) {
  const std::vector<Event> of_worker = release(ToWorker{nobody(PeerKind::worker), Drain{}});
  ASSERT_EQ(of_worker.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<WorkerUnreachable>(of_worker[0]));
  EXPECT_EQ(outbox_.sends_dropped(), 1U);
  EXPECT_TRUE(release(ToClient{nobody(PeerKind::client), Pong{}}).empty());
  EXPECT_EQ(outbox_.sends_dropped(), 2U);
  EXPECT_TRUE(release(ToClient{PeerId(999), Pong{}}).empty());
  EXPECT_EQ(outbox_.sends_dropped(), 3U);
}

TEST_F(OutboxDelivery, APayloadThatCannotBeReadIsNotSent) {
  const std::vector<Event> events = release(dispatch_to(nobody(PeerKind::worker)));
  ASSERT_EQ(events.size(), 1U);
  const auto* event = std::get_if<SpecUnreadable>(&events[0]);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->fence, Fence(3));
  EXPECT_EQ(outbox_.sends_dropped(), 0U);
}

TEST_F(OutboxDelivery, AnEndIsToldWithItsStoredResult) {
  auto [peer, client] = greeted_client();
  store(PutResult{kTask, SharedBytes::copy_of("the result")});
  FinishedToClient finished{peer, {}};
  FinishedToClient::Item item;
  item.sequence = kTask;
  item.read_result = true;
  finished.items.push_back(item);
  EXPECT_TRUE(release(finished).empty());
  const Finished told = next_reply<Finished>(client);
  ASSERT_EQ(told.tasks.size(), 1U);
  EXPECT_EQ(told.tasks[0].result, SharedBytes::copy_of("the result"));
}

TEST_F(OutboxDelivery, AnEndIsToldWithItsLastError) {
  auto [peer, client] = greeted_client();
  AttemptRecord attempt;
  attempt.attempt = 2;
  attempt.error = "the last error";
  store(PutAttempt{kTask, 2, attempt});
  FinishedToClient finished{peer, {}};
  FinishedToClient::Item item;
  item.sequence = kTask;
  item.task.state = TaskState::dead;
  item.read_error = true;
  item.attempt_records = 2;
  finished.items.push_back(item);
  EXPECT_TRUE(release(finished).empty());
  const Finished told = next_reply<Finished>(client);
  ASSERT_EQ(told.tasks.size(), 1U);
  EXPECT_EQ(told.tasks[0].error, "the last error");
}

}  // namespace
}  // namespace millrace::broker::test

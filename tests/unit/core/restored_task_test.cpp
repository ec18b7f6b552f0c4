// Records that this core would not write, as a store may hold them after a repair: it goes on from
// what they say and asks the store for nothing that they do not name.
#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

#include "broker/core/broker_core.h"
#include "tests/unit/core/fixtures.h"

namespace millrace::broker::test {
namespace {

const PeerId kClient(1);

class RestoredTaskTest : public testing::Test {
 protected:
  RestoredTaskTest() : core_(CoreSettings(), Random(1)) {
    core_.restore_queue(QueueNumber(1), "mail", false);
  }

  void restore(TaskState state) {
    TaskRecord record;
    record.sequence = TaskSequence(1);
    record.id = id_of(1, 1);
    record.queue = QueueNumber(1);
    record.state = state;
    record.max_attempts = 3;
    record.accepted = now_;
    record.retention = Duration::hours(1);
    Totals totals;
    totals.accepted = 1;
    totals.last_sequence = 1;
    core_.restore_totals(totals);
    core_.restore_task(record, now_);
  }
  void tell(ClientMessage message) {
    core_.step(FromClient{kClient, std::move(message)}, now_, effects_);
    core_.tick(now_, effects_);
    const auto broken = Invariants::check(core_);
    EXPECT_FALSE(broken.has_value()) << *broken;
  }
  std::uint64_t count(TaskState state) const {
    return core_.status(now_).tasks_by_state[index_of(state)];
  }
  template <class Kind>
  bool writes() const {
    return std::any_of(effects_.writes.begin(), effects_.writes.end(),
                       [](const Write& write) { return std::holds_alternative<Kind>(write); });
  }

  BrokerCore core_;
  Time now_ = at_seconds(0);
  Effects effects_;
};

TEST_F(RestoredTaskTest, APayloadThatIsNotThereIsNotErased) {
  restore(TaskState::pending);
  tell(Cancel{RequestId(), {id_of(1, 1)}});
  EXPECT_EQ(count(TaskState::cancelled), 1U);
  EXPECT_FALSE(writes<EraseSpec>());
}

TEST_F(RestoredTaskTest, AttemptsThatAreNotThereAreNotErased) {
  restore(TaskState::dead);
  tell(RequeueDead{RequestId(), {id_of(1, 1)}, ""});
  EXPECT_EQ(count(TaskState::pending), 1U);
  EXPECT_FALSE(writes<EraseAttempts>());
}

}  // namespace
}  // namespace millrace::broker::test

// fsck names every kind of damage, and goes on behind it.
#include "broker/store/store_check.h"

#include <gmock/gmock.h>

#include "tests/unit/store/forged_store.h"

namespace millrace::testing {
namespace {

using broker::EntryNumber;
using broker::Key;
using broker::RecordKind;
using broker::TableId;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StoreCheckTest : public ForgedStore {
 protected:
  StoreCheckTest() { open(); }  // an empty directory of epoch 1

  std::vector<std::string> problems() {
    std::vector<std::string> lines;
    const auto reader = broker::StoreReader::open(settings_.directory);
    EXPECT_TRUE(reader.ok()) << reader.error().message;
    const auto summary =
        broker::check_store(**reader, [&lines](const std::string& line) { lines.push_back(line); });
    EXPECT_TRUE(summary.ok()) << summary.error().message;
    EXPECT_EQ(summary->problems, lines.size());
    return lines;
  }
  // One task that `task` may change, and what `beside` adds.
  std::vector<std::string> problems_of(const std::function<void(broker::TaskRecord&)>& change,
                                       const Write& beside) {
    forge([&](Forge& forge) {
      forge.value(TableId::queues, Key::of_queue(broker::QueueNumber(1)), std::string("\0mail", 5));
      broker::TaskRecord task = plain_task(1);
      change(task);
      forge.task(task);
      forge.totals(1, 1);
      beside(forge);
    });
    return problems();
  }
  static void unchanged(broker::TaskRecord&) {}
  static void nothing(Forge&) {}
  static void spec_stored(broker::TaskRecord& task) { task.spec_stored = true; }
};

TEST_F(StoreCheckTest, SoundDirectoryHasNoProblem) {
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_THAT(problems_of(spec_stored,
                          [](Forge& forge) {
                            forge.record(RecordKind::spec, 1, bytes_of_text("payload"));
                          }),
              IsEmpty());
}

TEST_F(StoreCheckTest, ResultOfTheRightSizeIsNoProblem) {
  const auto change = [](broker::TaskRecord& task) { task.result_bytes = ByteCount(3); };
  const auto beside = [](Forge& forge) {
    forge.record(RecordKind::result, 1, bytes_of_text("abc"));
  };
  EXPECT_THAT(problems_of(change, beside), IsEmpty());
}

// ---- tasks and what belongs to them -------------------------------------------------------------

TEST_F(StoreCheckTest, QueueOfATaskIsUnknown) {
  const auto change = [](broker::TaskRecord& task) { task.queue = broker::QueueNumber(7); };
  EXPECT_THAT(problems_of(change, nothing), ElementsAre(HasSubstr("its queue 7 is unknown")));
}

TEST_F(StoreCheckTest, SpecIsMissing) {
  EXPECT_THAT(problems_of(spec_stored, nothing), ElementsAre(HasSubstr("specs/1 is missing")));
}

TEST_F(StoreCheckTest, SpecIsThereThatTheTaskDoesNotKnow) {
  const auto beside = [](Forge& forge) { forge.record(RecordKind::spec, 1, bytes_of_text("x")); };
  EXPECT_THAT(problems_of(unchanged, beside),
              ElementsAre(HasSubstr("specs/1 is there, but its record knows of none")));
}

TEST_F(StoreCheckTest, SpecIsDamaged) {
  const auto beside = [](Forge& forge) { forge.damaged_record(RecordKind::spec, 1, "x"); };
  EXPECT_THAT(problems_of(spec_stored, beside),
              ElementsAre(HasSubstr("specs/1 does not match its checksum")));
}

TEST_F(StoreCheckTest, LargeSpecIsNotInItsTable) {
  const auto beside = [](Forge& forge) { forge.record(RecordKind::spec_apart, 1, {}); };
  EXPECT_THAT(problems_of(spec_stored, beside),
              ElementsAre(HasSubstr("nothing is stored as specs/1")));
}

TEST_F(StoreCheckTest, ResultHasAnotherSizeThanItsTaskKnows) {
  const auto change = [](broker::TaskRecord& task) { task.result_bytes = ByteCount(5); };
  const auto beside = [](Forge& forge) {
    forge.record(RecordKind::result, 1, bytes_of_text("abc"));
  };
  EXPECT_THAT(problems_of(change, beside), ElementsAre(HasSubstr("has 3 of 5 bytes")));
}

TEST_F(StoreCheckTest, AttemptIsMissing) {
  const auto change = [](broker::TaskRecord& task) { task.attempt_records = 2; };
  const auto beside = [](Forge& forge) {
    forge.value(TableId::attempts, Key::of_attempt(TaskSequence(1), 1), "no attempt record");
  };
  EXPECT_THAT(problems_of(change, beside),
              ElementsAre(HasSubstr("attempts/1/1 is not an attempt record"),
                          HasSubstr("nothing is stored as attempts/1/2")));
}

TEST_F(StoreCheckTest, WhatBelongsToNoTaskIsNamed) {
  const auto beside = [](Forge& forge) {
    forge.record(RecordKind::spec, 9, bytes_of_text("x"));
    forge.value(TableId::specs, Key::of_task(TaskSequence(8)), "large");
    forge.value(TableId::results, Key::of_task(TaskSequence(7)), "large");
    forge.value(TableId::attempts, Key::of_attempt(TaskSequence(6), 1), "attempt");
  };
  EXPECT_THAT(
      problems_of(unchanged, beside),
      ElementsAre(HasSubstr("specs/9 belongs to no task"), HasSubstr("specs/8 belongs to no task"),
                  HasSubstr("results/7 belongs to no task"),
                  HasSubstr("attempts/6/1 belongs to no task")));
}

TEST_F(StoreCheckTest, LargeValueOfATaskWhoseSpecLiesInTheLogIsNamed) {
  const auto beside = [](Forge& forge) {
    forge.record(RecordKind::spec, 1, bytes_of_text("small"));
    forge.value(TableId::specs, Key::of_task(TaskSequence(1)), "large");
  };
  EXPECT_THAT(problems_of(spec_stored, beside),
              ElementsAre(HasSubstr("specs/1 belongs to no task")));
}

TEST_F(StoreCheckTest, DamagedValueInATableIsNamed) {
  const auto beside = [](Forge& forge) {
    forge.record(RecordKind::spec_apart, 1, {});
    forge.raw(TableId::specs, Key::of_task(TaskSequence(1)).view(), bytes_of_text("0123456789"));
  };
  EXPECT_THAT(problems_of(spec_stored, beside),
              ElementsAre(HasSubstr("checksum"), HasSubstr("checksum")));
}

TEST_F(StoreCheckTest, RecordThatIsNoTaskIsNamed) {
  const auto beside = [](Forge& forge) { forge.record(RecordKind::task, 1, bytes_of_text("x")); };
  EXPECT_THAT(problems_of(unchanged, beside),
              ElementsAre(HasSubstr("tasks/1 is not a task record")));
}

TEST_F(StoreCheckTest, ValueThatIsNoQueueIsNamed) {
  const auto beside = [](Forge& forge) {
    forge.value(TableId::queues, Key::of_queue(broker::QueueNumber(2)), "\x02mail");
  };
  EXPECT_THAT(problems_of(unchanged, beside), ElementsAre(HasSubstr("queues/2 is not a queue")));
}

// ---- the books ----------------------------------------------------------------------------------

TEST_F(StoreCheckTest, BooksThatDoNotBalance) {
  const auto beside = [](Forge& forge) { forge.totals(5, 0); };
  EXPECT_THAT(problems_of(unchanged, beside),
              ElementsAre(HasSubstr("the books do not balance: 5 tasks were accepted"),
                          HasSubstr("sequences up to 0, but there is 1")));
}

TEST_F(StoreCheckTest, DamagedBooks) {
  const auto beside = [](Forge& forge) { forge.damaged_record(RecordKind::totals, 0, "books"); };
  EXPECT_THAT(problems_of(unchanged, beside), ElementsAre(HasSubstr("totals")));
}

TEST_F(StoreCheckTest, DamageThatDoesNotCountAnyMoreIsTold) {
  forge([](Forge& forge) {
    forge.damaged_record(RecordKind::totals, 0, "older books");
    forge.totals(0, 0);
  });
  // Of one entry, both are books that count; in the next they are not.
  forge([](Forge& forge) { forge.totals(0, 0); }, 2);
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("does not count any more")));
}

// ---- the log ------------------------------------------------------------------------------------

TEST_F(StoreCheckTest, MissingEntriesAreNamedAndWhatTheySaidIsNotMissed) {
  forge([](Forge& forge) { forge.totals(0, 0); });
  forge(
      [](Forge& forge) {
        forge.totals(0, 0);
        forge.value(TableId::specs, Key::of_task(TaskSequence(1)), "its task may be in entry 2");
      },
      4);
  EXPECT_THAT(problems(), ElementsAre("log entry 2 is missing", "log entry 3 is missing"));
}

TEST_F(StoreCheckTest, UnreadableEntryIsNamed) {
  forge([](Forge& forge) { forge.totals(0, 0); });
  forge([](Forge& forge) {
    forge.raw(TableId::log, Key::of_entry(EntryNumber(2)).view(), bytes_of_text("no entry"));
  });
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("log entry 2 is cut short")));
}

TEST_F(StoreCheckTest, KeyThatIsNoNumberIsNamed) {
  forge([](Forge& forge) { forge.totals(0, 0); });
  forge(
      [](Forge& forge) { forge.raw(TableId::log, bytes_of_text("key"), bytes_of_text("value")); });
  EXPECT_THAT(problems(), ElementsAre("the log has a key that is no entry's number"));
}

TEST_F(StoreCheckTest, BatchesAndEpochsDoNotFall) {
  const auto totals = [](Forge& forge) { forge.totals(0, 0); };
  forge(totals, 1, 5, 1);
  forge(totals, 2, 4, 0);
  EXPECT_THAT(problems(), ElementsAre("log entry 2 has an older batch than the one before it",
                                      "log entry 2 has an older epoch than the one before it"));
  forge(totals, 3, 5, 9);
  EXPECT_THAT(problems(), ::testing::Contains("log entry 3 is of an epoch that has not begun"));
}

TEST_F(StoreCheckTest, MissingPartsOfTheDirectoryAreNamed) {
  forge([](Forge& forge) {
    forge.erase(TableId::meta, Key::of_meta(broker::kMetaEpoch));
    forge.erase(TableId::meta, Key::of_meta(broker::kMetaStoreId));
    forge.totals(0, 0);
  });
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("meta/epoch, but every data directory has it"),
                                      HasSubstr("meta/store id, but every data directory has it")));
}

}  // namespace
}  // namespace millrace::testing

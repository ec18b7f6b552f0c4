// The small parts of the program: lines, spool, progress, tables, documents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "client/cli/display.h"
#include "client/cli/line_reader.h"
#include "client/cli/progress.h"
#include "client/cli/spool.h"
#include "client/cli/status_document.h"
#include "client/cli/task_json.h"
#include "common/json/strict_json.h"

namespace millrace::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Gives `text` in pieces of `piece` bytes.
ByteSource pieces(std::string text, std::size_t piece) {
  return
      [text = std::move(text), piece, at = std::size_t{0}](char* buffer, std::size_t size) mutable {
        const std::size_t count = std::min({piece, size, text.size() - at});
        std::memcpy(buffer, text.data() + at, count);
        at += count;
        return static_cast<ssize_t>(count);
      };
}

TEST(LineReader, LinesInPiecesOfAnySize) {
  for (std::size_t piece = 1; piece < 12; ++piece) {
    LineReader reader(pieces("one\n\nthree\r\nlast", piece), 100);
    std::vector<std::string> lines;
    std::string_view line;
    while (reader.next(line) == LineStatus::line) lines.emplace_back(line);
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "", "three\r", "last"}));
    EXPECT_EQ(reader.number(), 4U);
    EXPECT_EQ(reader.next(line), LineStatus::end);
  }
}

TEST(LineReader, ALongLineIsSaidWithItsNumber) {
  LineReader reader(pieces("ok\n" + std::string(200'000, 'x'), 5'000), 1'000);
  std::string_view line;
  EXPECT_EQ(reader.next(line), LineStatus::line);
  EXPECT_EQ(reader.next(line), LineStatus::too_long);
  EXPECT_EQ(reader.number(), 2U);
}

TEST(LineReader, PassesOnPausesAndFailures) {
  int call = 0;
  LineReader reader(
      [&](char* buffer, std::size_t) -> ssize_t {
        switch (++call) {
          case 1:
            *buffer = 'a';
            return 1;
          case 2:
            return kSourcePauses;
          case 3:
            return kSourceFailed;
          default:
            *buffer = '\n';
            return 1;
        }
      },
      10);
  std::string_view line;
  EXPECT_EQ(reader.next(line), LineStatus::pause);
  EXPECT_EQ(reader.next(line), LineStatus::failed);
  EXPECT_EQ(reader.next(line), LineStatus::line);
  EXPECT_EQ(line, "a");
}

TEST(Spool, GivesBackFromMemoryAndFromDisk) {
  for (const std::uint64_t memory_max : {std::uint64_t{1'000}, std::uint64_t{25}}) {
    Spool spool{ByteCount(memory_max)};
    std::string all;
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(spool.append("piece " + std::to_string(i)).ok());
      all += "piece " + std::to_string(i);
    }
    EXPECT_EQ(spool.on_disk(), memory_max < all.size());
    for (int pass = 0; pass < 2; ++pass) {
      ASSERT_TRUE(spool.rewind().ok());
      std::string read;
      char buffer[7];
      for (ssize_t count; (count = spool.read(buffer, sizeof buffer)) > 0;) {
        read.append(buffer, static_cast<std::size_t>(count));
      }
      EXPECT_EQ(read, all);
    }
  }
}

TEST(ProgressLine, ShowsTheFigures) {
  const std::string line = progress_line({612, 1'000, true, 3}, Duration::seconds(2));
  EXPECT_THAT(line, HasSubstr("  612/1,000  61 % "));
  EXPECT_THAT(line, HasSubstr("306/s  dead 3  ETA 2.0 s"));
  EXPECT_THAT(progress_line({5, 5, true, 0}, Duration::seconds(1)), Not(HasSubstr("ETA")));
  EXPECT_THAT(progress_line({0, 0, false, 0}, Duration()), HasSubstr("0/0+  0 %"));
}

TEST(Display, NumbersAndAges) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(age_text(Duration::milliseconds(-5)), "0 s");
  EXPECT_EQ(age_text(Duration::milliseconds(1'250)), "1.2 s");
  EXPECT_EQ(age_text(Duration::seconds(119)), "119 s");
  EXPECT_EQ(age_text(Duration::minutes(119)), "119 min");
  EXPECT_EQ(age_text(Duration::hours(49)), "2 d");
}

TEST(Display, NothingHarmsTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31m\nb"), "a [31m b");
  EXPECT_EQ(printable("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(printable("ééééé", 3), "éé…");
  EXPECT_EQ(printable("ééé", 3), "ééé");
}

TEST(Table, AlignsByCharacters) {
  Table table({{"NAME"}, {"COUNT", Align::right}, {"NOTE"}}, false);
  table.add({"é", "1", "x"});
  table.add({"longer", "1,000", ""});
  EXPECT_EQ(table.text(), "NAME    COUNT  NOTE\né           1  x\nlonger  1,000  \n");
}

TEST(StatusDocument, QueuesAsListOrObject) {
  const std::string list = queues_text(
      R"({"queues":[{"name":"mail","paused":true,"pending":1200,"oldest_pending_seconds":3.2}]})",
      false);
  EXPECT_THAT(list, HasSubstr("mail   paused    1,200"));
  EXPECT_THAT(list, HasSubstr("3.2 s"));
  EXPECT_THAT(queues_text(R"({"mail":{"pending":1}})", false), HasSubstr("mail   running"));
}

TEST(StatusDocument, OddDocumentsAreNoFailure) {
  for (const char* text :
       {"", "nonsense", "[]", "{}", "null", "{\"queues\":7}", "[1,2]",
        R"({"queues":[{"name":3,"pending":"x","oldest_pending_seconds":1e300}]})"}) {
    queues_text(text, false);
    workers_text(text, false);
    metrics_text(text);
  }
  EXPECT_EQ(queues_text("{}", false), "");
}

TEST(StatusDocument, Workers) {
  const std::string text = workers_text(
      R"({"w1":{"status":"busy","tasks_completed":5,"queues":["a","b"],"utilisation":0.5}})",
      false);
  EXPECT_THAT(text, HasSubstr("w1      busy"));
  EXPECT_THAT(text, HasSubstr("50 %"));
  EXPECT_THAT(text, HasSubstr("a,b"));
}

TEST(StatusDocument, MetricsAreFlattened) {
  EXPECT_EQ(metrics_text(R"({"a":1,"b":{"c":2000},"d":[{"name":"q","n":3}]})"),
            "a             1\nb.c       2,000\nd.q.name      q\nd.q.n         3\n");
}

TEST(TaskJson, ResultAsTextOrBase64) {
  FinishedTask task;
  task.id.bytes[0] = 1;
  task.attempts = 1;
  task.result = SharedBytes::copy_of("ok");
  EXPECT_EQ(json::dump(finished_json(task)),
            R"({"id":"01000000-0000-0000-0000-000000000000","state":"succeeded","attempts":1,)"
            R"("result":"ok"})");
  task.result = SharedBytes::copy_of("\xff");
  EXPECT_THAT(json::dump(finished_json(task)), HasSubstr(R"("result_base64":"/w==")"));
  task.state = TaskState::dead;
  task.reason = Reason::failed;
  task.error = "bad \xff byte";
  EXPECT_THAT(json::dump(finished_json(task)), HasSubstr("\"error\":\"bad \xef\xbf\xbd byte\""));
}

}  // namespace
}  // namespace millrace::cli

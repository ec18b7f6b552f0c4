#include "broker/admin/worker_keys.h"

#include <gtest/gtest.h>

#include "common/wire/utf8.h"

namespace millrace::broker {
namespace {

std::vector<std::string> keys_of(const std::vector<std::string>& names) {
  std::vector<WorkerStatus> workers(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) workers[i].name = names[i];
  return worker_keys(workers);
}

TEST(WorkerKeys, LaterOnesOfANameGetANumber) {
  EXPECT_EQ(keys_of({"a", "b", "a", "a"}), (std::vector<std::string>{"a", "b", "a#2", "a#3"}));
}

TEST(WorkerKeys, NumbersGiveWayToNamesThatLookLikeThem) {
  EXPECT_EQ(keys_of({"a#2", "a", "a"}), (std::vector<std::string>{"a#2", "a", "a#3"}));
}

TEST(WorkerKeys, NamesThatDifferOnlyInBadBytesStayApart) {
  const std::vector<std::string> keys = keys_of({"w\xff", "w\xfe"});
  EXPECT_NE(keys[0], keys[1]);
  EXPECT_TRUE(is_utf8(keys[0] + keys[1]));
}

}  // namespace
}  // namespace millrace::broker

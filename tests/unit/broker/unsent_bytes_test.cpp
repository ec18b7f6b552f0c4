#include "broker/unsent_bytes.h"

#include <gtest/gtest.h>

#include <utility>

namespace millrace::broker {
namespace {

TEST(UnsentBytes, CountsAFrameUntilItsLastOwnerLetsGo) {
  const UnsentBytes unsent;
  SharedBytes first = unsent.counted(SharedBytes::copy_of("seven b"));
  EXPECT_EQ(unsent.value(), ByteCount(7));
  {
    const SharedBytes second = first;
    const SharedBytes part = first.slice(2, 3);
    first = SharedBytes();
    EXPECT_EQ(unsent.value(), ByteCount(7));
    EXPECT_EQ(part.text(), "ven");
  }
  EXPECT_EQ(unsent.value(), ByteCount());
}

TEST(UnsentBytes, CopiesShareOneCount) {
  const UnsentBytes unsent;
  const UnsentBytes copy = unsent;
  const SharedBytes frame = copy.counted(SharedBytes::copy_of("four"));
  EXPECT_EQ(unsent.value(), ByteCount(4));
}

TEST(UnsentBytes, OneFrameCountsForSeveral) {
  const UnsentBytes one;
  const UnsentBytes all;
  SharedBytes frame = all.counted(one.counted(SharedBytes::copy_of("four")));
  EXPECT_EQ(one.value(), ByteCount(4));
  EXPECT_EQ(all.value(), ByteCount(4));
  frame = SharedBytes();
  EXPECT_EQ(one.value(), ByteCount());
  EXPECT_EQ(all.value(), ByteCount());
}

TEST(UnsentBytes, AFrameMayOutliveTheCounter) {
  SharedBytes frame = UnsentBytes().counted(SharedBytes::copy_of("four"));
  EXPECT_EQ(frame.text(), "four");
}

}  // namespace
}  // namespace millrace::broker

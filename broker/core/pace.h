// How often something happened lately. Not thread-safe.
#pragma once

#include <cstdint>

#include "common/base/time.h"

namespace millrace::broker {

// Counts in two windows, so that a note costs an addition and old ones fade.
class Pace {
 public:
  static constexpr Duration kWindow = Duration::seconds(10);

  void note(Time now) {
    turn_windows(now);
    ++newest_;
  }

  // How long `count` more take at the pace of the last window; zero: nothing happened lately.
  Duration time_for(std::uint64_t count, Time now) const {
    Pace at = *this;
    at.turn_windows(now);
    const double share_of_newest = (now - at.began_).in_seconds() / kWindow.in_seconds();
    const double lately =
        static_cast<double>(at.before_) * (1 - share_of_newest) + static_cast<double>(at.newest_);
    // Within the first window the time since its beginning is all there is.
    const double seconds = at.is_first_ ? (now - at.began_).in_seconds() : kWindow.in_seconds();
    if (lately <= 0 || seconds <= 0) return Duration();
    const double needed = static_cast<double>(count) * seconds / lately;
    return needed >= kMost.in_seconds()
               ? kMost
               : Duration::milliseconds(static_cast<std::int64_t>(needed * 1'000));
  }

 private:
  static constexpr Duration kMost = Duration::days(3'650);

  void turn_windows(Time now) {
    const Duration gone = now - began_;
    if (gone < kWindow) return;
    const bool next = gone < kWindow * 2;
    before_ = next ? newest_ : 0;
    newest_ = 0;
    is_first_ = !next;
    began_ = next ? began_ + kWindow : now;
  }

  Time began_;  // of the newest window
  std::uint64_t newest_ = 0;
  std::uint64_t before_ = 0;
  bool is_first_ = true;
};

}  // namespace millrace::broker

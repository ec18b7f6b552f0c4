// The queues that a key may use.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::broker {

// A value. By default every queue.
class QueueScope {
 public:
  QueueScope() = default;
  // Each is a queue's name, or the beginning of one followed by '*'.
  explicit QueueScope(std::vector<std::string> patterns)
      : everything_(false), patterns_(std::move(patterns)) {}

  bool is_everything() const { return everything_; }
  bool includes(std::string_view queue) const {
    return everything_ || std::any_of(patterns_.begin(), patterns_.end(),
                                      [&](const auto& pattern) { return matches(pattern, queue); });
  }
  friend bool operator==(const QueueScope&, const QueueScope&) = default;

 private:
  static bool matches(std::string_view pattern, std::string_view queue) {
    if (!pattern.ends_with('*')) return pattern == queue;
    return queue.starts_with(pattern.substr(0, pattern.size() - 1));
  }

  bool everything_ = true;
  std::vector<std::string> patterns_;
};

}  // namespace millrace::broker

#include "broker/unsent_bytes.h"

#include <utility>

namespace millrace::broker {

struct UnsentBytes::Counted {
  Counted(std::shared_ptr<Count> shared_count, SharedBytes bytes)
      : count(std::move(shared_count)), frame(std::move(bytes)) {
    count->fetch_add(frame.size(), std::memory_order_relaxed);
  }
  ~Counted() { count->fetch_sub(frame.size(), std::memory_order_relaxed); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  std::shared_ptr<Count> count;
  SharedBytes frame;
};

SharedBytes UnsentBytes::counted(SharedBytes frame) const {
  auto owner = std::make_shared<const Counted>(count_, std::move(frame));
  const std::span<const std::uint8_t> view = owner->frame.view();
  return SharedBytes(std::move(owner), view);
}

}  // namespace millrace::broker

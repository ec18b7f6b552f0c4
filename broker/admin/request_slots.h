// How many requests of one kind are answered at once. Beyond it the answer is "busy", so that one
// kind never takes the threads of the others.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace millrace::broker {

// Thread-safe.
class RequestSlots {
 public:
  explicit RequestSlots(std::uint64_t most) : most_(most) {}
  RequestSlots(const RequestSlots&) = delete;
  RequestSlots& operator=(const RequestSlots&) = delete;

  // A share that is given back when it is destroyed.
  class Share {
   public:
    Share(RequestSlots& slots, std::uint64_t count) : slots_(&slots), count_(count) {}
    Share(Share&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {
      count_ = other.count_;
    }
    Share& operator=(Share&&) = delete;
    ~Share() {
      if (slots_ != nullptr) slots_->taken_ -= count_;
    }

   private:
    RequestSlots* slots_;
    std::uint64_t count_ = 0;
  };

  // Nothing when fewer than `count` are free.
  std::optional<Share> take(std::uint64_t count = 1) {
    std::uint64_t taken = taken_;
    do {
      if (count > most_ - taken) return std::nullopt;
    } while (!taken_.compare_exchange_weak(taken, taken + count));
    return Share(*this, count);
  }

 private:
  const std::uint64_t most_;
  std::atomic<std::uint64_t> taken_{0};
};

}  // namespace millrace::broker

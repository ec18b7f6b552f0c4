// From a task's id to its index: a hash table of buckets that fill one cache line each, so that a
// look-up costs one miss here and one in the task it finds. It grows a few buckets at a time, so no
// insertion stops the loop. The shape is that of F14 (Facebook's hash table, 2019): tags are
// compared all at once, and a bucket counts those that found no room in it, so that nothing is left
// behind by an erasure. Not thread-safe.
#pragma once

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "broker/core/task.h"

namespace millrace::broker {

class IdIndex {
 public:
  // `secret` keeps those who choose ids from choosing ones that collide.
  explicit IdIndex(std::uint64_t secret) : secret_(secret), current_(kBucketsFirst) {}

  // `id_of(index)` is the id that was inserted with an index. None when `id` is not here.
  template <class IdOf>
  TaskIndex find(const TaskId& id, IdOf id_of) const {
    const std::uint64_t hash = hash_of(id);
    const TaskIndex found = current_.find(hash, id, id_of);
    if (!found.is_none() || previous_.empty()) return found;
    return previous_.find(hash, id, id_of);
  }

  // Says that `id` will be looked up soon: the memory comes in the meantime.
  void prefetch(const TaskId& id) const { current_.prefetch(hash_of(id)); }

  // Requires that `id` is not here.
  template <class IdOf>
  void insert(const TaskId& id, TaskIndex index, IdOf id_of) {
    if (current_.is_full()) grow();
    if (!previous_.empty()) move_some(id_of);
    current_.insert(hash_of(id), index);
  }

  // Requires that `id` was inserted with `index`.
  void erase(const TaskId& id, TaskIndex index) {
    const std::uint64_t hash = hash_of(id);
    if (current_.erase(hash, index)) return;
    MILLRACE_CHECK(!previous_.empty() && previous_.erase(hash, index),
                   "what is erased was inserted");
  }

 private:
  static constexpr std::size_t kSlots = 12;
  static constexpr std::size_t kBucketsFirst = 64;
  static constexpr std::size_t kBucketsMovedAtOnce = 4;

  struct Bucket {
    std::array<std::uint8_t, kSlots> tags;  // 0: free
    std::uint32_t passed_by;                // entries that belong here and lie further on
    std::array<std::uint32_t, kSlots> indices;
  };
  static_assert(sizeof(Bucket) == 64, "a bucket is a cache line");

  static std::uint8_t tag_of(std::uint64_t hash) {
    const auto tag = static_cast<std::uint8_t>(hash >> 56);
    return tag == 0 ? 1 : tag;
  }

  class Table {
   public:
    Table() = default;
    // The memory comes as zeros from the system when it is first touched, so that a large table is
    // made at once; nothing but calloc promises that.
    explicit Table(std::size_t buckets)
        // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): see above; freed by Freed
        : memory_(std::calloc(buckets + 1, sizeof(Bucket))), mask_(buckets - 1) {
      MILLRACE_CHECK(memory_ != nullptr, "there is memory for the index of tasks");
      void* place = memory_.get();
      std::size_t room = (buckets + 1) * sizeof(Bucket);
      buckets_ =
          static_cast<Bucket*>(std::align(sizeof(Bucket), buckets * sizeof(Bucket), place, room));
    }

    bool empty() const { return buckets_ == nullptr; }
    std::size_t buckets() const { return mask_ + 1; }
    bool is_full() const { return entries_ >= buckets() * kSlots * 7 / 8; }

    void prefetch(std::uint64_t hash) const { __builtin_prefetch(&buckets_[hash & mask_]); }

    template <class IdOf>
    TaskIndex find(std::uint64_t hash, const TaskId& id, IdOf id_of) const {
      const std::uint8_t tag = tag_of(hash);
      for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
        const Bucket& bucket = buckets_[at];
        for (Slots slots = slots_with(bucket, tag); slots.any();) {
          const TaskIndex index(bucket.indices[slots.take()]);
          if (id_of(index) == id) return index;
        }
        if (bucket.passed_by == 0) return TaskIndex();
      }
    }

    void insert(std::uint64_t hash, TaskIndex index) {
      for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
        Bucket& bucket = buckets_[at];
        Slots free = slots_with(bucket, 0);
        if (!free.any()) {
          ++bucket.passed_by;
          continue;
        }
        const std::size_t slot = free.take();
        bucket.tags[slot] = tag_of(hash);
        bucket.indices[slot] = index.value;
        ++entries_;
        return;
      }
    }

    // False when it is not here.
    bool erase(std::uint64_t hash, TaskIndex index) {
      const std::uint8_t tag = tag_of(hash);
      const std::size_t home = hash & mask_;
      for (std::size_t at = home;; at = (at + 1) & mask_) {
        Bucket& bucket = buckets_[at];
        for (Slots slots = slots_with(bucket, tag); slots.any();) {
          const std::size_t slot = slots.take();
          if (bucket.indices[slot] != index.value) continue;
          bucket.tags[slot] = 0;
          --entries_;
          for (std::size_t passed = home; passed != at; passed = (passed + 1) & mask_) {
            --buckets_[passed].passed_by;
          }
          return true;
        }
        if (bucket.passed_by == 0) return false;
      }
    }

    // Calls `visit(index)` for what lies in one bucket.
    template <class Visit>
    void look_at_bucket(std::size_t at, Visit visit) const {
      const Bucket& bucket = buckets_[at];
      for (std::size_t slot = 0; slot < kSlots; ++slot) {
        if (bucket.tags[slot] != 0) visit(TaskIndex(bucket.indices[slot]));
      }
    }

    // Takes out what lies in one bucket. Others may still be found beyond it.
    template <class Visit>
    void take_bucket(std::size_t at, Visit visit) {
      Bucket& bucket = buckets_[at];
      for (std::size_t slot = 0; slot < kSlots; ++slot) {
        if (bucket.tags[slot] == 0) continue;
        bucket.tags[slot] = 0;
        --entries_;
        visit(TaskIndex(bucket.indices[slot]));
      }
    }

   private:
    struct Freed {
      // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): of calloc
      void operator()(void* memory) const { std::free(memory); }
    };

    // The slots with this tag: the high bit of a byte each, of eight bytes at a time (Hacker's
    // Delight, 6-1, in the form that marks no byte but the equal ones).
    struct Slots {
      std::uint64_t low = 0;
      std::uint64_t high = 0;
      bool any() const { return (low | high) != 0; }
      // Takes out and returns one; requires any().
      std::size_t take() {
        const bool in_low = low != 0;
        std::uint64_t& word = in_low ? low : high;
        const auto slot = static_cast<std::size_t>(__builtin_ctzll(word)) / 8;
        word &= word - 1;
        return in_low ? slot : slot + 8;
      }
    };
    static Slots slots_with(const Bucket& bucket, std::uint8_t tag) {
      std::uint64_t low = 0;
      std::uint32_t high = 0;
      std::memcpy(&low, bucket.tags.data(), 8);
      std::memcpy(&high, bucket.tags.data() + 8, 4);
      // The four bytes beyond the last slot are made unlike every tag.
      const std::uint64_t others = std::uint64_t{tag ^ 0xffU} * 0x0101010100000000U;
      return Slots{bytes_like(low, tag), bytes_like(high | others, tag)};
    }
    static std::uint64_t bytes_like(std::uint64_t word, std::uint8_t tag) {
      constexpr std::uint64_t kLow7 = 0x7f7f7f7f7f7f7f7fU;
      const std::uint64_t unlike = word ^ (std::uint64_t{tag} * 0x0101010101010101U);
      return ~(((unlike & kLow7) + kLow7) | unlike | kLow7);
    }

    std::unique_ptr<void, Freed> memory_;
    Bucket* buckets_ = nullptr;
    std::size_t mask_ = 0;
    std::size_t entries_ = 0;
  };

  // Murmur3's finaliser over both words and the secret.
  std::uint64_t hash_of(const TaskId& id) const {
    std::uint64_t hash = (id.word(0) ^ secret_) * 0xff51afd7ed558ccdU;
    hash ^= hash >> 32;
    hash = (hash + id.word(8)) * 0xc4ceb9fe1a85ec53U;
    hash ^= hash >> 29;
    hash *= 0x9e3779b97f4a7c15U;
    return hash ^ (hash >> 32);
  }

  void grow() {
    MILLRACE_CHECK(previous_.empty(), "each insert moves more buckets than it fills");
    previous_ = std::move(current_);
    current_ = Table(previous_.buckets() * 2);
    moved_ = 0;
  }

  template <class IdOf>
  void move_some(IdOf id_of) {
    const std::size_t end = std::min(moved_ + kBucketsMovedAtOnce, previous_.buckets());
    for (std::size_t next = moved_; next < end; ++next) {
      previous_.look_at_bucket(next, [&](TaskIndex index) { __builtin_prefetch(&id_of(index)); });
    }
    for (; moved_ < end; ++moved_) {
      previous_.take_bucket(
          moved_, [&](TaskIndex index) { current_.insert(hash_of(id_of(index)), index); });
    }
    if (moved_ == previous_.buckets()) previous_ = Table();
  }

  std::uint64_t secret_;
  Table current_;
  Table previous_;         // while it is being moved into the current one
  std::size_t moved_ = 0;  // its buckets that are empty now
};

}  // namespace millrace::broker

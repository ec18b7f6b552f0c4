// The terms of all tasks, each kind once, counted by those that have it. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "broker/core/task.h"
#include "common/base/flat_map.h"

namespace millrace::broker {

class TermsTable {
 public:
  // The index of these terms, with one more user.
  TermsIndex add_user(const TaskTerms& terms) {
    if (!last_.is_none() && (*this)[last_] == terms) {
      ++entries_[last_.value].users;
      return last_;
    }
    const auto [found, is_new] = by_terms_.try_emplace(terms, TermsIndex());
    if (is_new) found.value() = make(terms);
    last_ = found->second;
    ++entries_[last_.value].users;
    return last_;
  }

  // One user fewer; the last one takes the terms away.
  void remove_user(TermsIndex index) {
    Entry& entry = entries_[index.value];
    MILLRACE_CHECK(entry.users > 0, "terms are removed as often as they were added");
    if (--entry.users > 0) return;
    by_terms_.erase(entry.terms);
    free_.push_back(index);
    if (last_ == index) last_ = TermsIndex();
  }

  const TaskTerms& operator[](TermsIndex index) const { return entries_[index.value].terms; }
  std::size_t size() const { return by_terms_.size(); }

 private:
  struct Entry {
    TaskTerms terms;
    std::uint32_t users = 0;
  };
  struct Hash {
    std::size_t operator()(const TaskTerms& terms) const noexcept {
      std::uint64_t hash = 0;
      const auto mix = [&hash](std::uint64_t value) {
        hash = (hash ^ value) * 0x9e3779b97f4a7c15U;
        hash ^= hash >> 29;
      };
      mix(terms.queue.value);
      mix(std::uint64_t{terms.priority} << 16 | terms.max_attempts);
      for (const Duration part :
           {terms.timeout, terms.retention, terms.ttl, terms.backoff.initial, terms.backoff.max}) {
        mix(static_cast<std::uint64_t>(part.in_nanoseconds()));
      }
      return static_cast<std::size_t>(hash);
    }
  };

  TermsIndex make(const TaskTerms& terms) {
    TermsIndex index;
    if (free_.empty()) {
      index = TermsIndex(static_cast<std::uint32_t>(entries_.size()));
      entries_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    entries_[index.value].terms = terms;
    return index;
  }

  std::vector<Entry> entries_ = std::vector<Entry>(1);
  std::vector<TermsIndex> free_;
  FlatMap<TaskTerms, TermsIndex, Hash> by_terms_;  // never iterated
  TermsIndex last_;                                // the newest found: most come in rows
};

}  // namespace millrace::broker

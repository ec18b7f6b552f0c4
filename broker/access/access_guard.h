// Between the sockets and the core: whose each message is, and whether it may pass. One thread, the
// loop's.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/access/access_keeper.h"
#include "broker/core/event.h"

namespace millrace::broker {

// Whose message it is.
struct Caller {
  KeyNumber key;                 // none: no keys are in use
  const Grant* grant = nullptr;  // null: no keys are in use, everything is allowed

  // For the core; see FromClient.
  const QueueScope* scope() const {
    return grant == nullptr || grant->queues.is_everything() ? nullptr : &grant->queues;
  }
};

class AccessGuard {
 public:
  // Without a keeper there are no keys, and everything passes. It must outlive the guard.
  explicit AccessGuard(const AccessKeeper* keeper);

  bool uses_keys() const { return keeper_ != nullptr; }

  // Takes over a changed allowlist. The keys whose connections count for nothing from now on: taken
  // out of it, or allowed something else than before. Callers of before are void.
  std::vector<KeyNumber> refresh();

  // Who sent a message; nothing when it must be dropped unanswered. `user_id`: see
  // wire::kUserIdProperty. Valid until the next refresh.
  std::optional<Caller> caller(std::string_view user_id, std::string_view routing_id);
  // The same for a beat, which has no routing id.
  std::optional<Caller> beating_caller(std::string_view user_id);

  // Whether the message may reach the core: nothing, or what to answer. Items of a Submit are
  // judged one by one, see mark_items_out_of_scope.
  std::optional<Error> judge(const Caller& caller, ClientMessage& message) const;
  std::optional<Error> judge(const Caller& caller, const WorkerMessage& message) const;

 private:
  std::optional<Caller> holder(std::string_view key);
  bool is_void(const std::string& key, const Allowlist& next) const;

  const AccessKeeper* const keeper_;
  std::uint64_t version_ = 0;
  AllowlistPointer allowlist_;
  // Every key that was ever allowed has a number of its own; from 1.
  std::map<std::string, KeyNumber, std::less<>> numbers_;
};

}  // namespace millrace::broker

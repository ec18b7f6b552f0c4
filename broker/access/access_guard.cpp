#include "broker/access/access_guard.h"

#include "broker/access/permissions.h"

namespace millrace::broker {
namespace {

// Routing ids that a ROUTER draws are five bytes, the first of them zero. With one of its choice a
// peer could be given what was meant for another's connection.
bool is_drawn(std::string_view routing_id) {
  return routing_id.size() == 5 && routing_id.front() == '\0';
}

}  // namespace

AccessGuard::AccessGuard(const AccessKeeper* keeper) : keeper_(keeper) {
  if (keeper_ == nullptr) return;
  version_ = keeper_->version();
  allowlist_ = keeper_->allowlist();
}

std::vector<KeyNumber> AccessGuard::refresh() {
  if (keeper_ == nullptr || keeper_->version() == version_) return {};
  version_ = keeper_->version();
  AllowlistPointer next = keeper_->allowlist();
  std::vector<KeyNumber> voided;
  for (const auto& [key, number] : numbers_) {
    if (is_void(key, *next)) voided.push_back(number);
  }
  allowlist_ = std::move(next);
  return voided;
}

bool AccessGuard::is_void(const std::string& key, const Allowlist& next) const {
  const Grant* before = allowlist_->find(key);
  const Grant* after = next.find(key);
  if (before == nullptr) return false;  // it was void already
  return after == nullptr || after->role != before->role || after->queues != before->queues;
}

std::optional<Caller> AccessGuard::holder(std::string_view key) {
  const Grant* grant = allowlist_->find(key);
  if (grant == nullptr) return std::nullopt;
  auto number = numbers_.find(key);
  if (number == numbers_.end()) {
    const KeyNumber next(static_cast<std::uint32_t>(numbers_.size() + 1));
    number = numbers_.emplace(key, next).first;
  }
  return Caller{number->second, grant};
}

std::optional<Caller> AccessGuard::caller(std::string_view user_id, std::string_view routing_id) {
  if (!uses_keys()) return Caller{};
  if (user_id.empty()) {
    const bool door = routing_id.starts_with(keeper_->door_pass());
    return door ? holder(keeper_->door_key()->own.public_key.text()) : std::nullopt;
  }
  return is_drawn(routing_id) ? holder(user_id) : std::nullopt;
}

// A beat without a key comes from this process. What protects it against one that only claims so is
// the session number that it must bear.
std::optional<Caller> AccessGuard::beating_caller(std::string_view user_id) {
  if (!uses_keys()) return Caller{};
  const std::string& door = keeper_->door_key()->own.public_key.text();
  const std::optional<Caller> found = holder(user_id.empty() ? door : user_id);
  return found.has_value() && may_beat(*found->grant) ? found : std::nullopt;
}

std::optional<Error> AccessGuard::judge(const Caller& caller, ClientMessage& message) const {
  if (caller.grant == nullptr) return std::nullopt;
  if (auto* submit = std::get_if<Submit>(&message)) mark_items_out_of_scope(*caller.grant, *submit);
  return refusal(*caller.grant, message);
}

std::optional<Error> AccessGuard::judge(const Caller& caller, const WorkerMessage& message) const {
  if (caller.grant == nullptr) return std::nullopt;
  return refusal(*caller.grant, message);
}

}  // namespace millrace::broker

#include "broker/access/allowlist.h"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/shown_text.h"
#include "common/keys/key_set.h"

namespace millrace::broker {
namespace {

constexpr std::size_t kQueuePatternBytesMax = 129;  // a queue's name and '*'
constexpr std::size_t kQueuePatternsMax = 1'024;

std::optional<Role> role_named(std::string_view name) {
  for (const Role role : {Role::client, Role::worker, Role::admin}) {
    if (name == name_of(role)) return role;
  }
  return std::nullopt;
}

bool is_queue_pattern(std::string_view text) {
  if (text.empty() || text.size() > kQueuePatternBytesMax) return false;
  if (text.ends_with('*')) text.remove_suffix(1);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._:/-").find(c) != std::string_view::npos;
  });
}

// Reads one table; the first problem wins.
class EntryReader {
 public:
  EntryReader(std::string name, const toml::table& table, const std::string& file)
      : name_(std::move(name)), table_(table), file_(file) {}

  Status read() {
    if (!keys::is_key_name(name_)) {
      return problem(table_, "a key's name is 1 to 64 of A-Z a-z 0-9 _ -");
    }
    grant_.name = name_;
    for (const auto& [word, node] : table_) {
      const Status taken = take(word.str(), node);
      if (!taken.ok()) return taken;
    }
    if (key_.is_none()) return problem(table_, "key is missing: the holder's public key");
    if (!has_role_) return problem(table_, "role is missing: client, worker or admin");
    if (grant_.role == Role::admin && !grant_.queues.is_everything()) {
      return problem(table_, "an admin may use every queue: leave out queues, or use another role");
    }
    return Done{};
  }
  const keys::PublicKey& key() const { return key_; }
  Grant& grant() { return grant_; }
  Error problem(const toml::node& node, const std::string& text) const {
    return {ErrorCode::misconfigured, shown_text(file_) + ":" +
                                          std::to_string(node.source().begin.line) + ": [" +
                                          shown_text(name_) + "] " + text};
  }

 private:
  Status take(std::string_view word, const toml::node& node) {
    if (word == "key") {
      const auto key = keys::PublicKey::parse(node.value<std::string>().value_or(""));
      if (!key) return problem(node, "key must be a public key, 40 characters of Z85");
      key_ = *key;
      return Done{};
    }
    if (word == "role") {
      const auto role = role_named(node.value<std::string>().value_or(""));
      if (!role) return problem(node, "role must be \"client\", \"worker\" or \"admin\"");
      grant_.role = *role;
      has_role_ = true;
      return Done{};
    }
    if (word == "queues") return take_queues(node);
    return problem(node, "'" + shown_text(word) + "' is not known; there are role, key and queues");
  }

  Status take_queues(const toml::node& node) {
    const toml::array* list = node.as_array();
    if (list == nullptr || list->empty() || list->size() > kQueuePatternsMax) {
      return problem(node, "queues must be a list of 1 to 1024 names; left out, it means all");
    }
    std::vector<std::string> patterns;
    for (const toml::node& element : *list) {
      std::string pattern = element.value<std::string>().value_or("");
      if (!is_queue_pattern(pattern)) {
        return problem(element, "a queue is its name, or the beginning of names and '*'");
      }
      patterns.push_back(std::move(pattern));
    }
    grant_.queues = QueueScope(std::move(patterns));
    return Done{};
  }

  const std::string name_;
  const toml::table& table_;
  const std::string& file_;
  keys::PublicKey key_;
  Grant grant_;
  bool has_role_ = false;
};

Result<Allowlist> allowlist_in(const toml::table& document, const std::string& file) {
  Allowlist list;
  for (const auto& [name, node] : document) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      return Error{ErrorCode::misconfigured,
                   shown_text(file) + ":" + std::to_string(node.source().begin.line) +
                       ": every key has a table of its own, such as [mailer]"};
    }
    EntryReader entry(std::string(name.str()), *table, file);
    if (Status read = entry.read(); !read.ok()) return read.error();
    if (!list.add(entry.key(), std::move(entry.grant()))) {
      return entry.problem(*table, "this key stands under two names; every holder has its own");
    }
  }
  if (list.size() == 0) {
    return Error{ErrorCode::misconfigured,
                 shown_text(file) + ": has no keys, nobody could connect; see millrace keygen"};
  }
  return list;
}

}  // namespace

bool Allowlist::add(const keys::PublicKey& key, Grant grant) {
  return grants_.emplace(key.text(), std::move(grant)).second;
}

const Grant* Allowlist::find(std::string_view key) const {
  const auto found = grants_.find(key);
  return found == grants_.end() ? nullptr : &found->second;
}

Result<Allowlist> parse_allowlist(std::string_view text, const std::string& file) {
  try {
    return allowlist_in(toml::parse(text, file), file);
  } catch (const toml::parse_error& error) {
    return Error{ErrorCode::misconfigured, shown_text(file) + ":" +
                                               std::to_string(error.source().begin.line) + ": " +
                                               shown_text(error.description())};
  }
}

}  // namespace millrace::broker

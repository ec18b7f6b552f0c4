// What a key may do.
#pragma once

#include <cstdint>
#include <string>

#include "broker/core/queue_scope.h"

namespace millrace::broker {

// What somebody is to the broker. `door` is the broker's own HTTP, which asks for its token itself;
// no allowlist can name it.
enum class Role : std::uint8_t { client, worker, admin, door };

// "client", as the allowlist has it.
constexpr const char* name_of(Role role) {
  switch (role) {
    case Role::client:
      return "client";
    case Role::worker:
      return "worker";
    case Role::admin:
      return "admin";
    case Role::door:
      return "door";
  }
  return "unknown";
}

struct Grant {
  std::string name;  // of the key, for people
  Role role = Role::client;
  QueueScope queues;
  friend bool operator==(const Grant&, const Grant&) = default;
};

}  // namespace millrace::broker

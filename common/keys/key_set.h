// Folders of keys: what `millrace keygen` makes.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/keys/key_pair.h"

namespace millrace::keys {

inline constexpr const char* kBrokerKeyFile = "broker.key";
inline constexpr const char* kAllowlistFile = "allowlist.toml";

// What a key may be called: 1 to 64 of A-Z a-z 0-9 _ -.
bool is_key_name(std::string_view name);

// A whole set in a new folder: the broker's key, a key each called client, worker and admin, and
// the allowlist that lets these in. Overwrites nothing, and makes nothing where one of the files is
// there already. Errors: misconfigured.
Status make_key_set(const std::string& folder);

// One more key, in `folder`/NAME.key, and in the allowlist, which is replaced as a whole. `role`:
// client, worker or admin. Errors: misconfigured.
Status add_key(const std::string& folder, const std::string& name, const std::string& role);

}  // namespace millrace::keys

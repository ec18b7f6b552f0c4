// Key files: JSON objects of texts, made by `millrace keygen`, each for its owner alone.
#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/keys/key_pair.h"

namespace millrace::keys {

// All that a client or a worker needs: who it is, and whom it talks to.
struct PeerKey {
  std::string name;  // as in the allowlist; for people
  KeyPair own;
  PublicKey broker;
};

// Errors of all: misconfigured, with the file and the fix; see read_private_file.
Result<PeerKey> read_peer_key(const std::string& path);
// Null for an empty path: no key.
Result<std::shared_ptr<const PeerKey>> load_peer_key(const std::string& path);
Result<KeyPair> read_broker_key(const std::string& path);

// The contents of such files.
std::string text_of(const PeerKey& key);
std::string text_of_broker_key(const KeyPair& key);

}  // namespace millrace::keys

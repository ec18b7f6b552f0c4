#include "common/keys/key_file.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "common/base/shown_text.h"
#include "common/keys/private_file.h"

namespace millrace::keys {
namespace {

using Json = nlohmann::ordered_json;

Error problem_with(const std::string& path, const std::string& problem) {
  return {ErrorCode::misconfigured,
          shown_text(path) + ": " + problem + "; take a file made by millrace keygen"};
}

std::string member(const Json& document, const char* name) {
  const auto found = document.find(name);
  return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Json> read_document(const std::string& path) {
  const Result<std::string> text = read_private_file(path);
  if (!text) return text.error();
  Json document = Json::parse(*text, nullptr, false);
  if (document.is_discarded() || !document.is_object()) return problem_with(path, "is no key file");
  return document;
}

Result<KeyPair> pair_in(const Json& document, const std::string& path) {
  const std::optional<PublicKey> public_key = PublicKey::parse(member(document, "public"));
  const std::optional<SecretKey> secret_key = SecretKey::parse(member(document, "secret"));
  if (!public_key || !secret_key) return problem_with(path, "has no public and secret key");
  KeyPair pair{*public_key, *secret_key};
  if (!pair.fits()) return problem_with(path, "its public and secret key are not of one pair");
  return pair;
}

}  // namespace

Result<PeerKey> read_peer_key(const std::string& path) {
  const Result<Json> document = read_document(path);
  if (!document) return document.error();
  const Result<KeyPair> own = pair_in(*document, path);
  if (!own) return own.error();
  const std::optional<PublicKey> broker = PublicKey::parse(member(*document, "broker"));
  if (!broker) {
    return problem_with(path, "does not name the broker's public key, as a peer's key file does");
  }
  return PeerKey{member(*document, "name"), *own, *broker};
}

Result<std::shared_ptr<const PeerKey>> load_peer_key(const std::string& path) {
  if (path.empty()) return std::shared_ptr<const PeerKey>();
  Result<PeerKey> key = read_peer_key(path);
  if (!key) return key.error();
  return std::make_shared<const PeerKey>(*std::move(key));
}

Result<KeyPair> read_broker_key(const std::string& path) {
  const Result<Json> document = read_document(path);
  if (!document) return document.error();
  return pair_in(*document, path);
}

std::string text_of(const PeerKey& key) {
  const Json document = {{"name", key.name},
                         {"broker", key.broker.text()},
                         {"public", key.own.public_key.text()},
                         {"secret", std::string(key.own.secret_key.text())}};
  return document.dump(2) + "\n";
}

std::string text_of_broker_key(const KeyPair& key) {
  const Json document = {{"public", key.public_key.text()},
                         {"secret", std::string(key.secret_key.text())}};
  return document.dump(2) + "\n";
}

}  // namespace millrace::keys

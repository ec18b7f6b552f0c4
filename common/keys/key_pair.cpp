#include "common/keys/key_pair.h"

#include <sys/prctl.h>
#include <zmq.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "common/base/check.h"

namespace millrace::keys {
namespace {

constexpr std::size_t kKeyBytes = 32;

// Z85 knows no error but characters and length; libzmq of some versions overlooks overflow.
bool is_key(std::string_view text) {
  if (text.size() != kKeyCharacters) return false;
  std::array<std::uint8_t, kKeyBytes> bytes{};
  const std::string terminated(text);
  const bool decoded = zmq_z85_decode(bytes.data(), terminated.c_str()) != nullptr;
  std::array<char, kKeyCharacters + 1> again{};
  const bool same = decoded &&
                    zmq_z85_encode(again.data(), bytes.data(), bytes.size()) != nullptr &&
                    std::string_view(again.data(), kKeyCharacters) == text;
  explicit_bzero(bytes.data(), bytes.size());
  explicit_bzero(again.data(), again.size());
  return same;
}

}  // namespace

std::optional<PublicKey> PublicKey::parse(std::string_view text) {
  if (!is_key(text)) return std::nullopt;
  PublicKey key;
  key.text_ = text;
  return key;
}

std::optional<SecretKey> SecretKey::parse(std::string_view text) {
  if (!is_key(text)) return std::nullopt;
  SecretKey key;
  std::copy(text.begin(), text.end(), key.text_.begin());
  return key;
}

SecretKey::~SecretKey() {
  explicit_bzero(text_.data(), text_.size());
}

bool KeyPair::fits() const {
  std::array<char, kKeyCharacters + 1> derived{};
  std::array<char, kKeyCharacters + 1> secret{};
  std::copy(secret_key.text().begin(), secret_key.text().end(), secret.begin());
  const bool known = zmq_curve_public(derived.data(), secret.data()) == 0;
  explicit_bzero(secret.data(), secret.size());
  return known && std::string_view(derived.data(), kKeyCharacters) == public_key.text();
}

KeyPair make_key_pair() {
  std::array<char, kKeyCharacters + 1> public_text{};
  std::array<char, kKeyCharacters + 1> secret_text{};
  MILLRACE_CHECK(zmq_curve_keypair(public_text.data(), secret_text.data()) == 0,
                 "libzmq is built with CURVE");
  KeyPair pair{*PublicKey::parse({public_text.data(), kKeyCharacters}),
               *SecretKey::parse({secret_text.data(), kKeyCharacters})};
  explicit_bzero(secret_text.data(), secret_text.size());
  return pair;
}

void protect_process_memory() {
  // Cannot fail with these arguments.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

}  // namespace millrace::keys

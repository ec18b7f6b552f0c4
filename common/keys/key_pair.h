// The keys of CURVE, by which broker and peers know each other: pairs of 32 bytes, written in Z85
// as ZeroMQ does. Everything here is a value.
#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::keys {

inline constexpr std::size_t kKeyCharacters = 40;

// Who somebody is. No secret.
class PublicKey {
 public:
  PublicKey() = default;  // none
  // Nothing for a text that is no key.
  static std::optional<PublicKey> parse(std::string_view text);

  const std::string& text() const { return text_; }
  bool is_none() const { return text_.empty(); }
  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;

 private:
  std::string text_;
};

// What proves it. Overwritten when it goes; there is no way to print it but text().
class SecretKey {
 public:
  SecretKey() = default;  // none
  static std::optional<SecretKey> parse(std::string_view text);
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();

  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, kKeyCharacters> text_{};
};

struct KeyPair {
  PublicKey public_key;
  SecretKey secret_key;

  // False when the halves are not of one pair.
  bool fits() const;
};

// A new pair, from the system's randomness.
KeyPair make_key_pair();

// Secrets of this process stay out of core dumps, and other processes of its user cannot read its
// memory. Call it before the first secret is read.
void protect_process_memory();

}  // namespace millrace::keys

// Base64 with the standard alphabet and padding (RFC 4648 section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::json {

std::string encode_base64(std::span<const std::uint8_t> bytes);

// Strict: whole groups of four, padding only at the end, unused bits zero, no white space. Nothing
// for any other text.
std::optional<std::vector<std::uint8_t>> decode_base64(std::string_view text);

}  // namespace millrace::json

// CRC-32C (Castagnoli), as in RFC 3720 appendix B.4: the checksum of every stored record.
#pragma once

#include <cstdint>
#include <span>

namespace millrace {

// The checksum of `bytes`, continuing from `seed` (the checksum of what came before; 0 at the
// start). Uses the processor's instruction where there is one. Thread-safe.
std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t seed = 0);

// The portable form, for processors without the instruction and for tests that compare the two.
std::uint32_t crc32c_portable(std::span<const std::uint8_t> bytes, std::uint32_t seed = 0);

}  // namespace millrace

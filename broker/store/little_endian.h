// Numbers as the data file has them: little-endian, at any address.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace millrace::broker {

static_assert(std::endian::native == std::endian::little,
              "numbers are copied as they are: another byte order needs a swap here");

template <class Number>
Number load_little_endian(const std::uint8_t* bytes) {
  Number number;
  std::memcpy(&number, bytes, sizeof(Number));
  return number;
}

template <class Number>
void store_little_endian(Number number, std::uint8_t* bytes) {
  std::memcpy(bytes, &number, sizeof(Number));
}

}  // namespace millrace::broker

// How bytes travel without a copy: a view and a shared owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/check.h"

namespace millrace {

// A number of bytes.
struct ByteCount {
  std::uint64_t value = 0;

  constexpr ByteCount() = default;
  explicit constexpr ByteCount(std::uint64_t count) : value(count) {}
  static constexpr ByteCount kibibytes(std::uint64_t count) { return ByteCount(count << 10); }
  static constexpr ByteCount mebibytes(std::uint64_t count) { return ByteCount(count << 20); }
  static constexpr ByteCount gibibytes(std::uint64_t count) { return ByteCount(count << 30); }
  constexpr auto operator<=>(const ByteCount&) const = default;
  constexpr ByteCount operator+(ByteCount other) const { return ByteCount(value + other.value); }
  constexpr ByteCount operator-(ByteCount other) const { return ByteCount(value - other.value); }
};

// Immutable bytes that live as long as any SharedBytes that shows them. A slice shares its parent's
// owner, so it keeps the whole parent alive. Cheap to copy; safe to read from several threads.
class SharedBytes {
 public:
  SharedBytes() = default;
  // Shows `view`, whose memory `owner` keeps alive.
  SharedBytes(std::shared_ptr<const void> owner, std::span<const std::uint8_t> view)
      : owner_(std::move(owner)), view_(view) {}

  static SharedBytes copy_of(std::span<const std::uint8_t> source) {
    if (source.empty()) return {};
    auto owner = std::make_shared_for_overwrite<std::uint8_t[]>(source.size());
    std::memcpy(owner.get(), source.data(), source.size());
    const std::span<const std::uint8_t> view(owner.get(), source.size());
    return SharedBytes(std::move(owner), view);
  }
  static SharedBytes copy_of(std::string_view text) {
    return copy_of(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  static SharedBytes adopt(std::vector<std::uint8_t> bytes) {
    auto owner = std::make_shared<std::vector<std::uint8_t>>(std::move(bytes));
    const std::span<const std::uint8_t> view(*owner);
    return SharedBytes(std::move(owner), view);
  }

  std::span<const std::uint8_t> view() const { return view_; }
  const std::uint8_t* data() const { return view_.data(); }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  std::string_view text() const {
    return {reinterpret_cast<const char*>(view_.data()), view_.size()};
  }

  // Bytes [offset, offset + length). Requires that range to lie inside.
  SharedBytes slice(std::size_t offset, std::size_t length) const {
    MILLRACE_CHECK(offset <= size() && length <= size() - offset, "slice within its bytes");
    return SharedBytes(owner_, view_.subspan(offset, length));
  }

  friend bool operator==(const SharedBytes& a, const SharedBytes& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
  }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const std::uint8_t> view_;
};

}  // namespace millrace

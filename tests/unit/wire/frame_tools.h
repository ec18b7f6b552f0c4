// Frames as a hostile or unlucky sender could make them.
#pragma once

#include "common/base/random.h"
#include "common/wire/control_codec.h"

namespace millrace::wire {

// The same bytes at an address that is `shift` past a multiple of 8.
inline SharedBytes shifted(const SharedBytes& bytes, std::size_t shift) {
  std::vector<std::uint8_t> room(shift);
  room.insert(room.end(), bytes.view().begin(), bytes.view().end());
  return SharedBytes::adopt(std::move(room)).slice(shift, bytes.size());
}

inline Frames shifted(const Frames& frames, std::size_t shift) {
  Frames moved;
  for (const SharedBytes& frame : frames) moved.push_back(shifted(frame, shift));
  return moved;
}

// A damaged copy: bit flips, a cut, an extension, a part of `other` pasted in, or a changed word.
inline SharedBytes mutated(const SharedBytes& bytes, const SharedBytes& other, Random& random) {
  std::vector<std::uint8_t> damaged(bytes.view().begin(), bytes.view().end());
  const auto anywhere = [&] { return random.below(damaged.size()); };
  switch (damaged.empty() ? 2 : random.below(5)) {
    case 0:
      for (std::uint64_t left = 1 + random.below(8); left > 0; --left) {
        damaged[anywhere()] ^= static_cast<std::uint8_t>(1U << random.below(8));
      }
      break;
    case 1:
      damaged.resize(anywhere());
      break;
    case 2:
      damaged.resize(damaged.size() + 1 + random.below(16), 0xff);
      break;
    case 3: {
      if (other.empty()) break;
      const std::size_t from = random.below(other.size());
      const std::size_t length = 1 + random.below(other.size() - from);
      const auto part = other.view().subspan(from, length);
      damaged.insert(damaged.begin() + static_cast<std::ptrdiff_t>(anywhere()), part.begin(),
                     part.end());
      break;
    }
    default: {
      // A 32-bit word: offsets, lengths and counts of FlatBuffers are such.
      const std::size_t at = anywhere() / 4 * 4;
      const auto word =
          static_cast<std::uint32_t>(random.chance(1, 2) ? random.below(64) : random.next());
      for (std::size_t i = 0; i < 4 && at + i < damaged.size(); ++i) {
        damaged[at + i] = static_cast<std::uint8_t>(word >> (8 * i));
      }
    }
  }
  return SharedBytes::adopt(std::move(damaged));
}

inline Frames mutated(const Frames& frames, const Frames& other, Random& random) {
  Frames damaged = frames;
  const std::size_t at = random.below(frames.size());
  damaged[at] = mutated(frames[at], other[random.below(other.size())], random);
  if (random.chance(1, 50)) damaged.push_back(damaged[0]);
  if (random.chance(1, 50)) damaged.erase(damaged.begin());
  return damaged;
}

}  // namespace millrace::wire

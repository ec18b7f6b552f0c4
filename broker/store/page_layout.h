// How LMDB 0.9 lays out its pages, as far as a check of them needs to know. Numbers are of the
// machine's own byte order; pages of a file are numbered from 0, and the first two hold the metas.
// Source: LMDB 0.9.24, mdb.c ("Page Format", struct MDB_page, MDB_node, MDB_db, MDB_meta).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace millrace::broker::lmdb {

static_assert(sizeof(std::size_t) == 8, "page numbers have 8 bytes where LMDB is of 64 bits");

using PageNumber = std::uint64_t;
inline constexpr PageNumber kNoPage = ~PageNumber{0};
inline constexpr PageNumber kMetaPages = 2;
inline constexpr std::uint32_t kMetaMagic = 0xBEEFC0DE;
inline constexpr std::uint32_t kMetaVersion = 1;
inline constexpr std::size_t kLeastPageBytes = 512;
inline constexpr std::size_t kMostPageBytes = 65'536;

enum PageKind : std::uint16_t { branch_page = 1, leaf_page = 2, value_page = 4, meta_page = 8 };

struct PageHead {
  PageNumber number = 0;
  std::uint16_t key_bytes = 0;  // of fixed-size keys, which Millrace has none of
  std::uint16_t kind = 0;
  std::uint16_t lower = 0;  // end of the slots, which begin behind this head
  std::uint16_t upper = 0;  // begin of the nodes, which end with the page
  // A value page has the number of pages of its run in the place of `lower` and `upper`.
  std::uint32_t run() const { return lower | static_cast<std::uint32_t>(upper) << 16; }
};
static_assert(sizeof(PageHead) == 16);

enum NodeFlag : std::uint16_t { value_apart = 1, value_is_tree = 2 };

struct NodeHead {
  std::uint16_t low = 0;  // leaf: bytes of the value, `low` and `high`
  std::uint16_t high = 0;
  std::uint16_t flags = 0;  // branch: the upper third of the child's number
  std::uint16_t key_bytes = 0;

  std::uint32_t value_bytes() const { return low | static_cast<std::uint32_t>(high) << 16; }
  PageNumber child() const { return value_bytes() | static_cast<PageNumber>(flags) << 32; }
};
static_assert(sizeof(NodeHead) == 8);

struct TreeHead {
  std::uint32_t pad = 0;  // of a meta's first tree: bytes of a page
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t branch_pages = 0;
  std::uint64_t leaf_pages = 0;
  std::uint64_t value_pages = 0;
  std::uint64_t entries = 0;
  PageNumber root = kNoPage;
};
static_assert(sizeof(TreeHead) == 48);

struct Meta {
  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  std::uint64_t address = 0;
  std::uint64_t map_bytes = 0;
  TreeHead free_list;
  TreeHead tables;
  PageNumber last_page = 0;
  std::uint64_t transaction = 0;
};
static_assert(sizeof(Meta) == 136);

// Copies a value out of bytes that may lie off its alignment. Requires that they are there.
template <class Value>
Value value_at(std::span<const std::uint8_t> bytes, std::size_t offset) {
  Value value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

}  // namespace millrace::broker::lmdb

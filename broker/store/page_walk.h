// A walk over all pages of one snapshot that trusts none of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/store/lmdb_env.h"
#include "broker/store/page_check.h"
#include "broker/store/page_layout.h"

namespace millrace::broker::lmdb {

// "data.mdb is damaged: <problem>; restore …"
Error damaged_file(const std::string& problem);

class PageWalk {
 public:
  // `file`: the whole data file, at least `pages` pages of it, which must stay as it is.
  PageWalk(BytesView file, std::size_t page_bytes, PageNumber pages, ValuePages looked_at)
      : file_(file), page_bytes_(page_bytes), pages_(pages), looked_at_(looked_at) {}

  // Everything that `meta` holds. Call once.
  Status check(const Meta& meta);

  // The number of the newest transaction on a free list; 0: it is empty. Reads only what leads
  // there.
  Result<std::uint64_t> newest_of_free_list(const TreeHead& free_list) const;

 private:
  enum class Kind { free_list, tables, table };
  struct Node {
    NodeHead head;
    BytesView key;
    BytesView rest;  // behind the key, up to the end of the page
  };
  // A tree on the way through it.
  struct Tree {
    Kind kind;
    std::string name;
    bool look_at_values = true;
    TreeHead found;       // counted so far
    BytesView last_key;   // of a leaf; empty: there was none yet
    BytesView separator;  // of a branch: the keys that follow are not below it
  };

  Status check_tree(const TreeHead& head, Kind kind, const std::string& name);
  Status visit(Tree& tree, PageNumber number, unsigned int levels);
  Status visit_node(Tree& tree, const Node& node, unsigned int levels, bool is_first);
  Status visit_value(Tree& tree, const Node& node);
  // Takes the run of pages of a value that lies apart.
  Result<BytesView> open_value_apart(Tree& tree, const Node& node);
  Status add_table(const Node& node, BytesView value);
  Status take_free_pages(BytesView list);
  static Status check_order(Tree& tree, BytesView key, bool is_leaf);

  BytesView page(PageNumber number) const;
  // A page of a tree with its slots, checked as far as they reach.
  Result<PageHead> open(PageNumber number, std::uint16_t kind) const;
  Result<Node> node(PageNumber number, const PageHead& head, std::size_t slot) const;
  std::size_t nodes(const PageHead& head) const { return (head.lower - sizeof(PageHead)) / 2; }
  // Marks pages as used. Errors: one is out of range, or used already.
  Status take(PageNumber first, std::uint64_t count);

  BytesView file_;
  std::size_t page_bytes_;
  PageNumber pages_;
  ValuePages looked_at_;
  std::vector<bool> taken_;
  std::vector<std::pair<std::string, TreeHead>> tables_;
};

}  // namespace millrace::broker::lmdb

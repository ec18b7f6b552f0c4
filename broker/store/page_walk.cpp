#include "broker/store/page_walk.h"

#include <algorithm>

#include "broker/store/layout.h"
#include "common/base/shown_text.h"

namespace millrace::broker::lmdb {
namespace {

// LMDB's own bound (CURSOR_STACK).
constexpr unsigned int kDepthMost = 32;
constexpr std::size_t kFreeListFlags = 0x08;  // keys are numbers (MDB_INTEGERKEY)

Error damaged_page(PageNumber number, const std::string& problem) {
  return damaged_file("page " + std::to_string(number) + " " + problem);
}

std::size_t even(std::size_t bytes) {
  return (bytes + 1) / 2 * 2;
}

// Keys of the free list are numbers of the machine, all others are bytes.
bool is_less(BytesView one, BytesView other, bool are_numbers) {
  if (are_numbers) return value_at<std::uint64_t>(one, 0) < value_at<std::uint64_t>(other, 0);
  return std::lexicographical_compare(one.begin(), one.end(), other.begin(), other.end());
}

}  // namespace

Error damaged_file(const std::string& problem) {
  return Error{ErrorCode::corrupt, "data.mdb is damaged: " + problem +
                                       "; restore the data directory from a backup, and check the "
                                       "disk"};
}

Status PageWalk::check(const Meta& meta) {
  taken_.assign(pages_, false);
  if (Status metas = take(0, kMetaPages); !metas.ok()) return metas;
  Status done = check_tree(meta.free_list, Kind::free_list, "the free list");
  if (done.ok()) done = check_tree(meta.tables, Kind::tables, "the list of tables");
  if (!done.ok()) return done;
  for (const auto& [name, head] : tables_) {
    if (Status table = check_tree(head, Kind::table, name); !table.ok()) return table;
  }
  const auto unknown = std::find(taken_.begin(), taken_.end(), false);
  if (unknown == taken_.end()) return Done{};
  return damaged_page(static_cast<PageNumber>(unknown - taken_.begin()),
                      "is neither in use nor free");
}

Result<std::uint64_t> PageWalk::newest_of_free_list(const TreeHead& free_list) const {
  if (free_list.root == kNoPage) return std::uint64_t{0};
  if (free_list.depth == 0 || free_list.depth > kDepthMost) {
    return damaged_file("the free list has an impossible depth");
  }
  PageNumber number = free_list.root;
  for (unsigned int levels = free_list.depth; true; --levels) {
    const Result<PageHead> head = open(number, levels == 1 ? leaf_page : branch_page);
    if (!head.ok()) return head.error();
    const Result<Node> last = node(number, *head, nodes(*head) - 1);
    if (!last.ok()) return last.error();
    if (levels > 1) {
      number = last->head.child();
    } else if (last->key.size() != sizeof(std::uint64_t)) {
      return damaged_page(number, "has a key of the free list that is no number");
    } else {
      return value_at<std::uint64_t>(last->key, 0);
    }
  }
}

Status PageWalk::check_tree(const TreeHead& head, Kind kind, const std::string& name) {
  // The pages of a meta's first tree are described in its pad; its flags are those of the file.
  const std::size_t flags = kind == Kind::free_list ? kFreeListFlags : 0;
  const bool is_plain = head.flags == flags && (kind == Kind::free_list || head.pad == 0);
  if (!is_plain || head.depth > kDepthMost || (head.depth == 0) != (head.root == kNoPage)) {
    return damaged_file("the root of " + name + " is not one of Millrace");
  }
  Tree tree{kind, name, true, {}, {}, {}};
  tree.look_at_values =
      kind != Kind::table || looked_at_ == ValuePages::all || name == name_of(TableId::log);
  if (head.root != kNoPage) {
    if (Status visited = visit(tree, head.root, head.depth); !visited.ok()) return visited;
  }
  const TreeHead& found = tree.found;
  if (found.branch_pages != head.branch_pages || found.leaf_pages != head.leaf_pages ||
      found.value_pages != head.value_pages || found.entries != head.entries) {
    return damaged_file(name + " has " + std::to_string(found.entries) + " entries of " +
                        std::to_string(head.entries) + ", or other pages than it says");
  }
  return Done{};
}

Status PageWalk::visit(Tree& tree, PageNumber number, unsigned int levels) {
  const bool is_leaf = levels == 1;
  if (Status taken = take(number, 1); !taken.ok()) return taken;
  const Result<PageHead> head = open(number, is_leaf ? leaf_page : branch_page);
  if (!head.ok()) return head.error();
  ++(is_leaf ? tree.found.leaf_pages : tree.found.branch_pages);
  std::size_t used = 0;
  for (std::size_t slot = 0; slot < nodes(*head); ++slot) {
    const Result<Node> found = node(number, *head, slot);
    if (!found.ok()) return found.error();
    std::size_t bytes = sizeof(NodeHead) + found->key.size();
    if (is_leaf) {
      const bool apart = (found->head.flags & value_apart) != 0;
      bytes += apart ? sizeof(PageNumber) : found->head.value_bytes();
    }
    used += even(bytes);
    Status visited = visit_node(tree, *found, levels, slot == 0);
    if (!visited.ok()) return visited;
  }
  // LMDB keeps its nodes without gaps.
  if (used != page_bytes_ - head->upper) return damaged_page(number, "has nodes in a wrong place");
  return Done{};
}

Status PageWalk::visit_node(Tree& tree, const Node& node, unsigned int levels, bool is_first) {
  const bool is_leaf = levels == 1;
  if (tree.kind == Kind::free_list && (is_leaf || !is_first) &&
      node.key.size() != sizeof(std::uint64_t)) {
    return damaged_file("the free list has a key that is no number");
  }
  // The first key of a branch stands for everything below the second.
  if (is_leaf || !is_first) {
    if (Status ordered = check_order(tree, node.key, is_leaf); !ordered.ok()) return ordered;
  }
  if (!is_leaf) return visit(tree, node.head.child(), levels - 1);
  ++tree.found.entries;
  return visit_value(tree, node);
}

// Every key is above the leaves before it, and not below the separator that led to it.
Status PageWalk::check_order(Tree& tree, BytesView key, bool is_leaf) {
  const bool are_numbers = tree.kind == Kind::free_list;
  const bool rises = tree.last_key.empty() || is_less(tree.last_key, key, are_numbers);
  const bool is_right = tree.separator.empty() || !is_less(key, tree.separator, are_numbers);
  if (key.empty() || !rises || !is_right) {
    return damaged_file("the keys of " + tree.name + " are in disorder");
  }
  (is_leaf ? tree.last_key : tree.separator) = key;
  return Done{};
}

// ---- values -------------------------------------------------------------------------------------

Status PageWalk::visit_value(Tree& tree, const Node& node) {
  const bool apart = node.head.flags == value_apart;
  const bool is_tree = node.head.flags == value_is_tree;
  if (is_tree != (tree.kind == Kind::tables) || (!apart && !is_tree && node.head.flags != 0)) {
    return damaged_file(tree.name + " has a value of an unknown kind");
  }
  BytesView value = node.rest.first(apart ? sizeof(PageNumber) : node.head.value_bytes());
  if (apart) {
    const Result<BytesView> there = open_value_apart(tree, node);
    if (!there.ok()) return there.error();
    value = *there;
  }
  if (tree.kind == Kind::tables) return add_table(node, value);
  if (tree.kind == Kind::free_list) return take_free_pages(value);
  return Done{};
}

Result<BytesView> PageWalk::open_value_apart(Tree& tree, const Node& node) {
  const auto number = value_at<PageNumber>(node.rest, 0);
  const std::size_t bytes = sizeof(PageHead) + node.head.value_bytes();
  std::uint64_t run = (bytes + page_bytes_ - 1) / page_bytes_;
  if (tree.look_at_values && number < pages_) {
    const auto head = value_at<PageHead>(page(number), 0);
    if (head.number != number || head.kind != value_page || head.run() < run) {
      return damaged_page(number, "is not the value of " + tree.name + " it should be");
    }
    run = head.run();
  }
  if (Status taken = take(number, run); !taken.ok()) return taken.error();
  tree.found.value_pages += run;
  return file_.subspan(number * page_bytes_ + sizeof(PageHead), node.head.value_bytes());
}

Status PageWalk::add_table(const Node& node, BytesView value) {
  if (value.size() != sizeof(TreeHead))
    return damaged_file("the list of tables has a damaged entry");
  tables_.emplace_back(
      shown_text({reinterpret_cast<const char*>(node.key.data()), node.key.size()}),
      value_at<TreeHead>(value, 0));
  return Done{};
}

// A count, then as many page numbers.
Status PageWalk::take_free_pages(BytesView list) {
  constexpr std::size_t kWord = sizeof(PageNumber);
  const std::uint64_t words = list.size() / kWord;
  const std::uint64_t count = words == 0 ? 0 : value_at<std::uint64_t>(list, 0);
  if (words == 0 || count >= words)
    return damaged_file("the free list has an entry without an end");
  PageNumber last = kNoPage;
  for (std::uint64_t i = 1; i <= count; ++i) {
    const auto number = value_at<PageNumber>(list, i * kWord);
    if (number >= last) return damaged_file("the free list is in disorder");
    if (Status taken = take(number, 1); !taken.ok()) return taken;
    last = number;
  }
  return Done{};
}

// ---- pages --------------------------------------------------------------------------------------

Status PageWalk::take(PageNumber first, std::uint64_t count) {
  if (first >= pages_ || count > pages_ - first) {
    return damaged_page(first, "is used and lies behind the end of the file");
  }
  for (PageNumber number = first; number < first + count; ++number) {
    if (taken_[number]) return damaged_page(number, "is used twice");
    taken_[number] = true;
  }
  return Done{};
}

BytesView PageWalk::page(PageNumber number) const {
  return file_.subspan(number * page_bytes_, page_bytes_);
}

Result<PageHead> PageWalk::open(PageNumber number, std::uint16_t kind) const {
  if (number >= pages_) return damaged_page(number, "lies behind the end of the file");
  const auto head = value_at<PageHead>(page(number), 0);
  if (head.number != number || head.kind != kind) {
    return damaged_page(number, "is not the page it should be");
  }
  const bool has_slots = head.lower > sizeof(PageHead) && head.lower % 2 == 0;
  if (!has_slots || head.lower > head.upper || head.upper > page_bytes_) {
    return damaged_page(number, "has an impossible head");
  }
  return head;
}

Result<PageWalk::Node> PageWalk::node(PageNumber number, const PageHead& head,
                                      std::size_t slot) const {
  const BytesView bytes = page(number);
  const auto place = value_at<std::uint16_t>(bytes, sizeof(PageHead) + slot * 2);
  if (place < head.upper || place + sizeof(NodeHead) > page_bytes_) {
    return damaged_page(number, "has a slot that leads out of it");
  }
  const auto found = value_at<NodeHead>(bytes, place);
  const BytesView content = bytes.subspan(place + sizeof(NodeHead));
  if (found.key_bytes > content.size())
    return damaged_page(number, "has a key that leads out of it");
  const BytesView rest = content.subspan(found.key_bytes);
  const bool apart = (found.flags & value_apart) != 0;
  const std::size_t needed = head.kind == branch_page ? 0
                             : apart                  ? sizeof(PageNumber)
                                                      : found.value_bytes();
  if (needed > rest.size()) return damaged_page(number, "has a value that leads out of it");
  return Node{found, content.first(found.key_bytes), rest};
}

}  // namespace millrace::broker::lmdb

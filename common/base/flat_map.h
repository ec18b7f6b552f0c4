// A hash map whose entries lie in one array: a look-up touches one or two cache lines. For maps
// with many small entries that are looked up, not walked.
#pragma once

#include <tsl/robin_map.h>

#include <functional>

namespace millrace {

// As std::unordered_map, with two differences: inserting and erasing invalidate references and
// iterators, and the value behind an iterator is changed through `iterator.value()`. The order of
// iteration depends on the hash: what must be deterministic does not iterate.
template <class Key, class Value, class Hash = std::hash<Key>>
using FlatMap = tsl::robin_map<Key, Value, Hash>;

}  // namespace millrace

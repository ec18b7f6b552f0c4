// The structure of LMDB's pages, held against itself before LMDB walks them. LMDB has no checksums
// and trusts what it reads: a damaged page can end the process, or bring back what was replaced.
// See docs/decisions/0014.
#pragma once

#include <string>

#include "broker/store/lmdb_env.h"

namespace millrace::broker::lmdb {

// What never changes in the two meta pages of the data file of `directory`, if there is one. LMDB
// must not be given a file that fails this. Errors: corrupt, misconfigured (of another LMDB), io.
Status check_meta_pages(const std::string& directory);

// Which pages of values are looked at, and not only counted: those of the log are read at every
// start anyway, those of large payloads and results may be most of the disk.
enum class ValuePages { of_log, all };

// Checks the snapshot of `snapshot`, renewing it when a writer has gone on meanwhile:
//   - each page is what its place says, with its nodes in order and within it;
//   - every page of the file is part of one tree or on the free list, exactly once;
//   - the counts of every tree are those of its pages;
//   - both meta pages are of the transaction that they name, and one follows the other.
// So any pointer, count or number of a transaction that was changed is noticed; what a key or a
// value says is for the checksums of the layers above. Errors: corrupt, io.
Status check_pages(const Environment& environment, Transaction& snapshot, ValuePages looked_at);

}  // namespace millrace::broker::lmdb

// A closed data file, damaged bit by bit and cut at every page.
#pragma once

#include <cstdint>
#include <string>

#include "tests/attack/workload.h"

namespace millrace::attack {

// Damages copies of the store at `directory`, which holds the whole of `life`: `flips` single bits,
// drawn from `seed`, and truncations at every page. Each copy is checked, opened and read: it must
// hold what was written, or the damage must be reported. Prints one line of JSON; false: something
// wrong was served, or a process died.
bool examine_damage(const std::string& directory, const std::string& work_directory,
                    const Life& life, std::uint64_t flips, std::uint64_t seed);

}  // namespace millrace::attack

// Disks as a power cut could leave them, built from a recording of what a store wrote.
#pragma once

#include <cstdint>
#include <string>

#include "tests/attack/recorded_disk.h"
#include "tests/attack/workload.h"

namespace millrace::attack {

// Builds `images` disks in `work_directory`, drawn from `seed`: each is what the recording at
// `path` had made durable at some point of it, and any part of what was under way. The store of the
// life `life` is opened on each of them. Prints one line of JSON; false: something was lost or
// wrong.
bool examine_torn_disks(const std::string& path, const std::string& work_directory,
                        const Life& life, std::uint64_t images, std::uint64_t seed, Disk disk);

}  // namespace millrace::attack

// One call of the operating system or of LMDB that fails, chosen by its number. The linker puts
// these in front of what the store calls (--wrap, see CMakeLists.txt); what LMDB calls itself is
// not touched.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::testing {

// From now on the `number`-th call fails, counted from 1 over all threads; 0: none.
void fail_call(std::uint64_t number);

// The next `times` calls of fallocate fail with this error and nothing else does.
void refuse_allocations(int error, std::uint64_t times);

// The name of the call that failed since then; empty when there were not so many calls.
std::string failed_call();

}  // namespace millrace::testing

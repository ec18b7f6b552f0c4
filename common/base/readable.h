// How figures look to people, wherever one is told to a person.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/time.h"

namespace millrace {

// "1,234,567".
std::string grouped(std::uint64_t number);
// "0.4 s", "12 s", "3 min", "5 h", "2 d"; "0 s" for nothing and less.
std::string age_text(Duration age);

}  // namespace millrace

// Runs an examination in a process of its own: what it meets may end the process.
#pragma once

#include <functional>

#include "tests/attack/workload.h"

namespace millrace::attack {

// The verdict of `examination`, or that its process died; `died` tells these apart.
struct ApartVerdict {
  Verdict verdict;
  bool died = false;
};
ApartVerdict examine_apart(const std::function<Verdict()>& examination);

}  // namespace millrace::attack

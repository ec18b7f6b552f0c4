#pragma once

#include "common/base/messages.h"
#include "common/base/random.h"

namespace millrace::broker {

// How long to wait before the attempt after `attempts` of them: exponential from backoff.initial,
// doubled each time, at most backoff.max, then shortened by up to half at random ("equal jitter",
// Brooker 2015, "Exponential Backoff and Jitter"). Requires attempts >= 1.
Duration retry_delay(const Backoff& backoff, std::uint16_t attempts, Random& random);

}  // namespace millrace::broker

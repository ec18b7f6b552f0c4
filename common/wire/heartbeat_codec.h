// Heartbeats: one frame each way, schemas/heartbeat.fbs. Pure functions; thread-safe.
#pragma once

#include "common/base/messages.h"

namespace millrace::wire {

// Errors: invalid, too_large (over 256 bytes).
Result<Beat> decode_beat(const SharedBytes& frame);
Result<Pulse> decode_pulse(const SharedBytes& frame);
SharedBytes encode(const Beat& beat);
SharedBytes encode(const Pulse& pulse);

}  // namespace millrace::wire

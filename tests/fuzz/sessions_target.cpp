// A hostile broker and an unruly user against the session of a client, or of a worker: whatever
// they say, the session sends only what a broker takes, and is never in a hurry for nothing.
#include "tests/fuzz/session_runs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::fuzz::Input input({data, size});
  if (input.truth()) {
    millrace::fuzz::run_client_session(input);
  } else {
    millrace::fuzz::run_worker_session(input);
  }
  return 0;
}

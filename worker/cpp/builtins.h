// Handlers that come with the worker: two useful for trying things out, and a set of misbehaviours
// to prove that the broker copes.
#pragma once

#include <pthread.h>

#include <string>

#include "worker/cpp/worker.h"

namespace millrace::worker {

// echo: the payload is the result. sleep: the payload is a number of milliseconds.
Answer echo(const Task& task);
Answer sleep_for_payload(const Task& task);

// fail: every attempt fails. exit: the process exits with status 1. hang: never returns, whatever
// it is told. stall: stops `session_thread` for good, then hangs. lie: answers well, but see
// lie_about. slow: takes 2 s. Requires one of these names.
Handler make_poison(const std::string& kind, pthread_t session_thread);

// Falsifies a Complete: each completion is said with a fence that was never granted, and then
// twice.
void lie_about(WorkerMessage& message);

}  // namespace millrace::worker

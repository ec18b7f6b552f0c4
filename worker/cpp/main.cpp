// millrace-worker: runs a program, or a built-in handler, once per task.
#include <poll.h>
#include <pthread.h>

#include <iostream>
#include <thread>

#include "common/host/event_descriptor.h"
#include "common/host/log.h"
#include "common/host/stop_signal.h"
#include "common/keys/key_pair.h"
#include "worker/cpp/builtins.h"
#include "worker/cpp/ledger.h"
#include "worker/cpp/options.h"
#include "worker/cpp/program_runner.h"
#include "worker/cpp/worker.h"

namespace millrace::worker {
namespace {

int exit_with(host::ExitCode code) {
  return static_cast<int>(code);
}

host::ExitCode exit_code_of(const Error& error) {
  if (error.code == ErrorCode::misconfigured) return host::ExitCode::usage;
  if (error.code == ErrorCode::unavailable) return host::ExitCode::unreachable;
  return host::ExitCode::refused_to_start;
}

// Turns signals into requests to stop: the first drains, the second ends at once.
class StopWatcher {
 public:
  StopWatcher(host::StopSignal& signal, Worker& worker)
      : thread_([this, &signal, &worker] { watch(signal, worker); }) {}
  ~StopWatcher() {
    end_.raise();
    thread_.join();
  }
  StopWatcher(const StopWatcher&) = delete;
  StopWatcher& operator=(const StopWatcher&) = delete;

 private:
  void watch(host::StopSignal& signal, Worker& worker) {
    int passed_on = 0;
    for (;;) {
      pollfd items[2] = {{signal.descriptor(), POLLIN, 0}, {end_.descriptor(), POLLIN, 0}};
      ::poll(items, 2, -1);
      if (items[1].revents != 0) return;
      for (const int count = signal.count(); passed_on < count; ++passed_on) {
        worker.request_stop();
      }
    }
  }

  host::EventDescriptor end_;
  std::thread thread_;
};

Result<Handler> make_plain_handler(const Options& options) {
  if (options.builtin == "echo") return Handler(echo);
  if (options.builtin == "sleep") return Handler(sleep_for_payload);
  if (options.builtin == "poison") return make_poison(options.poison, pthread_self());
  auto program =
      ProgramRunner::find(ProgramSettings{options.program, options.grace, options.verbose});
  if (!program) return program.error();
  return Handler([runner = *std::move(program)](const Task& task) { return runner.run(task); });
}

Result<Handler> make_handler(const Options& options) {
  auto handler = make_plain_handler(options);
  if (!handler || options.ledger.empty()) return handler;
  const auto ledger = Ledger::open(options.ledger, options.name.empty() ? "-" : options.name);
  if (!ledger) return ledger.error();
  return ledger->noting(*std::move(handler));
}

WorkerOptions worker_options(const Options& options, const host::Log& log) {
  WorkerOptions worker;
  worker.broker = options.broker;
  worker.key = options.key;
  worker.slots = options.slots;
  worker.name = options.name;
  worker.prefetch_max = options.prefetch;
  worker.drain_timeout = options.drain_timeout;
  worker.connect_timeout = options.connect_timeout;
  worker.notice = [log](NoticeLevel level, const std::string& text) {
    level == NoticeLevel::info ? log->info("{}", text) : log->warn("{}", text);
  };
  if (options.poison == "lie") worker.before_send = lie_about;
  return worker;
}

std::string start_line(const Options& options) {
  std::string line = "working on";
  for (const std::string& queue : options.queues) line += " " + queue;
  line += " with " +
          (options.builtin.empty() ? options.program.front() : "the built-in " + options.builtin);
  return line + "; broker " + options.broker;
}

int run(int argc, const char* const* argv) {
  host::StopSignal stop_signal;
  host::ExitCode exit_now = host::ExitCode::done;
  const auto options = read_options(argc, argv, exit_now);
  if (!options) return exit_with(exit_now);
  const auto fail = [](const Error& error) {
    std::cerr << "millrace-worker: " << error.message << '\n';
    return exit_with(exit_code_of(error));
  };
  if (!options->key.empty()) keys::protect_process_memory();
  const auto log = host::make_log("millrace-worker", options->log_level);
  if (!log) return fail(log.error());
  const auto handler = make_handler(*options);
  if (!handler) return fail(handler.error());
  Worker worker(worker_options(*options, *log));
  for (const std::string& queue : options->queues) worker.handle(queue, *handler);
  (*log)->info("{}", start_line(*options));
  const StopWatcher watcher(stop_signal, worker);
  const Status status = worker.run();
  return status ? exit_with(host::ExitCode::done) : fail(status.error());
}

}  // namespace
}  // namespace millrace::worker

int main(int argc, char** argv) {
  return millrace::worker::run(argc, argv);
}

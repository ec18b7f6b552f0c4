// A worker on the C++ library with the handlers that the conformance kit asks for (../README.md).
// usage: conform_library_worker BROKER QUEUE SLOTS
#include <poll.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "common/host/stop_signal.h"
#include "worker/cpp/worker.h"

namespace {

using millrace::Duration;
using millrace::worker::Answer;
using millrace::worker::Task;

// "WORD REST" in two; REST is empty where there is none.
std::pair<std::string_view, std::string_view> split(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return {text, {}};
  return {text.substr(0, space), text.substr(space + 1)};
}

std::uint64_t number(std::string_view text) {
  return std::strtoull(std::string(text).c_str(), nullptr, 10);
}

Duration milliseconds(std::string_view text) {
  return Duration::milliseconds(static_cast<std::int64_t>(number(text)));
}

Answer sleep_until_stopped(const Task& task, Duration time) {
  return task.wait_for_stop(time) ? millrace::worker::retry("stopped") : millrace::worker::done();
}

Answer run(const Task& task) {
  const auto [word, rest] = split(task.payload().text());
  if (word == "sleep") return sleep_until_stopped(task, milliseconds(rest));
  if (word == "fail") return millrace::worker::retry(std::string(rest));
  if (word == "fail_for_good") return millrace::worker::fail_for_good(std::string(rest));
  if (word == "result") return millrace::worker::done(std::string(number(rest), 'x'));
  if (word == "error")
    return millrace::worker::retry("A" + std::string(number(rest) - 2, 'x') + "Z");
  if (word == "stuck") {
    std::this_thread::sleep_for(std::chrono::milliseconds(number(rest)));
    return millrace::worker::done();
  }
  if (word == "progress") {
    const auto [percent, time] = split(rest);
    task.progress(static_cast<std::uint8_t>(number(percent)));
    return sleep_until_stopped(task, milliseconds(time));
  }
  return millrace::worker::done(task.payload());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: conform_library_worker BROKER QUEUE SLOTS\n";
    return 2;
  }
  millrace::host::StopSignal signal;
  millrace::worker::WorkerOptions options;
  options.broker = argv[1];
  options.slots = static_cast<std::uint32_t>(number(argv[3]));
  millrace::worker::Worker worker(std::move(options));
  worker.handle(argv[2], run);
  std::thread watcher([&signal, &worker] {
    pollfd item{signal.descriptor(), POLLIN, 0};
    ::poll(&item, 1, -1);
    worker.request_stop();
  });
  watcher.detach();
  const millrace::Status status = worker.run();
  if (!status) std::cerr << "conform_library_worker: " << status.error().message << '\n';
  std::_Exit(status ? 0 : 1);
}

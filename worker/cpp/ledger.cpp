#include "worker/cpp/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>

namespace millrace::worker {
namespace {

std::int64_t steady_nanoseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace

Result<Ledger> Ledger::open(const std::string& path, std::string worker) {
  UniqueDescriptor descriptor(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (descriptor.get() < 0) {
    return Error{ErrorCode::misconfigured,
                 "--ledger " + path + " cannot be opened: " + std::strerror(errno)};
  }
  auto file = std::make_shared<File>();
  file->descriptor = std::move(descriptor);
  file->worker = std::move(worker);
  return Ledger(std::move(file));
}

void Ledger::File::note(const char* what, const Task& task) const {
  const std::string line = std::string(what) + " " + to_text(task.id()) + " " +
                           std::to_string(task.attempt()) + " " +
                           std::to_string(task.fence().value) + " " + worker + " " +
                           std::to_string(steady_nanoseconds()) + "\n";
  // A full disk loses lines of the ledger, never tasks.
  static_cast<void>(!::write(descriptor.get(), line.data(), line.size()));
}

Handler Ledger::noting(Handler handler) const {
  return [file = file_, handler = std::move(handler)](const Task& task) {
    file->note("start", task);
    Answer answer = handler(task);
    file->note("end", task);
    return answer;
  };
}

}  // namespace millrace::worker

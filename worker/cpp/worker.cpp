#include "worker/cpp/worker.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <random>
#include <thread>

#include "common/host/host_port.h"
#include "common/host/version.h"
#include "common/wire/task_codec.h"
#include "common/wire/utf8.h"
#include "worker/cpp/runner.h"

namespace millrace::worker {
namespace {

constexpr std::uint16_t kDefaultPort = 5556;
constexpr std::size_t kNameBytesMost = 128;  // docs/protocol.md

std::string host_and_process() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) return std::to_string(getpid());
  const std::string process = "-" + std::to_string(getpid());
  return std::string(host.data()).substr(0, kNameBytesMost - process.size()) + process;
}

Random make_random() {
  std::random_device device;
  const std::uint64_t high = device();
  return Random((high << 32) ^ device());
}

Error misconfigured(std::string message) {
  return Error{ErrorCode::misconfigured, std::move(message)};
}

}  // namespace

class Worker::State {
 public:
  explicit State(WorkerOptions given) : options(std::move(given)) {}

  Result<SessionSettings> session_settings(Random& random) const;
  Status run();

  WorkerOptions options;
  Handlers handlers;
  std::atomic<int> stop_requests{0};
  host::EventDescriptor stop_event;
};

Result<SessionSettings> Worker::State::session_settings(Random& random) const {
  const PeerLimits limits;
  SessionSettings settings;
  if (handlers.empty()) return misconfigured("no queue to work on; name at least one");
  for (const auto& [queue, handler] : handlers) {
    if (!wire::is_queue_name(queue, limits)) {
      return misconfigured("'" + queue + "' is not a queue name; use 1 to " +
                           std::to_string(limits.queue_name_bytes_max) +
                           " of A-Z a-z 0-9 . _ : / -");
    }
    if (!handler) return misconfigured("the handler of queue '" + queue + "' is empty");
    settings.queues.push_back(queue);
  }
  settings.slots =
      options.slots > 0 ? options.slots : std::max(1U, std::thread::hardware_concurrency());
  if (settings.slots > limits.credit_max) {
    return misconfigured("slots must be at most " + std::to_string(limits.credit_max));
  }
  settings.name = options.name.empty() ? host_and_process() : options.name;
  if (settings.name.size() > kNameBytesMost || !is_utf8(settings.name) ||
      has_control_characters(settings.name)) {
    return misconfigured("the worker's name must be at most " + std::to_string(kNameBytesMost) +
                         " bytes of UTF-8 without control characters");
  }
  settings.worker = make_random_id<WorkerId>(random);
  settings.prefetch_max = options.prefetch_max;
  settings.version = host::version();
  settings.run_ahead = Duration::milliseconds(1);
  return settings;
}

Status Worker::State::run() {
  const auto address = host::parse_host_port(options.broker, kDefaultPort);
  if (!address) return address.error();
  Random random = make_random();
  auto session = session_settings(random);
  if (!session) return session.error();
  auto key = keys::load_peer_key(options.key);
  if (!key) return key.error();
  auto connection = BrokerConnection::open(address->host, address->port, *std::move(key));
  if (!connection) return connection.error();
  HandlerPool pool(session->slots, handlers);
  if (!stop_event.ok() || !pool.ok()) {
    return Error{ErrorCode::io, "no file descriptor is left for " + std::to_string(session->slots) +
                                    " slots; raise ulimit -n, or use fewer slots"};
  }
  RunnerSettings settings;
  settings.session = *std::move(session);
  settings.broker = host::to_tcp_address(*address);
  settings.drain_timeout = options.drain_timeout;
  settings.connect_timeout = options.connect_timeout;
  settings.notice = options.notice;
  settings.before_send = options.before_send;
  settings.acknowledged = options.acknowledged;
  Runner runner(std::move(settings), *connection, pool, stop_requests, stop_event, random);
  return runner.run();
}

Worker::Worker(WorkerOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Worker::~Worker() = default;

void Worker::handle(const std::string& queue, Handler handler) {
  state_->handlers[queue] = std::move(handler);
}

Status Worker::run() {
  return state_->run();
}

void Worker::request_stop() {
  ++state_->stop_requests;
  state_->stop_event.raise();
}

}  // namespace millrace::worker

#include "broker/ready_line.h"

#include <spdlog/spdlog.h>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace millrace::broker {
namespace {

std::string address(const std::string& scheme, const std::string& host, std::uint16_t port) {
  return scheme + "://" + host + ":" + std::to_string(port);
}

}  // namespace

void print_ready_line(const BrokerConfig& config) {
  const Endpoints& ports = config.core.endpoints;
  const nlohmann::ordered_json line = {
      {"event", "ready"},
      {"version", config.core.version},
      {"epoch", config.core.epoch.value},
      {"data", config.store.directory},
      {"client", address("tcp", config.bind_host, ports.client_port)},
      {"worker", address("tcp", config.bind_host, ports.worker_port)},
      {"beat", address("tcp", config.bind_host, ports.beat_port)},
      {"pulse", address("tcp", config.bind_host, ports.pulse_port)},
      {"http", address("http", config.admin.host, ports.http_port)},
  };
  std::puts(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

void announce(spdlog::logger& log, const BrokerConfig& config, const RecoverySummary& recovered) {
  const Endpoints& ports = config.core.endpoints;
  log.info("{} on {}: clients {}, workers {}, beats {}, pulse {}, http {}", config.core.version,
           config.bind_host, ports.client_port, ports.worker_port, ports.beat_port,
           ports.pulse_port, ports.http_port);
  log.info("epoch {} of {}: {} tasks recovered in {} ms, {} of them in progress",
           config.core.epoch.value, config.store.directory, recovered.tasks,
           recovered.took.in_milliseconds(), recovered.in_progress);
  if (!is_loopback(config.bind_host) && config.keys_folder.empty()) {
    log.warn("the task ports are open on {} and ask for no key: keep them inside a trusted network",
             config.bind_host);
  }
}

}  // namespace millrace::broker

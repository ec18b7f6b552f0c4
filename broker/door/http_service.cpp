#include "broker/door/http_service.h"

#include <utility>

#include "broker/broker_sockets.h"
#include "broker/door/http_token.h"
#include "common/host/version.h"

namespace millrace::broker {
namespace {

constexpr Duration kLookupMax = Duration::seconds(2);

HttpDoorSettings door_settings(const BrokerConfig& config, const Endpoints& endpoints,
                               const AccessKeeper* keeper) {
  std::string host = config.bind_host == "0.0.0.0" ? "127.0.0.1" : config.bind_host;
  if (host == "::" || host == "[::]") host = "::1";
  if (host.find(':') != std::string::npos && host.front() != '[') host = "[" + host + "]";
  HttpDoorSettings settings;
  settings.client_address = host + ":" + std::to_string(endpoints.client_port);
  settings.limits = config.core.limits;
  if (keeper != nullptr) settings.key = keeper->door_key();
  return settings;
}

std::string pass_of(const AccessKeeper* keeper) {
  return keeper == nullptr ? std::string() : keeper->door_pass();
}

LeaseDeskSettings desk_settings(const BrokerConfig& config, const AccessKeeper* keeper) {
  LeaseDeskSettings settings;
  settings.workers_address = kInprocWorkers;
  settings.beats_address = kInprocBeats;
  settings.pulse_address = kInprocPulse;
  settings.version = host::version();
  settings.leases_max = config.http_leases_max;
  settings.door_pass = pass_of(keeper);
  return settings;
}

}  // namespace

HttpService::HttpService(zmq::context_t& context, const BrokerConfig& config,
                         const Endpoints& endpoints, const AccessKeeper* keeper,
                         const StatusSource& status, const HttpGate& gate)
    : lookup_(context, kInprocClients, kLookupMax, pass_of(keeper)),
      leases_(context, lookup_, desk_settings(config, keeper)),
      door_(door_settings(config, endpoints, keeper), leases_, status),
      api_(door_, config.admin.api, gate) {}

HttpService::~HttpService() {
  door_.close();
}

Result<std::unique_ptr<HttpService>> HttpService::start(
    zmq::context_t& context, const BrokerConfig& config, const Endpoints& endpoints,
    const AccessKeeper* keeper, const StatusBoard& board, const host::Clock& clock) {
  Result<std::string> token = open_http_token(config.store.directory);
  if (!token) return token.error();
  const HttpGate gate(*std::move(token), config.http_readers);
  const StatusSource status = [&board] { return board.newest(); };
  std::unique_ptr<HttpService> service(
      new HttpService(context, config, endpoints, keeper, status, gate));
  const Status opened = service->leases_.open();
  if (!opened) return opened.error();
  auto server = AdminServer::start(
      config.admin, status, [&clock] { return clock.now(); }, service->lookup_, service->api_,
      gate);
  if (!server) return server.error();
  service->server_ = *std::move(server);
  return service;
}

}  // namespace millrace::broker

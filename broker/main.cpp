// millrace-broker: builds the parts, hands them to each other, runs the loop.
#include <cstdio>
#include <random>

#include "broker/broker_sockets.h"
#include "broker/config.h"
#include "broker/door/http_service.h"
#include "broker/reactor.h"
#include "broker/ready_line.h"
#include "broker/recovery.h"
#include "broker/store/lmdb_store.h"
#include "broker/store_tools.h"
#include "common/host/log.h"

namespace {

using namespace millrace;
using namespace millrace::broker;

int refuse(const Error& error) {
  std::fprintf(stderr, "millrace-broker: %s\n", error.message.c_str());
  return static_cast<int>(host::ExitCode::refused_to_start);
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto done = run_store_tool(argc, argv)) return static_cast<int>(*done);
  ConfigResult configured = read_config(argc, argv);
  if (!configured.config.has_value()) return static_cast<int>(configured.exit_now);
  BrokerConfig& config = *configured.config;
  host::StopSignal stop;
  const host::Clock clock;
  auto log = host::make_log("millrace-broker", config.log_level, config.log_format);
  if (!log.ok()) return refuse(log.error());
  zmq::context_t context = wire::make_context();
  auto keeper = AccessKeeper::start(context, config.keys_folder, *log);
  if (!keeper.ok()) return refuse(keeper.error());
  auto store = LmdbStore::open(config.store);
  if (!store.ok()) return refuse(store.error());
  auto sockets = bind_broker_sockets(context, config, keeper->get());
  if (!sockets.ok()) return refuse(sockets.error());
  StatusBoard status(MILLRACE_VERSION, clock.now());
  auto http = HttpService::start(context, config, sockets->endpoints, keeper->get(), status, clock);
  if (!http.ok()) return refuse(http.error());
  sockets->endpoints.http_port = (*http)->port();
  config.core.endpoints = sockets->endpoints;
  config.core.epoch = (*store)->epoch();
  config.core.version = MILLRACE_VERSION;
  BrokerCore core(config.core, Random(std::random_device{}()));
  const Result<RecoverySummary> recovered = recover(core, **store, clock);
  if (!recovered.ok()) return refuse(recovered.error());

  announce(**log, config, *recovered);
  print_ready_line(config);
  Reactor reactor(*sockets, core, **store, status, clock, stop, keeper->get(), config);
  reactor.run();
  (*log)->info("stopped; everything accepted is on disk");
  return static_cast<int>(host::ExitCode::done);
}

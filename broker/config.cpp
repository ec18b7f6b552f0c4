#include "broker/config.h"

#include <cstdio>

#include "broker/store_tools.h"
#include "common/host/configuration.h"

namespace millrace::broker {
namespace {

// A poll costs a thread and a lease a socket; libzmq has 1023 of these.
constexpr std::uint32_t kHttpMost = 900;

void add_network_options(CLI::App& app, BrokerConfig& config) {
  app.add_option("--bind", config.bind_host, "Address to listen on; 0.0.0.0 for all interfaces")
      ->capture_default_str();
  app.add_option("--keys", config.keys_folder,
                 "Folder with broker.key and allowlist.toml, see millrace keygen: the task ports "
                 "are encrypted and admit these keys alone");
  app.add_flag(
      "--allow-network-without-keys", config.allow_network_without_keys,
      "Listen beyond this machine without keys: whoever reaches the ports may do anything");
  app.add_option("--client-port", config.client_port, "For clients; 0 picks a free one")
      ->capture_default_str();
  app.add_option("--worker-port", config.worker_port, "For workers; 0 picks a free one")
      ->capture_default_str();
  app.add_option("--beat-port", config.beat_port, "For workers' heartbeats; 0 picks a free one")
      ->capture_default_str();
  app.add_option("--pulse-port", config.pulse_port, "For the broker's pulse; 0 picks a free one")
      ->capture_default_str();
  app.add_option("--http-port", config.admin.port, "For metrics and status; 0 picks a free one")
      ->capture_default_str();
  app.add_option("--http-bind", config.http_host, "HTTP address, where it differs from --bind");
  app.add_option("--http-readers", config.http_readers,
                 "Who may read over HTTP without the token: loopback, anyone or nobody")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, HttpReaders>{{"loopback", HttpReaders::loopback},
                                             {"anyone", HttpReaders::anyone},
                                             {"nobody", HttpReaders::nobody}}));
  app.add_option("--http-polls", config.admin.api.polls_max,
                 "HTTP requests that may wait at once, for a task or its end")
      ->capture_default_str();
  app.add_option("--http-leases", config.http_leases_max,
                 "Leases sought and held over HTTP at once")
      ->capture_default_str();
  app.add_option("--http-host-name", config.admin.allowed_hosts,
                 "A host name by which browsers may reach HTTP; may be given several times");
}

void add_store_options(CLI::App& app, BrokerConfig& config) {
  app.add_option("--data", config.store.directory, "Data directory; made when missing")->required();
  host::add_bytes(app, "--store-size", config.store.map_bytes_max,
                  "The most the store may grow to");
  host::add_bytes(app, "--disk-reserve", config.store.disk_reserve,
                  "Disk space kept for running tasks when the disk fills");
}

void add_task_options(CLI::App& app, BrokerConfig& config) {
  CoreSettings& core = config.core;
  host::add_duration(app, "--beat-interval", core.liveness.beat_interval, "Between two heartbeats");
  host::add_duration(app, "--lease", core.liveness.silence_max,
                     "A worker silent for this long loses its tasks");
  host::add_duration(app, "--adoption-grace", core.adoption_grace,
                     "After a restart, how long running tasks wait for their workers");
  host::add_duration(app, "--task-timeout", core.timeout_default,
                     "Of one attempt, for tasks that name none");
  host::add_duration(app, "--retention", core.retention_default,
                     "Ended tasks are kept this long, unless they say otherwise");
  host::add_bytes(app, "--retained-bytes", core.retained_bytes_max,
                  "Ended tasks are kept up to this");
  app.add_option("--retained-tasks", core.retained_tasks_max,
                 "Ended tasks are kept up to this many")
      ->capture_default_str();
  host::add_duration(app, "--aging", core.aging_interval,
                     "A waiting task gains one priority each; 0: never");
  app.add_option("--tasks-max", core.tasks_max, "Waiting, running and dead tasks together")
      ->capture_default_str();
  app.add_option("--queues-max", core.queues_max, "Queues")->capture_default_str();
  app.add_option("--workers-max", core.workers_max, "Connected workers")->capture_default_str();
  app.add_option("--clients-max", core.clients_max, "Connected clients")->capture_default_str();
}

Status validate(const BrokerConfig& config) {
  const CoreSettings& core = config.core;
  const auto wrong = [](std::string text) {
    return Error{ErrorCode::misconfigured, std::move(text)};
  };
  if (core.liveness.beat_interval < Duration::milliseconds(50)) {
    return wrong("--beat-interval must be at least 50ms");
  }
  if (core.liveness.silence_max < core.liveness.beat_interval * 2) {
    return wrong(
        "--lease must be at least twice --beat-interval, or living workers would lose tasks");
  }
  if (core.timeout_default < Duration::milliseconds(100)) {
    return wrong("--task-timeout must be at least 100ms");
  }
  if (config.admin.api.polls_max > kHttpMost || config.http_leases_max == 0 ||
      config.http_leases_max > kHttpMost) {
    return wrong("--http-polls must be at most 900, and --http-leases 1 to 900");
  }
  if (core.tasks_max == 0 || core.queues_max == 0 || core.workers_max == 0 ||
      core.clients_max == 0) {
    return wrong("--tasks-max, --queues-max, --workers-max and --clients-max must be at least 1");
  }
  return validate(config.store);
}

// What would open the broker to whoever passes by.
Status refuse_unsafe(const BrokerConfig& config) {
  if (is_loopback(config.bind_host) || !config.keys_folder.empty() ||
      config.allow_network_without_keys) {
    return Done{};
  }
  return Error{ErrorCode::misconfigured,
               "--bind " + config.bind_host +
                   " opens the task ports beyond this machine, without keys: make some with "
                   "'millrace keygen FOLDER' and add --keys FOLDER (or, where everybody in the "
                   "network may do anything, --allow-network-without-keys)"};
}

}  // namespace

bool is_loopback(const std::string& host) {
  const bool is_ipv4 = host.find_first_not_of("0123456789.") == std::string::npos;
  return (is_ipv4 && host.starts_with("127.")) || host == "localhost" || host == "::1" ||
         host == "[::1]";
}

ConfigResult read_config(int argc, const char* const* argv) {
  BrokerConfig config;
  CLI::App app{"The Millrace broker: stores tasks durably and leases them to workers.",
               "millrace-broker"};
  app.footer(list_of_store_tools());
  host::add_common_options(app, config.log_level);
  host::add_log_format(app, config.log_format);
  bool check = false;
  bool print = false;
  app.add_flag("--check-config", check, "Say whether the configuration is good, and exit")
      ->configurable(false);
  app.add_flag("--print-config", print, "Print every setting as it would hold, and exit")
      ->configurable(false);
  add_network_options(app, config);
  add_store_options(app, config);
  add_task_options(app, config);
  const host::ParseResult parsed = host::parse_command_line(app, argc, argv);
  if (!parsed.proceed) return {std::nullopt, parsed.exit_now};
  const Status valid = validate(config);
  if (!valid.ok()) {
    std::fprintf(stderr, "millrace-broker: %s\n", valid.error().message.c_str());
    return {std::nullopt, host::ExitCode::usage};
  }
  const Status safe = refuse_unsafe(config);
  if (!safe.ok()) {
    std::fprintf(stderr, "millrace-broker: %s\n", safe.error().message.c_str());
    return {std::nullopt, host::ExitCode::refused_to_start};
  }
  if (print) std::fputs(host::settings_text(app).c_str(), stdout);
  if (check && !print) std::puts("the configuration is good");
  if (check || print) return {std::nullopt, host::ExitCode::done};
  config.admin.host = config.http_host.empty() ? config.bind_host : config.http_host;
  return {std::move(config), host::ExitCode::done};
}

}  // namespace millrace::broker

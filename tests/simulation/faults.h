// What goes wrong, when and for how long. Every fault heals by itself.
#pragma once

#include <memory>
#include <vector>

#include "tests/simulation/client_node.h"
#include "tests/simulation/worker_node.h"

namespace millrace::simulation {

struct Cluster {
  BrokerNode& broker;
  std::vector<std::unique_ptr<WorkerNode>>& workers;
  std::vector<std::unique_ptr<ClientNode>>& clients;
};

class Faults {
 public:
  Faults(World& world, const Plan& plan, Oracle& oracle, Cluster cluster)
      : world_(world), plan_(plan), oracle_(oracle), cluster_(cluster) {}

  // Injects until `end`.
  void begin(Time end);

 private:
  void plan_next(FaultKind kind);
  void inject(FaultKind kind);

  void crash_broker();
  void fill_store();
  void jump_clock();
  void pause_worker();
  void cut_wire();
  void partition();

  WorkerNode& some_worker() { return *cluster_.workers[world_.index(cluster_.workers.size())]; }
  ClientNode& some_client() { return *cluster_.clients[world_.index(cluster_.clients.size())]; }
  // Some node's route; and the worker, where it is one.
  Route& some_route(WorkerNode*& worker);

  World& world_;
  const Plan& plan_;
  Oracle& oracle_;
  Cluster cluster_;
  Time end_;
};

}  // namespace millrace::simulation

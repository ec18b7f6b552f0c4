// What HTTP does to tasks, done as an ordinary client and as ordinary workers do it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "broker/admin/admin_site.h"
#include "broker/door/lease_desk.h"
#include "client/cpp/client.h"
#include "common/keys/key_file.h"

namespace millrace::broker {

struct HttpDoorSettings {
  std::string client_address;                // HOST:PORT
  std::shared_ptr<const keys::PeerKey> key;  // null without keys
  PeerLimits limits;
  Duration call_timeout = Duration::seconds(10);
};

// See TaskDoor. Connects with the first request.
class HttpDoor final : public TaskDoor {
 public:
  // `leases` must be open and outlive the door. `status`: see StatusSource.
  HttpDoor(HttpDoorSettings settings, LeaseDesk& leases, StatusSource status);

  PeerLimits limits() override { return settings_.limits; }
  std::vector<Result<SubmitStatus>> submit(
      const std::vector<wire::TaskDescription>& tasks) override;
  TaskId draw_id() override;
  Result<TaskView> get(const TaskId& task, Duration wait, const Abandoned& abandoned) override;
  Result<CancelAnswer> cancel(const TaskId& task) override;
  Result<std::uint64_t> control_queue(const std::string& queue, QueueAction action) override;
  Result<std::uint64_t> drain_worker(const std::string& worker) override;
  Result<std::uint64_t> requeue(const TaskId& task) override;
  Result<TasksChanged> change_tasks(const ChangeTasks& change) override;
  Result<std::optional<DispatchedTask>> lease(const LeaseRequest& request,
                                              const Abandoned& abandoned) override;
  Result<LeaseState> heartbeat(const HeldLease& lease, const LeaseUpdate& update) override;
  Result<LeaseState> finish(Completion completion) override;
  void hand_back(const HeldLease& lease) override;
  void close() override;

 private:
  using ClientPointer = std::shared_ptr<client::Client>;
  Result<ClientPointer> client();
  std::optional<Error> refusal_ahead() const;
  Status wait_for_end(client::Client& client, const TaskId& task, Duration wait,
                      const Abandoned& abandoned) const;

  const HttpDoorSettings settings_;
  LeaseDesk& leases_;
  const StatusSource status_;
  const host::Clock clock_;
  std::atomic<bool> closing_{false};

  std::mutex mutex_;  // guards what follows
  Random random_;
  ClientPointer client_;  // null until the first request
};

}  // namespace millrace::broker

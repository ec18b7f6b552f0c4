// The HTTP leases of a broker and the thread that keeps them: each a worker session of its own,
// over in-process connections to the doors that every worker uses.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "broker/admin/task_door.h"
#include "broker/admin/task_reader.h"
#include "broker/door/http_lease.h"
#include "common/host/clock.h"
#include "common/host/event_descriptor.h"

namespace millrace::broker {

struct LeaseDeskSettings {
  std::string workers_address;  // the broker's sockets; they need not be bound yet
  std::string beats_address;
  std::string pulse_address;
  std::string version;
  // With keys: how the routing ids of its connections begin, see AccessKeeper::door_pass.
  std::string door_pass;
  std::uint32_t leases_max = 256;  // sought and held; each costs a socket. Answer: busy
  Duration answer_max = Duration::seconds(10);  // for the durable answer to a completion
};

// Thread-safe but for open and the destructor. See TaskDoor for what the calls mean.
class LeaseDesk {
 public:
  // `context` and `tasks` must outlive the desk.
  LeaseDesk(zmq::context_t& context, TaskReader& tasks, LeaseDeskSettings settings);
  ~LeaseDesk();
  LeaseDesk(const LeaseDesk&) = delete;
  LeaseDesk& operator=(const LeaseDesk&) = delete;

  // Starts the thread. Once. Errors: io, misconfigured.
  Status open();
  // Ends all calls. Leases held are left as they are: their holders claim them from the next
  // process.
  void close();

  Result<std::optional<DispatchedTask>> lease(const LeaseRequest& request,
                                              const Abandoned& abandoned);
  Result<LeaseState> heartbeat(const HeldLease& lease, const LeaseUpdate& update);
  Result<LeaseState> finish(Completion completion);
  void hand_back(const HeldLease& lease);

 private:
  // A lease and its connection.
  struct Seat {
    explicit Seat(HttpLease the_lease) : lease(std::move(the_lease)) {}
    HttpLease lease;
    zmq::socket_t dealer;
  };
  using SeatPointer = std::shared_ptr<Seat>;
  using Lock = std::unique_lock<std::mutex>;

  HttpLease::Identity draw_identity(std::string name, std::vector<std::string> queues);
  Result<SeatPointer> seat_of(const HeldLease& lease, bool must_run);
  Result<SeatPointer> claim(const HeldLease& lease, const TaskView& task, Lock& lock);
  template <class Condition>
  void wait_until(Lock& lock, Time deadline, const Condition& condition);

  void run();
  void wait();
  void turn();
  void hear_pulses(Time now);
  void hear(Seat& seat, Time now);
  void perform(Seat& seat, const worker::Actions& actions);
  void forget_ended();

  zmq::context_t& context_;
  TaskReader& tasks_;
  const LeaseDeskSettings settings_;
  const host::Clock clock_;
  host::EventDescriptor wake_;
  std::thread thread_;

  // Of the thread.
  zmq::socket_t publisher_;
  zmq::socket_t subscriber_;
  std::uint64_t connections_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool closing_ = false;
  Random random_;
  std::vector<SeatPointer> seats_;
  std::map<HeldLease, SeatPointer, bool (*)(const HeldLease&, const HeldLease&)> held_;
};

}  // namespace millrace::broker

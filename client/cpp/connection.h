// The thread that owns a client's session and sockets.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "client/cpp/broker_sockets.h"
#include "client/cpp/call_routes.h"
#include "client/cpp/session.h"
#include "common/host/clock.h"
#include "common/host/event_descriptor.h"

namespace millrace::client {

// All public functions but the constructor and the destructor are thread-safe.
class Connection {
 public:
  // `key`: null for a broker without keys.
  Connection(host::HostPort broker, std::shared_ptr<const keys::PeerKey> key,
             const SessionSettings& settings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Makes the sockets and starts the thread. Once. Errors: misconfigured, io.
  Status open();

  Time now() const { return clock_.now(); }
  SubmitGroup new_group() { return SubmitGroup(++last_group_); }

  // What comes back is put into `inbox` until `end_call`.
  void submit(std::vector<Submission> submissions, bool watch, EventSinkPointer inbox);
  void watch(std::vector<TaskId> tasks, EventSinkPointer inbox);
  void request(ClientMessage message, Time give_up, EventSinkPointer inbox);
  void end_call(EventSinkPointer inbox);

  // What is known of the broker.
  struct LinkState {
    bool connected = false;
    Time since;                            // of `connected` or of its absence
    std::optional<Refused> hello_refusal;  // the newest, while not connected
    std::string complaint;                 // the broker's about a message it could not read
    ClientWelcome welcome;                 // the newest
  };
  LinkState link() const;
  // Waits up to `wait` for a welcome or a refusal.
  LinkState wait_for_link(Duration wait) const;

 private:
  using Command = std::function<void(Time now, Actions& actions)>;

  void post(Command command);
  void run();
  void run_commands(Actions& actions);
  void receive(Actions& actions);
  void perform(Actions& actions);
  void tell(SessionEvent event);
  bool note_link(const SessionEvent& event);

  host::Clock clock_;
  BrokerSockets sockets_;  // of the thread, as session_ and routes_ are
  Session session_;
  CallRoutes routes_;
  host::EventDescriptor wake_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> last_group_{0};

  std::mutex commands_mutex_;
  std::vector<Command> commands_;

  mutable std::mutex link_mutex_;
  mutable std::condition_variable link_changed_;
  LinkState link_;

  std::thread thread_;
};

}  // namespace millrace::client

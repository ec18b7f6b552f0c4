// Who is let in: answers libzmq's question about every new connection (ZAP, RFC 27), and keeps the
// allowlist up to date while its file changes.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "broker/access/allowlist.h"
#include "broker/access/allowlist_file.h"
#include "common/host/event_descriptor.h"
#include "common/host/log.h"
#include "common/host/reload_signal.h"
#include "common/keys/key_file.h"

namespace millrace::broker {

// Owns its thread. Not movable. Make it before the threads of others (see ReloadSignal) and before
// the broker's sockets; end it after them.
class AccessKeeper {
 public:
  // Reads `folder`/broker.key and `folder`/allowlist.toml and serves ZAP in `context` from now on.
  // Null when `folder` is empty: there are no keys. Errors: misconfigured with the fix.
  static Result<std::unique_ptr<AccessKeeper>> start(zmq::context_t& context,
                                                     const std::string& folder, host::Log log);
  ~AccessKeeper();
  AccessKeeper(const AccessKeeper&) = delete;
  AccessKeeper& operator=(const AccessKeeper&) = delete;

  // The broker's own pair, for its sockets.
  std::shared_ptr<const keys::KeyPair> broker_key() const { return broker_key_; }
  // A key made at this start for the broker's own HTTP, which is a client like any other.
  std::shared_ptr<const keys::PeerKey> door_key() const { return door_key_; }
  // How the routing ids of HTTP's in-process connections begin, which have no key: a secret of this
  // process.
  const std::string& door_pass() const { return door_pass_; }

  // From any thread. The list in force, and a number that grows when it changes.
  AllowlistPointer allowlist() const;
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  std::uint64_t connections_refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  AccessKeeper(const std::string& folder, host::Log log);
  Status open(zmq::context_t& context, const std::string& folder);
  void put_in_force(Allowlist list);
  void run();
  void look_at_file();
  void answer_one();
  void note_refusal(const std::string& address, const std::string& why);

  const host::Log log_;
  host::ReloadSignal reload_;
  AllowlistFile file_;
  std::shared_ptr<const keys::KeyPair> broker_key_;
  std::shared_ptr<const keys::PeerKey> door_key_;
  std::string door_pass_;
  zmq::socket_t questions_;
  host::EventDescriptor stop_;
  std::atomic<std::uint64_t> version_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::chrono::steady_clock::time_point next_look_;
  std::chrono::steady_clock::time_point next_refusal_line_;

  mutable std::mutex mutex_;
  AllowlistPointer allowlist_;  // guarded by mutex_

  std::thread thread_;
};

}  // namespace millrace::broker

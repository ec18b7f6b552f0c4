#include "broker/access/access_keeper.h"

#include <array>
#include <chrono>
#include <random>
#include <utility>
#include <vector>

#include "broker/access/zap.h"
#include "common/base/shown_text.h"
#include "common/host/signals_blocked.h"
#include "common/keys/key_set.h"
#include "common/wire/socket.h"

namespace millrace::broker {
namespace {

// A changed file is noticed within two of these, so that a revocation holds within a second.
constexpr Duration kLookInterval = Duration::milliseconds(150);
// Whoever knocks with a wrong key may fill a counter, but no log.
constexpr std::chrono::seconds kRefusalLineInterval{5};
constexpr const char* kDoorName = "http";

std::string in(const std::string& folder, const char* file) {
  return folder + (folder.ends_with('/') ? "" : "/") + file;
}

std::string draw_pass() {
  std::random_device device;
  std::string pass;
  for (int word = 0; word < 4; ++word) {
    const std::uint32_t bits = device();
    for (unsigned shift = 0; shift < 32; shift += 8) {
      pass.push_back(static_cast<char>(bits >> shift & 0xff));
    }
  }
  pass.front() = 'd';  // a routing id must not begin with a zero byte
  return pass;
}

std::vector<std::string> texts_of(const wire::Frames& frames) {
  std::vector<std::string> texts;
  for (const SharedBytes& frame : frames) texts.emplace_back(frame.text());
  return texts;
}

wire::Frames frames_of(const std::vector<std::string>& texts) {
  wire::Frames frames;
  for (const std::string& text : texts) frames.push_back(SharedBytes::copy_of(text));
  return frames;
}

}  // namespace

AccessKeeper::AccessKeeper(const std::string& folder, host::Log log)
    : log_(std::move(log)), file_(in(folder, keys::kAllowlistFile)), door_pass_(draw_pass()) {}

Result<std::unique_ptr<AccessKeeper>> AccessKeeper::start(zmq::context_t& context,
                                                          const std::string& folder,
                                                          host::Log log) {
  if (folder.empty()) return std::unique_ptr<AccessKeeper>();
  std::unique_ptr<AccessKeeper> keeper(new AccessKeeper(folder, std::move(log)));
  if (Status opened = keeper->open(context, folder); !opened.ok()) return opened.error();
  return keeper;
}

Status AccessKeeper::open(zmq::context_t& context, const std::string& folder) {
  keys::protect_process_memory();
  Result<keys::KeyPair> broker = keys::read_broker_key(in(folder, keys::kBrokerKeyFile));
  if (!broker) return broker.error();
  broker_key_ = std::make_shared<const keys::KeyPair>(*std::move(broker));
  door_key_ = std::make_shared<const keys::PeerKey>(
      keys::PeerKey{kDoorName, keys::make_key_pair(), broker_key_->public_key});
  Result<Allowlist> list = file_.read();
  if (!list) return list.error();
  put_in_force(*std::move(list));
  if (!stop_.ok()) return Error{ErrorCode::io, "no file descriptor is left; raise ulimit -n"};
  try {
    questions_ = zmq::socket_t(context, zmq::socket_type::rep);
    questions_.set(zmq::sockopt::linger, 0);
    questions_.bind(wire::kZapEndpoint);
  } catch (const zmq::error_t& error) {
    return Error{ErrorCode::misconfigured,
                 std::string("cannot guard the ports, so nothing is opened: ") + error.what()};
  }
  log_->info("keys of {}: {} in the allowlist", folder, allowlist()->size() - 1);
  const host::SignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
  return Done{};
}

AccessKeeper::~AccessKeeper() {
  stop_.raise();
  if (thread_.joinable()) thread_.join();
}

AllowlistPointer AccessKeeper::allowlist() const {
  const std::lock_guard lock(mutex_);
  return allowlist_;
}

void AccessKeeper::put_in_force(Allowlist list) {
  list.add(door_key_->own.public_key, Grant{kDoorName, Role::door, {}});
  auto next = std::make_shared<const Allowlist>(std::move(list));
  {
    const std::lock_guard lock(mutex_);
    allowlist_ = std::move(next);
  }
  version_.fetch_add(1, std::memory_order_release);
}

// ---- the thread ---------------------------------------------------------------------------------

void AccessKeeper::run() {
  while (true) {
    zmq::pollitem_t items[] = {
        {nullptr, stop_.descriptor(), ZMQ_POLLIN, 0},
        {nullptr, reload_.descriptor(), ZMQ_POLLIN, 0},
        {questions_.handle(), 0, ZMQ_POLLIN, 0},
    };
    wire::poll_items(items, std::size(items), kLookInterval);
    if ((items[0].revents & ZMQ_POLLIN) != 0) return;
    look_at_file();
    if ((items[2].revents & ZMQ_POLLIN) != 0) answer_one();
  }
}

// No more often under a flood of questions: a file has to be seen unchanged over an interval.
void AccessKeeper::look_at_file() {
  const auto now = std::chrono::steady_clock::now();
  std::optional<Result<Allowlist>> read;
  if (reload_.take()) {
    read = file_.read();
  } else if (now >= next_look_) {
    next_look_ = now + std::chrono::nanoseconds(kLookInterval.in_nanoseconds());
    read = file_.read_if_changed();
  }
  if (!read.has_value()) return;
  if (!read->ok()) {
    log_->error("{}; the allowlist before it stays in force", read->error().message);
    return;
  }
  const std::size_t size = (*read)->size();
  put_in_force(**std::move(read));
  log_->info("the allowlist was read again: {} keys", size);
}

// A REP socket answers each question before it takes the next.
void AccessKeeper::answer_one() {
  constexpr std::size_t kFramesMax = 16;
  wire::Frames frames;
  if (wire::receive_frames(questions_, frames, kFramesMax) == wire::ReceiveStatus::nothing) return;
  const std::optional<ZapQuestion> question = read_zap_question(texts_of(frames));
  const bool known = question.has_value() && !question->public_key.empty() &&
                     allowlist()->find(question->public_key) != nullptr;
  if (!known) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    note_refusal(question ? question->address : "",
                 question && !question->public_key.empty()
                     ? "its key '" + question->public_key + "' is not in the allowlist"
                     : "it has no key");
  }
  const ZapQuestion asked = question.value_or(ZapQuestion());
  static_cast<void>(wire::send_frames(
      questions_, frames_of(zap_answer(asked, known ? asked.public_key : std::string()))));
}

void AccessKeeper::note_refusal(const std::string& address, const std::string& why) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_refusal_line_) return;
  next_refusal_line_ = now + kRefusalLineInterval;
  log_->warn("refused a connection from {}: {} ({} refused so far)", shown_text(address), why,
             connections_refused());
}

}  // namespace millrace::broker

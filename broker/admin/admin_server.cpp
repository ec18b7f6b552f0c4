#include "broker/admin/admin_server.h"

#include <civetweb.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <exception>
#include <thread>
#include <utility>

#include "broker/admin/http_answers.h"
#include "broker/admin/http_rules.h"
#include "broker/admin/peer_watch.h"

namespace millrace::broker {
namespace {

// How long a connection may make no progress. It also bounds stop(): CivetWeb looks at its stop
// flag only between waits, and would otherwise wait 2 s at a time.
constexpr const char* kStallMillisecondsMax = "800";
// Larger than what the site takes, so that the site answers, in its own words, what is too large.
constexpr const char* kHeadBytesBuffer = "65536";
// One write must end within the stall limit, so that a slow reader of a large answer is not cut
// off.
constexpr std::size_t kWriteBytesMax = 16 * 1024;
// A body must be there after this, however steadily it trickles.
constexpr std::chrono::seconds kBodyTimeMax{30};

// IMF-fixdate, RFC 9110 section 5.6.7.
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 64> text{};
  const std::size_t length =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return std::string(text.data(), length);
}

bool has_header(const HttpResponse& response, std::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [&](const auto& header) { return header.first == name; });
}

std::string head_of(const HttpResponse& response) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(reason_phrase(response.status)).append("\r\n");
  const auto add = [&](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  add("Date", http_date());
  if (response.status != 204) {  // RFC 9110 section 8.6
    add("Content-Type", response.content_type);
    if (!response.stream) add("Content-Length", std::to_string(response.body.size()));
  }
  add("Connection", "close");
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  add("X-Frame-Options", "DENY");
  add("Referrer-Policy", "no-referrer");
  add("Cross-Origin-Resource-Policy", "same-origin");
  if (!has_header(response, "Content-Security-Policy")) {
    add("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  }
  for (const auto& [name, value] : response.headers) add(name, value);
  return head + "\r\n";
}

bool write_all(mg_connection* connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t here = std::min(bytes.size(), kWriteBytesMax);
    if (mg_write(connection, bytes.data(), here) != static_cast<int>(here)) return false;
    bytes.remove_prefix(here);
  }
  return true;
}

class CivetStream final : public HttpStream {
 public:
  explicit CivetStream(mg_connection* connection) : connection_(connection) {}
  bool write(std::string_view bytes) override { return write_all(connection_, bytes); }

 private:
  mg_connection* connection_;
};

bool write_response(mg_connection* connection, const HttpResponse& response, bool with_body) {
  std::string message = head_of(response);
  if (with_body) message += response.body;
  return write_all(connection, message);
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : text;
}

HttpRequest request_of(const mg_request_info& info) {
  HttpRequest request;
  request.method = text_or_empty(info.request_method);
  request.version = text_or_empty(info.http_version);
  // The raw one: the other has "//" and dot segments folded away, so that "//metrics" would be
  // found.
  request.path = text_or_empty(info.local_uri_raw);
  request.query = text_or_empty(info.query_string);
  request.peer = info.remote_addr;
  for (int i = 0; i < info.num_headers; ++i) {
    request.headers.emplace_back(text_or_empty(info.http_headers[i].name),
                                 text_or_empty(info.http_headers[i].value));
  }
  return request;
}

// What every request of a server shares.
struct Shared {
  explicit Shared(AdminSite answering) : site(std::move(answering)) {}
  AdminSite site;
  std::atomic<bool> stopping{false};
};

class CivetConnection final : public HttpConnection {
 public:
  CivetConnection(mg_connection* connection, const mg_request_info& info, const Shared& shared)
      : connection_(connection),
        shared_(shared),
        expects_word_(mg_get_header(connection, "Expect") != nullptr),
        watch_(info.remote_addr, static_cast<std::uint16_t>(info.remote_port),
               static_cast<std::uint16_t>(info.server_port)) {}

  Result<std::string> read_body(std::uint64_t bytes) override {
    // RFC 9110 section 10.1.1: a client may wait for this before it sends a large body.
    if (expects_word_ && !write_all(connection_, "HTTP/1.1 100 Continue\r\n\r\n")) return late();
    const auto deadline = std::chrono::steady_clock::now() + kBodyTimeMax;
    std::string body(bytes, '\0');
    std::size_t had = 0;
    while (had < bytes) {
      const int came = mg_read(connection_, body.data() + had,
                               std::min<std::size_t>(bytes - had, kReadBytesMax));
      if (came <= 0) return late();
      had += static_cast<std::size_t>(came);
      if (had < bytes && std::chrono::steady_clock::now() > deadline) return late();
    }
    return body;
  }

  bool gone() override { return shared_.stopping || watch_.gone(); }

 private:
  static constexpr std::size_t kReadBytesMax = 256 * 1024;

  static Error late() {
    return {ErrorCode::unavailable, "the body did not come whole and in time; send it again"};
  }

  mg_connection* connection_;
  const Shared& shared_;
  const bool expects_word_;
  PeerWatch watch_;
};

// Called for every request that could be read, of any method, before CivetWeb looks at it itself:
// its own answer to a CORS preflight would let every web page in, and it finds handlers by prefix.
int on_request(mg_connection* connection) {
  constexpr int kAnswered = 500;  // any status tells CivetWeb that nothing is left to do
  try {
    const mg_request_info* info = mg_get_request_info(connection);
    const HttpRequest request = request_of(*info);
    const auto& shared = *static_cast<const Shared*>(info->user_data);
    CivetConnection peer(connection, *info, shared);
    const HttpResponse response = shared.site.respond(request, peer);
    const bool wanted = !response.undelivered || !peer.gone();
    const bool sent = wanted && write_response(connection, response, request.method != "HEAD");
    if (!sent && response.undelivered) response.undelivered();
    if (sent && response.stream && request.method != "HEAD") {
      CivetStream stream(connection);
      response.stream(stream);
    }
    return response.status;
  } catch (const std::exception&) {
    return kAnswered;  // out of memory: close without an answer
  }
}

// Called for what could not be read as a request.
int on_unreadable(mg_connection* connection, int status, const char*) {
  if (status < 400 || status > 599) status = 400;
  const char* code = status < 500 ? "invalid" : "unsupported";
  write_response(connection, error_answer(status, code, "this is no HTTP/1.1 request"), true);
  return 0;
}

int on_log_line(const mg_connection*, const char*) {
  return 1;
}  // 1: not to a log file

mg_callbacks make_callbacks() {
  mg_callbacks callbacks{};
  callbacks.begin_request = on_request;
  callbacks.http_error = on_unreadable;
  callbacks.log_message = on_log_line;
  // No log_access: with it, CivetWeb calls localtime from all its threads at once.
  return callbacks;
}

}  // namespace

// The library's context and what it points to.
class AdminServer::Listener {
 public:
  explicit Listener(AdminSite site) : shared_(std::move(site)) { mg_init_library(0); }
  ~Listener() {
    close();
    mg_exit_library();
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  Status open(const AdminSettings& settings) {
    const std::string address = settings.host + ":" + std::to_string(settings.port);
    const std::uint32_t count = std::max<std::uint32_t>(1, settings.threads);
    const std::string threads =
        std::to_string(count + settings.api.polls_max + AdminSite::kStreamsMax);
    // No document root: there are no files to serve, and no path can reach one.
    std::array<const char*, 23> options = {"listening_ports",
                                           address.c_str(),  //
                                           "num_threads",
                                           threads.c_str(),  //
                                           "request_timeout_ms",
                                           kStallMillisecondsMax,  //
                                           "max_request_size",
                                           kHeadBytesBuffer,  //
                                           "enable_keep_alive",
                                           "no",  // a connection occupies a thread
                                           "decode_url",
                                           "no",  // percent escapes are not paths
                                           "enable_auth_domain_check",
                                           "no",  //
                                           "enable_directory_listing",
                                           "no",  //
                                           "access_control_allow_origin",
                                           "",  // the default lets every page in
                                           "access_control_allow_methods",
                                           "",  //
                                           "access_control_allow_headers",
                                           "",  //
                                           nullptr};
    std::array<char, 256> cause{};
    unsigned code = 0;
    mg_error_data error{&code, cause.data(), cause.size()};
    mg_init_data init{&callbacks_, &shared_, options.data()};
    context_ = mg_start2(&init, &error);
    if (context_ == nullptr) {
      return Error{ErrorCode::misconfigured,
                   "cannot serve HTTP on " + address + ": the address is in use or not an IPv4 " +
                       "address of this machine; choose another host or port (" + cause.data() +
                       ")"};
    }
    mg_server_port bound{};
    host_ = settings.host;
    if (mg_get_server_ports(context_, 1, &bound) == 1)
      port_ = static_cast<std::uint16_t>(bound.port);
    return Done{};
  }

  void close() {
    if (context_ == nullptr) return;
    shared_.stopping = true;
    // The accepting thread looks at the stop flag only when a connection comes, or after 2 s.
    std::atomic<bool> stopped{false};
    std::thread waker([&] {
      while (!stopped) {
        std::array<char, 64> cause{};
        mg_connection* visit =
            mg_connect_client(host_.c_str(), port_, 0, cause.data(), cause.size());
        if (visit != nullptr) mg_close_connection(visit);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    });
    mg_stop(std::exchange(context_, nullptr));
    stopped = true;
    waker.join();
  }
  std::uint16_t port() const { return port_; }

 private:
  Shared shared_;
  mg_callbacks callbacks_ = make_callbacks();
  mg_context* context_ = nullptr;
  std::string host_;
  std::uint16_t port_ = 0;
};

AdminServer::AdminServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
AdminServer::~AdminServer() = default;

Result<std::unique_ptr<AdminServer>> AdminServer::start(const AdminSettings& settings,
                                                        StatusSource status, TimeSource now,
                                                        TaskReader& tasks, ApiSite& api,
                                                        const HttpGate& gate) {
  auto listener = std::make_unique<Listener>(
      AdminSite(std::move(status), std::move(now), tasks, api, settings.allowed_hosts, gate));
  if (const Status opened = listener->open(settings); !opened) return opened.error();
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(listener)));
}

std::uint16_t AdminServer::port() const {
  return listener_->port();
}
void AdminServer::stop() {
  listener_->close();
}

}  // namespace millrace::broker

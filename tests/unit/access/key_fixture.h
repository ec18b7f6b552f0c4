// A folder of keys, a keeper of it, and sockets that knock.
#pragma once

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "broker/access/access_keeper.h"
#include "common/keys/key_set.h"
#include "common/wire/socket.h"
#include "tests/conformance/temporary_directory.h"

namespace millrace::broker::test {

class KeyTest : public ::testing::Test {
 protected:
  KeyTest() {
    EXPECT_TRUE(keys::make_key_set(folder_).ok());
    const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(log_text_);
    log_ = std::make_shared<spdlog::logger>("test", sink);
  }

  std::unique_ptr<AccessKeeper> start_keeper() {
    auto keeper = AccessKeeper::start(context_, folder_, log_);
    EXPECT_TRUE(keeper.ok()) << keeper.error().message;
    return *std::move(keeper);
  }
  std::shared_ptr<const keys::PeerKey> key(const std::string& name) const {
    return *keys::load_peer_key(folder_ + "/" + name + ".key");
  }
  // A pair that no allowlist has, for the right broker.
  std::shared_ptr<const keys::PeerKey> stranger() const {
    return std::make_shared<const keys::PeerKey>(
        keys::PeerKey{"stranger", keys::make_key_pair(), key("client")->broker});
  }
  void write_allowlist(const std::string& text) const {
    std::ofstream(folder_ + "/allowlist.toml") << text;
  }
  std::string allowlist_text() const {
    std::ifstream file(folder_ + "/allowlist.toml");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // The allowlist without one of its tables.
  std::string allowlist_without(const std::string& name) const {
    std::string text = allowlist_text();
    const std::size_t begin = text.find("[" + name + "]");
    text.erase(begin, text.find("\n[", begin) - begin);
    return text;
  }
  // Waits for what another thread does.
  template <class Condition>
  static bool eventually(const Condition& condition) {
    for (int tries = 0; tries < 3'000 && !condition(); ++tries) ::usleep(10'000);
    return condition();
  }

  const millrace::testing::TemporaryDirectory directory_;
  const std::string folder_ = directory_.path();
  std::ostringstream log_text_;
  host::Log log_;
  zmq::context_t context_ = wire::make_context();
};

}  // namespace millrace::broker::test

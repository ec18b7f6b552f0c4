#include "common/keys/key_set.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/base/shown_text.h"
#include "common/keys/key_file.h"
#include "common/keys/private_file.h"

namespace millrace::keys {
namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::array kRoles = {"client", "worker", "admin"};
constexpr const char* kAllowlistHead =
    "# Who may connect, and as what. The broker reads this file again when it changes: take a "
    "table\n"
    "# out, and its key is worth nothing within a second. See docs/security.md.\n";

Error misconfigured(std::string text) {
  return {ErrorCode::misconfigured, std::move(text)};
}

std::string in(const std::string& folder, const std::string& file) {
  return (std::filesystem::path(folder) / file).string();
}

std::string entry_of(const std::string& name, const std::string& role, const PublicKey& key) {
  return "\n[" + name + "]\nrole = \"" + role + "\"\nkey = \"" + key.text() + "\"\n";
}

bool exists(const std::string& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0;
}

Result<std::string> whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) {
    return misconfigured(shown_text(path) + ": cannot be read: " + std::strerror(errno));
  }
  return text;
}

Status make_folder(const std::string& folder) {
  std::error_code problem;
  const std::filesystem::path parent = std::filesystem::path(folder).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, problem);
  if (!problem && (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST)) return Done{};
  return misconfigured(shown_text(folder) +
                       ": cannot be made: " + (problem ? problem.message() : std::strerror(errno)));
}

Status write_peer_key(const std::string& folder, const std::string& name, const KeyPair& own,
                      const PublicKey& broker) {
  return write_private_file(in(folder, name + ".key"), text_of(PeerKey{name, own, broker}));
}

// In one step, so that a broker never reads half of it.
Status replace_allowlist(const std::string& folder, const std::string& text) {
  const std::string path = in(folder, kAllowlistFile);
  const std::string next = path + ".new";
  ::unlink(next.c_str());  // left over
  if (Status written = write_private_file(next, text); !written.ok()) return written;
  if (std::rename(next.c_str(), path.c_str()) == 0) return Done{};
  return misconfigured(shown_text(path) + ": cannot be replaced: " + std::strerror(errno));
}

}  // namespace

bool is_key_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

Status make_key_set(const std::string& folder) {
  for (const std::string file :
       {kBrokerKeyFile, kAllowlistFile, "client.key", "worker.key", "admin.key"}) {
    if (exists(in(folder, file))) {
      return misconfigured(shown_text(in(folder, file)) +
                           ": is there already and is not overwritten; name another folder, or add "
                           "a key with --add NAME --role ROLE");
    }
  }
  if (Status made = make_folder(folder); !made.ok()) return made;
  const KeyPair broker = make_key_pair();
  Status written = write_private_file(in(folder, kBrokerKeyFile), text_of_broker_key(broker));
  std::string allowlist = kAllowlistHead;
  for (const std::string role : kRoles) {
    if (!written.ok()) return written;
    const KeyPair own = make_key_pair();
    written = write_peer_key(folder, role, own, broker.public_key);
    allowlist += entry_of(role, role, own.public_key);
  }
  if (!written.ok()) return written;
  return write_private_file(in(folder, kAllowlistFile), allowlist);
}

Status add_key(const std::string& folder, const std::string& name, const std::string& role) {
  if (!is_key_name(name) || name == "broker") {
    return misconfigured("a key's name is 1 to 64 of A-Z a-z 0-9 _ -, and not broker");
  }
  if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
    return misconfigured("a key's role is client, worker or admin");
  }
  const Result<KeyPair> broker = read_broker_key(in(folder, kBrokerKeyFile));
  if (!broker) return broker.error();
  Result<std::string> allowlist = whole_file(in(folder, kAllowlistFile));
  if (!allowlist) return allowlist.error();
  if (("\n" + *allowlist).find("\n[" + name + "]") != std::string::npos) {
    return misconfigured("there is a key called " + name +
                         " in the allowlist; choose another name");
  }
  const KeyPair own = make_key_pair();
  const Status written = write_peer_key(folder, name, own, broker->public_key);
  if (!written.ok()) return written;
  if (!allowlist->empty() && allowlist->back() != '\n') *allowlist += '\n';
  return replace_allowlist(folder, *allowlist + entry_of(name, role, own.public_key));
}

}  // namespace millrace::keys

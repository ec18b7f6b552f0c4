// Whose keys are let in: the allowlist, read from TOML.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "broker/access/grant.h"
#include "common/base/result.h"
#include "common/keys/key_pair.h"

namespace millrace::broker {

// Public keys and what each may do. Immutable once shared.
class Allowlist {
 public:
  // False when the key is there already.
  bool add(const keys::PublicKey& key, Grant grant);
  // By the text of the public key; null when it is not let in.
  const Grant* find(std::string_view key) const;
  std::size_t size() const { return grants_.size(); }

 private:
  std::map<std::string, Grant, std::less<>> grants_;
};
using AllowlistPointer = std::shared_ptr<const Allowlist>;

// One table a key, named as people call its holder:
//
//   [mailer]
//   role = "client"                 # client, worker or admin
//   key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
//   queues = ["mail", "sms.*"]      # a worker's or a client's; all when left out
//
// `file` names the text in errors. Errors: misconfigured with file and line, for whatever is not
// understood, down to one unknown word, and for a list without a key: nothing is half read.
Result<Allowlist> parse_allowlist(std::string_view text, const std::string& file);

}  // namespace millrace::broker

// The messages of ZAP, by which libzmq asks whom to admit (https://rfc.zeromq.org/spec/27/). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace millrace::broker {

// What matters of a question.
struct ZapQuestion {
  std::string request_id;
  std::string address;     // of the peer
  std::string public_key;  // Z85; empty when the peer proves none by CURVE
};

// Nothing for a message that is no question.
std::optional<ZapQuestion> read_zap_question(const std::vector<std::string>& frames);

// `user_id` names the peer in all its messages; empty: it is not admitted.
std::vector<std::string> zap_answer(const ZapQuestion& question, const std::string& user_id);

}  // namespace millrace::broker

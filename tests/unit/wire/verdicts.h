// What the decoders say of a message, as one text, under limits small enough to reach.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "common/base/random.h"
#include "common/wire/control_codec.h"

namespace millrace::wire {

inline PeerLimits small_limits() {
  PeerLimits limits;
  limits.batch_items_max = 3;
  limits.worker_queues_max = 2;
  limits.credit_max = 5;
  limits.error_bytes_max = ByteCount(10);
  limits.result_bytes_max = ByteCount(20);
  limits.queue_name_bytes_max = 8;
  return limits;
}

inline std::vector<TaskId> some_ids(std::size_t count) {
  Random random(1);
  std::vector<TaskId> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(make_random_id<TaskId>(random));
  return ids;
}

template <class Value>
std::string verdict(const Result<Value>& decoded) {
  if (decoded.ok()) return "ok";
  return std::string(name_of(decoded.error().code)) + ": " + decoded.error().message;
}
inline std::string verdict_of(const ClientMessage& message,
                              const PeerLimits& limits = small_limits()) {
  return verdict(decode_client_message(encode(message), limits));
}
inline std::string verdict_of(const WorkerMessage& message,
                              const PeerLimits& limits = small_limits()) {
  return verdict(decode_worker_message(encode(message), limits));
}

inline WorkerHello valid_hello() {
  Random random(2);
  WorkerHello hello;
  hello.hello_number = 1;
  hello.worker = make_random_id<WorkerId>(random);
  hello.name = "w1";
  hello.queues = {"demo"};
  return hello;
}

template <class Message>
Message decoded(const WorkerMessage& message) {
  Result<WorkerMessage> read = decode_worker_message(encode(message), small_limits());
  EXPECT_TRUE(read.ok()) << read.error().message;
  return read.ok() ? std::get<Message>(*read) : Message();
}

}  // namespace millrace::wire

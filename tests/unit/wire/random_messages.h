// Valid messages with random contents: every kind, every field, empty and full vectors.
#pragma once

#include "common/base/messages.h"
#include "common/base/random.h"
#include "common/wire/task_codec.h"

namespace millrace::wire {

inline constexpr std::size_t kClientMessageKinds = std::variant_size_v<ClientMessage>;
inline constexpr std::size_t kClientReplyKinds = std::variant_size_v<ClientReply>;
inline constexpr std::size_t kWorkerMessageKinds = std::variant_size_v<WorkerMessage>;
inline constexpr std::size_t kWorkerReplyKinds = std::variant_size_v<WorkerReply>;

TaskDescription random_task(Random& random);

// The `kind`-th alternative of the variant.
ClientMessage random_client_message(std::size_t kind, Random& random);
ClientReply random_client_reply(std::size_t kind, Random& random);
WorkerMessage random_worker_message(std::size_t kind, Random& random);
WorkerReply random_worker_reply(std::size_t kind, Random& random);
Beat random_beat(Random& random);
Pulse random_pulse(Random& random);

}  // namespace millrace::wire

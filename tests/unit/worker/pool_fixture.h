// One handler on real threads, without a broker.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/wire/task_codec.h"
#include "worker/cpp/handler_pool.h"

namespace millrace::worker {

// A task of queue "q" as the broker would send it.
inline DispatchedTask make_task(std::uint8_t id, const std::string& payload,
                                std::vector<std::pair<std::string, std::string>> headers = {}) {
  wire::TaskDescription description;
  description.id.bytes[0] = 1;
  description.id.bytes[15] = id;
  description.queue = "q";
  description.payload = SharedBytes::copy_of(payload);
  description.headers = std::move(headers);
  DispatchedTask task;
  task.task = description.id;
  task.fence = Fence(40U + id);
  task.attempt = 2;
  task.max_attempts = 3;
  task.queue = "q";
  task.spec = wire::encode_task(description).bytes;
  return task;
}

inline HeldLease lease_of(const DispatchedTask& task) {
  return HeldLease{task.task, task.fence};
}

// Gathers what a pool reports, with a generous deadline.
class PoolTest : public testing::Test {
 protected:
  void make_pool(Handler handler, std::uint32_t slots = 1) {
    pool_ = std::make_unique<HandlerPool>(slots, Handlers{{"q", std::move(handler)}});
  }
  // Waits until `count` completions have come since the last call and returns them.
  std::vector<Completion> wait_for(std::size_t count) {
    std::vector<Completion> completions;
    while (completions.size() < count) {
      pollfd ready{pool_->descriptor(), POLLIN, 0};
      if (::poll(&ready, 1, 60'000) != 1) {
        ADD_FAILURE() << "nothing was reported";
        completions.resize(count);
        break;
      }
      HandlerPool::Reported reported = pool_->take_reported();
      for (Completion& completion : reported.completions) {
        completions.push_back(std::move(completion));
      }
      for (const Extension& extension : reported.extensions) extensions_.push_back(extension);
    }
    return completions;
  }
  Completion run(const DispatchedTask& task) {
    pool_->start({task});
    return wait_for(1).at(0);
  }

  std::unique_ptr<HandlerPool> pool_;
  std::vector<Extension> extensions_;
};

}  // namespace millrace::worker

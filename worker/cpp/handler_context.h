// What stands behind a Task while its handler runs.
#pragma once

#include "common/wire/task_codec.h"
#include "worker/cpp/handler_pool.h"

namespace millrace::worker {

class HandlerContext {
 public:
  HandlerContext(HandlerPool::Shared& shared, const HandlerPool::Slot& slot, const Job& job,
                 wire::TaskDescription description)
      : shared_(shared), slot_(slot), job_(job), description_(std::move(description)) {}

  Task task() const { return Task(*this); }
  const DispatchedTask& dispatched() const { return job_.dispatched; }
  const wire::TaskDescription& description() const { return description_; }
  StopReason stop_reason() const { return job_.stop.load(); }
  int stop_descriptor() const { return slot_.event.descriptor(); }
  ByteCount result_bytes_max() const { return ByteCount(shared_.result_bytes_max.load()); }
  void ask(Duration by, std::uint8_t progress_percent) const;

 private:
  HandlerPool::Shared& shared_;
  const HandlerPool::Slot& slot_;
  const Job& job_;
  wire::TaskDescription description_;
};

}  // namespace millrace::worker

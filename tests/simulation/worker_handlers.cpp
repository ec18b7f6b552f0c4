// The simulated handlers of a worker: how long they run, how they end, how they heed a stop.
#include <utility>

#include "tests/simulation/worker_node.h"

namespace millrace::simulation {

WorkerNode::Handler WorkerNode::draw_handler(const DispatchedTask& task, Duration& length) {
  Handler handler;
  handler.token = ++tokens_;
  handler.task = oracle_.tasks().add(task.task).number;
  handler.started = world_.now();
  handler.hangs = world_.chance(plan_.hangs);
  if (world_.chance(plan_.fails)) {
    handler.outcome = Outcome::failed;
  } else if (world_.chance(plan_.fails_for_good)) {
    handler.outcome = Outcome::failed_for_good;
  } else if (world_.chance(plan_.crashes)) {
    handler.outcome = Outcome::crashed;
  }
  length = world_.chance(plan_.runs_long)
               ? world_.pick(Duration::milliseconds(500), plan_.run_long_max)
               : world_.pick(Duration(), plan_.run_short_max);
  return handler;
}

void WorkerNode::start_handler(const DispatchedTask& task) {
  Duration length;
  const Handler handler = draw_handler(task, length);
  const Key key{task.task, task.fence};
  world_.note(Happening::attempt_starts, setup_.number, handler.task,
              static_cast<std::int64_t>(task.fence.value));
  oracle_.ledger().attempt_starts(id_, task);
  handlers_[key] = handler;
  if (handler.hangs) {
    world_.note(Happening::attempt_hangs, setup_.number, handler.task,
                static_cast<std::int64_t>(task.fence.value));
  } else {
    end_handler_after(key, handler.token, length, handler.outcome);
  }
  if (world_.chance(plan_.extends)) extend_after(key, handler.token, task.timeout / 2, 3);
}

void WorkerNode::extend_after(const Key& key, std::uint64_t token, Duration delay, int times) {
  if (times == 0) return;
  world_.after(delay, [this, key, token, delay, times] {
    const auto found = handlers_.find(key);
    if (found == handlers_.end() || found->second.token != token) return;
    world_.note(Happening::attempt_extends, setup_.number, found->second.task,
                static_cast<std::int64_t>(key.second.value));
    input([key](worker::Session& session, Time now, worker::Actions& actions) {
      session.extend(Extension{key.first, key.second, Duration(), 50}, now, actions);
    });
    extend_after(key, token, delay, times - 1);
  });
}

// SIGTERM, and SIGKILL for those that hang.
void WorkerNode::stop_handler(const StoppedTask& stopped) {
  const Key key{stopped.task, stopped.fence};
  oracle_.ledger().attempt_stopped(HeldLease{stopped.task, stopped.fence}, stopped.cause);
  const auto found = handlers_.find(key);
  if (found == handlers_.end()) return;
  world_.note(Happening::attempt_stopped, setup_.number, found->second.task,
              static_cast<std::int64_t>(stopped.fence.value));
  const Duration grace = found->second.hangs
                             ? world_.pick(Duration::seconds(1), Duration::seconds(3))
                             : world_.pick(Duration(), Duration::milliseconds(200));
  end_handler_after(key, found->second.token, grace, Outcome::crashed);
}

void WorkerNode::end_handler_after(const Key& key, std::uint64_t token, Duration delay,
                                   Outcome outcome) {
  world_.after(delay, [this, key, token, outcome] { end_handler(key, token, outcome); });
}

void WorkerNode::end_handler(const Key& key, std::uint64_t token, Outcome outcome) {
  const auto found = handlers_.find(key);
  if (found == handlers_.end() || found->second.token != token) return;
  const Handler handler = found->second;
  handlers_.erase(found);
  const auto fence = static_cast<std::int64_t>(key.second.value);
  Completion completion;
  completion.task = key.first;
  completion.fence = key.second;
  completion.outcome = outcome;
  completion.elapsed = world_.now() - handler.started;
  switch (outcome) {
    case Outcome::succeeded:
      world_.note(Happening::attempt_succeeds, setup_.number, handler.task, fence);
      // Some results are empty.
      if (handler.token % 8 != 0) {
        completion.result =
            SharedBytes::copy_of("task " + std::to_string(handler.task) + " under fence " +
                                 std::to_string(fence) + " by process " + to_text(id_));
      }
      break;
    case Outcome::failed_for_good:
      world_.note(Happening::attempt_fails_for_good, setup_.number, handler.task, fence);
      break;
    case Outcome::crashed:
      world_.note(Happening::attempt_crashes, setup_.number, handler.task, fence);
      break;
    default:
      world_.note(Happening::attempt_fails, setup_.number, handler.task, fence);
      break;
  }
  if (outcome != Outcome::succeeded) completion.error = "as the simulation wants it";
  oracle_.ledger().attempt_ends(HeldLease{key.first, key.second});
  input([completion](worker::Session& session, Time now, worker::Actions& actions) {
    session.finish(completion, now, actions);
  });
}

}  // namespace millrace::simulation

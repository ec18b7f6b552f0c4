// The client library: submit tasks to a Millrace broker, wait for their ends, look and control.
//
//   auto client = millrace::client::Client::connect({.broker = "localhost"});
//   if (!client) return report(client.error());
//   auto id = client->submit({.queue = "mail", .payload = SharedBytes::copy_of("hello")});
//   auto end = client->wait(*id, Duration::minutes(5));
//
// Every call ends by its deadline. Error{unavailable} means that it is unknown whether the request
// was done; repeating it is safe where the task's id is the same. Lost connections, lost answers, a
// busy broker and its restarts are dealt with inside. Nothing throws.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/messages.h"
#include "common/wire/task_codec.h"

namespace millrace::keys {
struct PeerKey;
}

namespace millrace::client {

// What to run: `queue` and `payload` at least. A nil `id` is drawn by the client; give your own (a
// UUID) to make a submit repeatable over restarts of your program.
using Task = wire::TaskDescription;

struct ClientSettings {
  // "HOST", "HOST:PORT", "tcp://HOST:PORT"; without a port 5555.
  std::string broker = "localhost";
  // A key file made by `millrace keygen`, for a broker with keys. Empty: none.
  std::string key;
  // Instead of a file, for those who keep the key themselves. Null: none.
  std::shared_ptr<const keys::PeerKey> key_in_memory;
  Duration connect_timeout = Duration::seconds(10);
  // Of every call that names no other.
  Duration call_timeout = Duration::seconds(10);
  // submit_many and wait_all outlive an unreachable broker for this long.
  Duration outage_max = Duration::minutes(1);
  // Asked at least every 100 ms by every waiting call, on its thread; false ends the call with
  // Error{unavailable}. Empty: never asked.
  std::function<bool()> proceed;
};

// Which stored parts a TaskView brings along.
struct TaskParts {
  bool payload = false;
  bool result = false;
  bool attempts = false;
};

// Where submit_many gets its tasks. `next` fills its argument and says `task`, or says that there
// is none just now (`pause`: asked again within 20 ms), or none any more (`end`).
enum class SourceState { task, pause, end };
using TaskSource = std::function<SourceState(Task&)>;

// Called on the thread of the call, one at a time; empty ones are skipped.
struct BatchCallbacks {
  // The final answer to one task: durable (accepted or duplicate), or the error that it met.
  std::function<void(const TaskId&, const Result<SubmitStatus>&)> on_submitted;
  // Set: the call lasts until all accepted tasks have ended. May come before on_submitted.
  std::function<void(const FinishedTask&)> on_finished;
  // The broker does not know the awaited task: never accepted there, or pruned.
  std::function<void(const TaskId&)> on_unknown;
};

// One connection to one broker; make one and share it. Thread-safe. Movable; moved from, it may
// only be destroyed. The destructor says goodbye and ends open calls with Error{unavailable}.
class Client {
 public:
  // Errors: misconfigured (the address, the key file), unavailable (no answer in time), unsupported
  // (the broker speaks another version), forbidden (the key is not one for clients).
  static Result<Client> connect(const ClientSettings& settings);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // Returns when the task is durable. Errors: invalid, too_large, conflict, unavailable.
  Result<TaskId> submit(Task task);

  // Returns at once. `on_answer` is called once, as submit() would have returned: on a thread of
  // the client, where it must not block or make calls that wait; submit_later is fine.
  using SubmitCallback = std::function<void(const TaskId&, const Result<SubmitStatus>&)>;
  void submit_later(Task task, SubmitCallback on_answer);

  // Submits tasks that each have an id, all at once. One answer a task, in order, when the last has
  // come: durable, or the error that it met; unavailable for those not answered in time.
  std::vector<Result<SubmitStatus>> submit_batch(const std::vector<Task>& tasks);

  // Submits all that `next` gives, pipelined, with bounded memory: it takes the next task only when
  // there is room. Returns when all are answered (and ended, see on_finished). Errors: unavailable
  // after `outage_max` without a broker, or when told not to proceed; tasks accepted so far go on.
  Status submit_many(const TaskSource& next, const BatchCallbacks& callbacks);

  // Errors: not_found (never accepted, or pruned), unavailable (no end within `timeout`).
  Result<FinishedTask> wait(const TaskId& task, Duration timeout);
  // on_finished or on_unknown for each. Errors: unavailable, as in submit_many.
  Status wait_all(const std::vector<TaskId>& tasks, const BatchCallbacks& callbacks);

  // Errors: not_found, unavailable.
  Result<TaskView> get(const TaskId& task, const TaskParts& parts = {});
  // `tasks` in the order asked, `unknown` the others.
  Result<TaskList> get_many(const std::vector<TaskId>& tasks, const TaskParts& parts = {});
  // Where the task stands, why, and its attempts: see Explained. Errors: not_found, unavailable.
  Result<Explained> explain(const TaskId& task);
  // One answer per task, in order.
  Result<std::vector<CancelAnswer>> cancel(const std::vector<TaskId>& tasks);
  // `cursor`: 0, or next_cursor of the list before. `limit`: 1 to 10,000.
  Result<TaskList> list(const TaskFilter& filter, std::uint64_t cursor = 0,
                        std::uint32_t limit = 100, bool with_attempts = false);
  // Dead tasks: those named, or all of `queue` when none is named, or all when both are empty.
  // The number that changed.
  Result<std::uint64_t> requeue(const std::vector<TaskId>& tasks, const std::string& queue);
  Result<std::uint64_t> purge(const std::vector<TaskId>& tasks, const std::string& queue);
  Result<std::uint64_t> control_queue(const std::string& queue, QueueAction action);
  // One bounded step over the tasks that `filter` means, from `cursor` on (0, or next_cursor of the
  // step before), changing at most `limit` of them (0: the broker's most). Errors: not_found (the
  // queue), unavailable (done or not: a step may be repeated).
  Result<TasksChanged> change_tasks(TaskAction action, const TaskFilter& filter,
                                    std::uint64_t cursor = 0, std::uint32_t limit = 0);
  // Errors: not_found.
  Result<std::uint64_t> drain_worker(const std::string& name);
  // The JSON document that HTTP serves under /metrics, /workers and /queues.
  Result<std::string> status(StatusTopic topic);

  // What the broker announced.
  PeerLimits limits() const;
  std::string broker_version() const;

 private:
  struct Implementation;
  explicit Client(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace millrace::client

#include "tests/scenario/reply_words.h"

#include "tests/scenario/names.h"

namespace millrace::broker::test {
namespace {

std::string name_of(SubmitStatus status) {
  switch (status) {
    case SubmitStatus::accepted:
      return "accepted";
    case SubmitStatus::duplicate:
      return "duplicate";
    case SubmitStatus::conflict:
      return "conflict";
    case SubmitStatus::invalid:
      return "invalid";
    case SubmitStatus::too_large:
      return "too_large";
    case SubmitStatus::busy:
      return "busy";
    case SubmitStatus::store_full:
      return "store_full";
    case SubmitStatus::shutting_down:
      return "shutting_down";
  }
  return "unknown";
}

std::string name_of(CancelStatus status) {
  switch (status) {
    case CancelStatus::cancelled:
      return "cancelled";
    case CancelStatus::cancelling:
      return "cancelling";
    case CancelStatus::already_finished:
      return "already_finished";
    case CancelStatus::not_found:
      return "not_found";
  }
  return "unknown";
}

std::string name_of(StopCause cause) {
  switch (cause) {
    case StopCause::cancelled:
      return "cancelled";
    case StopCause::stale_lease:
      return "stale_lease";
    case StopCause::timed_out:
      return "timed_out";
  }
  return "unknown";
}

template <class Item, class Words>
std::string joined(const std::vector<Item>& items, Words words) {
  std::string text;
  for (const Item& item : items) text += (text.empty() ? "" : ", ") + words(item);
  return text;
}

std::string lease_words(const TaskId& task, Fence fence) {
  return name_of_id(task) + " fence=" + std::to_string(fence.value);
}

struct ClientWords {
  std::string operator()(const ClientWelcome& reply) const {
    return "welcome epoch=" + std::to_string(reply.epoch.value);
  }
  std::string operator()(const Submitted& reply) const {
    const std::string items = joined(reply.items, [](const SubmitAnswer& answer) {
      return name_of(answer.status) + (answer.message.empty() ? "" : " \"" + answer.message + "\"");
    });
    const bool later = reply.retry_after > Duration();
    return "submitted " + items + (later ? " retry_after=" + to_text(reply.retry_after) : "");
  }
  std::string operator()(const Watching& reply) const {
    return "watching" +
           (reply.unknown.empty() ? "" : " unknown=" + joined(reply.unknown, [](const TaskId& id) {
                                           return name_of_id(id);
                                         }));
  }
  std::string operator()(const Finished&) const { return "finished"; }
  std::string operator()(const Cancelled& reply) const {
    return "cancel " + joined(reply.items, [](const CancelAnswer& answer) {
             const bool shown = answer.status == CancelStatus::already_finished;
             return name_of(answer.status) +
                    (shown ? " " + std::string(millrace::name_of(answer.state)) : "");
           });
  }
  std::string operator()(const TaskList&) const { return "tasks"; }
  std::string operator()(const Changed& reply) const {
    return "changed " + std::to_string(reply.count);
  }
  std::string operator()(const Explained&) const { return "explained"; }
  std::string operator()(const TasksChanged& reply) const {
    return "changed " + std::to_string(reply.count) +
           (reply.next_cursor > 0 ? " next=" + std::to_string(reply.next_cursor) : "");
  }
  std::string operator()(const StatusReport&) const { return "status"; }
  std::string operator()(const Pong& reply) const {
    return "pong epoch=" + std::to_string(reply.epoch.value);
  }
  std::string operator()(const Refused& reply) const {
    return "refused " + std::string(millrace::name_of(reply.code)) + " \"" + reply.message + "\"";
  }
  std::string operator()(const BrokerGoodbye& reply) const { return "goodbye " + reply.message; }
};

struct WorkerWords {
  std::string operator()(const WorkerWelcome& reply) const {
    std::string text = "welcome hello=" + std::to_string(reply.hello_number) +
                       " epoch=" + std::to_string(reply.epoch.value);
    if (!reply.stale.empty()) {
      text += " stale: " + joined(reply.stale, [](const HeldLease& lease) {
                return lease_words(lease.task, lease.fence);
              });
    }
    return text;
  }
  std::string operator()(const Dispatch&) const { return "dispatch"; }
  std::string operator()(const Completed& reply) const {
    return "completed " + joined(reply.items, [](const CompletionAnswer& answer) {
             return lease_words(answer.task, answer.fence) +
                    (answer.accepted ? " accepted" : " stale_lease");
           });
  }
  std::string operator()(const StopTasks& reply) const {
    return "stop " + joined(reply.tasks, [](const StoppedTask& stopped) {
             return lease_words(stopped.task, stopped.fence) + " " + name_of(stopped.cause);
           });
  }
  std::string operator()(const Recall& reply) const {
    return "recall #" + std::to_string(reply.recall_number) + " " +
           joined(reply.tasks,
                  [](const HeldLease& lease) { return lease_words(lease.task, lease.fence); });
  }
  std::string operator()(const Drain&) const { return "drain"; }
  std::string operator()(const Refused& reply) const { return ClientWords()(reply); }
  std::string operator()(const BrokerGoodbye& reply) const { return ClientWords()(reply); }
};

}  // namespace

std::string words_of(const ClientReply& reply) {
  return std::visit(ClientWords(), reply);
}

std::string words_of(const WorkerReply& reply) {
  return std::visit(WorkerWords(), reply);
}

}  // namespace millrace::broker::test

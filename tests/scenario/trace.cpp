#include "tests/scenario/trace.h"

#include "tests/scenario/reply_words.h"

namespace millrace::broker::test {
namespace {

std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::string attempt_words(const AttemptRecord& record) {
  return "fence=" + std::to_string(record.fence.value) + " " +
         std::string(millrace::name_of(record.reason)) + " worker=" + record.worker +
         " error=" + in_quotes(record.error);
}

// What a view says of the task's record.
TaskRecord record_of(const TaskView& view) {
  TaskRecord record;
  record.id = view.id;
  record.state = view.state;
  record.reason = view.reason;
  record.cancel_requested = view.cancel_requested;
  record.priority = view.priority;
  record.attempts = view.attempts;
  record.max_attempts = view.max_attempts;
  record.fence = view.fence;
  record.due = view.due;
  record.expires = view.expires;
  record.ended = view.ended;
  return record;
}

}  // namespace

std::string in_milliseconds(Duration duration) {
  return to_text(Duration::milliseconds(duration.in_milliseconds()));
}

std::string Trace::at(Time time) const {
  return time == Time::never() ? "never" : in_milliseconds(time - start_);
}

std::vector<std::string> Trace::lines(const Effects& effects, const Totals& before) {
  lines_.clear();
  before_ = before;
  for (const Write& write : effects.writes) {
    std::visit([this](const auto& typed) { show(typed); }, write);
  }
  for (const Send& send : effects.sends) {
    std::visit([this](const auto& typed) { show(typed); }, send);
  }
  for (const PeerId peer : effects.forgotten) line("forget " + peers_.name(peer));
  return std::move(lines_);
}

std::string Trace::name_of(TaskSequence sequence) const {
  const TaskId id = store_.id_of(sequence);
  return id.is_nil() ? "#" + std::to_string(sequence.value) : name_of_id(id);
}

// ---- writes -------------------------------------------------------------------------------------

std::string Trace::describe(const TaskRecord& record) const {
  std::string text = name_of_id(record.id) + " " + std::string(millrace::name_of(record.state));
  if (record.reason != Reason::none)
    text += " (" + std::string(millrace::name_of(record.reason)) + ")";
  text +=
      " attempts=" + std::to_string(record.attempts) + "/" + std::to_string(record.max_attempts);
  if (!record.fence.is_none()) text += " fence=" + std::to_string(record.fence.value);
  if (record.priority != kPriorityDefault) text += " priority=" + std::to_string(record.priority);
  if (record.cancel_requested) text += " cancel_requested";
  if (!record.due.is_none()) text += " due=" + at(record.due);
  if (!record.expires.is_none()) text += " expires=" + at(record.expires);
  if (!record.ended.is_none()) text += " ended=" + at(record.ended);
  return text;
}

void Trace::show(const PutTask& write) {
  line("put " + describe(write.record));
}

void Trace::show(const PutSpec& write) {
  line("put spec " + name_of(write.sequence));
}

void Trace::show(const EraseSpec& write) {
  line("erase spec " + name_of(write.sequence));
}

void Trace::show(const PutResult& write) {
  line("put result " + name_of(write.sequence) + " " + in_quotes(write.bytes.text()));
}

void Trace::show(const PutAttempt& write) {
  line("put attempt " + name_of(write.sequence) + " #" + std::to_string(write.number) + " " +
       attempt_words(write.record));
}

void Trace::show(const EraseTask& write) {
  line("erase task " + name_of(write.sequence) + (write.has_spec ? " spec" : "") +
       (write.has_result ? " result" : "") +
       (write.attempt_records > 0 ? " attempts=" + std::to_string(write.attempt_records) : ""));
}

void Trace::show(const EraseAttempts& write) {
  line("erase attempts " + name_of(write.sequence) + " " + std::to_string(write.attempt_records));
}

void Trace::show(const PutQueue& write) {
  line("put queue " + write.name + (write.paused ? " paused" : ""));
}

void Trace::show(const PutTotals& write) {
  const auto& now = write.totals;
  std::string text = "totals";
  const auto field = [&text](const char* name, std::uint64_t before, std::uint64_t after) {
    if (before != after) text += " " + std::string(name) + "=" + std::to_string(after);
  };
  field("accepted", before_.accepted, now.accepted);
  field("succeeded", before_.succeeded, now.succeeded);
  field("dead", before_.dead, now.dead);
  field("cancelled", before_.cancelled, now.cancelled);
  field("expired", before_.expired, now.expired);
  field("requeued", before_.requeued, now.requeued);
  field("retries", before_.retries, now.retries);
  field("pruned", before_.pruned, now.pruned);
  field("lease_losses", before_.lease_losses, now.lease_losses);
  field("timeouts", before_.timeouts, now.timeouts);
  line(text);
}

// ---- sends --------------------------------------------------------------------------------------

void Trace::show(const ToClient& send) {
  line(peers_.name(send.peer) + " <- " + words_of(send.reply));
}

void Trace::show(const ToWorker& send) {
  line(peers_.name(send.peer) + " <- " + words_of(send.reply));
}

void Trace::show(const DispatchToWorker& send) {
  std::string text = peers_.name(send.peer) + " <- dispatch";
  for (const DispatchToWorker::Item& item : send.items) {
    text += &item == &send.items.front() ? " " : ", ";
    text += name_of_id(item.task.task) + " fence=" + std::to_string(item.task.fence.value) +
            " attempt=" + std::to_string(item.task.attempt) + "/" +
            std::to_string(item.task.max_attempts);
    if (!store_.has_spec(item.sequence)) text += " WITHOUT A STORED SPEC";
  }
  line(text);
}

void Trace::show(const FinishedToClient& send) {
  for (const FinishedToClient::Item& item : send.items) {
    const FinishedTask& task = item.task;
    std::string error = task.error;
    std::string result(task.result.text());
    if (item.read_error) {
      const auto record = store_.attempt(item.sequence, item.attempt_records);
      error = record.has_value() ? record->error : "MISSING IN THE STORE";
    }
    if (item.read_result) {
      const auto stored = store_.result(item.sequence);
      result = stored.has_value() ? std::string(stored->text()) : "MISSING IN THE STORE";
    }
    std::string text = peers_.name(send.peer) + " <- finished " + name_of_id(task.id) + " " +
                       std::string(millrace::name_of(task.state));
    if (task.reason != Reason::none)
      text += " (" + std::string(millrace::name_of(task.reason)) + ")";
    text += " attempts=" + std::to_string(task.attempts);
    if (!result.empty()) text += " result=" + in_quotes(result);
    if (!error.empty()) text += " error=" + in_quotes(error);
    line(text);
  }
}

void Trace::show(const TaskListToClient& send) {
  const std::string peer = peers_.name(send.peer);
  line(peer + " <- tasks " + std::to_string(send.list.tasks.size()) +
       (send.list.next_cursor > 0 ? " next=" + std::to_string(send.list.next_cursor) : ""));
  for (const TaskView& view : send.list.tasks) {
    std::string text = "  " + describe(record_of(view));
    text += " queue=" + view.queue;
    if (!view.worker.empty()) text += " worker=" + view.worker;
    if (view.progress_percent > 0)
      text += " progress=" + std::to_string(view.progress_percent) + "%";
    line(text);
    if (!send.with_attempts) continue;
    const auto item = static_cast<std::size_t>(&view - send.list.tasks.data());
    for (std::uint16_t number = 1; number <= send.stored[item].attempt_records; ++number) {
      const auto attempt = store_.attempt(view.sequence, number);
      line("    " + (attempt.has_value() ? attempt_words(*attempt) : "MISSING IN THE STORE"));
    }
  }
  for (const TaskId& id : send.list.unknown) line("  unknown " + name_of_id(id));
}

void Trace::show(const ExplainedToClient& send) {
  const Explained& explained = send.explained;
  line(peers_.name(send.peer) + " <- explained " + name_of_id(explained.task.id) + " " +
       std::string(millrace::name_of(explained.standing)));
  line("  " + explained.text);
}

void Trace::show(const StatusToClient& send) {
  line(peers_.name(send.peer) + " <- status");
}

void Trace::show(const GoodbyeToAll& send) {
  line("all <- goodbye " + in_quotes(send.message));
}

}  // namespace millrace::broker::test

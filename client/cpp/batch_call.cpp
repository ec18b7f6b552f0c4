#include "client/cpp/batch_call.h"

#include <algorithm>
#include <utility>

namespace millrace::client {
namespace {

// Tasks taken from the source and not answered; the session sends its share of them.
constexpr std::size_t kUnansweredMax = 20'000;
constexpr std::uint64_t kUnansweredBytesMax = 64U << 20;
constexpr std::size_t kChunkTasks = 1'000;
constexpr std::uint64_t kChunkBytes = 4U << 20;
// How often the call looks up when nothing comes, and how soon a pausing source is asked again.
constexpr Duration kTurnInterval = Duration::milliseconds(100);
constexpr Duration kPauseInterval = Duration::milliseconds(20);

ErrorCode code_of(SubmitStatus status) {
  switch (status) {
    case SubmitStatus::conflict:
      return ErrorCode::conflict;
    case SubmitStatus::too_large:
      return ErrorCode::too_large;
    default:
      return ErrorCode::invalid;
  }
}

}  // namespace

Result<SubmitStatus> to_result(SubmitStatus status, const std::string& message) {
  if (status == SubmitStatus::accepted || status == SubmitStatus::duplicate) return status;
  if (!message.empty()) return Error{code_of(status), message};
  return Error{code_of(status),
               std::string("the broker refused the task: ") + name_of(code_of(status))};
}

BatchCall::BatchCall(Connection& connection, Random& random, const BatchCallbacks& callbacks,
                     std::function<Status()> check)
    : connection_(connection),
      random_(random),
      callbacks_(callbacks),
      check_(std::move(check)),
      limits_(connection.link().welcome.limits),
      group_(connection.new_group()) {}

BatchCall::~BatchCall() {
  connection_.end_call(inbox_);
}

bool BatchCall::has_room() const {
  return unanswered_ < kUnansweredMax && unanswered_bytes_ < kUnansweredBytesMax;
}

Status BatchCall::submit_all(const TaskSource& next) {
  SourceState state = SourceState::task;
  while (state != SourceState::end || !open_.empty()) {
    if (state != SourceState::end && has_room()) state = fill(next);
    Duration wait = kTurnInterval;
    if (state == SourceState::pause) wait = kPauseInterval;
    const bool more_at_once = state == SourceState::task && has_room();
    const bool over = state == SourceState::end && open_.empty();
    if (more_at_once || over) wait = Duration();
    const Status status = turn(wait);
    if (!status) return status;
  }
  return Done();
}

Status BatchCall::wait_for(const std::vector<TaskId>& tasks) {
  for (const TaskId& task : tasks) open_[task].awaited = true;
  connection_.watch(tasks, inbox_);
  while (!open_.empty()) {
    const Status status = turn(kTurnInterval);
    if (!status) return status;
  }
  return Done();
}

Status BatchCall::turn(Duration wait) {
  for (const SessionEvent& event : inbox_->take(wait)) take(event);
  if (inbox_->closed()) return Error{ErrorCode::unavailable, "the client was closed"};
  return check_();
}

// Submits the next chunk of the source as one command to the connection.
SourceState BatchCall::fill(const TaskSource& next) {
  std::vector<Submission> submissions;
  SourceState state = SourceState::task;
  const std::uint64_t bytes_before = unanswered_bytes_;
  while (submissions.size() < kChunkTasks && unanswered_bytes_ - bytes_before < kChunkBytes) {
    Task task;
    state = next(task);
    if (state != SourceState::task) break;
    add(std::move(task), submissions);
  }
  if (!submissions.empty()) {
    const bool watch = static_cast<bool>(callbacks_.on_finished);
    connection_.submit(std::move(submissions), watch, inbox_);
  }
  return state;
}

void BatchCall::add(Task task, std::vector<Submission>& submissions) {
  if (task.id.is_nil()) task.id = make_task_id(connection_.now(), random_);
  const Status valid = wire::check_task(task, limits_);
  if (!valid) {
    if (callbacks_.on_submitted) callbacks_.on_submitted(task.id, valid.error());
    return;
  }
  Submission submission{wire::encode_task(task), group_, Time::never()};
  Open& open = open_[task.id];
  ++open.unanswered;
  open.awaited = static_cast<bool>(callbacks_.on_finished);
  open.bytes += submission.spec.bytes.size();
  ++unanswered_;
  unanswered_bytes_ += submission.spec.bytes.size();
  submissions.push_back(std::move(submission));
}

void BatchCall::take(const SessionEvent& event) {
  if (const auto* result = std::get_if<SubmitResult>(&event)) {
    take_answer(result->id, to_result(result->status, result->message));
  } else if (const auto* finished = std::get_if<FinishedTask>(&event)) {
    if (callbacks_.on_finished) callbacks_.on_finished(*finished);
    close(finished->id, false, true);
  } else if (const auto* unknown = std::get_if<UnknownTask>(&event)) {
    if (callbacks_.on_unknown) callbacks_.on_unknown(unknown->id);
    close(unknown->id, false, true);
  }
}

void BatchCall::take_answer(const TaskId& id, const Result<SubmitStatus>& answer) {
  if (callbacks_.on_submitted) callbacks_.on_submitted(id, answer);
  close(id, true, !answer.ok());
}

void BatchCall::close(const TaskId& id, bool answered, bool ended) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  Open& open = found.value();
  if (answered && open.unanswered > 0) {
    --open.unanswered;
    --unanswered_;
    if (open.unanswered == 0) unanswered_bytes_ -= open.bytes;
  }
  if (ended) open.awaited = false;
  if (open.unanswered == 0 && !open.awaited) open_.erase(found);
}

}  // namespace millrace::client

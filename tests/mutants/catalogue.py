"""The mutants: faults seeded into the real code, one at a time, each as one substitution in one file.

A mutant names the file, the text as it stands (exactly once) and what stands there instead. The suites are
tried in their order; the first that fails has killed it.
"""

from dataclasses import dataclass

CORE = ("simulation", "scenario", "model", "core")
WORKER = ("simulation", "worker")
CLIENT = ("simulation", "client")
STORE = ("conformance", "store")


@dataclass(frozen=True)
class Mutant:
    name: str
    breaks: str  # a promise, or "contract"
    what: str
    file: str
    old: str
    new: str
    suites: tuple


def core(file, name, breaks, what, old, new, suites=CORE):
    return Mutant(name, breaks, what, f"broker/core/{file}.cpp", old, new, suites)


def shell(file, name, breaks, what, old, new):
    return Mutant(name, breaks, what, f"broker/{file}.cpp", old, new, ("shell",))


def store(file, name, breaks, what, old, new):
    return Mutant(name, breaks, what, f"broker/store/{file}.cpp", old, new, STORE)


def worker(file, name, breaks, what, old, new):
    return Mutant(name, breaks, what, f"worker/cpp/{file}.cpp", old, new, WORKER)


def client(file, name, breaks, what, old, new):
    return Mutant(name, breaks, what, f"client/cpp/{file}.cpp", old, new, CLIENT)


LIFE_CYCLE = (
    core("life_cycle", "attempts_off_by_one", "P4", "a task runs once more than max_attempts allow",
         "task.attempts >= tasks_.terms_of(task).max_attempts",
         "task.attempts > tasks_.terms_of(task).max_attempts"),
    core("broker_core", "attempt_not_durable", "P4",
         "the lease is given without being written: a restart knows of no attempt and no fence",
         "    task.dirty = false;\n    out.writes.push_back(PutTask{record_of(task)});\n",
         "    task.dirty = false;\n    if (task.state == TaskState::in_progress) continue;\n"
         "    out.writes.push_back(PutTask{record_of(task)});\n"),
    core("life_cycle", "attempt_not_counted", "P4", "a lease counts as no attempt",
         "  ++task.attempts;\n", ""),
    core("life_cycle", "fence_stands_still", "P3", "a new lease has the fence of the last one",
         "  ++task.last_fence;\n", "  if (task.last_fence == 0) ++task.last_fence;\n"),
    core("life_cycle", "hand_back_costs_an_attempt", "P4",
         "a lease that ended without effect counts as an attempt",
         "  --task.attempts;\n", ""),
    core("life_cycle", "backoff_ignored", "contract", "a failed task is tried again at once",
         "const Duration delay = reason == Reason::lease_lost",
         "const Duration delay = reason != Reason::none"),
    core("life_cycle", "lost_lease_waits_for_backoff", "P6",
         "a task whose worker died waits as if it had failed",
         "const Duration delay = reason == Reason::lease_lost",
         "const Duration delay = reason == Reason::none"),
    core("life_cycle", "ttl_ignored", "contract", "a task starts however long ago its ttl has passed",
         "if (ttl == Duration() || task.ttl_over || is_terminal(task.state)) return Time();",
         "if (ttl != Duration::nanoseconds(-1)) return Time();"),
    core("life_cycle", "ttl_outlives_the_start", "P2", "a task that has run expires between attempts",
         "if (ttl == Duration() || task.ttl_over || is_terminal(task.state)) return Time();",
         "if (ttl == Duration() || is_terminal(task.state)) return Time();"),
    core("life_cycle", "result_not_with_the_state", "P21",
         "a success is written without its result",
         "    out.writes.push_back(PutResult{task.sequence, completion->result});\n", ""),
    core("life_cycle", "success_not_counted", "P5", "the books miss a success",
         "      ++totals_.succeeded;\n", ""),
    core("life_cycle", "requeue_keeps_attempts", "contract",
         "a requeued task has the attempts of its life before",
         "  task.attempts = 0;\n", ""),
    core("life_cycle", "requeue_not_counted", "P5", "the books miss a requeue",
         "  ++totals_.requeued;\n", ""),
    core("life_cycle", "cancel_forgotten_on_failure", "P20",
         "a running task that fails is tried again though its cancel was confirmed",
         "  if (task.cancel_requested) {\n    end_task(index, TaskState::cancelled, Reason::cancelled, "
         "now, out, &ending);\n  } else if (",
         "  if ("),
    core("life_cycle", "end_is_told_to_nobody", "P19", "clients that wait for an end are not told",
         "  enter(index, state, now);\n  notify_watchers(index, out, completion);\n",
         "  enter(index, state, now);\n"),
    core("life_cycle", "lease_without_deadline", "P6",
         "a lease is armed once and not again when it is extended or taken up",
         "  leases_.remove(index);\n  leases_.add(",
         "  if (tasks_[index].timer_position != 0) return;\n  leases_.add("),
)

TIME = (
    core("on_time", "stall_ignored", "P7", "a broker that stood still takes everybody for dead",
         "  if (gap <= settings_.stall_min) return;\n", "  if (gap >= Duration()) return;\n"),
    core("on_time", "silence_ignored", "P6", "a silent worker keeps its leases for ever",
         "worker.last_heard + settings_.liveness.silence_max;",
         "worker.last_heard + settings_.liveness.silence_max * 1'000;"),
    core("broker_core", "timeout_ignored", "P6", "an attempt may run as long as it likes",
         "  run_lease_deadlines(now, out);\n", ""),
    core("on_time", "delayed_task_starts_early", "P13", "a task is due a second too early",
         "due_.first_time() <= now; ++work", "due_.first_time() <= now + Duration::seconds(1); ++work"),
    core("on_time", "retention_prunes_live_tasks", "P1", "a waiting task is forgotten at its time",
         "    if (is_terminal(task.state)) {\n      prune(index, out);",
         "    if (is_terminal(task.state) || task.attempts > 0) {\n      prune(index, out);"),
    core("on_time", "retention_ignored", "P1", "ended tasks are forgotten at once",
         "retained_.count > settings_.retained_tasks_max ||",
         "retained_.count > 0 ||"),
    core("on_time", "prune_not_counted", "P5", "the books miss what was forgotten",
         "  ++totals_.pruned;\n", ""),
    core("broker_core", "books_not_written", "P5", "the books are not written with what they count",
         "    out.writes.push_back(PutTotals{totals_});\n", ""),
    core("broker_core", "no_grace_after_a_restart", "P7",
         "after a restart, tasks are given on before their workers can come back",
         "leases_.add(index, lease_clock(now) + settings_.adoption_grace);",
         "leases_.add(index, lease_clock(now));"),
    core("broker_core", "restart_forgets_cancels", "P20", "a restart forgets that a task is cancelled",
         "  task.cancel_requested = record.cancel_requested;\n", ""),
    core("broker_core", "restart_forgets_delays", "P13", "after a restart every delayed task is due",
         "  task.moment = state == TaskState::delayed ? record.due : record.ended;\n",
         "  task.moment = record.ended;\n"),
    core("deadlines", "deadlines_out_of_order", "P6", "the heap of deadlines loses its order",
         "  sift_down(tasks_[last.index].timer_position - 1);\n", ""),
    core("retry_policy", "backoff_does_not_grow", "contract", "every retry waits like the first",
         "delay * 2;", "delay;"),
)

WORKERS = (
    core("on_worker", "fence_not_checked", "P3", "a completion counts under whatever fence",
         "  if (task.fence() != completion.fence || task.state != TaskState::in_progress ||",
         "  if (task.state != TaskState::in_progress ||"),
    core("on_worker", "anyone_completes", "P3", "a completion counts from a worker that has no lease",
         " ||\n      task.worker() != index) {\n    return completion.outcome",
         ") {\n    return completion.outcome"),
    core("on_worker", "adoption_grants_a_new_fence", "P7",
         "a lease that is taken up after a restart gets another fence",
         "  tasks_.remove(orphans_, task_index);\n  task.set_worker(index);\n",
         "  tasks_.remove(orphans_, task_index);\n  ++task.last_fence;\n  task.set_worker(index);\n"),
    core("on_worker", "adoption_refused", "P7", "after a restart no worker may take up its leases",
         "  tasks_.remove(orphans_, task_index);\n  task.set_worker(index);\n",
         "  if (task_index.value > 0) return false;\n  tasks_.remove(orphans_, task_index);\n"
         "  task.set_worker(index);\n"),
    core("on_worker", "two_holders", "P3", "a lease is left to whoever claims it",
         "    if (task.worker() != index) return false;\n", ""),
    core("on_worker", "what_never_arrived_is_kept", "P6",
         "a dispatch that was lost stays leased to a worker that knows nothing of it",
         "if (!std::binary_search(kept.begin(), kept.end(), at)) never_arrived.push_back(at);",
         "if (at.is_none()) never_arrived.push_back(at);"),
    core("on_worker", "success_beats_a_confirmed_cancel", "P20",
         "a success is stored though a cancel was confirmed",
         "  if (task.cancel_requested) {\n    end_task(task_index,",
         "  if (task.attempts == 0) {\n    end_task(task_index,"),
    core("on_worker", "repeat_is_stale", "P3", "a completion that comes again is answered as stale",
         "  if (completion.outcome == Outcome::succeeded) return task.state == TaskState::succeeded;",
         "  if (completion.outcome == Outcome::succeeded) return false;"),
    core("on_worker", "stale_counts_as_accepted", "P3", "a stale completion is answered as accepted",
         "    return completion.outcome == Outcome::released || is_repeat(task, completion);",
         "    return true;"),
    core("on_worker", "extension_ignored", "contract", "an extension does not move the deadline",
         "    arm_lease(task_index, extension.by > Duration() ? extension.by : "
         "tasks_.terms_of(*task).timeout,\n              now);\n", ""),
    core("on_worker", "beats_alone_prove_life", "P7", "messages of a worker do not prove its life",
         "  worker.last_heard = lease_clock(now);\n  if (worker.parked) {",
         "  if (worker.last_heard.is_none()) worker.last_heard = lease_clock(now);\n"
         "  if (worker.parked) {"),
    core("on_worker", "beats_ignored", "P7", "a worker that only beats is taken for dead",
         "    worker.last_heard = lease_clock(now);\n    // The word to drain",
         "    // The word to drain"),
    core("on_worker", "refused_hello_is_no_sign_of_life", "P7",
         "a stopping broker takes a worker that it refuses for dead",
         "    if (!index.is_none()) hear(index, now);  // refused, but alive: it keeps its leases\n",
         ""),
    core("on_worker", "old_hello_counts", "P7", "a hello that was overtaken is taken for the newest",
         "  if (!index.is_none() && message.hello_number <= workers_[index].hello_number) return;\n",
         ""),
    core("on_worker", "undeliverable_stays_leased", "P6",
         "a task whose dispatch could not be sent stays leased",
         "    release(task_index, Start::never, now, out);\n  }\n  park(index, now);",
         "  }\n  park(index, now);"),
    core("on_worker", "recall_is_made_once", "contract", "after one recall a worker is never asked again",
         "    worker.recall_number = 0;\n  }\n  workers_.refile(index);",
         "  }\n  workers_.refile(index);"),
    core("on_worker", "lost_worker_is_not_told", "P19",
         "a worker that was given up for silent is not told when it comes back",
         "  if (index.is_none() && lost != lost_.end()) {",
         "  if (index.is_none() && lost == lost_.end() && lost != lost_.end()) {"),
)

CLIENTS = (
    core("on_client", "content_ignored", "P8", "a known id is a duplicate whatever its content",
         "  if (tasks_[index].content_hash != spec.content_hash) {",
         "  if (spec.content_hash == 0) {"),
    core("on_client", "cancel_not_durable", "P20", "the mark of a cancel is not written",
         "    task.cancel_requested = true;\n    touch(index);\n",
         "    task.cancel_requested = true;\n"),
    core("on_client", "cancel_not_told", "contract", "a worker runs on with a task that is cancelled",
         "  if (!task.worker().is_none()) {\n    out.sends.push_back(ToWorker{",
         "  if (task.attempts == 0) {\n    out.sends.push_back(ToWorker{"),
    core("on_client", "store_full_ignored", "P11", "tasks are accepted though the store is full",
         "  if (!store_accepting_) {", "  if (!store_accepting_ && stopping_) {"),
    core("on_client", "payload_not_written", "P1", "a task is accepted without its payload",
         "  out.writes.push_back(PutSpec{task.sequence, spec.bytes});\n", ""),
    core("on_client", "late_watch_waits_for_ever", "P19",
         "who asks to be told of an end that was before is not told",
         "  if (is_terminal(tasks_[index].state)) {\n    add_finished(client, index, out, nullptr);\n",
         "  if (is_terminal(tasks_[index].state)) {\n"),
    core("on_client", "pause_not_durable", "contract", "a restart resumes a paused queue",
         "      out.writes.push_back(PutQueue{number, queue.name, pause});\n", ""),
    core("on_client", "drain_is_only_asked_for", "contract",
         "a worker that is to drain is given more tasks",
         "    worker.draining = true;\n", ""),
)

SCHEDULER = (
    core("ready_queue", "priority_inverted", "P9", "the lowest priority goes first",
         "    if (rank > best_rank) {", "    if (best.is_none() || rank < best_rank) {"),
    core("ready_queue", "aging_missing", "P9", "a low priority waits for ever beside higher ones",
         "    if (aging_interval > Duration()) {", "    if (aging_interval < Duration()) {"),
    core("ready_queue", "returned_tasks_go_last", "P9",
         "a task that comes back queues behind later ones",
         "  const bool in_order = lane->fifo.count == 0 || tasks[lane->fifo.tail].sequence < "
         "task.sequence;",
         "  const bool in_order = true;"),
    core("scheduler", "credit_ignored", "contract", "a worker is given more than it asked for",
         "  std::uint32_t room = worker.credit - worker.held();",
         "  std::uint32_t room = worker.credit + 64;"),
    core("scheduler", "ahead_before_idle", "contract",
         "tasks are given ahead of a slot while other workers idle",
         "  assign_pass(false, now, out);\n", ""),
    core("scheduler", "recalls_nothing", "contract",
         "tasks wait behind a busy worker while another idles",
         "  if (recall.tasks.empty()) return;\n", "  if (recall.tasks.size() < 1'000) return;\n"),
    core("worker_pool", "one_queue_takes_all", "P9", "a queue starves beside another",
         "  auto next = group.active.upper_bound(group.last_served);\n"
         "  if (next == group.active.end()) next = group.active.begin();\n",
         "  const auto next = group.active.begin();\n"),
    core("worker_pool", "paused_queue_is_given_out", "contract", "a pause changes nothing",
         "    if (queue.is_active()) {\n      group.active.insert(number);",
         "    if (queue.ready.size() > 0) {\n      group.active.insert(number);"),
)

WORKER_SESSION = (
    worker("session", "dispatch_of_an_old_session", "P4",
           "a worker runs what the broker has given on since",
           "  if (!link_.open()) return;\n  prefetch_.refilled();",
           "  prefetch_.refilled();"),
    worker("session", "finished_task_runs_again", "P4",
           "a repeated dispatch starts what has ended already",
           "    if (reports_.holds(lease)) continue;\n", ""),
    worker("session", "stale_lease_runs_on", "contract", "a worker runs on with what it has lost",
           "  for (const HeldLease& lease : welcome.stale) {",
           "  for (const HeldLease& lease : std::vector<HeldLease>()) {"),
    worker("session", "cancelled_task_succeeds", "contract",
           "a worker reports a success of what it was told to cancel",
           "  attempt->cancelled = cancelled;\n", ""),
    worker("session", "abandon_loses_the_last_reports", "P4",
           "a report that was not answered is lost with its worker",
           "  reports_.repeat_sent_until(now);\n  send_completions(now, actions);\n"
           "  if (link_.open()) actions.sends.push_back(WorkerGoodbye{\"ended",
           "  send_completions(now, actions);\n"
           "  if (link_.open()) actions.sends.push_back(WorkerGoodbye{\"ended"),
    worker("session_tick", "drain_loses_the_last_reports", "P4",
           "a report that was not answered is lost with its worker",
           "  reports_.repeat_sent_until(now);  // as in abandon: nothing unanswered may be lost for "
           "good\n", ""),
    worker("session_tick", "hello_forgets_reports", "P4",
           "a restarted broker is not told of what has ended and was not answered",
           "  std::vector<HeldLease> held = reports_.leases();\n",
           "  std::vector<HeldLease> held;\n"),
    worker("session_tick", "hello_forgets_running", "P7",
           "a restarted broker is not told of what runs",
           "  for (const HeldLease& lease : attempts_.running_leases()) held.push_back(lease);\n", ""),
    worker("session_tick", "report_is_sent_once", "P19", "a report that was lost is lost",
           "  reports_.repeat_sent_until(now - settings_.resend_after);\n",
           "  static_cast<void>(now);\n"),
    worker("session_tick", "timeout_is_left_to_the_broker", "contract",
           "a worker does not stop what takes too long",
           "  end_overdue(now, actions);\n", ""),
    worker("session_tick", "drain_wants_more", "contract", "a worker that drains asks for tasks",
           "  if (draining_) return 0;\n", ""),
    worker("session_tick", "recall_answered_too_early", "contract",
           "the answer to a recall overtakes what it hands back",
           "    if (!reports_.has_unsent() && answered < recalls_.size()) {",
           "    if (answered < recalls_.size()) {"),
    worker("link", "new_epoch_ignored", "P7", "a worker does not notice that the broker is another",
           "  epoch_ = pulse.epoch;\n  close_session(now);\n", "  epoch_ = pulse.epoch;\n"),
    worker("link", "beats_stop_after_a_loss", "P7", "a worker that is not welcome yet shows no life",
           "  if (nonce_.is_none() || now < beat_due_) return std::nullopt;",
           "  if (!open_ || nonce_.is_none() || now < beat_due_) return std::nullopt;"),
    worker("reports", "settled_before_it_is_answered", "P4",
           "a report is forgotten as soon as it is sent",
           "    sent_.splice(sent_.end(), unsent_, unsent_.begin());\n",
           "    index_.erase(HeldLease{report.completion.task, report.completion.fence});\n"
           "    unsent_.pop_front();\n"),
)

CLIENT_SESSION = (
    client("submit_book", "busy_is_final", "P15", "a submit that should come later is given up",
           "  return status == SubmitStatus::busy || status == SubmitStatus::store_full ||\n"
           "         status == SubmitStatus::shutting_down;",
           "  return status == SubmitStatus::busy;"),
    client("submit_book", "answers_shifted", "P15", "a task gets the answer of its neighbour",
           "    const SubmitAnswer& answer = submitted.items[i];",
           "    const SubmitAnswer& answer = submitted.items[(i + 1) % batch.items.size()];"),
    client("submit_book", "unanswered_submit_is_sent_once", "P19",
           "a submit whose answer was lost is never sent again",
           "    if (batch.send_again <= now) send(request, batch, now, actions);\n",
           "    static_cast<void>(batch);\n"),
    client("submit_book", "unanswered_counts_as_accepted", "P1",
           "a submit that nobody answered is told as accepted",
           "    actions.events.push_back(SubmitUnanswered{item.submission.group, "
           "item.submission.spec.id});",
           "    actions.events.push_back(SubmitResult{item.submission.group, item.submission.spec.id,\n"
           "                                          SubmitStatus::accepted, \"\"});"),
    client("session", "silence_is_borne", "P19", "a client waits for ever on a dead connection",
           "  if (silence_deadline() <= now) {\n", "  if (silence_deadline() <= Time()) {\n"),
    client("session", "new_epoch_ignored_by_clients", "P19",
           "a client does not ask a restarted broker again",
           "  if (link_ != Link::connected || epoch == epoch_) return;\n",
           "  if (epoch >= epoch_ || epoch == epoch_) return;\n"),
    client("session", "end_is_told_twice", "P2", "an end is told again each time it is heard",
           "    if (watches_.remove(task.id)) actions.events.push_back(std::move(task));\n",
           "    watches_.remove(task.id);\n    actions.events.push_back(std::move(task));\n"),
    client("watch_book", "lost_end_is_not_asked_for", "P19", "an end that was lost is never heard",
           "    } else if (!asked_.empty() && due(asked_.front()) <= now) {",
           "    } else if (!asked_.empty() && due(asked_.front()) <= Time()) {"),
)

STORES = (
    store("store_writer", "acknowledged_before_the_commit", "P1",
          "a batch is told as durable before it is",
          "  if (Status committed = transaction->commit(); !committed.ok()) return committed;\n",
          "  if (!batches.empty()) announce(group, batches.back().number, since(start));\n"
          "  if (Status committed = transaction->commit(); !committed.ok()) return committed;\n"),
    store("store_writer", "failed_commit_ignored", "P14", "the broker goes on after a failed commit",
          "    if (!committed.ok()) return committed;\n    batches = ", "    batches = "),
    store("write_applier", "books_left_out", "P5", "the books are not written with what they count",
          "    Status added =\n"
          "        appender_.add(transaction, make_record(RecordKind::totals, TaskSequence(), body));\n"
          "    if (!added.ok()) return added;\n", ""),
    store("store_writer", "closing_loses_what_waits", "P1", "an orderly end loses what was submitted",
          "  if (ending_ && mailbox_.empty()) return false;\n", "  if (ending_) return false;\n"),
    store("lmdb_env", "no_sync", "P1", "a commit is not forced to the disk",
          "      MDB_NOTLS | MDB_NORDAHEAD | (access",
          "      MDB_NOTLS | MDB_NORDAHEAD | MDB_NOSYNC | (access"),
    store("lmdb_env", "sync_error_ignored", "P14", "a failed sync counts as done",
          "  if (code != 0) return error_of(code, \"commit\");\n",
          "  if (code != 0 && code != EIO) return error_of(code, \"commit\");\n"),
    store("layout", "checksum_not_checked", "P17", "a damaged record is served",
          "  if (little_endian(value.first(kChecksumBytes)) != checksum(key, value)) {",
          "  if (value.empty()) {"),
    store("tables", "missing_chunk_served", "P17", "a value with a hole in it is served",
          "      return corrupt_value(table, chunk_key.view(), \"is missing\");\n",
          "      break;\n"),
    store("tables", "old_chunks_stay", "P17", "a shorter value keeps the tail of a longer one",
          "  if (table != TableId::meta) {\n    if (Status erased",
          "  if (table == TableId::meta) {\n    if (Status erased"),
    store("space_watch", "watermark_ignored", "P11", "submits are accepted until nothing fits",
          "  accepting_ = map_has_room() && disk_has_room();\n", "  accepting_ = disk_has_room();\n"),
    store("store_identity", "epoch_stands_still", "P7", "a restart is not told from the run before",
          "  identity.epoch = Epoch(*epoch + 1);", "  identity.epoch = Epoch(std::max(*epoch, "
          "std::uint64_t{1}));"),
    store("record_codec", "cancel_mark_not_stored", "P20",
          "the mark of a cancel does not survive a restart",
          "  task.cancel_requested = stored->cancel_requested();\n", ""),
)

SHELL = (
    shell("outbox", "told_before_it_is_durable", "P1", "answers leave before the sync",
          "  while (!turns_.empty() && turns_.front().batch <= durable) {",
          "  while (!turns_.empty() && turns_.front().batch <= durable.next()) {"),
    shell("outbox", "lost_dispatch_is_not_noticed", "P6",
          "a dispatch that no connection took stays leased",
          "    undelivered.emplace_back(DispatchUndeliverable{peer, std::move(leases)});\n",
          "    static_cast<void>(undelivered);\n"),
    shell("outbox", "dropped_send_not_counted", "P15", "a message is dropped and nobody knows",
          "                                               wire::encode(reply)) == "
          "wire::SendStatus::sent;\n  if (!sent) ++sends_dropped_;\n  return sent;",
          "                                               wire::encode(reply)) == "
          "wire::SendStatus::sent;\n  return sent;"),
    shell("outbox", "result_left_out", "P21", "an end is told without its result",
          "        item.task.result = std::move(*result);\n", "        result = SharedBytes();\n"),
    shell("outbox", "unreadable_payload_is_sent", "P17", "a payload that is damaged goes out empty",
          "        undelivered.emplace_back(SpecUnreadable{item.task.task, item.task.fence,\n"
          "                                                \"the stored payload: \" + "
          "stored.error().message});\n        continue;\n",
          "        stored = SharedBytes();\n"),
    shell("reactor", "full_store_not_noticed", "P11", "the core is not told that the store is full",
          "  events_.emplace_back(StoreLevelChanged{accepting});\n", ""),
    shell("reactor", "stops_with_work_unwritten", "P1", "an orderly stop does not wait for the disk",
          "  return stopping_ && undelivered_.empty() && outbox_.empty() && store_.durable() >= "
          "last_batch_;",
          "  return stopping_ && undelivered_.empty();"),
    shell("reactor", "undelivered_is_forgotten", "P6",
          "what the outbox could not send is not told to the core",
          "  events_.swap(undelivered_);\n", ""),
)

MUTANTS = (LIFE_CYCLE + TIME + WORKERS + CLIENTS + SCHEDULER + WORKER_SESSION + CLIENT_SESSION + STORES +
           SHELL + (
    Mutant("lease_on_the_wall_clock", "P13", "time jumps with the wall clock",
           "common/host/clock.cpp",
           "  return Time::since_epoch(since_its_epoch<std::chrono::steady_clock>() + offset_);",
           "  return Time::since_epoch(since_its_epoch<std::chrono::system_clock>() + "
           "Duration::nanoseconds(offset_.in_nanoseconds() * 0));", ("host",)),
))

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}

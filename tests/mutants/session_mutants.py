"""Faults in the sessions of worker and client."""

from mutant import client, worker

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
    client("submit_book", "unanswered_counts_as_refused", "P15",
           "a submit that nobody answered is told as refused, though it may have been accepted",
           "    actions.events.push_back(SubmitUnanswered{item.submission.group, "
           "item.submission.spec.id});",
           "    actions.events.push_back(SubmitResult{item.submission.group, item.submission.spec.id,\n"
           "                                          SubmitStatus::invalid, \"\"});"),
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

SESSION_MUTANTS = WORKER_SESSION + CLIENT_SESSION

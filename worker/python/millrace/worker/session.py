"""The worker's side of docs/protocol.md as a pure state machine, by the rules of
worker/cpp/session.h: messages and a time in, actions out. No I/O, no clock, no thread.

The shell's loop: wait until next_deadline_ns() or an input; hand over every input; call tick once;
do the actions. Starts and stops come with the input that causes them; messages gather and leave in
tick, so that one Complete carries all that ended since.
"""

from __future__ import annotations

import random
from typing import Callable, Dict, List, Type

from millrace.limits import PeerLimits
from millrace.units import NEVER
from millrace.wire.messages import (Beat, BrokerGoodbye, Complete, Completed, Completion, Dispatch,
                                    Drain, Extension, HeldLease, Pulse, Recall, Refused,
                                    StoppedTask, StopTasks, WorkerGoodbye, WorkerHello, WorkerReply,
                                    WorkerWelcome)
from millrace.words import ErrorCode, Outcome, StopCause
from millrace.worker.attempts import Attempts, Lease
from millrace.worker.extensions import Extensions
from millrace.worker.link import Link
from millrace.worker.prefetch import Prefetch
from millrace.worker.reports import Reports, end_of_overdue, fit
from millrace.worker.session_types import (Actions, Refusal, SessionSettings, SessionTotals,
                                           Welcomed)

STARTS_AHEAD_MOST = 1_024


class Session:
    """Not thread-safe. `now_ns` never runs backwards. The first tick says hello: the shell has a
    DEALER by then."""

    def __init__(self, settings: SessionSettings, randomness: random.Random) -> None:
        self._settings = settings
        self._link = Link(randomness, settings.hello_timeout_ns)
        self._attempts = Attempts()
        self._reports = Reports()
        self._prefetch = Prefetch(settings.slots, settings.prefetch_max)
        self._limits = PeerLimits()
        self._extensions = Extensions()
        self._recalls: List[int] = []  # to be answered
        self._credit_told = 0
        self._heard_ns = 0  # the last message on the DEALER
        self._was_open = False
        self._draining = False
        self._ended = False
        self._settle_by_ns = NEVER  # drained: go when this has passed
        self.totals = SessionTotals()
        self._takers: Dict[Type[object], Callable[..., None]] = {
            WorkerWelcome: self._take_welcome, Dispatch: self._take_dispatch,
            Completed: self._take_completed, StopTasks: self._take_stop_tasks,
            Recall: self._take_recall, Drain: self._take_drain, Refused: self._take_refused,
            BrokerGoodbye: self._take_goodbye}

    @property
    def running(self) -> int:
        return self._attempts.running

    @property
    def unacknowledged(self) -> int:
        return len(self._reports)

    # ---- messages --------------------------------------------------------------------------------

    def receive(self, reply: WorkerReply, now_ns: int, actions: Actions) -> None:
        if self._ended:
            return
        self._heard_ns = now_ns
        self._link.hear_message(now_ns)
        take = self._takers.get(type(reply))
        if take is not None:
            take(reply, now_ns, actions)

    def _take_welcome(self, welcome: WorkerWelcome, now_ns: int, actions: Actions) -> None:
        if welcome.hello_number != self._link.hello_number:
            return
        self._link.welcome(welcome, now_ns)
        self._limits = welcome.limits
        self._was_open = True
        actions.lost = ""
        actions.welcomed = Welcomed(welcome.epoch, welcome.endpoints, welcome.limits,
                                    welcome.broker_version)
        for lease in welcome.stale:
            self._stop(StoppedTask(lease.task, lease.fence, StopCause.stale_lease), actions)
        self._reports.repeat_sent_until(now_ns)
        self._start_waiting(now_ns, actions)

    def _take_dispatch(self, dispatch: Dispatch, now_ns: int, actions: Actions) -> None:
        # Sent before the broker knew what this worker holds: the Welcome's reckoning gives it on.
        if not self._link.open:
            return
        self._prefetch.refilled()
        for task in dispatch.tasks:
            lease = HeldLease(task.task, task.fence)
            if self._reports.holds(lease):
                continue
            if self._attempts.add(task, now_ns) and self._draining:
                self._release(lease)
        self._start_waiting(now_ns, actions)

    def _take_completed(self, completed: Completed, _: int, __: Actions) -> None:
        stale = set(completed.stale)
        for position, lease in enumerate(completed.items):
            if self._reports.settle(lease) and position in stale:
                self.totals.stale += 1

    def _take_stop_tasks(self, stopped: StopTasks, now_ns: int, actions: Actions) -> None:
        for task in stopped.tasks:
            self._stop(task, actions)
        self._start_waiting(now_ns, actions)

    def _take_recall(self, recall: Recall, _: int, __: Actions) -> None:
        if not self._link.open:
            return
        for lease in recall.tasks:
            attempt = self._attempts.find(lease)
            if attempt is not None and attempt.waits:
                self._release(lease)
        self._recalls.append(recall.recall_number)

    def _take_drain(self, _: Drain, now_ns: int, actions: Actions) -> None:
        self.drain(now_ns, actions)

    def _take_refused(self, refused: Refused, now_ns: int, actions: Actions) -> None:
        if refused.code == ErrorCode.unknown_session:
            self._link.session_unknown(now_ns)
            self._lose_session("the broker does not know this session", actions)
        elif refused.code in (ErrorCode.invalid, ErrorCode.too_large, ErrorCode.unsupported,
                              ErrorCode.forbidden):
            self._ended = True
            actions.failure = Refusal(refused.code,
                                      f"the broker refuses this worker: {refused.message}")
        elif not self._link.open or refused.code == ErrorCode.shutting_down:
            self._link.retry_later(refused.retry_after_ns, now_ns)
            self._lose_session("the broker takes no work now", actions)
        # Otherwise what was sent is repeated in its time.

    def _take_goodbye(self, _: BrokerGoodbye, now_ns: int, actions: Actions) -> None:
        self._link.retry_later(0, now_ns)
        self._lose_session("the broker says goodbye", actions)

    def hear_pulse(self, pulse: Pulse, now_ns: int, actions: Actions) -> None:
        if self._ended:
            return
        self._link.hear_pulse(pulse, now_ns)
        self._lose_session("the broker has restarted", actions)

    def connection_lost(self, now_ns: int, actions: Actions) -> None:
        """The transport noticed a disconnect: a hint that saves waiting for silence."""
        if self._ended:
            return
        self._link.connection_lost(now_ns)
        self._lose_session("the connection broke", actions)

    def _lose_session(self, reason: str, actions: Actions) -> None:
        """Notes the end of a session that was open until now; nothing otherwise."""
        if not self._was_open or self._link.open:
            return
        self._was_open = False
        self._recalls.clear()
        actions.lost = reason

    # ---- attempts --------------------------------------------------------------------------------

    def _start_waiting(self, now_ns: int, actions: Actions) -> None:
        ahead = self._prefetch.finished_in(self._settings.run_ahead_ns, STARTS_AHEAD_MOST)
        while self._attempts.running < self._settings.slots + ahead:
            attempt = self._attempts.next_waiting()
            if attempt is None:
                return
            actions.starts.append(self._attempts.start(attempt, now_ns))
            if now_ns - attempt.arrived_ns > self._settings.late_start_ns:
                self._extensions.ask(attempt.lease, 0, 0)

    def _stop(self, stopped: StoppedTask, actions: Actions) -> None:
        lease = HeldLease(stopped.task, stopped.fence)
        cancelled = stopped.cause == StopCause.cancelled
        attempt = self._attempts.find(lease)
        if attempt is None or attempt.abandoned:
            # A completion on its way answers a cancel; any other stop means that nobody wants it.
            if not cancelled:
                self._reports.settle(lease)
            return
        if attempt.waits:
            self._attempts.erase(lease)
            if cancelled:
                self._report(Completion(*lease, Outcome.cancelled))
            return
        if cancelled and attempt.cancelled:
            return
        attempt.cancelled = cancelled
        if not cancelled:
            self._attempts.abandon(attempt)
        actions.stops.append(stopped)

    def finish(self, completion: Completion, now_ns: int, actions: Actions) -> None:
        """The runner reports the real end of a started attempt, exactly once for each."""
        lease = HeldLease(completion.task, completion.fence)
        attempt = self._attempts.find(lease)
        if attempt is None or attempt.waits:
            return
        self._attempts.erase(lease)
        if self._ended:
            return
        if not attempt.abandoned:
            self._prefetch.observe(completion.elapsed_ns)
            if attempt.cancelled:
                completion = Completion(*lease, Outcome.cancelled, completion.elapsed_ns)
            self._report(completion)
        self._start_waiting(now_ns, actions)
        if self._attempts.waiting == 0 and self._attempts.running < self._settings.slots:
            self._prefetch.ran_empty()

    def _report(self, completion: Completion) -> None:
        """Keeps a completion in the form that the broker takes, and counts it."""
        completion = fit(completion, self._limits)
        self.totals.count(completion.outcome)
        self._reports.add(completion)

    def _release(self, lease: Lease) -> None:
        self._attempts.erase(lease)
        self._report(Completion(*lease, Outcome.released))

    def _release_waiting(self) -> None:
        for lease in self._attempts.waiting_leases():
            self._release(lease)

    def extend(self, extension: Extension, now_ns: int) -> None:
        """A running handler asks for more time, or reports progress, which re-arms its timeout too
        but never shortens it. Ignored for attempts that do not run."""
        attempt = self._attempts.find((extension.task, extension.fence))
        if self._ended or attempt is None or attempt.waits or attempt.abandoned:
            return
        by_ns = extension.by_ns
        if by_ns <= 0:
            by_ns = 0  # a task without a timeout only reports its progress
            if attempt.timeout_ns > 0:
                by_ns = max(attempt.timeout_ns, attempt.deadline_ns - now_ns)
        if by_ns > 0:
            self._attempts.set_deadline(attempt, now_ns + by_ns)
        self._extensions.ask(attempt.lease, by_ns, extension.progress_percent)

    # ---- the end ---------------------------------------------------------------------------------

    def drain(self, _: int, __: Actions) -> None:
        """Take nothing new, hand back what has not started, finish what runs, then say goodbye."""
        if self._ended or self._draining:
            return
        self._draining = True
        self._release_waiting()

    def abandon(self, now_ns: int, actions: Actions) -> None:
        """Ends now: hands back all that has not ended. The shell must have ended what runs, or end
        it (`stops` names it) before it sends, because others may start these tasks at once."""
        if self._ended:
            return
        self._draining = True
        self._release_waiting()
        for lease in self._attempts.running_leases():
            actions.stops.append(StoppedTask(*lease, StopCause.stale_lease))
            attempt = self._attempts.find(lease)
            assert attempt is not None
            self._attempts.abandon(attempt)
            self._report(Completion(*lease, Outcome.released))
        # A report that was lost must not be lost for good: after the goodbye, its lease would be
        # handed to another as if the task had never run.
        self._reports.repeat_sent_until(now_ns)
        self._send_completions(now_ns, actions)
        if self._link.open:
            actions.sends.append(WorkerGoodbye("ended before its tasks did"))
        actions.finished = True
        self._ended = True

    def handlers_died(self, now_ns: int, actions: Actions) -> None:
        """The process of the handlers is gone: every running attempt has crashed. Then as drain."""
        self.drain(now_ns, actions)
        for lease in self._attempts.running_leases():
            self.finish(Completion(*lease, Outcome.crashed, error="the worker's process died"),
                        now_ns, actions)

    def _end_drain(self, now_ns: int, actions: Actions) -> None:
        if not self._draining or self._attempts.running > self._attempts.abandoned:
            return
        if self._settle_by_ns == NEVER:
            self._settle_by_ns = now_ns + self._settings.settle_max_ns
        if len(self._reports) > 0 and now_ns < self._settle_by_ns:
            return
        self._reports.repeat_sent_until(now_ns)  # as in abandon
        self._send_completions(now_ns, actions)
        if self._link.open:
            actions.sends.append(WorkerGoodbye("drained"))
        actions.finished = True
        self._ended = True

    # ---- time ------------------------------------------------------------------------------------

    def tick(self, now_ns: int, actions: Actions) -> None:
        if self._ended:
            return
        self._end_overdue(now_ns, actions)
        self._release_long_waiting(now_ns)
        self._start_waiting(now_ns, actions)
        self._repeat_unanswered(now_ns)
        self._lose_session("its completions are not answered", actions)
        self._step_link(now_ns, actions)
        self._send_completions(now_ns, actions)
        if self._link.open:
            actions.sends += self._extensions.take(self._attempts, self._limits.batch_items_max)
        number = self._link.take_beat(now_ns)
        if number is not None and self._link.session is not None:
            actions.beats.append(Beat(self._settings.worker, self._link.session, number,
                                      self._attempts.running, self._attempts.waiting))
        self._end_drain(now_ns, actions)

    def next_deadline_ns(self) -> int:
        """When to call tick at the latest; in the past when there is something to send."""
        if self._ended:
            return NEVER
        if self._complete_due() or (self._link.open and self._extensions.has_unsent):
            return 0
        next_ns = min(self._link.next_deadline_ns(), self._attempts.earliest_deadline_ns,
                      self._settle_by_ns)
        waiting = self._attempts.next_waiting()
        if waiting is not None:
            next_ns = min(next_ns, waiting.arrived_ns + self._settings.waiting_max_ns)
        if not self._link.open:
            return next_ns
        return min(next_ns, self._reports.oldest_sent_ns() + self._settings.resend_after_ns)

    def _end_overdue(self, now_ns: int, actions: Actions) -> None:
        """The attempt timeout is kept here: the attempt has ended for everybody else, while its
        slot stays occupied until the runner reports the real end."""
        for attempt in self._attempts.overdue(now_ns):
            self._attempts.abandon(attempt)
            actions.stops.append(StoppedTask(*attempt.lease, StopCause.timed_out))
            self._report(end_of_overdue(attempt, now_ns))

    def _release_long_waiting(self, now_ns: int) -> None:
        """Idle workers elsewhere can start it at once; here it would wait on."""
        attempt = self._attempts.next_waiting()
        while attempt and attempt.arrived_ns + self._settings.waiting_max_ns <= now_ns:
            self._prefetch.hold()
            self._release(attempt.lease)
            attempt = self._attempts.next_waiting()

    def _repeat_unanswered(self, now_ns: int) -> None:
        resend_after_ns = self._settings.resend_after_ns
        if not self._link.open or self._reports.oldest_sent_ns() + resend_after_ns > now_ns:
            return
        # Pulses may flow while the DEALER is dead: then a hello, and if need be a new socket,
        # restores it.
        if now_ns - self._heard_ns > resend_after_ns * 2:
            self._link.connection_lost(now_ns)
        self._reports.repeat_sent_until(now_ns - resend_after_ns)

    # ---- what it sends ---------------------------------------------------------------------------

    def _step_link(self, now_ns: int, actions: Actions) -> None:
        step = self._link.step(now_ns)
        self._lose_session("the broker is silent", actions)
        if step.say_hello:
            actions.reconnect = step.reconnect
            self._say_hello(actions)

    def _say_hello(self, actions: Actions) -> None:
        settings = self._settings
        self._credit_told = self._credit()
        holding = (self._reports.leases() + self._attempts.running_leases() +
                   self._attempts.waiting_leases())
        actions.sends.append(
            WorkerHello(self._link.hello_number, settings.worker, settings.name, settings.queues,
                        settings.slots, self._credit_told, settings.version, holding))

    def _credit(self) -> int:
        # With every slot stuck, a prefetched task could only wait.
        free = self._settings.slots - self._attempts.abandoned
        if self._draining or free <= 0:
            return 0
        return min(free + self._prefetch.tasks, self._limits.credit_max)

    def _complete_due(self) -> bool:
        return self._link.open and (self._reports.has_unsent or bool(self._recalls) or
                                    self._credit() != self._credit_told)

    def _send_completions(self, now_ns: int, actions: Actions) -> None:
        if not self._complete_due():
            return
        self._credit_told = self._credit()
        recalls, self._recalls = self._recalls, []
        while True:
            items = self._reports.take_batch(self._limits.batch_items_max,
                                             self._limits.frame_bytes_max // 2, now_ns)
            # A recall's answer must not overtake what it hands back.
            last = not self._reports.has_unsent
            answers = recalls.pop(0) if last and recalls else 0
            actions.sends.append(Complete(items, self._credit_told, answers))
            if last and not recalls:
                return

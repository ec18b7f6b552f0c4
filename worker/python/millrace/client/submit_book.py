"""The tasks on their way to the broker: waiting, sent and not answered, or to be sent again.
Pure."""

from __future__ import annotations

import collections
import random
from typing import Callable, Deque, Dict, List

from millrace.client.session_types import (Actions, RequestCounter, SessionSettings, Submission,
                                           SubmitAnswered, SubmitUnanswered, full_jitter_ns,
                                           resend_wait_ns)
from millrace.limits import PeerLimits
from millrace.units import NEVER, SECOND
from millrace.wire.messages import Refused, Submit, Submitted
from millrace.words import ErrorCode, SubmitStatus

# A task's share of a message beside its spec.
_ITEM_OVERHEAD_BYTES = 64
# A broker's wish for a pause is followed up to here.
_HOLD_MAX_NS = 60 * SECOND

_RETRIED_STATUSES = (SubmitStatus.busy, SubmitStatus.store_full, SubmitStatus.shutting_down)
_RETRIED_CODES = (ErrorCode.busy, ErrorCode.store_full, ErrorCode.shutting_down,
                  ErrorCode.unknown_session)
_STATUS_OF = {ErrorCode.too_large: SubmitStatus.too_large,
              ErrorCode.conflict: SubmitStatus.conflict}


class _Item:
    __slots__ = ("submission", "sent_before")

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.sent_before = False


def _bytes_of(item: _Item) -> int:
    return len(item.submission.spec) + _ITEM_OVERHEAD_BYTES


class _Batch:
    def __init__(self, items: List[_Item], size: int) -> None:
        self.items = items
        self.bytes = size
        self.sends = 0
        self.send_again_ns = 0


class SubmitBook:
    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self._limits = PeerLimits()
        self._waiting: Deque[_Item] = collections.deque()
        self._in_flight: Dict[int, _Batch] = {}  # by request
        self._in_flight_tasks = 0
        self._in_flight_bytes = 0
        self._hold_until_ns = 0  # the broker asked for a pause
        self._holds_in_a_row = 0
        self._earliest_give_up_ns = NEVER

    def set_limits(self, limits: PeerLimits) -> None:
        self._limits = limits

    def add(self, submission: Submission) -> None:
        self._earliest_give_up_ns = min(self._earliest_give_up_ns, submission.give_up_ns)
        self._waiting.append(_Item(submission))

    def __len__(self) -> int:
        return len(self._waiting) + self._in_flight_tasks

    # ---- sending ---------------------------------------------------------------------------------

    def _may_send(self) -> bool:
        if not self._waiting or not self._in_flight:
            return bool(self._waiting)
        return (self._in_flight_tasks < self._settings.in_flight_tasks_max and
                self._in_flight_bytes + _bytes_of(self._waiting[0]) <=
                self._settings.in_flight_bytes_max)

    def send_due(self, now_ns: int, requests: RequestCounter, actions: Actions) -> None:
        """Sends what is unanswered for too long, then as much of what waits as the bounds allow."""
        if now_ns < self._hold_until_ns:
            return
        for request, batch in self._in_flight.items():
            if batch.send_again_ns <= now_ns:
                self._send(request, batch, now_ns, actions)
        while self._may_send():
            request, batch = requests.next(), self._cut_batch()
            self._in_flight[request] = batch
            self._in_flight_tasks += len(batch.items)
            self._in_flight_bytes += batch.bytes
            self._send(request, batch, now_ns, actions)

    def _cut_batch(self) -> _Batch:
        settings = self._settings
        room = max(1, settings.in_flight_tasks_max - self._in_flight_tasks)
        items_max = max(1, min(room, settings.batch_items, self._limits.batch_items_max))
        bytes_max = min(settings.batch_bytes, self._limits.frame_bytes_max // 2)
        batch = _Batch([], 0)
        while self._waiting and len(batch.items) < items_max:
            size = _bytes_of(self._waiting[0])
            if batch.items and batch.bytes + size > bytes_max:
                break
            batch.bytes += size
            batch.items.append(self._waiting.popleft())
        return batch

    def _send(self, request: int, batch: _Batch, now_ns: int, actions: Actions) -> None:
        batch.sends += 1
        batch.send_again_ns = now_ns + resend_wait_ns(self._settings, batch.sends)
        specs = [item.submission.spec for item in batch.items]
        actions.sends.append(Submit(request, specs, False))

    def _take(self, request: int) -> _Batch:
        batch = self._in_flight.pop(request)
        self._in_flight_tasks -= len(batch.items)
        self._in_flight_bytes -= batch.bytes
        return batch

    def _put_back(self, items: List[_Item]) -> None:
        for item in items:
            item.sent_before = True
        self._waiting.extendleft(reversed(items))

    def _hold(self, retry_after_ns: int, now_ns: int, randomness: random.Random) -> None:
        wait_ns = max(0, min(retry_after_ns, _HOLD_MAX_NS))
        jitter_ns = full_jitter_ns(self._settings, self._holds_in_a_row, randomness)
        self._holds_in_a_row += 1
        self._hold_until_ns = max(self._hold_until_ns, now_ns + wait_ns + jitter_ns)

    def take_back_unanswered(self) -> None:
        """The connection is new: whatever is unanswered waits again, in its old order, ahead of the
        rest."""
        for request in sorted(self._in_flight, reverse=True):
            self._put_back(self._take(request).items)

    # ---- answers ---------------------------------------------------------------------------------

    def answer(self, submitted: Submitted, now_ns: int, randomness: random.Random,
               actions: Actions) -> None:
        """Takes the answer when it is to a Submit of this book. The tasks that came to a final
        answer are told as events."""
        sent = self._in_flight.get(submitted.request)
        # An answer of another length cannot be matched with its tasks: they are sent again in time.
        if sent is None or len(submitted.statuses) != len(sent.items):
            return
        batch = self._take(submitted.request)
        messages = submitted.messages or [""] * len(batch.items)
        again = []
        for item, status, message in zip(batch.items, submitted.statuses, messages):
            if status in _RETRIED_STATUSES:
                again.append(item)
                continue
            if status == SubmitStatus.duplicate and (item.sent_before or batch.sends > 1):
                status = SubmitStatus.accepted  # by an earlier sending of ours
            submission = item.submission
            actions.events.append(
                SubmitAnswered(submission.group, submission.task, status, message))
        if again:
            self._put_back(again)
            self._hold(submitted.retry_after_ns, now_ns, randomness)
        else:
            self._holds_in_a_row = 0

    def refuse(self, refused: Refused, now_ns: int, randomness: random.Random,
               actions: Actions) -> bool:
        """The broker refused a whole Submit. Passing refusals: its tasks wait and are sent again.
        False when it was none of this book."""
        if refused.request not in self._in_flight:
            return False
        batch = self._take(refused.request)
        if refused.code in _RETRIED_CODES:
            self._put_back(batch.items)
            if refused.code != ErrorCode.unknown_session:
                self._hold(refused.retry_after_ns, now_ns, randomness)
            return True
        status = _STATUS_OF.get(refused.code, SubmitStatus.invalid)
        for item in batch.items:
            submission = item.submission
            actions.events.append(
                SubmitAnswered(submission.group, submission.task, status, refused.message))
        return True

    def give_up(self, now_ns: int, actions: Actions) -> None:
        """Reports and forgets tasks whose time is up. In a batch under way, when all are."""
        if now_ns < self._earliest_give_up_ns:
            return
        self._drop(lambda item: item.submission.give_up_ns <= now_ns, actions)
        items = [*self._waiting, *(i for batch in self._in_flight.values() for i in batch.items)]
        # One whose batch still waits for others is looked at again with them.
        self._earliest_give_up_ns = min((item.submission.give_up_ns for item in items
                                         if item.submission.give_up_ns > now_ns), default=NEVER)

    def abandon(self, group: int) -> None:
        """Forgets a call's tasks as far as they are not on their way with others."""
        self._drop(lambda item: item.submission.group == group, None)

    def _drop(self, belongs: Callable[[_Item], bool], actions: "Actions | None") -> None:
        dropped = [item for item in self._waiting if belongs(item)]
        if dropped:
            self._waiting = collections.deque(i for i in self._waiting if not belongs(i))
        for request, batch in list(self._in_flight.items()):
            if all(map(belongs, batch.items)):
                dropped += self._take(request).items
        if actions is not None:
            actions.events += [SubmitUnanswered(item.submission.group, item.submission.task)
                               for item in dropped]

    # ---- time ------------------------------------------------------------------------------------

    def next_send_ns(self) -> int:
        """When send_due has something to do, given that there is a connection."""
        next_ns = self._hold_until_ns if self._may_send() else NEVER
        for batch in self._in_flight.values():
            next_ns = min(next_ns, max(batch.send_again_ns, self._hold_until_ns))
        return next_ns

    @property
    def next_give_up_ns(self) -> int:
        return self._earliest_give_up_ns

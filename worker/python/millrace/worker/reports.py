"""Completions from the moment an attempt ends until the broker says that they are durable. A repeat
is harmless, so what is not acknowledged in time is simply sent again. Pure; keeps its order."""

from __future__ import annotations

from typing import Dict, List, Tuple

from millrace.limits import PeerLimits
from millrace.units import NEVER, text_of
from millrace.wire.messages import Completion, HeldLease
from millrace.words import Outcome
from millrace.worker.attempts import Attempt, Lease

# About what a completion takes in a message beside its result and its error.
_ENTRY_BYTES = 96


class Reports:
    def __init__(self) -> None:
        self._unsent: Dict[Lease, Completion] = {}
        self._sent: Dict[Lease, Tuple[Completion, int]] = {}  # with the time; oldest first

    def add(self, completion: Completion) -> None:
        """Keeps a completion to be sent. A second one for the same lease is ignored."""
        lease = (completion.task, completion.fence)
        if not self.holds(lease):
            self._unsent[lease] = completion

    def settle(self, lease: Lease) -> bool:
        """The broker has it: nothing is kept. False if there is none for this lease."""
        if self._sent.pop(lease, None) is not None:
            return True
        return self._unsent.pop(lease, None) is not None

    def holds(self, lease: Lease) -> bool:
        return lease in self._sent or lease in self._unsent

    def take_batch(self, items_max: int, bytes_max: int, now_ns: int) -> List[Completion]:
        """The next completions to send, oldest first: at most `items_max`, and of about `bytes_max`
        in all, but at least one. They count as sent now. Empty when all are sent."""
        batch: List[Completion] = []
        size = 0
        for completion in self._unsent.values():
            size += len(completion.result) + 4 * len(completion.error) + _ENTRY_BYTES
            if batch and (size > bytes_max or len(batch) >= items_max):
                break
            batch.append(completion)
        for completion in batch:
            lease = (completion.task, completion.fence)
            del self._unsent[lease]
            self._sent[lease] = (completion, now_ns)
        return batch

    def repeat_sent_until(self, before_ns: int) -> None:
        """Marks all that were sent at `before_ns` or earlier as to be sent again, first."""
        again = {}
        for lease, (completion, sent_ns) in self._sent.items():
            if sent_ns > before_ns:
                break
            again[lease] = completion
        if not again:
            return
        for lease in again:
            del self._sent[lease]
        again.update(self._unsent)
        self._unsent = again

    def oldest_sent_ns(self) -> int:
        for _, sent_ns in self._sent.values():
            return sent_ns
        return NEVER

    def leases(self) -> List[HeldLease]:
        return [HeldLease(*lease) for lease in (*self._sent, *self._unsent)]

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def __len__(self) -> int:
        return len(self._sent) + len(self._unsent)


def fit(completion: Completion, limits: PeerLimits) -> Completion:
    """The completion in the form that the broker takes."""
    if completion.outcome == Outcome.succeeded:
        size, most = len(completion.result), limits.result_bytes_max
        if size <= most:
            return completion._replace(error="") if completion.error else completion
        completion = completion._replace(
            outcome=Outcome.failed_for_good,
            error=f"result of {size} bytes is larger than {most}: "
                  "store it elsewhere and return where")
    return completion._replace(result=b"",
                               error=last_bytes(completion.error, limits.error_bytes_max))


def end_of_overdue(attempt: Attempt, now_ns: int) -> Completion:
    """Of a running attempt that is over its deadline."""
    started_ns = attempt.started_ns or 0
    return Completion(*attempt.lease,
                      Outcome.cancelled if attempt.cancelled else Outcome.timed_out,
                      now_ns - started_ns,
                      error=f"timed out after {text_of(attempt.deadline_ns - started_ns)}")


def last_bytes(text: str, most: int) -> str:
    """The end of a text, which says most, in at most `most` bytes of UTF-8."""
    if len(text) * 4 <= most:
        return text
    return text.encode("utf-8", "replace")[-most:].decode("utf-8", "ignore")

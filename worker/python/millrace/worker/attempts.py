"""What this worker has been given and has not ended: tasks that wait for a slot and attempts that
occupy one. Pure; keeps its order."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from millrace.units import NEVER
from millrace.wire.messages import DispatchedTask, HeldLease

# A task may be held under two fences at once: an overdue attempt that has not stopped, and its
# retry. A HeldLease is such a key.
Lease = Tuple[int, int]


class Attempt:
    """One dispatched attempt."""

    __slots__ = ("lease", "timeout_ns", "dispatched", "arrived_ns", "started_ns", "deadline_ns",
                 "cancelled", "abandoned")

    def __init__(self, dispatched: DispatchedTask, arrived_ns: int) -> None:
        self.lease = HeldLease(dispatched.task, dispatched.fence)
        self.timeout_ns = dispatched.timeout_ns  # 0: none
        self.dispatched: Optional[DispatchedTask] = dispatched  # let go when it starts
        self.arrived_ns = arrived_ns
        self.started_ns: Optional[int] = None  # none while it waits
        self.deadline_ns = NEVER  # of the running attempt
        self.cancelled = False  # running, stopped for a cancel: its end is reported as cancelled
        self.abandoned = False  # running: nobody waits for its end, but it occupies its slot

    @property
    def waits(self) -> bool:
        return self.started_ns is None


class Attempts:
    def __init__(self) -> None:
        self._waiting: Dict[Lease, Attempt] = {}  # oldest first
        self._running: Dict[Lease, Attempt] = {}  # in start order
        self.abandoned = 0
        self.earliest_deadline_ns = NEVER  # a lower bound, made exact by overdue()

    def add(self, dispatched: DispatchedTask, arrived_ns: int) -> bool:
        """Adds a waiting attempt. False, and nothing happens, if this lease is held already."""
        lease = (dispatched.task, dispatched.fence)
        if lease in self._waiting or lease in self._running:
            return False
        self._waiting[lease] = Attempt(dispatched, arrived_ns)
        return True

    def find(self, lease: Lease) -> Optional[Attempt]:
        return self._running.get(lease) or self._waiting.get(lease)

    def next_waiting(self) -> Optional[Attempt]:
        """The attempt that has waited longest."""
        for attempt in self._waiting.values():
            return attempt
        return None

    def start(self, attempt: Attempt, now_ns: int) -> DispatchedTask:
        """Starts a waiting attempt; what it was dispatched with."""
        dispatched = attempt.dispatched
        assert dispatched is not None and attempt.waits, "only a waiting attempt starts"
        del self._waiting[attempt.lease]
        self._running[attempt.lease] = attempt
        attempt.dispatched = None
        attempt.started_ns = now_ns
        if attempt.timeout_ns > 0:
            self.set_deadline(attempt, now_ns + attempt.timeout_ns)
        return dispatched

    def abandon(self, attempt: Attempt) -> None:
        """Makes a running attempt one whose end nobody waits for."""
        assert not attempt.waits, "only a running attempt is abandoned"
        if not attempt.abandoned:
            attempt.abandoned = True
            self.abandoned += 1

    def set_deadline(self, attempt: Attempt, deadline_ns: int) -> None:
        attempt.deadline_ns = deadline_ns
        self.earliest_deadline_ns = min(self.earliest_deadline_ns, deadline_ns)

    def erase(self, lease: Lease) -> None:
        """Forgets an attempt; a running one gives its slot back."""
        attempt = self._running.pop(lease, None)
        if attempt is None:
            self._waiting.pop(lease, None)
        elif attempt.abandoned:
            self.abandoned -= 1
        if not self._running:
            self.earliest_deadline_ns = NEVER

    def overdue(self, now_ns: int) -> List[Attempt]:
        """Running attempts that somebody waits for, over their deadline, in start order."""
        if now_ns < self.earliest_deadline_ns:
            return []
        overdue = []
        self.earliest_deadline_ns = NEVER
        for attempt in self._running.values():
            if attempt.abandoned:
                continue
            if attempt.deadline_ns <= now_ns:
                overdue.append(attempt)
            else:
                self.earliest_deadline_ns = min(self.earliest_deadline_ns, attempt.deadline_ns)
        return overdue

    def waiting_leases(self) -> List[HeldLease]:
        return [attempt.lease for attempt in self._waiting.values()]

    def running_leases(self) -> List[HeldLease]:
        """Of all that somebody waits for."""
        return [attempt.lease for attempt in self._running.values() if not attempt.abandoned]

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Occupied slots, those of abandoned attempts too."""
        return len(self._running)

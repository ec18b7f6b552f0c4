"""What goes into a worker's session and what comes out of it, as plain values."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence

from millrace.limits import PeerLimits
from millrace.units import MILLISECOND, SECOND
from millrace.wire.messages import Beat, DispatchedTask, Endpoints, StoppedTask, WorkerMessage
from millrace.words import ErrorCode, Outcome


class SessionSettings(NamedTuple):
    worker: int
    name: str
    queues: Sequence[str]
    slots: int  # tasks that run at once, from 1
    prefetch_max: int = 1_000  # tasks wanted beyond the slots, at most
    version: str = ""
    hello_timeout_ns: int = SECOND
    resend_after_ns: int = 2 * SECOND  # a completion without its Completed is repeated
    waiting_max_ns: int = SECOND  # an unstarted task goes back after this
    late_start_ns: int = 50 * MILLISECOND  # a start this late re-arms the broker's timeout
    settle_max_ns: int = 5 * SECOND  # a drained worker waits this long for answers
    # Tasks so tiny that the hand-over costs more than the work are started ahead of free slots: as
    # many as the slots finish in this time. 0: never more starts than free slots.
    run_ahead_ns: int = 0


class Welcomed(NamedTuple):
    """A session was opened (again)."""

    epoch: int
    endpoints: Endpoints
    limits: PeerLimits
    broker_version: str


class Refusal(NamedTuple):
    code: ErrorCode
    message: str


class Actions:
    """What the shell must do: first reconnect, then starts and stops, then sends and beats in
    order."""

    def __init__(self) -> None:
        self.reconnect = False  # close the DEALER, drop what it has not sent, open another
        self.starts: List[DispatchedTask] = []  # run these now
        # End these running attempts; each is still reported by finish.
        self.stops: List[StoppedTask] = []
        self.sends: List[WorkerMessage] = []  # a hello supersedes what has not left yet
        self.beats: List[Beat] = []
        self.welcomed: Optional[Welcomed] = None  # connect the beat PUB and the pulse SUB
        self.lost = ""  # the session just ended, and why; it will be restored
        self.finished = False  # send what is to be sent, then end
        self.failure: Optional[Refusal] = None  # end now: the broker refuses this worker for good


class SessionTotals:
    """What has ended since the start."""

    def __init__(self) -> None:
        self.succeeded = 0
        self.unsuccessful = 0  # failed, timed out, crashed
        self.cancelled = 0
        self.released = 0  # handed back
        self.stale = 0  # finished, but the lease had been given on

    def count(self, outcome: Outcome) -> None:
        if outcome == Outcome.succeeded:
            self.succeeded += 1
        elif outcome == Outcome.cancelled:
            self.cancelled += 1
        elif outcome == Outcome.released:
            self.released += 1
        else:
            self.unsuccessful += 1

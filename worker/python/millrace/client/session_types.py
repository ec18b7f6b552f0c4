"""What goes into a client's session and what comes out of it, as plain values. Times are monotonic
nanoseconds."""

from __future__ import annotations

import random
from typing import List, NamedTuple, Union

from millrace.limits import PeerLimits
from millrace.units import MILLISECOND, NEVER, SECOND
from millrace.wire.messages import (Answer, ClientMessage, ClientWelcome, FinishedItem, Refused)
from millrace.words import SubmitStatus


class SessionSettings(NamedTuple):
    client: int  # random; never 0
    resend_after_ns: int = 2 * SECOND  # doubles for each further try, four times at most
    ping_interval_ns: int = SECOND  # while anything is outstanding
    silence_max_ns: int = 3 * SECOND  # then the connection is made anew
    backoff_initial_ns: int = 100 * MILLISECOND  # full jitter, doubling
    backoff_max_ns: int = SECOND

    # Ended tasks are told once. Those watched are asked for again when no end was heard for
    # watch_again_after, and each of them after watch_again_at_last whatever else was heard.
    watch_again_after_ns: int = 2 * SECOND
    watch_again_at_last_ns: int = 30 * SECOND
    watches_in_flight_max: int = 10  # unanswered Watch messages

    in_flight_tasks_max: int = 10_000  # submitted and not answered
    in_flight_bytes_max: int = 32 << 20
    batch_items: int = 1_000  # in one message; the broker's limit holds as well
    batch_bytes: int = 4 << 20  # a larger task travels alone


class Submission(NamedTuple):
    """One task to submit. After `give_up_ns` it is reported as SubmitUnanswered."""

    task: int
    spec: bytes
    group: int  # the tasks of one call; abandoned together
    give_up_ns: int = NEVER


# ---- events --------------------------------------------------------------------------------------


class Connected(NamedTuple):
    welcome: ClientWelcome


class Disconnected(NamedTuple):
    cause: str


class HelloRefused(NamedTuple):
    """The broker does not want this client. Tried again all the same."""

    refused: Refused


class SubmitAnswered(NamedTuple):
    """Final. `duplicate` is told only for a task that this session did not submit before."""

    group: int
    task: int
    status: SubmitStatus
    message: str = ""


class SubmitUnanswered(NamedTuple):
    """Not answered in its time: done or not done is unknown."""

    group: int
    task: int


class UnknownTask(NamedTuple):
    """The broker does not know a watched task: never accepted, or forgotten."""

    task: int


class Replied(NamedTuple):
    """The answer to `request`; a Refused is final. For request 0: a message of ours that the broker
    could not read."""

    request: int
    reply: Union[Answer, Refused]


class Unanswered(NamedTuple):
    request: int


Event = Union[Connected, Disconnected, HelloRefused, SubmitAnswered, SubmitUnanswered, FinishedItem,
              UnknownTask, Replied, Unanswered]


class Actions:
    """What the shell has to do, in this order: make the connection anew when `reconnect`, dropping
    what was not sent yet; send; tell the events."""

    def __init__(self) -> None:
        self.reconnect = False
        self.sends: List[ClientMessage] = []
        self.events: List[Event] = []


class RequestCounter:
    """Gives each message of a session a number of its own, from 1."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        self._last += 1
        return self._last


def full_jitter_ns(settings: SessionSettings, tries: int, randomness: random.Random) -> int:
    """Uniform between nothing and a bound that doubles, so that clients spread after an outage."""
    ceiling = min(settings.backoff_initial_ns << min(tries, 20), settings.backoff_max_ns)
    return randomness.randint(0, ceiling)


def resend_wait_ns(settings: SessionSettings, sends: int) -> int:
    """How long to wait for the answer to the `sends`-th sending of one message."""
    return settings.resend_after_ns << max(0, min(sends - 1, 2))

"""The worker's bond with its broker as timers and numbers: when to say hello (again), when to give
a connection up, when to beat. Pure: no socket, no clock. Times are monotonic nanoseconds."""

from __future__ import annotations

import random
from typing import NamedTuple, Optional

from millrace.units import MILLISECOND, NEVER, SECOND
from millrace.wire.messages import Pulse, WorkerWelcome

BACKOFF_FIRST_NS = 100 * MILLISECOND  # of repeated hellos and reconnects,
BACKOFF_MOST_NS = SECOND  # doubling, with full jitter


class Step(NamedTuple):
    say_hello: bool = False
    reconnect: bool = False  # before the hello: on a fresh socket


NOTHING = Step()


class Link:
    def __init__(self, randomness: random.Random, hello_timeout_ns: int = SECOND) -> None:
        self._randomness = randomness
        self._hello_timeout_ns = hello_timeout_ns
        self._beat_interval_ns = SECOND
        self._silence_max_ns = 3 * SECOND
        self.open = False  # between the newest Welcome and the loss of that session
        self.hello_number = 0  # a Welcome echoes the newest hello exactly if its number is this
        self.session: Optional[int] = None  # the nonce of the beats
        self._hello_due_ns = 0  # when not open
        # Nothing heard since: nothing at all (open), or nothing on the DEALER (not open).
        self._quiet_since_ns: Optional[int] = None
        self._reconnect = False  # the next hello goes on a new socket
        self._backoff_ns = 0
        self._epoch: Optional[int] = None  # the newest heard of
        self._beat_number = 0
        self._beat_due_ns = NEVER

    def step(self, now_ns: int) -> Step:
        """Opens, repeats or restores the session where it is time to. A hello that it asks for must
        carry hello_number."""
        if self._quiet_since_ns is None:
            self._quiet_since_ns = now_ns
        if self.open and now_ns - self._quiet_since_ns > self._silence_max_ns:
            self._close(now_ns + self._next_backoff_ns())
            self._reconnect = True
        if self.open or now_ns < self._hello_due_ns:
            return NOTHING
        silent = now_ns - self._quiet_since_ns > self._silence_max_ns
        reconnect = self.hello_number > 0 and (self._reconnect or silent)
        if reconnect:
            self._quiet_since_ns = now_ns
        self._reconnect = False
        self.hello_number += 1
        self._hello_due_ns = now_ns + self._hello_timeout_ns + self._next_backoff_ns()
        return Step(say_hello=True, reconnect=reconnect)

    def welcome(self, welcome: WorkerWelcome, now_ns: int) -> None:
        self.open = True
        self._reconnect = False
        self._backoff_ns = 0
        self._epoch = welcome.epoch
        self.session = welcome.session
        self._beat_interval_ns = welcome.beat_interval_ns
        self._silence_max_ns = welcome.silence_max_ns
        self._quiet_since_ns = now_ns
        self._beat_due_ns = now_ns

    def hear_message(self, now_ns: int) -> None:
        self._quiet_since_ns = now_ns

    def hear_pulse(self, pulse: Pulse, now_ns: int) -> None:
        """Learns of a new epoch, by which the session ends and the next step says hello."""
        # A pulse proves life only of a session that is open: a DEALER may be dead while pulses
        # flow.
        if self.open:
            self._quiet_since_ns = now_ns
        if self._epoch is None or pulse.epoch == self._epoch:
            return
        self._epoch = pulse.epoch
        self._close(now_ns)

    def session_unknown(self, now_ns: int) -> None:
        """The broker does not know this session. Says hello at once, unless one is under way."""
        if self.open:
            self._close(now_ns)

    def retry_later(self, wait_ns: int, now_ns: int) -> None:
        """The broker leaves, or refuses a hello for now."""
        self._close(now_ns + max(wait_ns, 0) + self._next_backoff_ns())

    def connection_lost(self, now_ns: int) -> None:
        """The transport lost the connection, or nothing sent on it is answered."""
        if self.open:
            self._close(now_ns + self._next_backoff_ns())

    def take_beat(self, now_ns: int) -> Optional[int]:
        """The number of the beat that is due now, if one is."""
        if self.session is None or now_ns < self._beat_due_ns:
            return None
        self._beat_due_ns = now_ns + self._beat_interval_ns
        self._beat_number += 1
        return self._beat_number

    def next_deadline_ns(self) -> int:
        if not self.open:
            next_ns = self._hello_due_ns
        else:
            next_ns = (self._quiet_since_ns or 0) + self._silence_max_ns + 1
        return next_ns if self.session is None else min(next_ns, self._beat_due_ns)

    def _next_backoff_ns(self) -> int:
        """Full jitter: uniform between nothing and a bound that doubles."""
        if self._backoff_ns == 0:
            self._backoff_ns = BACKOFF_FIRST_NS
        else:
            self._backoff_ns = min(self._backoff_ns * 2, BACKOFF_MOST_NS)
        return self._randomness.randint(0, self._backoff_ns)

    def _close(self, next_hello_ns: int) -> None:
        self.open = False
        self._hello_due_ns = next_hello_ns

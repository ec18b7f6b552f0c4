"""The attempt that a handler works on."""

from __future__ import annotations

import threading
import uuid
from typing import Any, Callable, NamedTuple, Optional

from millrace.errors import Stopped
from millrace.units import Seconds, nanoseconds
from millrace.wire.messages import DispatchedTask, HeldLease
from millrace.wire.task_codec import Headers
from millrace.words import Outcome, StopReason

# Asks the session to extend: by nanoseconds (0: the task's own timeout), and percent (0: none).
Ask = Callable[["Task", int, int], None]

# Two threads of one handler may be the first to wait.
_event_lock = threading.Lock()


class Answer(NamedTuple):
    """How a handler ended."""

    outcome: Outcome
    result: bytes = b""
    error: str = ""


class Task:
    """One attempt. Valid while its handler runs. Thread-safe."""

    __slots__ = ("queue", "attempt", "max_attempts", "fence", "payload", "headers",
                 "result_bytes_max", "_dispatched", "_ask", "_stop_reason", "_stop_event",
                 "_on_stop")

    def __init__(self, dispatched: DispatchedTask, payload: bytes, headers: Headers,
                 result_bytes_max: int, ask: Ask) -> None:
        self.queue: str = dispatched.queue
        self.attempt: int = dispatched.attempt  # from 1
        self.max_attempts: int = dispatched.max_attempts
        # Grows with every attempt of this task. Pass it on to what the handler writes to, so that a
        # late attempt cannot overwrite a newer one.
        self.fence: int = dispatched.fence
        self.payload: bytes = payload
        self.headers: Headers = headers  # (key, value) in the author's order; keys may repeat
        self.result_bytes_max: int = result_bytes_max
        self._dispatched = dispatched
        self._ask = ask
        self._stop_reason = StopReason.none
        self._stop_event: Optional[threading.Event] = None
        self._on_stop: Optional[Callable[[StopReason], Any]] = None

    def __repr__(self) -> str:
        return f"<Task {self.id} of {self.queue}, attempt {self.attempt}, fence {self.fence}>"

    @property
    def id(self) -> uuid.UUID:
        return uuid.UUID(int=self._dispatched.task)

    @property
    def cancelled(self) -> bool:
        """True once the attempt should end. A handler that goes on occupies its slot for
        nothing."""
        return self._stop_reason != StopReason.none

    @property
    def stop_reason(self) -> StopReason:
        return self._stop_reason

    def raise_if_stopped(self) -> None:
        """Raises Stopped once the attempt should end."""
        if self.cancelled:
            raise Stopped(self._stop_reason)

    def wait_for_stop(self, timeout: Seconds) -> bool:
        """Sleeps for `timeout` seconds, or until the attempt should end: then returns True."""
        with _event_lock:
            if self._stop_event is None:
                self._stop_event = threading.Event()
        # After the event is there for all to see, so that no stop falls between.
        return self.cancelled or self._stop_event.wait(timeout)

    def extend(self, by: Seconds = 0.0) -> None:
        """Runs the attempt's timeout anew for `by` seconds from now; 0: for the task's own
        timeout."""
        self._ask(self, max(0, nanoseconds(by)), 0)

    def progress(self, percent: int) -> None:
        """Shows 1 to 100 percent in the task's status, and re-arms the timeout as extend() does."""
        self._ask(self, 0, max(0, min(int(percent), 100)))

    # ---- for the package -------------------------------------------------------------------------

    @property
    def _lease(self) -> HeldLease:
        return HeldLease(self._dispatched.task, self.fence)

    def _when_stopped(self, action: Optional[Callable[[StopReason], Any]]) -> None:
        """`action` is called at the stop, or now if that was already. One at a time."""
        self._on_stop = action
        if action is not None and self.cancelled:
            action(self._stop_reason)

    def _stop(self, reason: StopReason) -> None:
        """The urgency only grows. Called by one thread."""
        if reason <= self._stop_reason:
            return
        self._stop_reason = reason
        if self._stop_event is not None:
            self._stop_event.set()
        if self._on_stop is not None:
            self._on_stop(reason)

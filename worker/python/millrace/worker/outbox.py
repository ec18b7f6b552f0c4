"""What the handlers' process tells the session: gathered while a send is under way, so that one
message carries all that ended since."""

from __future__ import annotations

import threading
from typing import Any, List, Tuple

from millrace.worker.channel import Channel
from millrace.worker.task import Answer, Task


class Outbox:
    """Thread-safe. The thread that finds nobody sending sends for all."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._completions: List[Tuple[Any, ...]] = []
        self._others: List[Tuple[Any, ...]] = []
        self._sending = False

    def report(self, task: Task, answer: Answer, elapsed_ns: int) -> None:
        completion = (*task._lease, int(answer.outcome), elapsed_ns, answer.result, answer.error)
        with self._lock:
            self._completions.append(completion)
            if self._sending:
                return
            self._sending = True
        self._send_all()

    def ask(self, task: Task, by_ns: int, percent: int) -> None:
        """Extends an attempt, or tells its progress."""
        self.send("extend", *task._lease, by_ns, percent)

    def send(self, *value: Any) -> None:
        with self._lock:
            self._others.append(value)
            if self._sending:
                return
            self._sending = True
        self._send_all()

    def _send_all(self) -> None:
        while True:
            with self._lock:
                completions, self._completions = self._completions, []
                others, self._others = self._others, []
                if not completions and not others:
                    self._sending = False
                    self._idle.notify_all()
                    return
            # What was asked for a task comes before its end.
            for value in others:
                self._channel.send(value)
            if completions:
                self._channel.send(("done", completions))
            self._channel.flush_all()

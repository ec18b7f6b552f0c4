"""The tasks whose end is awaited, and when the broker was last asked about each. Pure."""

from __future__ import annotations

from typing import Dict, Iterable, List, Tuple

from millrace.client.session_types import Actions, RequestCounter, SessionSettings, UnknownTask
from millrace.limits import PeerLimits
from millrace.units import NEVER
from millrace.wire.messages import Refused, Watch, Watching


class WatchBook:
    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self._limits = PeerLimits()
        self._fresh: Dict[int, None] = {}  # to be asked about at once, in order
        self._asked: Dict[int, int] = {}  # and when, oldest first
        self._questions: Dict[int, Tuple[List[int], int]] = {}  # unanswered: tasks and until when
        self._heard_ns = 0  # the last Finished
        self._hold_until_ns = 0

    def set_limits(self, limits: PeerLimits) -> None:
        self._limits = limits

    def add(self, tasks: Iterable[int]) -> None:
        """Awaits these tasks and asks the broker for them, also when it was asked before: a new
        call wants an answer."""
        for task in tasks:
            self._asked.pop(task, None)
            self._fresh[task] = None

    def remove(self, task: int) -> bool:
        """False when the task is not awaited (any more)."""
        if task in self._fresh:
            del self._fresh[task]
            return True
        return self._asked.pop(task, None) is not None

    def heard(self, now_ns: int) -> None:
        """A Finished came."""
        self._heard_ns = now_ns

    def answer(self, watching: Watching, actions: Actions) -> None:
        """The unknown tasks are told as events."""
        if self._questions.pop(watching.request, None) is None:
            return
        for task in watching.unknown:
            if self.remove(task):
                actions.events.append(UnknownTask(task))

    def refuse(self, refused: Refused, now_ns: int) -> bool:
        """False when it was no Watch of this book."""
        question = self._questions.pop(refused.request, None)
        if question is None:
            return False
        # Asked again later as if unheard; a pause keeps a broker that says no from being flooded.
        pause_ns = max(refused.retry_after_ns, self._settings.ping_interval_ns)
        self._hold_until_ns = max(self._hold_until_ns, now_ns + pause_ns)
        for task in question[0]:
            if self._asked.pop(task, None) is not None:
                self._fresh[task] = None
        return True

    def ask_all_again(self) -> None:
        """The connection is new: the broker must be asked again about every task."""
        self._questions.clear()
        self._hold_until_ns = 0
        self._fresh.update(dict.fromkeys(self._asked))
        self._asked.clear()

    def _due_ns(self, asked_ns: int) -> int:
        unheard_ns = max(asked_ns, self._heard_ns) + self._settings.watch_again_after_ns
        return min(unheard_ns, asked_ns + self._settings.watch_again_at_last_ns)

    def _take_due(self, now_ns: int) -> List[int]:
        most = max(1, min(self._settings.batch_items, self._limits.batch_items_max))
        tasks: List[int] = []
        for task in self._fresh:
            if len(tasks) >= most:
                break
            tasks.append(task)
        for task in tasks:
            del self._fresh[task]
        if not self._fresh and len(tasks) < most:
            for task, asked_ns in self._asked.items():
                if len(tasks) >= most or self._due_ns(asked_ns) > now_ns:
                    break
                tasks.append(task)
        for task in tasks:
            self._asked.pop(task, None)
            self._asked[task] = now_ns
        return tasks

    def send_due(self, now_ns: int, requests: RequestCounter, actions: Actions) -> None:
        if now_ns < self._hold_until_ns:
            return
        # An unanswered question is given up; its tasks fall due again by themselves.
        questions = list(self._questions.items())
        for request in [request for request, (_, until_ns) in questions if until_ns <= now_ns]:
            del self._questions[request]
        while len(self._questions) < self._settings.watches_in_flight_max:
            tasks = self._take_due(now_ns)
            if not tasks:
                return
            request = requests.next()
            self._questions[request] = (tasks, now_ns + self._settings.resend_after_ns)
            actions.sends.append(Watch(request, tasks))

    def next_send_ns(self) -> int:
        next_ns = NEVER
        for _, until_ns in self._questions.values():
            next_ns = min(next_ns, until_ns)
        if len(self._questions) < self._settings.watches_in_flight_max:
            if self._fresh:
                next_ns = 0
            for asked_ns in self._asked.values():
                next_ns = min(next_ns, self._due_ns(asked_ns))
                break
        return next_ns if next_ns == NEVER else max(next_ns, self._hold_until_ns)

    def __len__(self) -> int:
        return len(self._fresh) + len(self._asked)

"""Requests other than submits and watches, kept until answered. Each is safe to repeat. Pure."""

from __future__ import annotations

import random
from typing import Dict

from millrace.client.session_types import (Actions, SessionSettings, Unanswered, full_jitter_ns,
                                           resend_wait_ns)
from millrace.units import NEVER
from millrace.wire.messages import Question, Refused, Request
from millrace.words import ErrorCode

_PASSING = (ErrorCode.busy, ErrorCode.store_full, ErrorCode.shutting_down)


class _Open:
    __slots__ = ("question", "give_up_ns", "send_at_ns", "sends", "retries")

    def __init__(self, question: Question, give_up_ns: int) -> None:
        self.question = question
        self.give_up_ns = give_up_ns
        self.send_at_ns = 0
        self.sends = 0
        self.retries = 0


class RequestBook:
    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self._open: Dict[int, _Open] = {}

    def add(self, request: int, question: Question, give_up_ns: int) -> None:
        """After `give_up_ns` it is reported as Unanswered."""
        self._open[request] = _Open(question, give_up_ns)

    def close(self, request: int) -> bool:
        """True when `request` was open; it is closed then."""
        return self._open.pop(request, None) is not None

    def retry(self, refused: Refused, now_ns: int, randomness: random.Random) -> bool:
        """True when the refusal was to one of these and it will be sent again."""
        found = self._open.get(refused.request)
        if found is None:
            return False
        if refused.code == ErrorCode.unknown_session:
            found.send_at_ns = 0
            return True
        if refused.code not in _PASSING:
            return False
        jitter_ns = full_jitter_ns(self._settings, found.retries, randomness)
        found.retries += 1
        found.send_at_ns = now_ns + max(refused.retry_after_ns, 0) + jitter_ns
        return True

    def send_all_again(self) -> None:
        for found in self._open.values():
            found.send_at_ns = 0

    def send_due(self, now_ns: int, actions: Actions) -> None:
        for request, found in self._open.items():
            if found.send_at_ns <= now_ns:
                found.sends += 1
                found.send_at_ns = now_ns + resend_wait_ns(self._settings, found.sends)
                actions.sends.append(Request(request, found.question))

    def give_up(self, now_ns: int, actions: Actions) -> None:
        for request in [r for r, found in self._open.items() if found.give_up_ns <= now_ns]:
            del self._open[request]
            actions.events.append(Unanswered(request))

    def next_send_ns(self) -> int:
        return min((found.send_at_ns for found in self._open.values()), default=NEVER)

    def next_give_up_ns(self) -> int:
        return min((found.give_up_ns for found in self._open.values()), default=NEVER)

    def __len__(self) -> int:
        return len(self._open)

"""Which call an event of the session is for. Not thread-safe."""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Set

from millrace.client.inbox import Inbox
from millrace.client.session_types import (Event, Replied, SubmitAnswered, SubmitUnanswered,
                                           Unanswered, UnknownTask)
from millrace.wire.messages import FinishedItem


class OpenRoutes(NamedTuple):
    """What a call leaves behind that nobody else waits for."""

    groups: List[int]
    requests: List[int]
    awaited: List[int]


class Routes:
    def __init__(self) -> None:
        self._groups: Dict[int, Inbox] = {}
        self._requests: Dict[int, Inbox] = {}
        self._awaited: Dict[int, Set[Inbox]] = {}

    def add_group(self, group: int, inbox: Inbox) -> None:
        self._groups[group] = inbox

    def add_request(self, request: int, inbox: Inbox) -> None:
        self._requests[request] = inbox

    def add_awaited(self, tasks: Iterable[int], inbox: Inbox) -> None:
        for task in tasks:
            self._awaited.setdefault(task, set()).add(inbox)

    def deliver(self, events: Iterable[Event]) -> None:
        gathered: Dict[Inbox, List[Event]] = {}
        for event in events:
            for inbox in self._inboxes_of(event):
                gathered.setdefault(inbox, []).append(event)
        for inbox, its_events in gathered.items():
            inbox.put(its_events)

    def _inboxes_of(self, event: Event) -> Iterable[Inbox]:
        if isinstance(event, (FinishedItem, UnknownTask)):
            return self._awaited.pop(event.task, ())
        if isinstance(event, (SubmitAnswered, SubmitUnanswered)):
            inbox = self._groups.get(event.group)
        elif isinstance(event, (Replied, Unanswered)):
            inbox = self._requests.pop(event.request, None)
        else:
            inbox = None
        return () if inbox is None else (inbox,)

    def remove(self, inbox: Inbox, tasks: Iterable[int]) -> OpenRoutes:
        """The call is over; `tasks` it may still have awaited."""
        groups = [group for group, its in self._groups.items() if its is inbox]
        requests = [request for request, its in self._requests.items() if its is inbox]
        for group in groups:
            del self._groups[group]
        for request in requests:
            del self._requests[request]
        awaited = []
        for task in tasks:
            inboxes = self._awaited.get(task)
            if inboxes is None:
                continue
            inboxes.discard(inbox)
            if not inboxes:
                del self._awaited[task]
                awaited.append(task)
        return OpenRoutes(groups, requests, awaited)

    def close_all(self) -> None:
        """Tells every open call that the connection ended."""
        inboxes = {*self._groups.values(), *self._requests.values()}
        for awaiting in self._awaited.values():
            inboxes |= awaiting
        for inbox in inboxes:
            inbox.put(None)

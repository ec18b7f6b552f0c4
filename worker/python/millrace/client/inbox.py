"""What comes back for one call: filled by the connection's thread, emptied by the caller's."""

from __future__ import annotations

import asyncio
import queue
from typing import List, Optional

from millrace.client.session_types import Event
from millrace.units import Seconds

# None: the connection ended.
Events = Optional[List[Event]]


class Inbox:
    """put() belongs to the connection's thread."""

    def put(self, events: Events) -> None:
        raise NotImplementedError


class ThreadInbox(Inbox):
    def __init__(self) -> None:
        self._queue: "queue.SimpleQueue[Events]" = queue.SimpleQueue()

    def put(self, events: Events) -> None:
        self._queue.put(events)

    def take(self, timeout: Seconds) -> Events:
        """The next events; an empty list when the time is over."""
        try:
            return self._queue.get(timeout=timeout) if timeout > 0 else self._queue.get_nowait()
        except queue.Empty:
            return []


class LoopInbox(Inbox):
    """For coroutines of the running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: "asyncio.Queue[Events]" = asyncio.Queue()

    def put(self, events: Events) -> None:
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, events)
        except RuntimeError:
            pass  # the loop is closed: nobody waits

    async def take(self, timeout: Seconds) -> Events:
        """The next events; an empty list when the time is over."""
        if timeout <= 0:
            await asyncio.sleep(0)  # the others of this loop get their turn
            return [] if self._queue.empty() else self._queue.get_nowait()
        try:
            return await asyncio.wait_for(self._queue.get(), timeout)
        except asyncio.TimeoutError:
            return []

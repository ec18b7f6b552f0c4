"""The client for asyncio."""

from __future__ import annotations

import asyncio
import uuid
from types import TracebackType
from typing import (Any, AsyncIterator, Callable, Iterable, List, Optional, Type, TypeVar, Union)

from millrace.client import calls
from millrace.client.calls import Call, Core, Stream, Wait
from millrace.client.client import check_link, open_core
from millrace.client.inbox import Events, LoopInbox
from millrace.client.values import FinishedTask, SubmitResult, TaskSpec, TaskView
from millrace.limits import PeerLimits
from millrace.units import Seconds
from millrace.wire.messages import CancelAnswer
from millrace.words import QueueAction, StatusTopic, TaskState

Value = TypeVar("Value")


class AsyncClient:
    """As Client, for coroutines; `async with` connects and says goodbye.

        async with millrace.AsyncClient("localhost") as client:
            task = await client.submit(millrace.TaskSpec("mail", b"hello"))
            end = await client.wait(task, timeout=300)

    The methods have the meaning and the errors of those of Client. A cancelled call leaves the
    client usable; what it asked for may or may not have been done.
    """

    def __init__(self, broker: str = "localhost", *, key: str = "",
                 connect_timeout: Seconds = 10.0, call_timeout: Seconds = 10.0,
                 outage_max: Seconds = 60.0) -> None:
        """As Client, but connects in `async with`."""
        self._broker = broker
        self._key = key
        self._connect_timeout = connect_timeout
        self._call_timeout = call_timeout
        self._outage_max = outage_max
        self._open_core: Optional[Core] = None

    async def __aenter__(self) -> "AsyncClient":
        core = open_core(self._broker, self._key, self._call_timeout, self._outage_max)
        self._open_core = core
        try:
            link = await asyncio.get_running_loop().run_in_executor(
                None, core.connection.wait_for_link, self._connect_timeout)
            check_link(core, link, self._connect_timeout)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                        traceback: Optional[TracebackType]) -> None:
        await self.close()

    async def close(self) -> None:
        """Says goodbye. Open calls end with Unavailable."""
        await asyncio.get_running_loop().run_in_executor(None, self._core.connection.close)

    @property
    def _core(self) -> Core:
        if self._open_core is None:
            raise RuntimeError("not connected; use `async with` first")
        return self._open_core

    @property
    def limits(self) -> PeerLimits:
        return self._core.limits

    @property
    def broker_version(self) -> str:
        return self._core.connection.link().welcome.broker_version

    async def submit(self, task: TaskSpec) -> uuid.UUID:
        return await _run(lambda inbox: calls.submit(self._core, inbox, task))

    async def submit_many(self, tasks: Iterable[TaskSpec]) -> List[SubmitResult]:
        return await _run(lambda inbox: calls.submit_many(self._core, inbox, tasks))

    async def wait(self, task: uuid.UUID, timeout: Optional[Seconds] = None) -> FinishedTask:
        return await _run(lambda inbox: calls.wait(self._core, inbox, task, timeout))

    def as_completed(self, tasks: Iterable[uuid.UUID],
                     timeout: Optional[Seconds] = None) -> AsyncIterator[FinishedTask]:
        return _iterate(lambda inbox: calls.as_completed(self._core, inbox, tasks, timeout))

    async def get(self, task: uuid.UUID, *, payload: bool = False, result: bool = False,
                  attempts: bool = False) -> TaskView:
        return await _run(
            lambda inbox: calls.get(self._core, inbox, task, payload, result, attempts))

    async def get_many(self, tasks: Iterable[uuid.UUID], *, payload: bool = False,
                       result: bool = False, attempts: bool = False) -> List[TaskView]:
        return await _run(
            lambda inbox: calls.get_many(self._core, inbox, tasks, payload, result, attempts))

    def tasks(self, queue: str = "", state: Optional[TaskState] = None) -> AsyncIterator[TaskView]:
        return _iterate(lambda inbox: calls.list_tasks(self._core, inbox, queue, state))

    async def status(self, topic: StatusTopic) -> Any:
        return await _run(lambda inbox: calls.status(self._core, inbox, topic))

    async def cancel(self, task: uuid.UUID) -> CancelAnswer:
        return (await self.cancel_many([task]))[0]

    async def cancel_many(self, tasks: Iterable[uuid.UUID]) -> List[CancelAnswer]:
        return await _run(lambda inbox: calls.cancel_many(self._core, inbox, tasks))

    async def requeue(self, tasks: Iterable[uuid.UUID] = (), queue: str = "") -> int:
        return await _run(lambda inbox: calls.requeue(self._core, inbox, tasks, queue))

    async def purge(self, tasks: Iterable[uuid.UUID] = (), queue: str = "") -> int:
        return await _run(lambda inbox: calls.purge(self._core, inbox, tasks, queue))

    async def control_queue(self, queue: str, action: QueueAction) -> int:
        return await _run(lambda inbox: calls.control_queue(self._core, inbox, queue, action))

    async def drain_worker(self, name: str) -> int:
        return await _run(lambda inbox: calls.drain_worker(self._core, inbox, name))


async def _run(make: Callable[[LoopInbox], Call[Value]]) -> Value:
    """Drives a call to its end."""
    inbox = LoopInbox()
    call = make(inbox)
    try:
        wait = next(call)
        while True:
            wait = call.send(await inbox.take(wait.timeout))
    except StopIteration as end:
        value: Value = end.value
        return value
    finally:
        call.close()


async def _iterate(make: Callable[[LoopInbox], Stream[Value]]) -> AsyncIterator[Value]:
    """Drives a streaming call, as far as its items are wanted."""
    inbox = LoopInbox()
    stream = make(inbox)
    try:
        item: Union[Wait, Value] = next(stream)
        while True:
            events: Events = []
            if isinstance(item, Wait):
                events = await inbox.take(item.timeout)
            else:
                yield item
            item = stream.send(events)
    except StopIteration:
        return
    finally:
        stream.close()

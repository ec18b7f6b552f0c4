"""Every call of a client, written once for threads and for asyncio.

A call is a generator: it yields how long it is willing to wait for events and is sent the events
that came (none, when the time was over first); a streaming call also yields items. What it returns
is the call's value. `Client` and `AsyncClient` do the waiting.
"""

from __future__ import annotations

import collections
import json
import time
import uuid
from typing import (Any, Callable, Collection, Deque, Dict, Generator, Iterable, Iterator, List,
                    NamedTuple, Optional, Sequence, Tuple, Type, TypeVar, Union)

from millrace.client.connection import Connection
from millrace.client.inbox import Events, Inbox
from millrace.client.session_types import Event, Replied, Submission, SubmitAnswered, UnknownTask
from millrace.client.values import (FinishedTask, SubmitResult, TaskSpec, TaskView, finished_task,
                                    new_task_id, task_view)
from millrace.errors import Interrupted, MillraceError, NotFound, Unavailable, Unsupported, error_of
from millrace.limits import PeerLimits
from millrace.units import MILLISECOND, Seconds, nanoseconds, seconds, text_of
from millrace.wire.messages import (Cancel, CancelAnswer, Cancelled, Changed, ControlQueue,
                                    DrainWorker, FinishedItem, GetStatus, GetTasks, ListTasks,
                                    PurgeDead, Question, Refused, RequeueDead, StatusReport,
                                    TaskList)
from millrace.wire.task_codec import check_task, encode_task
from millrace.words import ErrorCode, QueueAction, StatusTopic, SubmitStatus, TaskState

# How often a call looks up when nothing comes.
_TURN_NS = 100 * MILLISECOND
# Tasks taken from the caller and not answered; the session sends its share of them.
_UNANSWERED_MAX = 20_000
_UNANSWERED_BYTES_MAX = 64 << 20
_CHUNK_TASKS = 250
_CHUNK_BYTES = 4 << 20
# The broker's bound on one GetTasks that asks for stored parts.
_PARTS_ITEMS_MAX = 1_000

Value = TypeVar("Value")
AnswerKind = TypeVar("AnswerKind", Cancelled, TaskList, Changed, StatusReport)


class Wait(NamedTuple):
    """The call wants events, or its turn again after this time."""

    timeout: Seconds


_UNANSWERED = Unavailable("not answered: done or not done is unknown")

# A call that returns a Value; one that yields Values on the way.
Call = Generator[Wait, Events, Value]
Stream = Generator[Union[Wait, Value], Events, None]


class Core:
    """The connection and the defaults of a client's calls."""

    def __init__(self, connection: Connection, broker: str, call_timeout: Seconds,
                 outage_max: Seconds) -> None:
        self.connection = connection
        self.broker = broker
        self.call_timeout_ns = nanoseconds(call_timeout)
        self.outage_max_ns = nanoseconds(outage_max)

    @property
    def limits(self) -> PeerLimits:
        return self.connection.link().welcome.limits

    def no_answer(self, within_ns: int) -> Unavailable:
        message = (f"no answer from the broker at {self.broker} within {text_of(within_ns)}; "
                   "is it running?")
        complaint = self.connection.link().complaint
        return Unavailable(f"{message} It last said: {complaint}" if complaint else message)

    def check_outage(self) -> None:
        """Raises Unavailable when the broker has been away for too long."""
        link = self.connection.link()
        if not link.connected and time.monotonic_ns() - link.since_ns > self.outage_max_ns:
            raise self.no_answer(self.outage_max_ns)


def _closed() -> Unavailable:
    return Unavailable("the client was closed")


def _first_event(deadline_ns: int) -> Call[Optional[Event]]:
    """The first event; None when the time is over."""
    while True:
        left_ns = deadline_ns - time.monotonic_ns()
        events = yield Wait(seconds(max(0, left_ns)))
        if events is None:
            raise _closed()
        if events:
            return events[0]
        if left_ns <= 0:
            return None


# ---- submitting ----------------------------------------------------------------------------------


def submit(core: Core, inbox: Inbox, spec: TaskSpec) -> Call[uuid.UUID]:
    task = spec.id or new_task_id()
    description = spec.describe(task)
    check_task(description, core.limits)
    deadline_ns = time.monotonic_ns() + core.call_timeout_ns
    core.connection.submit([Submission(description.task, encode_task(description),
                                       core.connection.new_group(), deadline_ns)], inbox)
    try:
        event = yield from _first_event(deadline_ns + _TURN_NS)
    finally:
        core.connection.end_call(inbox)
    if not isinstance(event, SubmitAnswered):
        raise core.no_answer(core.call_timeout_ns)
    error = _submit_error(event)
    if error is not None:
        raise error
    return task


def _submit_error(answered: SubmitAnswered) -> Optional[MillraceError]:
    if answered.status in (SubmitStatus.accepted, SubmitStatus.duplicate):
        return None
    code = {SubmitStatus.conflict: ErrorCode.conflict,
            SubmitStatus.too_large: ErrorCode.too_large}.get(answered.status, ErrorCode.invalid)
    return error_of(code, answered.message or f"the broker refused the task: {code.name}")


class _Batch:
    """The tasks of one submit_many: in the order given, and which of them are unanswered."""

    def __init__(self, core: Core, tasks: Iterable[TaskSpec]) -> None:
        self._core = core
        self._tasks = iter(tasks)
        self._limits = core.limits
        self._group = core.connection.new_group()
        self._positions: Dict[int, Deque[Tuple[int, int]]] = {}  # by task: position and bytes
        self._unanswered = 0
        self._unanswered_bytes = 0
        self.results: List[SubmitResult] = []
        self.exhausted = False

    @property
    def done(self) -> bool:
        return self.exhausted and self._unanswered == 0

    @property
    def has_room(self) -> bool:
        return (self._unanswered < _UNANSWERED_MAX and
                self._unanswered_bytes < _UNANSWERED_BYTES_MAX)

    def next_chunk(self) -> List[Submission]:
        chunk: List[Submission] = []
        size = 0
        while len(chunk) < _CHUNK_TASKS and size < _CHUNK_BYTES:
            spec = next(self._tasks, None)
            if spec is None:
                self.exhausted = True
                break
            submission = self._add(spec)
            if submission is not None:
                chunk.append(submission)
                size += len(submission.spec)
        return chunk

    def _add(self, spec: TaskSpec) -> Optional[Submission]:
        task = spec.id or new_task_id()
        try:
            description = spec.describe(task)
            check_task(description, self._limits)
        except MillraceError as error:
            self.results.append(SubmitResult(task, None, error))
            return None
        encoded = encode_task(description)
        position = len(self.results)
        self.results.append(SubmitResult(task, None, _UNANSWERED))
        self._positions.setdefault(description.task, collections.deque()).append(
            (position, len(encoded)))
        self._unanswered += 1
        self._unanswered_bytes += len(encoded)
        return Submission(description.task, encoded, self._group)

    def take(self, event: Event) -> None:
        if not isinstance(event, SubmitAnswered):
            return
        positions = self._positions.get(event.task)
        if not positions:
            return
        position, size = positions.popleft()
        if not positions:
            del self._positions[event.task]
        self._unanswered -= 1
        self._unanswered_bytes -= size
        self.results[position] = self.results[position]._replace(status=event.status,
                                                                error=_submit_error(event))


def submit_many(core: Core, inbox: Inbox, tasks: Iterable[TaskSpec]) -> Call[List[SubmitResult]]:
    batch = _Batch(core, tasks)
    try:
        while not batch.done:
            submissions = batch.next_chunk() if batch.has_room and not batch.exhausted else []
            if submissions:
                core.connection.submit(submissions, inbox)
            busy = batch.has_room and not batch.exhausted
            events = yield Wait(0 if busy or batch.done else seconds(_TURN_NS))
            if events is None:
                raise _closed()
            for event in events:
                batch.take(event)
            core.check_outage()
    except Unavailable as error:
        raise Interrupted(str(error), batch.results) from error
    finally:
        core.connection.end_call(inbox)
    return batch.results


# ---- waiting -------------------------------------------------------------------------------------


def as_completed(core: Core, inbox: Inbox, tasks: Iterable[uuid.UUID],
                 timeout: Optional[Seconds]) -> Stream[FinishedTask]:
    awaited = {task.int: None for task in tasks}
    unknown: List[int] = []
    began_ns = time.monotonic_ns()
    timeout_ns = None if timeout is None else nanoseconds(timeout)
    core.connection.watch(list(awaited), inbox)
    try:
        while awaited:
            events = yield Wait(seconds(_turn_ns(began_ns, timeout_ns)))
            if events is None:
                raise _closed()
            for event in events:
                if isinstance(event, FinishedItem):
                    awaited.pop(event.task, None)
                    yield finished_task(event)
                elif isinstance(event, UnknownTask):
                    awaited.pop(event.task, None)
                    unknown.append(event.task)
            core.check_outage()
            if awaited and timeout_ns is not None and _turn_ns(began_ns, timeout_ns) == 0:
                raise Unavailable(f"{_named(awaited)} did not end within {text_of(timeout_ns)}")
    finally:
        core.connection.end_call(inbox, list(awaited))
    if unknown:
        raise NotFound(f"{_named(unknown)} not known to the broker: never accepted there, or "
                       "forgotten after the retention")


def wait(core: Core, inbox: Inbox, task: uuid.UUID,
         timeout: Optional[Seconds]) -> Call[FinishedTask]:
    stream = as_completed(core, inbox, [task], timeout)
    try:
        item = next(stream)
        while isinstance(item, Wait):
            events = yield item
            item = stream.send(events)
        return item
    finally:
        stream.close()


def _named(tasks: Collection[int]) -> str:
    first = uuid.UUID(int=next(iter(tasks)))
    return f"task {first}" if len(tasks) == 1 else f"{len(tasks)} tasks, such as {first},"


def _turn_ns(began_ns: int, timeout_ns: Optional[int]) -> int:
    if timeout_ns is None:
        return _TURN_NS
    return max(0, min(_TURN_NS, began_ns + timeout_ns - time.monotonic_ns()))


# ---- looking and changing ------------------------------------------------------------------------


def _ask(core: Core, inbox: Inbox, question: Question, kind: Type[AnswerKind]) -> Call[AnswerKind]:
    deadline_ns = time.monotonic_ns() + core.call_timeout_ns
    core.connection.request(question, deadline_ns, inbox)
    try:
        event = yield from _first_event(deadline_ns + _TURN_NS)
    finally:
        core.connection.end_call(inbox)
    if not isinstance(event, Replied):
        raise core.no_answer(core.call_timeout_ns)
    if isinstance(event.reply, Refused):
        raise error_of(event.reply.code, event.reply.message)
    if not isinstance(event.reply, kind):
        raise Unsupported("the broker's answer does not fit the question; update client or broker")
    return event.reply


def _parts(tasks: Sequence[uuid.UUID], items_max: int) -> Iterator[List[int]]:
    for first in range(0, len(tasks), max(1, items_max)):
        yield [task.int for task in tasks[first:first + items_max]]


def get_many(core: Core, inbox: Inbox, tasks: Iterable[uuid.UUID], payload: bool, result: bool,
             attempts: bool) -> Call[List[TaskView]]:
    items_max = core.limits.batch_items_max
    if payload or result or attempts:
        items_max = min(items_max, _PARTS_ITEMS_MAX)
    views: List[TaskView] = []
    for part in _parts(list(tasks), items_max):
        answer = yield from _ask(core, inbox, GetTasks(part, payload, result, attempts), TaskList)
        views += [task_view(item, result) for item in answer.tasks]
    return views


def get(core: Core, inbox: Inbox, task: uuid.UUID, payload: bool, result: bool,
        attempts: bool) -> Call[TaskView]:
    views = yield from get_many(core, inbox, [task], payload, result, attempts)
    if not views:
        raise NotFound(f"no task {task}")
    return views[0]


def list_tasks(core: Core, inbox: Inbox, queue: str,
               state: Optional[TaskState]) -> Stream[TaskView]:
    cursor = 0
    while True:
        wanted = ListTasks(queue, int(state or 0), cursor, 1_000)
        answer = yield from _ask(core, inbox, wanted, TaskList)
        for item in answer.tasks:
            yield task_view(item, False)
        cursor = answer.next_cursor
        if cursor == 0:
            return


def cancel_many(core: Core, inbox: Inbox, tasks: Iterable[uuid.UUID]) -> Call[List[CancelAnswer]]:
    answers: List[CancelAnswer] = []
    for part in _parts(list(tasks), core.limits.batch_items_max):
        answer = yield from _ask(core, inbox, Cancel(part), Cancelled)
        if len(answer.items) != len(part):
            raise Unsupported("the broker answered for other tasks")
        answers += answer.items
    return answers


def _count(core: Core, inbox: Inbox, question: Question) -> Call[int]:
    answer = yield from _ask(core, inbox, question, Changed)
    return answer.changes


def change_dead(core: Core, inbox: Inbox, message: Callable[[List[int], str], Question],
                tasks: Iterable[uuid.UUID], queue: str) -> Call[int]:
    """`message`: RequeueDead or PurgeDead. Without tasks: all dead ones of the queue."""
    named = list(tasks)
    if not named:
        return (yield from _count(core, inbox, message([], queue)))
    count = 0
    for part in _parts(named, core.limits.batch_items_max):
        count += yield from _count(core, inbox, message(part, queue))
    return count


def requeue(core: Core, inbox: Inbox, tasks: Iterable[uuid.UUID], queue: str) -> Call[int]:
    return change_dead(core, inbox, RequeueDead, tasks, queue)


def purge(core: Core, inbox: Inbox, tasks: Iterable[uuid.UUID], queue: str) -> Call[int]:
    return change_dead(core, inbox, PurgeDead, tasks, queue)


def control_queue(core: Core, inbox: Inbox, queue: str, action: QueueAction) -> Call[int]:
    return _count(core, inbox, ControlQueue(queue, action))


def drain_worker(core: Core, inbox: Inbox, name: str) -> Call[int]:
    return _count(core, inbox, DrainWorker(name))


def status(core: Core, inbox: Inbox, topic: StatusTopic) -> Call[Any]:
    answer = yield from _ask(core, inbox, GetStatus(topic), StatusReport)
    return json.loads(answer.json)



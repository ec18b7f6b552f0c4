"""What a client takes and gives: tasks to submit, and what became of them. Durations are seconds,
times are datetimes with a time zone."""

from __future__ import annotations

import dataclasses
import os
import time
import uuid
from datetime import datetime, timedelta, timezone
from operator import index
from typing import Iterable, Mapping, NamedTuple, Optional, Tuple, Union

from millrace.errors import Invalid, MillraceError
from millrace.units import MILLISECOND, Seconds, nanoseconds, seconds
from millrace.wire.messages import AttemptItem, FinishedItem, TaskItem
from millrace.wire.task_codec import TaskDescription, read_task
from millrace.words import Reason, SubmitStatus, TaskState

Payload = Union[bytes, bytearray, memoryview, str]
Headers = Union[Mapping[str, str], Iterable[Tuple[str, str]]]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def new_task_id() -> uuid.UUID:
    """A UUID of version 7: its order is roughly that of time."""
    milliseconds = time.time_ns() // MILLISECOND & ((1 << 48) - 1)
    randomness = int.from_bytes(os.urandom(10), "big")
    number = milliseconds << 80 | 7 << 76 | (randomness >> 68) << 64
    return uuid.UUID(int=number | 2 << 62 | randomness & ((1 << 62) - 1))


@dataclasses.dataclass(frozen=True)
class TaskSpec:
    """What to run: `queue` and `payload` at least."""

    queue: str
    payload: Payload = b""  # opaque; str is sent as UTF-8
    # Names the task everywhere. Left out, the client draws one; give your own to make a submit
    # repeatable over restarts of your program.
    id: Optional[uuid.UUID] = None
    priority: int = 4  # 0 to 9, higher first
    max_attempts: int = 3  # that count, the first included
    delay: Seconds = 0.0  # from acceptance
    not_before: Optional[datetime] = None  # by the broker's clock; the later of both waits holds
    ttl: Seconds = 0.0  # from acceptance to the first start, then it expires; 0: never
    timeout: Seconds = 0.0  # of one attempt; 0: the broker's default
    retention: Optional[Seconds] = None  # of the ended task; None: the broker's default
    backoff_initial: Seconds = 1.0  # wait before the first retry; doubles,
    backoff_max: Seconds = 300.0  # at most to this
    headers: Headers = ()  # for the worker; the order is kept and keys may repeat

    def describe(self, task: uuid.UUID) -> TaskDescription:
        """In the units of the wire, under the id `task`. Raises Invalid for what is not of its
        type."""
        try:
            if not isinstance(self.queue, str):
                raise Invalid("queue must be a str")
            return TaskDescription(
                task.int, self.queue, _bytes_of(self.payload), _pairs_of(self.headers),
                index(self.priority), index(self.max_attempts), nanoseconds(self.delay),
                _since_epoch_ns(self.not_before), nanoseconds(self.ttl), nanoseconds(self.timeout),
                -1 if self.retention is None else nanoseconds(self.retention),
                nanoseconds(self.backoff_initial), nanoseconds(self.backoff_max))
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            raise Invalid(f"not a task: {error}") from error


def _bytes_of(payload: Payload) -> bytes:
    if isinstance(payload, bytes):
        return payload
    if isinstance(payload, str):
        return payload.encode("utf-8")
    if isinstance(payload, (bytearray, memoryview)):
        return bytes(payload)
    raise Invalid(f"payload is {type(payload).__name__}; it must be bytes or str")


def _pairs_of(headers: Headers) -> Tuple[Tuple[str, str], ...]:
    pairs = tuple((key, value) for key, value in
                  (headers.items() if isinstance(headers, Mapping) else headers))
    if not all(isinstance(text, str) for pair in pairs for text in pair):
        raise Invalid("headers must be pairs of str")
    return pairs


def _since_epoch_ns(moment: Optional[datetime]) -> int:
    """Without a time zone it is local time, as everywhere in Python."""
    if moment is None:
        return 0
    return (moment.astimezone(timezone.utc) - _EPOCH) // timedelta(microseconds=1) * 1_000


def _moment(since_epoch_ns: int) -> Optional[datetime]:
    if since_epoch_ns == 0:
        return None
    return _EPOCH + timedelta(microseconds=since_epoch_ns // 1_000)


class SubmitResult(NamedTuple):
    """The final answer to one task: durable when `error` is None."""

    id: uuid.UUID
    status: Optional[SubmitStatus]  # None: it is unknown
    error: Optional[MillraceError] = None

    @property
    def accepted(self) -> bool:
        return self.error is None


@dataclasses.dataclass(frozen=True)
class FinishedTask:
    """A task that has ended."""

    id: uuid.UUID
    state: TaskState
    reason: Reason
    attempts: int
    error: str  # of the last attempt that did not succeed
    result: bytes  # of a succeeded task

    @property
    def succeeded(self) -> bool:
        return self.state == TaskState.succeeded


@dataclasses.dataclass(frozen=True)
class AttemptRecord:
    """One attempt that did not succeed."""

    attempt: int
    fence: int
    reason: Reason
    started: Optional[datetime]  # when the lease was granted
    ended: Optional[datetime]
    worker: str
    error: str


@dataclasses.dataclass(frozen=True)
class TaskView:
    """All that the broker knows of a task now."""

    id: uuid.UUID
    sequence: int  # order of acceptance
    queue: str
    state: TaskState
    reason: Reason  # why it, or its last attempt, did not succeed
    cancel_requested: bool
    priority: int
    attempts: int
    max_attempts: int
    fence: int  # the newest; 0 before the first lease
    timeout: Seconds
    accepted: Optional[datetime]
    due: Optional[datetime]  # delayed: when it becomes pending
    expires: Optional[datetime]  # waiting with a ttl
    ended: Optional[datetime]
    worker: str  # in progress: its name; may be empty just after a broker restart
    progress_percent: int
    error: str  # of the last attempt that did not succeed
    payload_bytes: int
    result_bytes: int
    payload: Optional[bytes]  # when asked for
    headers: Optional[Tuple[Tuple[str, str], ...]]  # come with the payload
    result: Optional[bytes]  # when asked for
    attempt_records: Tuple[AttemptRecord, ...]  # when asked for


def finished_task(item: FinishedItem) -> FinishedTask:
    return FinishedTask(uuid.UUID(int=item.task), item.state, item.reason, item.attempts,
                        item.error, item.result)


def _attempt_record(item: AttemptItem) -> AttemptRecord:
    return AttemptRecord(item.attempt, item.fence, item.reason, _moment(item.started_ns),
                         _moment(item.ended_ns), item.worker, item.error)


def task_view(item: TaskItem, with_result: bool) -> TaskView:
    payload, headers = read_task(item.spec) if item.spec else (None, None)
    return TaskView(
        id=uuid.UUID(int=item.task), sequence=item.sequence, queue=item.queue, state=item.state,
        reason=item.reason, cancel_requested=item.cancel_requested, priority=item.priority,
        attempts=item.attempts, max_attempts=item.max_attempts, fence=item.fence,
        timeout=seconds(item.timeout_ns), accepted=_moment(item.accepted_ns),
        due=_moment(item.due_ns), expires=_moment(item.expires_ns), ended=_moment(item.ended_ns),
        worker=item.worker, progress_percent=item.progress_percent, error=item.error,
        payload_bytes=item.payload_bytes, result_bytes=item.result_bytes, payload=payload,
        headers=headers, result=item.result if with_result else None,
        attempt_records=tuple(map(_attempt_record, item.attempt_records)))

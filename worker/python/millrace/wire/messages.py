"""The messages as plain values. docs/protocol.md says what each means.

Ids of tasks, workers and clients are numbers of 128 bits here (uuid.UUID.int). Times and durations
are whole nanoseconds, and named so.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Sequence, Tuple, Union

from millrace.limits import PeerLimits
from millrace.units import SECOND
from millrace.words import (CancelStatus, ErrorCode, Outcome, QueueAction, Reason, StatusTopic,
                            StopCause, SubmitStatus, TaskState)


class HeldLease(NamedTuple):
    task: int
    fence: int


class Endpoints(NamedTuple):
    """Ports on the host the peer already talks to; 0: not served."""

    client_port: int = 0
    worker_port: int = 0
    beat_port: int = 0
    pulse_port: int = 0
    http_port: int = 0


# ---- worker to broker ----------------------------------------------------------------------------


class WorkerHello(NamedTuple):
    hello_number: int
    worker: int
    name: str
    queues: Sequence[str]
    slots: int
    credit: int
    version: str
    holding: Sequence[HeldLease]


class Completion(NamedTuple):
    task: int
    fence: int
    outcome: Outcome
    elapsed_ns: int = 0  # in the handler
    result: bytes = b""
    error: str = ""


class Complete(NamedTuple):
    items: Sequence[Completion]
    credit: int
    answers_recall: int = 0


class Extension(NamedTuple):
    task: int
    fence: int
    by_ns: int
    progress_percent: int


class Extend(NamedTuple):
    items: Sequence[Extension]


class WorkerGoodbye(NamedTuple):
    message: str


WorkerMessage = Union[WorkerHello, Complete, Extend, WorkerGoodbye]

# ---- broker to worker ----------------------------------------------------------------------------


class WorkerWelcome(NamedTuple):
    hello_number: int
    session: int
    epoch: int
    endpoints: Endpoints = Endpoints()
    limits: PeerLimits = PeerLimits()
    beat_interval_ns: int = SECOND
    silence_max_ns: int = 3 * SECOND
    stale: Sequence[HeldLease] = ()
    broker_version: str = ""


class DispatchedTask(NamedTuple):
    task: int
    fence: int
    timeout_ns: int
    queue: str
    attempt: int
    max_attempts: int
    spec: bytes


class Dispatch(NamedTuple):
    tasks: Sequence[DispatchedTask]


class Completed(NamedTuple):
    """Durable answers; the positions in `stale` were refused."""

    items: Sequence[HeldLease]
    stale: Sequence[int] = ()


class StoppedTask(NamedTuple):
    task: int
    fence: int
    cause: StopCause


class StopTasks(NamedTuple):
    tasks: Sequence[StoppedTask]


class Recall(NamedTuple):
    recall_number: int
    tasks: Sequence[HeldLease]


class Drain(NamedTuple):
    pass


# ---- broker to both ------------------------------------------------------------------------------


class Refused(NamedTuple):
    request: int
    code: ErrorCode
    message: str = ""
    retry_after_ns: int = 0


class BrokerGoodbye(NamedTuple):
    message: str = ""


class Unknown(NamedTuple):
    """A message of a later protocol: ignored."""

    body_type: int


WorkerReply = Union[WorkerWelcome, Dispatch, Completed, StopTasks, Recall, Drain, Refused,
                    BrokerGoodbye, Unknown]

# ---- client to broker ----------------------------------------------------------------------------


class ClientHello(NamedTuple):
    request: int
    client: int


class Submit(NamedTuple):
    request: int
    specs: Sequence[bytes]
    watch: bool


class Watch(NamedTuple):
    request: int
    tasks: Sequence[int]


class Ping(NamedTuple):
    request: int


class ClientGoodbye(NamedTuple):
    request: int = 0


class Cancel(NamedTuple):
    tasks: Sequence[int]


class GetTasks(NamedTuple):
    tasks: Sequence[int]
    with_payload: bool = False
    with_result: bool = False
    with_attempts: bool = False


class ListTasks(NamedTuple):
    queue: str = ""
    state: int = 0
    cursor: int = 0
    limit: int = 100
    with_attempts: bool = False


class RequeueDead(NamedTuple):
    tasks: Sequence[int]
    queue: str = ""


class PurgeDead(NamedTuple):
    tasks: Sequence[int]
    queue: str = ""


class ControlQueue(NamedTuple):
    queue: str
    action: QueueAction


class DrainWorker(NamedTuple):
    worker: str


class GetStatus(NamedTuple):
    topic: StatusTopic


# What a caller asks; the session gives it its request number.
Question = Union[Cancel, GetTasks, ListTasks, RequeueDead, PurgeDead, ControlQueue, DrainWorker,
                 GetStatus]


class Request(NamedTuple):
    request: int
    question: Question


ClientMessage = Union[ClientHello, Submit, Watch, Ping, ClientGoodbye, Request]

# ---- broker to client ----------------------------------------------------------------------------


class ClientWelcome(NamedTuple):
    request: int
    epoch: int
    endpoints: Endpoints = Endpoints()
    limits: PeerLimits = PeerLimits()
    broker_version: str = ""


class Submitted(NamedTuple):
    request: int
    statuses: Sequence[SubmitStatus]
    messages: Sequence[str] = ()  # empty, or one an item
    retry_after_ns: int = 0


class Watching(NamedTuple):
    request: int
    unknown: Sequence[int]


class FinishedItem(NamedTuple):
    task: int
    state: TaskState
    reason: Reason
    attempts: int
    error: str
    result: bytes


class Finished(NamedTuple):
    tasks: Sequence[FinishedItem]


class CancelAnswer(NamedTuple):
    status: CancelStatus
    state: Optional[TaskState]


class Cancelled(NamedTuple):
    request: int
    items: Sequence[CancelAnswer]


class AttemptItem(NamedTuple):
    attempt: int
    fence: int
    reason: Reason
    started_ns: int
    ended_ns: int
    worker: str
    error: str


class TaskItem(NamedTuple):
    task: int
    sequence: int
    queue: str
    state: TaskState
    reason: Reason
    cancel_requested: bool
    priority: int
    attempts: int
    max_attempts: int
    fence: int
    timeout_ns: int
    accepted_ns: int
    due_ns: int
    expires_ns: int
    ended_ns: int
    worker: str
    progress_percent: int
    error: str
    payload_bytes: int
    result_bytes: int
    attempt_records: Tuple[AttemptItem, ...]
    spec: bytes
    result: bytes


class TaskList(NamedTuple):
    request: int
    tasks: Sequence[TaskItem]
    unknown: Sequence[int]
    next_cursor: int


class Changed(NamedTuple):
    request: int
    changes: int


class StatusReport(NamedTuple):
    request: int
    json: str


class Pong(NamedTuple):
    request: int
    epoch: int


Answer = Union[Cancelled, TaskList, Changed, StatusReport]
ClientReply = Union[ClientWelcome, Submitted, Watching, Finished, Cancelled, TaskList, Changed,
                    StatusReport, Pong, Refused, BrokerGoodbye, Unknown]

# ---- heartbeats ----------------------------------------------------------------------------------


class Beat(NamedTuple):
    worker: int
    session: int
    number: int
    running: int
    queued: int


class Pulse(NamedTuple):
    epoch: int
    number: int = 0
    time_ns: int = 0
    stopping: bool = False

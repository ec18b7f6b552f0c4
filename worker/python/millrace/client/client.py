"""The client for threads."""

from __future__ import annotations

import uuid
from types import TracebackType
from typing import Any, Callable, Iterable, Iterator, List, Optional, Type, TypeVar, Union

from millrace.address import parse_address
from millrace.client import calls
from millrace.client.calls import Call, Core, Stream, Wait
from millrace.client.connection import Connection, LinkState
from millrace.client.inbox import Events, ThreadInbox
from millrace.client.values import FinishedTask, SubmitResult, TaskSpec, TaskView
from millrace.errors import error_of
from millrace.key import load_key
from millrace.limits import PeerLimits
from millrace.units import Seconds, nanoseconds
from millrace.wire.messages import CancelAnswer
from millrace.words import QueueAction, StatusTopic, TaskState

CLIENT_PORT_DEFAULT = 5555

Value = TypeVar("Value")


def open_core(broker: str, key: str, call_timeout: Seconds, outage_max: Seconds) -> Core:
    """Starts a connection. Raises Misconfigured."""
    address = parse_address(broker, CLIENT_PORT_DEFAULT)
    return Core(Connection(address, load_key(key)), str(address), call_timeout, outage_max)


def check_link(core: Core, link: LinkState, connect_timeout: Seconds) -> None:
    """Raises what kept the client from being welcomed."""
    if link.connected:
        return
    if link.hello_refusal is not None:
        raise error_of(link.hello_refusal.code, f"the broker at {core.broker} refused the "
                                                f"connection: {link.hello_refusal.message}")
    raise core.no_answer(nanoseconds(connect_timeout))


class Client:
    """A connection to one broker; make one and share it. Thread-safe.

        with millrace.Client("localhost") as client:
            task = client.submit(millrace.TaskSpec("mail", b"hello"))
            end = client.wait(task, timeout=300)

    Lost connections, lost answers, a busy broker and its restarts are dealt with inside: whatever
    was asked is asked again until it is answered, which the tasks' ids make safe. Unavailable means
    that it is unknown whether the request was done.
    """

    def __init__(self, broker: str = "localhost", *, key: str = "",
                 connect_timeout: Seconds = 10.0, call_timeout: Seconds = 10.0,
                 outage_max: Seconds = 60.0) -> None:
        """Connects to `broker`: HOST[:PORT]; without a port 5555.
        key: a key file made by `millrace keygen`, for a broker with keys.
        connect_timeout: seconds until this fails.
        call_timeout: seconds of every call that names no other.
        outage_max: seconds for which submit_many, wait and as_completed outlive an unreachable
        broker.
        Raises Misconfigured (the address, the key file), Unavailable (no answer in time),
        Unsupported (another version), Forbidden (the key is not one for clients)."""
        self._core = open_core(broker, key, call_timeout, outage_max)
        try:
            link = self._core.connection.wait_for_link(connect_timeout)
            check_link(self._core, link, connect_timeout)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Says goodbye. Open calls in other threads end with Unavailable."""
        self._core.connection.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 traceback: Optional[TracebackType]) -> None:
        self.close()

    @property
    def limits(self) -> PeerLimits:
        """What the broker announced."""
        return self._core.limits

    @property
    def broker_version(self) -> str:
        return self._core.connection.link().welcome.broker_version

    # ---- submitting and waiting ------------------------------------------------------------------

    def submit(self, task: TaskSpec) -> uuid.UUID:
        """Returns the task's id when the task is durable. Raises Invalid, TooLarge, Conflict,
        Unavailable."""
        return _run(lambda inbox: calls.submit(self._core, inbox, task))

    def submit_many(self, tasks: Iterable[TaskSpec]) -> List[SubmitResult]:
        """Submits all tasks, pipelined and in batches, with a bounded number under way: takes the
        next from `tasks` only when there is room. Returns when all are answered, in their order; a
        task that the broker refuses spoils only its own result. Raises Interrupted, with the
        results so far, after outage_max seconds without a broker or when the client is closed."""
        return _run(lambda inbox: calls.submit_many(self._core, inbox, tasks))

    def wait(self, task: uuid.UUID, timeout: Optional[Seconds] = None) -> FinishedTask:
        """The end of the task, in whichever way. `timeout`: seconds; None: as long as there is a
        broker.
        Raises NotFound (never accepted, or forgotten), Unavailable (no end in time)."""
        return _run(lambda inbox: calls.wait(self._core, inbox, task, timeout))

    def as_completed(self, tasks: Iterable[uuid.UUID],
                     timeout: Optional[Seconds] = None) -> Iterator[FinishedTask]:
        """Each task as it ends. `timeout`: seconds for all together. Raises Unavailable as wait()
        does; NotFound after all others, when the broker does not know some."""
        return _iterate(lambda inbox: calls.as_completed(self._core, inbox, tasks, timeout))

    # ---- looking ---------------------------------------------------------------------------------

    def get(self, task: uuid.UUID, *, payload: bool = False, result: bool = False,
            attempts: bool = False) -> TaskView:
        """What the broker knows of the task; the stored parts only when asked for. Raises NotFound,
        Unavailable."""
        return _run(lambda inbox: calls.get(self._core, inbox, task, payload, result, attempts))

    def get_many(self, tasks: Iterable[uuid.UUID], *, payload: bool = False, result: bool = False,
                 attempts: bool = False) -> List[TaskView]:
        """Those of the tasks that the broker knows, in the order asked. Raises Unavailable."""
        return _run(
            lambda inbox: calls.get_many(self._core, inbox, tasks, payload, result, attempts))

    def tasks(self, queue: str = "", state: Optional[TaskState] = None) -> Iterator[TaskView]:
        """All tasks of a queue and in a state, or of any, read page by page: those that come or go
        meanwhile may be missed. Raises Unavailable."""
        return _iterate(lambda inbox: calls.list_tasks(self._core, inbox, queue, state))

    def status(self, topic: StatusTopic) -> Any:
        """The document that HTTP serves under /metrics, /workers or /queues. Raises Unavailable."""
        return _run(lambda inbox: calls.status(self._core, inbox, topic))

    # ---- changing --------------------------------------------------------------------------------

    def cancel(self, task: uuid.UUID) -> CancelAnswer:
        """Durable when it returns. A running task ends as cancelled whatever its worker still
        reports.
        Raises Unavailable."""
        return self.cancel_many([task])[0]

    def cancel_many(self, tasks: Iterable[uuid.UUID]) -> List[CancelAnswer]:
        """One answer per task, in order."""
        return _run(lambda inbox: calls.cancel_many(self._core, inbox, tasks))

    def requeue(self, tasks: Iterable[uuid.UUID] = (), queue: str = "") -> int:
        """Makes dead tasks pending, with all attempts: those named, or those of `queue`, or all.
        The number that changed; without names at most 10,000 a call. Raises Unavailable."""
        return _run(lambda inbox: calls.requeue(self._core, inbox, tasks, queue))

    def purge(self, tasks: Iterable[uuid.UUID] = (), queue: str = "") -> int:
        """Forgets dead tasks; as requeue()."""
        return _run(lambda inbox: calls.purge(self._core, inbox, tasks, queue))

    def control_queue(self, queue: str, action: QueueAction) -> int:
        """Pauses, resumes or purges a queue; a purge takes at most 10,000 waiting tasks a call. The
        number of queues, or of purged tasks, that changed. Raises NotFound, Unavailable."""
        return _run(lambda inbox: calls.control_queue(self._core, inbox, queue, action))

    def drain_worker(self, name: str) -> int:
        """Tells every worker of this name to take nothing new and leave. Their number. Raises
        NotFound, Unavailable."""
        return _run(lambda inbox: calls.drain_worker(self._core, inbox, name))


def _run(make: Callable[[ThreadInbox], Call[Value]]) -> Value:
    """Drives a call to its end on this thread."""
    inbox = ThreadInbox()
    call = make(inbox)
    try:
        wait = next(call)
        while True:
            wait = call.send(inbox.take(wait.timeout))
    except StopIteration as end:
        value: Value = end.value
        return value
    finally:
        call.close()


def _iterate(make: Callable[[ThreadInbox], Stream[Value]]) -> Iterator[Value]:
    """Drives a streaming call, as far as its items are wanted."""
    inbox = ThreadInbox()
    stream = make(inbox)
    try:
        item: Union[Wait, Value] = next(stream)
        while True:
            events: Events = []
            if isinstance(item, Wait):
                events = inbox.take(item.timeout)
            else:
                yield item
            item = stream.send(events)
    except StopIteration:
        return
    finally:
        stream.close()

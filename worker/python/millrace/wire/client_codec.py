"""The messages of the client port to the broker, docs/protocol.md, section 6."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Type

from millrace.limits import PROTOCOL_VERSION
from millrace.wire import bundle, flat
from millrace.wire.messages import (Cancel, ClientGoodbye, ClientHello, ClientMessage, ControlQueue,
                                    DrainWorker, GetStatus, GetTasks, ListTasks, Ping, PurgeDead,
                                    RequeueDead, Submit, Watch)
from millrace.wire.schema import Cancel as cancel_schema
from millrace.wire.schema import ClientGoodbye as goodbye_schema
from millrace.wire.schema import ClientHello as hello_schema
from millrace.wire.schema import ControlQueue as control_schema
from millrace.wire.schema import DrainWorker as drain_schema
from millrace.wire.schema import GetStatus as status_schema
from millrace.wire.schema import GetTasks as get_schema
from millrace.wire.schema import ListTasks as list_schema
from millrace.wire.schema import Ping as ping_schema
from millrace.wire.schema import PurgeDead as purge_schema
from millrace.wire.schema import RequeueDead as requeue_schema
from millrace.wire.schema import Submit as submit_schema
from millrace.wire.schema import Watch as watch_schema
from millrace.wire.schema.Body import Body
from millrace.wire.schema.Uuid import CreateUuid


def encode(message: ClientMessage) -> List[bytes]:
    """The frames of a message."""
    request = message.request
    if isinstance(message, Submit):
        return _encode_submit(message)
    builder = flat.new_builder()
    value: Any = message
    if isinstance(message, (ClientHello, Watch, Ping, ClientGoodbye)):
        write, body_type = _WRITERS[type(message)]
    else:
        value = message.question
        write, body_type = _WRITERS[type(value)]
    return [flat.finish_envelope(builder, body_type, write(builder, value), request)]


def _encode_submit(message: Submit) -> List[bytes]:
    specs = message.specs
    builder = flat.new_builder(4 * len(specs) + 128)
    lengths = b"".join([flat.UINT32.pack(len(spec)) for spec in specs])
    spec_bytes = flat.packed_vector(builder, flat.UINT32, lengths, 4)
    submit_schema.SubmitStart(builder)
    submit_schema.SubmitAddSpecBytes(builder, spec_bytes)
    submit_schema.SubmitAddWatch(builder, message.watch)
    body = submit_schema.SubmitEnd(builder)
    return [flat.finish_envelope(builder, Body.Submit, body, message.request), bundle.pack(specs)]


def _write_hello(builder: Any, hello: ClientHello) -> int:
    hello_schema.ClientHelloStart(builder)
    hello_schema.ClientHelloAddClient(
        builder, CreateUuid(builder, flat.high_of(hello.client), flat.low_of(hello.client)))
    hello_schema.ClientHelloAddProtocolVersion(builder, PROTOCOL_VERSION)
    return int(hello_schema.ClientHelloEnd(builder))


def _write_watch(builder: Any, watch: Watch) -> int:
    tasks = flat.uuid_vector(builder, watch.tasks)
    watch_schema.WatchStart(builder)
    watch_schema.WatchAddTasks(builder, tasks)
    return int(watch_schema.WatchEnd(builder))


def _write_ping(builder: Any, _: Ping) -> int:
    ping_schema.PingStart(builder)
    return int(ping_schema.PingEnd(builder))


def _write_goodbye(builder: Any, _: ClientGoodbye) -> int:
    goodbye_schema.ClientGoodbyeStart(builder)
    return int(goodbye_schema.ClientGoodbyeEnd(builder))


def _write_cancel(builder: Any, cancel: Cancel) -> int:
    tasks = flat.uuid_vector(builder, cancel.tasks)
    cancel_schema.CancelStart(builder)
    cancel_schema.CancelAddTasks(builder, tasks)
    return int(cancel_schema.CancelEnd(builder))


def _write_get(builder: Any, get: GetTasks) -> int:
    tasks = flat.uuid_vector(builder, get.tasks)
    get_schema.GetTasksStart(builder)
    get_schema.GetTasksAddTasks(builder, tasks)
    get_schema.GetTasksAddWithPayload(builder, get.with_payload)
    get_schema.GetTasksAddWithResult(builder, get.with_result)
    get_schema.GetTasksAddWithAttempts(builder, get.with_attempts)
    return int(get_schema.GetTasksEnd(builder))


def _write_list(builder: Any, wanted: ListTasks) -> int:
    queue = builder.CreateString(wanted.queue)
    list_schema.ListTasksStart(builder)
    list_schema.ListTasksAddQueue(builder, queue)
    list_schema.ListTasksAddState(builder, wanted.state)
    list_schema.ListTasksAddCursor(builder, wanted.cursor)
    list_schema.ListTasksAddLimit(builder, wanted.limit)
    list_schema.ListTasksAddWithAttempts(builder, wanted.with_attempts)
    return int(list_schema.ListTasksEnd(builder))


def _write_requeue(builder: Any, requeue: RequeueDead) -> int:
    tasks = flat.uuid_vector(builder, requeue.tasks)
    queue = builder.CreateString(requeue.queue)
    requeue_schema.RequeueDeadStart(builder)
    requeue_schema.RequeueDeadAddTasks(builder, tasks)
    requeue_schema.RequeueDeadAddQueue(builder, queue)
    return int(requeue_schema.RequeueDeadEnd(builder))


def _write_purge(builder: Any, purge: PurgeDead) -> int:
    tasks = flat.uuid_vector(builder, purge.tasks)
    queue = builder.CreateString(purge.queue)
    purge_schema.PurgeDeadStart(builder)
    purge_schema.PurgeDeadAddTasks(builder, tasks)
    purge_schema.PurgeDeadAddQueue(builder, queue)
    return int(purge_schema.PurgeDeadEnd(builder))


def _write_control(builder: Any, control: ControlQueue) -> int:
    queue = builder.CreateString(control.queue)
    control_schema.ControlQueueStart(builder)
    control_schema.ControlQueueAddQueue(builder, queue)
    control_schema.ControlQueueAddAction(builder, control.action)
    return int(control_schema.ControlQueueEnd(builder))


def _write_drain(builder: Any, drain: DrainWorker) -> int:
    worker = builder.CreateString(drain.worker)
    drain_schema.DrainWorkerStart(builder)
    drain_schema.DrainWorkerAddWorker(builder, worker)
    return int(drain_schema.DrainWorkerEnd(builder))


def _write_status(builder: Any, status: GetStatus) -> int:
    status_schema.GetStatusStart(builder)
    status_schema.GetStatusAddTopic(builder, status.topic)
    return int(status_schema.GetStatusEnd(builder))


_WRITERS: Dict[Type[Any], "tuple[Callable[[Any, Any], int], int]"] = {
    ClientHello: (_write_hello, Body.ClientHello),
    Watch: (_write_watch, Body.Watch),
    Ping: (_write_ping, Body.Ping),
    ClientGoodbye: (_write_goodbye, Body.ClientGoodbye),
    Cancel: (_write_cancel, Body.Cancel),
    GetTasks: (_write_get, Body.GetTasks),
    ListTasks: (_write_list, Body.ListTasks),
    RequeueDead: (_write_requeue, Body.RequeueDead),
    PurgeDead: (_write_purge, Body.PurgeDead),
    ControlQueue: (_write_control, Body.ControlQueue),
    DrainWorker: (_write_drain, Body.DrainWorker),
    GetStatus: (_write_status, Body.GetStatus),
}

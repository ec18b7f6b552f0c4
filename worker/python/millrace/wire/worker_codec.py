"""The messages of the worker port, docs/protocol.md, section 8."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence

from millrace.limits import PROTOCOL_VERSION
from millrace.wire import bundle, flat
from millrace.wire.bundle import BrokenMessage
from millrace.wire.messages import (Complete, Completed, Completion, Dispatch, DispatchedTask,
                                    Drain, Extend, HeldLease, Recall, StoppedTask, StopTasks,
                                    Unknown, WorkerGoodbye, WorkerHello, WorkerMessage,
                                    WorkerReply, WorkerWelcome)
from millrace.wire.schema import Complete as complete_schema
from millrace.wire.schema import Extend as extend_schema
from millrace.wire.schema import WorkerGoodbye as goodbye_schema
from millrace.wire.schema import WorkerHello as hello_schema
from millrace.wire.schema.Body import Body
from millrace.wire.schema.Completed import Completed as CompletedTable
from millrace.wire.schema.Dispatch import Dispatch as DispatchTable
from millrace.wire.schema.Recall import Recall as RecallTable
from millrace.wire.schema.StopTasks import StopTasks as StopTasksTable
from millrace.wire.schema.Uuid import CreateUuid
from millrace.wire.schema.WorkerWelcome import WorkerWelcome as WelcomeTable
from millrace.wire.shared_codec import (read_broker_goodbye, read_endpoints, read_limits,
                                        read_refused)
from millrace.words import StopCause

# ---- to the broker -------------------------------------------------------------------------------


def encode(message: WorkerMessage) -> List[bytes]:
    """The frames of a message."""
    if isinstance(message, Complete):
        return _encode_complete(message)
    if isinstance(message, Extend):
        return [_encode_extend(message)]
    if isinstance(message, WorkerHello):
        return [_encode_hello(message)]
    return [_encode_goodbye(message)]


def _encode_complete(message: Complete) -> List[bytes]:
    items = message.items
    errors = [item.error.encode("utf-8", "replace") for item in items]
    packed = b"".join([
        flat.COMPLETION.pack(flat.high_of(task), flat.low_of(task), fence, elapsed_ns, len(result),
                             len(error), outcome)
        for (task, fence, outcome, elapsed_ns, result, _), error in zip(items, errors)
    ])
    texts = b"".join(errors)
    builder = flat.new_builder(len(packed) + len(texts) + 256)
    errors_offset = builder.CreateByteVector(texts) if texts else 0
    items_offset = flat.packed_vector(builder, flat.COMPLETION, packed)
    complete_schema.CompleteStart(builder)
    complete_schema.CompleteAddItems(builder, items_offset)
    if errors_offset:
        complete_schema.CompleteAddErrors(builder, errors_offset)
    complete_schema.CompleteAddCredit(builder, message.credit)
    complete_schema.CompleteAddAnswersRecall(builder, message.answers_recall)
    body = complete_schema.CompleteEnd(builder)
    frames = [flat.finish_envelope(builder, Body.Complete, body)]
    results = bundle.pack(item.result for item in items)
    if results:
        frames.append(results)
    return frames


def _encode_extend(message: Extend) -> bytes:
    builder = flat.new_builder()
    packed = b"".join([
        flat.EXTENSION.pack(flat.high_of(task), flat.low_of(task), fence, by_ns, percent)
        for task, fence, by_ns, percent in message.items
    ])
    items = flat.packed_vector(builder, flat.EXTENSION, packed)
    extend_schema.ExtendStart(builder)
    extend_schema.ExtendAddItems(builder, items)
    return flat.finish_envelope(builder, Body.Extend, extend_schema.ExtendEnd(builder))


def _encode_hello(message: WorkerHello) -> bytes:
    builder = flat.new_builder(1024)
    name = builder.CreateString(message.name)
    version = builder.CreateString(message.version)
    queues = flat.string_vector(builder, message.queues)
    packed = b"".join([flat.HELD_LEASE.pack(flat.high_of(task), flat.low_of(task), fence)
                       for task, fence in message.holding])
    holding = flat.packed_vector(builder, flat.HELD_LEASE, packed)
    hello_schema.WorkerHelloStart(builder)
    hello_schema.WorkerHelloAddHelloNumber(builder, message.hello_number)
    hello_schema.WorkerHelloAddWorker(
        builder, CreateUuid(builder, flat.high_of(message.worker), flat.low_of(message.worker)))
    hello_schema.WorkerHelloAddName(builder, name)
    hello_schema.WorkerHelloAddQueues(builder, queues)
    hello_schema.WorkerHelloAddSlots(builder, message.slots)
    hello_schema.WorkerHelloAddCredit(builder, message.credit)
    hello_schema.WorkerHelloAddVersion(builder, version)
    hello_schema.WorkerHelloAddProtocolVersion(builder, PROTOCOL_VERSION)
    hello_schema.WorkerHelloAddHolding(builder, holding)
    return flat.finish_envelope(builder, Body.WorkerHello, hello_schema.WorkerHelloEnd(builder))


def _encode_goodbye(message: WorkerGoodbye) -> bytes:
    builder = flat.new_builder()
    text = builder.CreateString(message.message)
    goodbye_schema.WorkerGoodbyeStart(builder)
    goodbye_schema.WorkerGoodbyeAddMessage(builder, text)
    return flat.finish_envelope(builder, Body.WorkerGoodbye,
                                goodbye_schema.WorkerGoodbyeEnd(builder))


# ---- from the broker -----------------------------------------------------------------------------


def decode(frames: Sequence[bytes]) -> WorkerReply:
    """Raises BrokenMessage when the frames do not keep the protocol, whatever they hold."""
    return flat.read_message(frames, _READERS, Unknown)


def _read_dispatch(envelope: Any, payload: bytes) -> Dispatch:
    body = flat.body_as(envelope, DispatchTable)
    queues = [flat.text(body.Queues(i)) for i in range(body.QueuesLength())]
    heads = list(flat.struct_vector(body, 0, flat.DISPATCHED_TASK))
    specs = bundle.unpack(payload, [head[4] for head in heads])
    return Dispatch([
        DispatchedTask(high << 64 | low, fence, timeout_ns, queues[queue], attempt, max_attempts,
                       spec)
        for (high, low, fence, timeout_ns, _, queue, attempt, max_attempts), spec in zip(
            heads, specs)
    ])


def _leases(body: Any, field: int) -> List[HeldLease]:
    return [HeldLease(high << 64 | low, fence)
            for high, low, fence in flat.struct_vector(body, field, flat.HELD_LEASE)]


def _read_completed(envelope: Any, _: bytes) -> Completed:
    body = flat.body_as(envelope, CompletedTable)
    items, stale = _leases(body, 0), flat.number_vector(body, 1, flat.UINT32)
    if any(position >= len(items) for position in stale):
        raise BrokenMessage("a stale item that is not among the items")
    return Completed(items, stale)


def _read_stop_tasks(envelope: Any, _: bytes) -> StopTasks:
    body = flat.body_as(envelope, StopTasksTable)
    return StopTasks([
        StoppedTask(high << 64 | low, fence, StopCause(cause))
        for high, low, fence, cause in flat.struct_vector(body, 0, flat.STOPPED_TASK)
    ])


def _read_recall(envelope: Any, _: bytes) -> Recall:
    body = flat.body_as(envelope, RecallTable)
    return Recall(body.RecallNumber(), _leases(body, 1))


def _read_welcome(envelope: Any, _: bytes) -> WorkerWelcome:
    body = flat.body_as(envelope, WelcomeTable)
    if body.BeatIntervalNs() < 1_000_000 or body.SilenceMaxNs() <= body.BeatIntervalNs():
        raise BrokenMessage("a welcome without a cadence")
    return WorkerWelcome(body.HelloNumber(), body.Session(), body.Epoch(),
                         read_endpoints(body.Endpoints()), read_limits(body.Limits()),
                         body.BeatIntervalNs(), body.SilenceMaxNs(), _leases(body, 7),
                         flat.text(body.BrokerVersion()))


_READERS: Dict[int, Callable[[Any, bytes], WorkerReply]] = {
    Body.Dispatch: _read_dispatch,
    Body.Completed: _read_completed,
    Body.StopTasks: _read_stop_tasks,
    Body.Recall: _read_recall,
    Body.Drain: lambda envelope, _: Drain(),
    Body.WorkerWelcome: _read_welcome,
    Body.Refused: read_refused,
    Body.BrokerGoodbye: read_broker_goodbye,
}

__all__ = ["Completion", "decode", "encode"]

"""The messages of the client port from the broker, docs/protocol.md, section 6."""

from __future__ import annotations

from typing import Any, Callable, Dict, Sequence

from millrace.wire import bundle, flat
from millrace.wire.bundle import BrokenMessage
from millrace.wire.messages import (AttemptItem, CancelAnswer, Cancelled, Changed, ClientReply,
                                    ClientWelcome, Finished, FinishedItem, Pong, StatusReport,
                                    Submitted, TaskItem, TaskList, Unknown, Watching)
from millrace.wire.schema.Body import Body
from millrace.wire.schema.Cancelled import Cancelled as CancelledTable
from millrace.wire.schema.Changed import Changed as ChangedTable
from millrace.wire.schema.ClientWelcome import ClientWelcome as WelcomeTable
from millrace.wire.schema.Finished import Finished as FinishedTable
from millrace.wire.schema.Pong import Pong as PongTable
from millrace.wire.schema.StatusReport import StatusReport as StatusReportTable
from millrace.wire.schema.Submitted import Submitted as SubmittedTable
from millrace.wire.schema.TaskList import TaskList as TaskListTable
from millrace.wire.schema.Watching import Watching as WatchingTable
from millrace.wire.shared_codec import (read_broker_goodbye, read_endpoints, read_limits,
                                        read_refused)
from millrace.words import CancelStatus, Reason, SubmitStatus, TaskState

_STATES = {int(state): state for state in TaskState}
_REASONS = {int(reason): reason for reason in Reason}
_SUBMIT_STATUSES = {int(status): status for status in SubmitStatus}


def decode(frames: Sequence[bytes]) -> ClientReply:
    """Raises BrokenMessage when the frames do not keep the protocol, whatever they hold."""
    return flat.read_message(frames, _READERS, Unknown)


def _read_welcome(envelope: Any, _: bytes) -> ClientWelcome:
    body = flat.body_as(envelope, WelcomeTable)
    return ClientWelcome(envelope.Request(), body.Epoch(), read_endpoints(body.Endpoints()),
                         read_limits(body.Limits()), flat.text(body.BrokerVersion()))


def _read_submitted(envelope: Any, _: bytes) -> Submitted:
    body = flat.body_as(envelope, SubmittedTable)
    statuses = [_SUBMIT_STATUSES[n] for n in flat.number_vector(body, 0, flat.UINT8)]
    messages = [flat.text(body.Messages(i)) for i in range(body.MessagesLength())]
    if messages and len(messages) != len(statuses):
        raise BrokenMessage("texts for other items than answered")
    return Submitted(envelope.Request(), statuses, messages, body.RetryAfterNs())


def _read_watching(envelope: Any, _: bytes) -> Watching:
    return Watching(envelope.Request(), flat.uuid_list(flat.body_as(envelope, WatchingTable), 0))


def _read_finished(envelope: Any, payload: bytes) -> Finished:
    body = flat.body_as(envelope, FinishedTable)
    heads = list(flat.struct_vector(body, 0, flat.FINISHED_TASK))
    results = bundle.unpack(payload, [head[2] for head in heads])
    errors = bundle.split_texts(flat.byte_vector(body, 1), [head[3] for head in heads])
    return Finished([
        FinishedItem(high << 64 | low, _STATES[state], _REASONS[reason], attempts, error, result)
        for (high, low, _, _, attempts, state, reason), error, result in zip(heads, errors, results)
    ])


def _read_cancelled(envelope: Any, _: bytes) -> Cancelled:
    body = flat.body_as(envelope, CancelledTable)
    return Cancelled(envelope.Request(), [
        CancelAnswer(CancelStatus(status), _STATES.get(state))
        for status, state in flat.struct_vector(body, 0, flat.CANCEL_ANSWER)
    ])


def _read_attempt(table: Any) -> AttemptItem:
    return AttemptItem(table.Attempt(), table.Fence(), _REASONS[table.Reason()], table.StartedNs(),
                       table.EndedNs(), flat.text(table.Worker()), flat.text(table.Error()))


def _read_view(view: Any, spec: bytes, result: bytes) -> TaskItem:
    uuid = view.Id()
    attempts = tuple(
        _read_attempt(view.AttemptRecords(i)) for i in range(view.AttemptRecordsLength()))
    return TaskItem(uuid.High() << 64 | uuid.Low(), view.Sequence(), flat.text(view.Queue()),
                    _STATES[view.State()], _REASONS[view.Reason()], bool(view.CancelRequested()),
                    view.Priority(), view.Attempts(), view.MaxAttempts(), view.Fence(),
                    view.TimeoutNs(), view.AcceptedNs(), view.DueNs(), view.ExpiresNs(),
                    view.EndedNs(), flat.text(view.Worker()), view.ProgressPercent(),
                    flat.text(view.Error()), view.PayloadBytes(), view.ResultBytes(), attempts,
                    spec, result)


def _read_task_list(envelope: Any, payload: bytes) -> TaskList:
    body = flat.body_as(envelope, TaskListTable)
    views = [body.Tasks(i) for i in range(body.TasksLength())]
    lengths = [length for view in views
               for length in (view.SpecInBundleBytes(), view.ResultInBundleBytes())]
    strings = bundle.unpack(payload, lengths)
    tasks = [_read_view(view, spec, result)
             for view, spec, result in zip(views, strings[0::2], strings[1::2])]
    return TaskList(envelope.Request(), tasks, flat.uuid_list(body, 1), body.NextCursor())


def _read_changed(envelope: Any, _: bytes) -> Changed:
    return Changed(envelope.Request(), flat.body_as(envelope, ChangedTable).Count())


def _read_status(envelope: Any, _: bytes) -> StatusReport:
    return StatusReport(envelope.Request(),
                        flat.text(flat.body_as(envelope, StatusReportTable).Json()))


def _read_pong(envelope: Any, _: bytes) -> Pong:
    return Pong(envelope.Request(), flat.body_as(envelope, PongTable).Epoch())


_READERS: Dict[int, Callable[[Any, bytes], ClientReply]] = {
    Body.ClientWelcome: _read_welcome,
    Body.Submitted: _read_submitted,
    Body.Watching: _read_watching,
    Body.Finished: _read_finished,
    Body.Cancelled: _read_cancelled,
    Body.TaskList: _read_task_list,
    Body.Changed: _read_changed,
    Body.StatusReport: _read_status,
    Body.Pong: _read_pong,
    Body.Refused: read_refused,
    Body.BrokerGoodbye: read_broker_goodbye,
}

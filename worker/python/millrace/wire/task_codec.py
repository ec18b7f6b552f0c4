"""A task as its author wrote it: the TaskSpec of schemas/task.fbs, and its rules."""

from __future__ import annotations

import functools
import re
from typing import Any, NamedTuple, Sequence, Tuple

from millrace.errors import Invalid, TooLarge
from millrace.limits import (ATTEMPTS_MAX, BACKOFF_MAX, HEADER_KEY_BYTES_MAX, HEADERS_MAX,
                             NOT_BEFORE_LATEST, PRIORITY_HIGHEST, TASK_DURATION_MAX, TIMEOUT_LEAST,
                             PeerLimits)
from millrace.units import SECOND, text_of
from millrace.wire import flat
from millrace.wire.schema import Header as header_schema
from millrace.wire.schema import TaskSpec as spec_schema
from millrace.wire.schema.TaskSpec import TaskSpec
from millrace.wire.schema.Uuid import CreateUuid

_QUEUE_NAME = re.compile(r"[A-Za-z0-9._:/-]+\Z")
_CONTROL_CHARACTER = re.compile("[\0-\x1f\x7f-\x9f]")
_IDENTIFIER = b"MRT1"

Headers = Tuple[Tuple[str, str], ...]


class TaskDescription(NamedTuple):
    """All that a TaskSpec says, in the units of the wire."""

    task: int
    queue: str
    payload: bytes = b""
    headers: Sequence[Tuple[str, str]] = ()
    priority: int = 4
    max_attempts: int = 3
    delay_ns: int = 0
    not_before_ns: int = 0
    ttl_ns: int = 0
    timeout_ns: int = 0
    retention_ns: int = -1
    backoff_initial_ns: int = SECOND
    backoff_max_ns: int = 300 * SECOND


# ---- rules ---------------------------------------------------------------------------------------


def is_queue_name(name: str, limits: PeerLimits = PeerLimits()) -> bool:
    return len(name) <= limits.queue_name_bytes_max and _QUEUE_NAME.match(name) is not None


def has_control_characters(text: str) -> bool:
    return _CONTROL_CHARACTER.search(text) is not None


def check_task(task: TaskDescription, limits: PeerLimits) -> None:
    """Checks every rule that the broker checks. Raises Invalid or TooLarge, naming the field."""
    if not 0 < task.task < 1 << 128:
        raise Invalid("id is nil; give every task a UUID of its own")
    if not is_queue_name(task.queue, limits):
        raise Invalid(f"queue must be 1 to {limits.queue_name_bytes_max} characters of "
                      "A-Z a-z 0-9 . _ : / -")
    if not 0 <= task.priority <= PRIORITY_HIGHEST:
        raise Invalid(f"priority is {task.priority}; it must be 0 to {PRIORITY_HIGHEST}")
    if not 1 <= task.max_attempts <= ATTEMPTS_MAX:
        raise Invalid(f"max_attempts is {task.max_attempts}; it must be 1 to {ATTEMPTS_MAX}")
    if len(task.payload) > limits.payload_bytes_max:
        raise TooLarge(f"payload is {len(task.payload)} bytes; at most {limits.payload_bytes_max} "
                       "are allowed, so store it elsewhere and send a reference")
    if task.headers:
        _check_headers(task.headers, limits)
    _check_times(task)


def _check_headers(headers: Sequence[Tuple[str, str]], limits: PeerLimits) -> None:
    if len(headers) > HEADERS_MAX:
        raise TooLarge(f"headers are {len(headers)}; at most {HEADERS_MAX} are allowed")
    total = 0
    for key, value in headers:
        key_bytes = len(key.encode("utf-8", "surrogatepass"))
        total += key_bytes + len(value.encode("utf-8", "surrogatepass"))
        if not 1 <= key_bytes <= HEADER_KEY_BYTES_MAX:
            raise Invalid(f"header key is {key_bytes} bytes; it must be 1 to "
                          f"{HEADER_KEY_BYTES_MAX}")
        if has_control_characters(key) or not _is_unicode(key):
            raise Invalid("header key must be UTF-8 without control characters")
        if "\0" in value or not _is_unicode(value):
            raise Invalid(f"header '{key}' must have a value of UTF-8 without NUL")
    if total > limits.headers_bytes_max:
        raise TooLarge(f"headers are {total} bytes; at most {limits.headers_bytes_max} are allowed")


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _check_times(task: TaskDescription) -> None:
    for field, value, most in (("delay", task.delay_ns, TASK_DURATION_MAX),
                               ("ttl", task.ttl_ns, TASK_DURATION_MAX),
                               ("timeout", task.timeout_ns, TASK_DURATION_MAX),
                               ("backoff max", task.backoff_max_ns, BACKOFF_MAX),
                               ("backoff initial", task.backoff_initial_ns, task.backoff_max_ns)):
        if not 0 <= value <= most:
            raise Invalid(f"{field} is {text_of(value)}; it must be 0 to {text_of(most)}")
    if 0 < task.timeout_ns < TIMEOUT_LEAST:
        raise Invalid(f"timeout is {text_of(task.timeout_ns)}; it must be 0 (the default) or at "
                      f"least {text_of(TIMEOUT_LEAST)}")
    if task.retention_ns > TASK_DURATION_MAX:
        raise Invalid(f"retention is {text_of(task.retention_ns)}; it must be at most "
                      f"{text_of(TASK_DURATION_MAX)}")
    if not 0 <= task.not_before_ns <= NOT_BEFORE_LATEST:
        raise Invalid("not_before is out of range; it must be between 1970 and 2200")


# ---- bytes ---------------------------------------------------------------------------------------


def encode_task(task: TaskDescription) -> bytes:
    """The TaskSpec. Requires check_task to be content.

    Tasks that differ in id and payload only, and whose payloads are equally long, have buffers that
    differ in those bytes only: one is built, which is slow in Python, and serves for the others.
    """
    before, between, after, id_first = _mould(
        task._replace(task=0, payload=b"", headers=tuple(task.headers)), len(task.payload))
    task_id = flat.UUID.pack(flat.high_of(task.task), flat.low_of(task.task))
    first, second = (task_id, task.payload) if id_first else (task.payload, task_id)
    return b"".join((before, first, between, second, after))


@functools.lru_cache(maxsize=256)
def _mould(task: TaskDescription, payload_bytes: int) -> Tuple[bytes, bytes, bytes, bool]:
    """What stands before, between and after id and payload, and whether the id comes first."""
    spec = _build_task(task._replace(payload=bytes(payload_bytes)))
    table = TaskSpec.GetRootAs(spec, 0)._tab
    id_at = table.Pos + table.Offset(4)
    payload_offset = table.Offset(8)
    payload_at = table.Vector(payload_offset) if payload_offset else len(spec)
    if id_at < payload_at:
        return spec[:id_at], spec[id_at + 16:payload_at], spec[payload_at + payload_bytes:], True
    return spec[:payload_at], spec[payload_at + payload_bytes:id_at], spec[id_at + 16:], False


def _build_task(task: TaskDescription) -> bytes:
    builder = flat.new_builder(len(task.payload) + 256)
    headers = _write_headers(builder, task.headers) if task.headers else 0
    payload = builder.CreateByteVector(task.payload) if task.payload else 0
    queue = builder.CreateString(task.queue)
    spec_schema.TaskSpecStart(builder)
    spec_schema.TaskSpecAddId(
        builder, CreateUuid(builder, flat.high_of(task.task), flat.low_of(task.task)))
    spec_schema.TaskSpecAddQueue(builder, queue)
    if payload:
        spec_schema.TaskSpecAddPayload(builder, payload)
    if headers:
        spec_schema.TaskSpecAddHeaders(builder, headers)
    spec_schema.TaskSpecAddPriority(builder, task.priority)
    spec_schema.TaskSpecAddMaxAttempts(builder, task.max_attempts)
    spec_schema.TaskSpecAddDelayNs(builder, task.delay_ns)
    spec_schema.TaskSpecAddNotBeforeNs(builder, task.not_before_ns)
    spec_schema.TaskSpecAddTtlNs(builder, task.ttl_ns)
    spec_schema.TaskSpecAddTimeoutNs(builder, task.timeout_ns)
    spec_schema.TaskSpecAddRetentionNs(builder, task.retention_ns)
    spec_schema.TaskSpecAddBackoffInitialNs(builder, task.backoff_initial_ns)
    spec_schema.TaskSpecAddBackoffMaxNs(builder, task.backoff_max_ns)
    builder.Finish(spec_schema.TaskSpecEnd(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _write_headers(builder: Any, headers: Sequence[Tuple[str, str]]) -> int:
    offsets = []
    for key, value in headers:
        key_offset = builder.CreateString(key)
        value_offset = builder.CreateString(value)
        header_schema.HeaderStart(builder)
        header_schema.HeaderAddKey(builder, key_offset)
        header_schema.HeaderAddValue(builder, value_offset)
        offsets.append(header_schema.HeaderEnd(builder))
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def read_task(spec: bytes) -> Tuple[bytes, Headers]:
    """Payload and headers. Raises ValueError when it is no TaskSpec."""
    try:
        if spec[4:8] != _IDENTIFIER:
            raise ValueError("not a TaskSpec")
        table = TaskSpec.GetRootAs(spec, 0)
        headers = tuple(_read_header(table.Headers(i)) for i in range(table.HeadersLength()))
        return flat.byte_vector(table, 2), headers
    except ValueError:
        raise
    except Exception as error:  # the library has no verifier: bytes that lie show up as any error
        raise ValueError(f"cannot be read: {error}") from error


def _read_header(header: Any) -> Tuple[str, str]:
    return flat.text(header.Key()), flat.text(header.Value())

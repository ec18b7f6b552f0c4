"""What the generated code leaves out: whole vectors of structs and of bytes at once, the envelope,
and text. A vector of structs is packed and read by its fixed layout, a hundred times faster than
element by element."""

from __future__ import annotations

import struct
from typing import Any, Callable, Iterator, List, Mapping, Sequence, TypeVar

import flatbuffers
import flatbuffers.encode
import flatbuffers.packer
from millrace.limits import PROTOCOL_VERSION
from millrace.wire.bundle import BrokenMessage
from millrace.wire.schema import Envelope as envelope_schema
from millrace.wire.schema.Body import Body
from millrace.wire.schema.Envelope import Envelope

# Layouts of the structs in schemas/control.fbs. Ids are two numbers: high, low.
UUID = struct.Struct("<QQ")
HELD_LEASE = struct.Struct("<QQQ")
COMPLETION = struct.Struct("<QQQqIIB7x")
EXTENSION = struct.Struct("<QQQqB7x")
DISPATCHED_TASK = struct.Struct("<QQQqIIHH4x")
STOPPED_TASK = struct.Struct("<QQQB7x")
FINISHED_TASK = struct.Struct("<QQIIHBB4x")
CANCEL_ANSWER = struct.Struct("<BB")
UINT32 = struct.Struct("<I")
UINT8 = struct.Struct("<B")

_LOW = (1 << 64) - 1
_IDENTIFIER = b"MRC1"
# What a bundle may come with.
_BUNDLED = (Body.Dispatch, Body.Finished, Body.TaskList)

Message = TypeVar("Message")


def high_of(number: int) -> int:
    return number >> 64


def low_of(number: int) -> int:
    return number & _LOW


# ---- writing -------------------------------------------------------------------------------------


def packed_vector(builder: Any, layout: struct.Struct, packed: bytes, alignment: int = 8) -> int:
    """Adds a vector of elements that are packed already; its offset."""
    builder.StartVector(layout.size, len(packed) // layout.size, alignment)
    builder.head -= len(packed)
    builder.Bytes[builder.head:builder.head + len(packed)] = packed
    return int(builder.EndVector())


def uuid_vector(builder: Any, numbers: Sequence[int]) -> int:
    return packed_vector(builder, UUID, b"".join([UUID.pack(n >> 64, n & _LOW) for n in numbers]))


def string_vector(builder: Any, strings: Sequence[str]) -> int:
    offsets = [builder.CreateString(string) for string in strings]
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def finish_envelope(builder: Any, body_type: int, body: int, request: int = 0) -> bytes:
    envelope_schema.EnvelopeStart(builder)
    envelope_schema.EnvelopeAddProtocolVersion(builder, PROTOCOL_VERSION)
    envelope_schema.EnvelopeAddRequest(builder, request)
    envelope_schema.EnvelopeAddBodyType(builder, body_type)
    envelope_schema.EnvelopeAddBody(builder, body)
    builder.Finish(envelope_schema.EnvelopeEnd(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def new_builder(bytes_expected: int = 256) -> Any:
    return flatbuffers.Builder(bytes_expected)


# ---- reading -------------------------------------------------------------------------------------


def open_envelope(frame: bytes) -> Any:
    """Raises BrokenMessage when this is no message of a version that is spoken here."""
    if frame[4:8] != _IDENTIFIER:
        raise BrokenMessage("not a control frame")
    envelope = Envelope.GetRootAs(frame, 0)
    if envelope.ProtocolVersion() != PROTOCOL_VERSION:
        raise BrokenMessage(f"protocol version {envelope.ProtocolVersion()}")
    if envelope.Body() is None:
        raise BrokenMessage("a control frame without a body")
    return envelope


def read_message(frames: Sequence[bytes], readers: Mapping[int, Callable[[Any, bytes], Message]],
                 unknown: Callable[[int], Message]) -> Message:
    """What the reader of its kind makes of a message; without a reader it is of a later version.

    Raises BrokenMessage when the frames do not keep the protocol, whatever they hold.
    """
    if not 1 <= len(frames) <= 2:
        raise BrokenMessage(f"{len(frames)} frames")
    payload = frames[1] if len(frames) == 2 else b""
    try:
        envelope = open_envelope(frames[0])
        kind = envelope.BodyType()
        if kind not in readers:
            return unknown(kind)
        if payload and kind not in _BUNDLED:
            raise BrokenMessage("a bundle with a message that has none")
        return readers[kind](envelope, payload)
    except BrokenMessage:
        raise
    except Exception as error:  # the library has no verifier: bytes that lie show up as any error
        raise BrokenMessage(f"cannot be read: {error}") from error


def body_as(envelope: Any, kind: Any) -> Any:
    table = envelope.Body()
    body = kind()
    body.Init(table.Bytes, table.Pos)
    return body


def _vector_bytes(table: Any, field: int, size: int) -> memoryview:
    """The bytes of a vector of elements of `size`, without a copy. `field` is its id."""
    offset = table.Offset(4 + 2 * field)
    if offset == 0:
        return memoryview(b"")
    start = table.Vector(offset)
    end = start + table.VectorLen(offset) * size
    if end > len(table.Bytes):
        raise BrokenMessage("a vector beyond the end of its frame")
    return memoryview(table.Bytes)[start:end]


def struct_vector(body: Any, field: int, layout: struct.Struct) -> Iterator[Any]:
    """The elements of a vector of structs, each a tuple. `field` is the id in the schema."""
    return layout.iter_unpack(_vector_bytes(body._tab, field, layout.size))


def byte_vector(body: Any, field: int) -> bytes:
    return bytes(_vector_bytes(body._tab, field, 1))


def number_vector(body: Any, field: int, layout: struct.Struct) -> List[int]:
    return [number for number, in struct_vector(body, field, layout)]


def uuid_list(body: Any, field: int) -> List[int]:
    return [high << 64 | low for high, low in struct_vector(body, field, UUID)]


def text(value: Any) -> str:
    """Of a string field: bytes, or None where it is left out."""
    return bytes(value).decode("utf-8", "replace") if value else ""

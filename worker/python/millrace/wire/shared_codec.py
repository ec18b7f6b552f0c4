"""Parts that the messages of both ports share, and the heartbeats."""

from __future__ import annotations

from typing import Any

from millrace.limits import PROTOCOL_VERSION, PeerLimits
from millrace.wire import flat
from millrace.wire.bundle import BrokenMessage
from millrace.wire.messages import Beat, BrokerGoodbye, Endpoints, Pulse, Refused
from millrace.wire.schema import Beat as beat_schema
from millrace.wire.schema.BrokerGoodbye import BrokerGoodbye as GoodbyeTable
from millrace.wire.schema.Pulse import Pulse as PulseTable
from millrace.wire.schema.Refused import Refused as RefusedTable
from millrace.wire.schema.Uuid import CreateUuid
from millrace.words import ErrorCode

_HEARTBEAT_BYTES_MAX = 256


def read_endpoints(table: Any) -> Endpoints:
    if table is None:
        return Endpoints()
    return Endpoints(table.ClientPort(), table.WorkerPort(), table.BeatPort(), table.PulsePort(),
                     table.HttpPort())


def read_limits(table: Any) -> PeerLimits:
    """What is 0 or left out has its default."""
    if table is None:
        return PeerLimits()
    told = (table.FrameBytesMax(), table.PayloadBytesMax(), table.ResultBytesMax(),
            table.ErrorBytesMax(), table.HeadersBytesMax(), table.QueueNameBytesMax(),
            table.BatchItemsMax(), table.WorkerQueuesMax(), table.CreditMax())
    return PeerLimits(*(value or default for value, default in zip(told, PeerLimits())))


def read_refused(envelope: Any, _: bytes) -> Refused:
    body = flat.body_as(envelope, RefusedTable)
    return Refused(envelope.Request(), ErrorCode(body.Code()), flat.text(body.Message()),
                   body.RetryAfterNs())


def read_broker_goodbye(envelope: Any, _: bytes) -> BrokerGoodbye:
    return BrokerGoodbye(flat.text(flat.body_as(envelope, GoodbyeTable).Message()))


def encode_beat(beat: Beat) -> bytes:
    builder = flat.new_builder(128)
    beat_schema.BeatStart(builder)
    beat_schema.BeatAddProtocolVersion(builder, PROTOCOL_VERSION)
    beat_schema.BeatAddWorker(
        builder, CreateUuid(builder, flat.high_of(beat.worker), flat.low_of(beat.worker)))
    beat_schema.BeatAddSession(builder, beat.session)
    beat_schema.BeatAddNumber(builder, beat.number)
    beat_schema.BeatAddRunning(builder, beat.running)
    beat_schema.BeatAddQueued(builder, beat.queued)
    builder.Finish(beat_schema.BeatEnd(builder), file_identifier=b"MRB1")
    return bytes(builder.Output())


def decode_pulse(frame: bytes) -> Pulse:
    """Raises BrokenMessage when it is none."""
    try:
        if frame[4:8] != b"MRP1" or len(frame) > _HEARTBEAT_BYTES_MAX:
            raise BrokenMessage("not a pulse")
        pulse = PulseTable.GetRootAs(frame, 0)
        if pulse.ProtocolVersion() != PROTOCOL_VERSION:
            raise BrokenMessage(f"protocol version {pulse.ProtocolVersion()}")
        if pulse.Epoch() == 0:
            raise BrokenMessage("a pulse without an epoch")
        return Pulse(pulse.Epoch(), pulse.Number(), pulse.TimeNs(), bool(pulse.Stopping()))
    except BrokenMessage:
        raise
    except Exception as error:  # as in worker_codec.decode
        raise BrokenMessage(f"not a pulse: {error}") from error

"""Messages that every reader must refuse, each with the rule that it breaks.

`broken.py --rewrite` writes the folder `broken` anew: NAME.json (about, reader, code), and the
frames as NAME.bin and NAME.bundle.bin.
"""

import json
import os
import struct
import sys

import golden_test
from golden_test import flatbuffer, wire

FOLDER = os.path.join(golden_test.HERE, "broken")
TASK = "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f"
NIL = "00000000-0000-0000-0000-000000000000"
LEASE = {"task": TASK, "fence": 1}
SPEC = wire.write_spec(TASK, "q", b"payload")


def dispatch(**task):
    fields = {**LEASE, "spec_bytes": len(SPEC), "attempt": 1, "max_attempts": 3, **task}
    return wire.write("Dispatch", {"tasks": [fields], "queues": ["q"]}, [SPEC])


def complete(parts=(), errors=b"", **item):
    fields = {**LEASE, "outcome": "failed", **item}
    return wire.write("Complete", {"items": [fields], "errors": errors, "credit": 1}, parts)


def hello(**changes):
    return wire.write("WorkerHello",
                      {"hello_number": 1, "worker": TASK, "name": "w", "queues": ["q"],
                                      "slots": 1, "credit": 1, "protocol_version": 1, **changes})


def spec(**fields):
    return [flatbuffer.write(wire.WIRE, "TaskSpec", {"id": TASK, "queue": "q", **fields}, "MRT1")]


def off_alignment(frames):
    """The frame with its vector of one lease moved to its end, the struct on 4 modulo 8."""
    frame = frames[0]
    at = frame.index(struct.pack("<IQ", 1, int(TASK.replace("-", "")[:16], 16)))
    vector = frame[at:at + 4 + wire.WIRE.layout("HeldLease")[0]]
    end = len(frame) + -len(frame) % 8
    moved = bytearray(frame + bytes(end - len(frame)) + vector)
    for place in range(0, len(frame) - 3, 4):
        if place + struct.unpack_from("<I", frame, place)[0] == at:
            struct.pack_into("<I", moved, place, end - place)
    return [bytes(moved), *frames[1:]]


def frame_faults():
    good = dispatch()
    control, bundle = good
    yield "empty_frame", "worker_reply", "invalid", "a frame of no bytes", [b""]
    yield "three_bytes", "worker_reply", "invalid", "too short for a FlatBuffer", [b"MRC"]
    yield ("other_identifier", "worker_reply", "invalid", "the identifier MRC2",
           [control[:4] + b"MRC2" + control[8:], bundle])
    yield ("size_prefix", "worker_reply", "invalid", "a buffer with its size before it",
           [struct.pack("<I", len(control)) + control, bundle])
    yield ("cut", "worker_reply", "invalid", "the second half is missing",
           [control[:len(control) // 2], bundle])
    yield "three_frames", "worker_reply", "invalid", "a frame too many", [control, bundle, b""]
    yield ("other_version", "worker_reply", "unsupported", "protocol version 2",
           wire.write("Drain", version=2))
    yield ("no_body", "worker_reply", "invalid", "an Envelope of nothing",
           [flatbuffer.write(wire.WIRE, "Envelope", {"protocol_version": 1}, "MRC1")])
    yield "other_side", "worker_reply", "unsupported", "a message that workers send", hello()


def bundle_faults():
    control, bundle = dispatch()
    yield "bundle_missing", "worker_reply", "invalid", "a length is set, no bundle", [control]
    yield ("bundle_short", "worker_reply", "invalid", "the bundle ends before its lengths do",
           [control, bundle[:-1]])
    yield ("bundle_long", "worker_reply", "invalid", "the bundle goes on after its lengths end",
           [control, bundle + b"\0"])
    yield ("bundle_unasked", "worker_reply", "invalid", "a bundle, though nothing has a length",
           [*wire.write("Drain"), b"12345678"])
    yield ("length_of_4_gib", "worker_reply", "invalid", "spec_bytes is 2^32 - 1",
           dispatch(spec_bytes=2 ** 32 - 1))
    yield ("errors_short", "worker_message", "invalid", "errors has less than the items say",
           complete(errors=b"abc", error_bytes=4))
    yield ("errors_long", "worker_message", "invalid", "errors has more than the items say",
           complete(errors=b"abc", error_bytes=2))


def value_faults():
    yield "nil_worker", "worker_message", "invalid", "the worker's id is nil", hello(worker=NIL)
    yield "no_queues", "worker_message", "invalid", "a worker of no queue", hello(queues=[])
    yield ("queue_name", "worker_message", "invalid", "a queue's name has a blank",
           hello(queues=["two words"]))
    yield ("name_control", "worker_message", "invalid", "a name has a control character",
           hello(name="a\nb"))
    yield "name_long", "worker_message", "invalid", "a name of 129 bytes", hello(name="n" * 129)
    yield "outcome_unset", "worker_message", "invalid", "outcome is 0", complete(outcome=0)
    yield "outcome_unknown", "worker_message", "invalid", "outcome is 200", complete(outcome=200)
    yield ("queue_index", "worker_reply", "invalid", "queue_index leads beyond queues",
           dispatch(queue_index=1))
    yield ("stale_beyond", "worker_reply", "invalid", "stale leads beyond items",
           wire.write("Completed", {"items": [LEASE], "stale": [1]}))
    yield ("off_alignment", "worker_reply", "invalid", "a vector of structs off its alignment",
           off_alignment(wire.write("Recall", {"recall_number": 1, "tasks": [LEASE]})))


def other_faults():
    yield "spec_nil", "task", "invalid", "the task's id is nil", spec(id=NIL)
    yield "spec_without_queue", "task", "invalid", "no queue", spec(queue="")
    yield "spec_priority", "task", "invalid", "priority 10", spec(priority=10)
    yield "spec_attempts", "task", "invalid", "no attempts", spec(max_attempts=0)
    yield "spec_timeout", "task", "invalid", "a timeout of 1 ns", spec(timeout_ns=1)
    yield "spec_delay", "task", "invalid", "a negative delay", spec(delay_ns=-1)
    yield ("spec_header", "task", "invalid", "a header without a key",
           spec(headers=[{"key": "", "value": "v"}]))
    yield ("beat_long", "beat", "too_large", "a beat of more than 256 bytes",
           [flatbuffer.write(wire.WIRE, "Beat", {"protocol_version": 1, "worker": TASK}, "MRB1")
            + bytes(256)])
    yield "pulse_without_epoch", "pulse", "invalid", "no epoch", [wire.write_pulse(0, 1, 1)]
    yield ("pulse_for_beat", "beat", "invalid", "a pulse where a beat should be",
           [wire.write_pulse(1, 1, 1)])


def files():
    """{file name: bytes} of all."""
    written = {}
    for faults in (frame_faults, bundle_faults, value_faults, other_faults):
        for name, reader, code, about, frames in faults():
            told = {"about": about, "reader": reader, "code": code}
            written[f"{name}.json"] = (json.dumps(told, indent=2) + "\n").encode()
            for suffix, frame in zip((".bin", ".bundle.bin", ".third.bin"), frames):
                written[name + suffix] = frame
    return written


def rewrite():
    os.makedirs(FOLDER, exist_ok=True)
    for name in os.listdir(FOLDER):
        os.remove(os.path.join(FOLDER, name))
    for name, data in files().items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    if sys.argv[1:] != ["--rewrite"]:
        sys.exit("usage: broken.py --rewrite")
    rewrite()

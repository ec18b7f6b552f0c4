"""Messages from and to frames: docs/protocol.md §2, in the kit's own code."""

import dataclasses

from . import flatbuffer, schema

PROTOCOL_VERSION = 1
SHOWN_LENGTH = 90
WIRE = schema.load()


@dataclasses.dataclass
class Message:
    """A message that was read; `parts` are those of its bundle, `errors` the texts of its items."""
    name: str
    fields: dict
    request: int = 0
    version: int = PROTOCOL_VERSION
    frames: int = 1
    parts: list = dataclasses.field(default_factory=list)
    errors: list = dataclasses.field(default_factory=list)

    def __getitem__(self, field):
        return self.fields[field]

    def items(self, field="items"):
        """The entries of a vector, each with its part of the bundle as "part" and its "error"."""
        entries = [dict(entry) for entry in self.fields[field]]
        for name, texts in (("part", self.parts), ("error", self.errors)):
            for entry, text in zip(entries, texts):
                entry[name] = text
        return entries

    def __str__(self):
        shown = ", ".join(f"{name}={value!r}" for name, value in self.fields.items()
                          if value not in (None, "", [], b"", 0))
        return f"{self.name}({shown[:SHOWN_LENGTH]})"


def lengths(name, fields):
    """The lengths of a message's bundle, in order (§2, the bundle)."""
    if name == "Submit":
        return list(fields["spec_bytes"])
    if name == "TaskList":
        return [task[length] for task in fields["tasks"]
                for length in ("spec_in_bundle_bytes", "result_in_bundle_bytes")]
    vector, length = {"Dispatch": ("tasks", "spec_bytes"), "Complete": ("items", "result_bytes"),
                      "Finished": ("tasks", "result_bytes")}.get(name, ("", ""))
    return [entry[length] for entry in fields.get(vector, [])]


def split_bundle(bundle, sizes):
    """The strings of a bundle. Raises Unreadable when they are not exactly what it holds."""
    parts, position = [], 0
    for size in sizes:
        if size == 0:
            parts.append(b"")
            continue
        gap = -position % 8
        if bundle[position:position + gap].strip(b"\0"):
            raise flatbuffer.Unreadable("bytes that are skipped in a bundle are not 0")
        position += gap
        parts.append(bundle[position:position + size])
        position += size
    if position != len(bundle):
        raise flatbuffer.Unreadable(
            f"the bundle has {len(bundle)} bytes, its lengths say {position}")
    return parts


def join_bundle(parts):
    bundle = bytearray()
    for part in parts:
        if part:
            bundle += bytes(-len(bundle) % 8) + part
    return bytes(bundle)


def split_errors(fields):
    """The error texts of a message's items (§2, error texts)."""
    if "errors" not in fields:
        return []
    sizes = [item["error_bytes"] for item in fields.get("items", fields.get("tasks", []))]
    if sum(sizes) != len(fields["errors"]):
        raise flatbuffer.Unreadable(
            f"errors has {len(fields['errors'])} bytes, the items say {sum(sizes)}")
    texts, position = [], 0
    for size in sizes:
        texts.append(fields["errors"][position:position + size])
        position += size
    return texts


def read(frames, wire=WIRE):
    """A message from its frames. Raises Unreadable."""
    if not 1 <= len(frames) <= 2:
        raise flatbuffer.Unreadable(f"{len(frames)} frames, expected 1 or 2")
    envelope = flatbuffer.read(wire, "Envelope", frames[0], "MRC1")
    if envelope["body"] is None or envelope["body"][1] is None:
        raise flatbuffer.Unreadable(f"no body that is known: type {envelope['body_type']}")
    name, fields = envelope["body"]
    parts = split_bundle(frames[1] if len(frames) > 1 else b"", lengths(name, fields))
    return Message(name, fields, envelope["request"], envelope["protocol_version"], len(frames),
                   parts,
                   split_errors(fields))


def write(name, fields=None, parts=(), request=0, version=PROTOCOL_VERSION, wire=WIRE):
    """The frames of a message; the lengths must stand in the fields already."""
    envelope = {"protocol_version": version, "body": (name, fields or {})}
    if request:
        envelope["request"] = request
    frames = [flatbuffer.write(wire, "Envelope", envelope, "MRC1")]
    bundle = join_bundle(parts)
    return frames + [bundle] if bundle else frames


def read_beat(frame):
    return flatbuffer.read(WIRE, "Beat", frame, "MRB1")


def write_pulse(epoch, number, time_ns, stopping=False):
    return flatbuffer.write(WIRE, "Pulse", {
        "protocol_version": PROTOCOL_VERSION, "epoch": epoch, "number": number, "time_ns": time_ns,
        "stopping": stopping}, "MRP1")


def read_spec(data):
    return flatbuffer.read(WIRE, "TaskSpec", data, "MRT1")


def write_spec(task, queue, payload, wire=WIRE, **fields):
    return flatbuffer.write(wire, "TaskSpec",
                            {"id": task, "queue": queue, "payload": payload, **fields}, "MRT1")

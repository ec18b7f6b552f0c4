"""The fixtures against a second reader and writer, which knows nothing of the C++ codecs.

Reading the bytes must give the JSON, and writing the JSON must give bytes that read as the same.
"""

import base64
import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "fixtures")
sys.path.insert(0, os.path.join(HERE, "..", "conform"))

from millrace_conform import flatbuffer, wire  # noqa: E402: the path comes first
from millrace_conform.schema import Enum, Struct, Table, Type, Union  # noqa: E402

WIDE = ("long", "ulong")


def to_json(type_, value):
    """A value that was read, in the form of the fixtures."""
    if type_.vector and type_.name != "ubyte":
        return [to_json(Type(type_.name), item) for item in value]
    declared = wire.WIRE.get(type_.name)
    if type_.name == "Uuid" or value is None:
        return value
    if isinstance(declared, (Struct, Table)):
        return fields_to_json(declared, value)
    if type_.vector:
        return base64.b64encode(value).decode()
    return str(value) if type_.name in WIDE else value


def fields_to_json(declared, values):
    shown = {}
    for field in declared.fields:
        if isinstance(wire.WIRE.get(field.type.name), Union):
            member, body = values[field.name]
            shown[field.name + "_type"] = member
            shown[field.name] = fields_to_json(wire.WIRE[member], body)
        else:
            shown[field.name] = to_json(field.type, values[field.name])
    return shown


def from_json(type_, value):
    """The other way round, as flatbuffer.write takes it."""
    if type_.vector and type_.name != "ubyte":
        return [from_json(Type(type_.name), item) for item in value]
    declared = wire.WIRE.get(type_.name)
    if type_.name == "Uuid" or isinstance(declared, Enum):
        return value
    if isinstance(declared, (Struct, Table)):
        return fields_from_json(declared, value)
    if type_.vector:
        return base64.b64decode(value)
    return int(value) if type_.name in WIDE else value


def fields_from_json(declared, shown):
    values = {}
    for field in declared.fields:
        if isinstance(wire.WIRE.get(field.type.name), Union):
            member = shown[field.name + "_type"]
            values[field.name] = (member, fields_from_json(wire.WIRE[member], shown[field.name]))
        else:
            values[field.name] = from_json(field.type, shown[field.name])
    return values


def read_frames(fixture, frames):
    """{fields, bundle} of a fixture's frames."""
    root = wire.WIRE[fixture["root"]]
    values = flatbuffer.read(wire.WIRE, root.name, frames[0], fixture["identifier"])
    found = {"fields": fields_to_json(root, values)}
    if "bundle" in fixture:
        message = wire.read(frames)
        found["bundle"] = [base64.b64encode(part).decode() for part in message.parts]
    return found


def write_frames(fixture):
    root = wire.WIRE[fixture["root"]]
    frames = [flatbuffer.write(wire.WIRE, root.name, fields_from_json(root, fixture["fields"]),
                               fixture["identifier"])]
    bundle = wire.join_bundle([base64.b64decode(part) for part in fixture.get("bundle", [])])
    return frames + [bundle] if bundle else frames


def load():
    """(name, JSON, frames) of every fixture."""
    for file_name in sorted(os.listdir(FIXTURES)):
        name, extension = os.path.splitext(file_name)
        if extension != ".json":
            continue
        with open(os.path.join(FIXTURES, file_name), encoding="utf-8") as file:
            fixture = json.load(file)
        frames = []
        for part in (f"{name}.bin", f"{name}.bundle.bin"):
            path = os.path.join(FIXTURES, part)
            if os.path.exists(path):
                with open(path, "rb") as file:
                    frames.append(file.read())
        yield name, fixture, frames


class Golden(unittest.TestCase):
    maxDiff = None

    def test_there_are_fixtures_of_every_message(self):
        messages = {fixture["fields"].get("body_type", fixture["root"]) for _, fixture, _ in load()}
        self.assertEqual(messages, set(wire.WIRE["Body"].members) | {"TaskSpec", "Beat", "Pulse"})

    def test_reading_gives_the_json(self):
        for name, fixture, frames in load():
            with self.subTest(name):
                expected = {key: fixture[key] for key in ("fields", "bundle") if key in fixture}
                self.assertEqual(read_frames(fixture, frames), expected)

    def test_writing_gives_what_reads_the_same(self):
        for name, fixture, frames in load():
            with self.subTest(name):
                written = write_frames(fixture)
                self.assertEqual(read_frames(fixture, written), read_frames(fixture, frames))
                self.assertEqual(written[1:], frames[1:], "the bundle, byte for byte")

    def test_a_changed_byte_is_seen(self):
        """Of the fixtures' fields: a byte that counts cannot change unnoticed."""
        for name, fixture, frames in load():
            with self.subTest(name):
                read = read_frames(fixture, frames)
                changed = 0
                for position in range(len(frames[0])):
                    broken = bytearray(frames[0])
                    broken[position] ^= 0x55
                    try:
                        changed += read_frames(fixture, [bytes(broken), *frames[1:]]) != read
                    except Exception:  # noqa: BLE001: any refusal is one
                        changed += 1
                self.assertGreater(changed, len(frames[0]) // 3)


if __name__ == "__main__":
    unittest.main()

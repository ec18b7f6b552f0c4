"""Old and new peers understand each other: no schema breaks a released one, and no released fixture
changes.

The gate is `flatc --conform` and a stricter reading of schemas/README.md; together they are shown
to catch what they are there for.
"""

import hashlib
import os
import re
import subprocess
import tempfile
import unittest

import broken
import golden_test
import later
from golden_test import flatbuffer, wire
from millrace_conform import schema
from millrace_conform.schema import Enum, Struct, Table, Union

SCHEMAS = os.path.join(golden_test.HERE, "..", "..", "schemas")
RELEASED = os.path.join(SCHEMAS, "released")
FILES = schema.WIRE_FILES + ("record.fbs",)


def flatc_objections(old_folder, new_folder):
    """What flatc says of each file that does not conform."""
    objections = []
    for name in FILES:
        done = subprocess.run(
            ["flatc", "-I", new_folder, "--conform-includes", old_folder,
             "--conform", os.path.join(old_folder, name), os.path.join(new_folder, name)],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            objections.append(f"{name}: {done.stdout}{done.stderr}")
    return objections


def objections(old, new):
    """The rules of schemas/README.md that `new` breaks for peers that speak `old`."""
    for name, before in old.declarations.items():
        after = new.get(name)
        if after is None or type(after) is not type(before):
            yield f"{name} is gone or of another kind"
        elif isinstance(before, Struct) and after != before:
            yield f"struct {name} has changed"
        elif isinstance(before, Enum):
            if after.base != before.base or not before.numbers.items() <= after.numbers.items():
                yield f"enum {name} has lost or renumbered a word"
        elif isinstance(before, Union) and after.members[:len(before.members)] != before.members:
            yield f"union {name} has lost or moved a member"
        elif isinstance(before, Table):
            slots = {field.slot: field for field in after.fields}
            for field in before.fields:
                if slots.get(field.slot) != field:
                    yield f"{name}.{field.name} has changed its name, type, id or default"


def agrees(old, new):
    """True when what an old reader found is what a new one found, apart from what came since."""
    if isinstance(old, dict):
        return all(agrees(value, new[name]) for name, value in old.items())
    if isinstance(old, (list, tuple)):
        # A member that the old reader does not know is a number and nothing else.
        unknown = isinstance(old, tuple) and old[1] is None
        return unknown or len(old) == len(new) and all(map(agrees, old, new))
    return old == new


def versions():
    return sorted(os.listdir(RELEASED))


class Gate(unittest.TestCase):
    def test_there_is_a_release(self):
        self.assertIn("0.1", versions())

    def test_the_schemas_conform_to_every_release(self):
        for version in versions():
            with self.subTest(version):
                old = os.path.join(RELEASED, version)
                self.assertEqual(flatc_objections(old, SCHEMAS), [])
                self.assertEqual(list(objections(schema.load(old), schema.load(SCHEMAS))), [])

    def test_the_gate_is_open_for_growth(self):
        self.assertEqual(list(objections(wire.WIRE, schema.later(wire.WIRE))), [])
        self.assertEqual(self.judge(r"(next_cursor: ulong \(id: 2\);)",
                                    r"\1 more: [uint] (id: 3);"), [])

    def test_the_gate_is_shut_for_what_breaks_old_peers(self):
        for what, pattern, replacement in (
                ("a type that changes", r"limit: uint = 100", "limit: ulong = 100"),
                ("a default that changes", r"limit: uint = 100", "limit: uint = 50"),
                ("an id that moves", r"cursor: ulong \(id: 2\);(\s+)limit: uint = 100 \(id: 3\)",
                 r"cursor: ulong (id: 3);\1limit: uint = 100 (id: 2)"),
                ("a word that is renumbered", r"duplicate = 2, conflict = 3",
                 "conflict = 2, duplicate = 3"),
                ("a word that is gone", r", stale_lease = 10", ""),
                ("a member before others", r"union Body \{", "union Body { Drain2,"),
                ("a member that is gone", r", TasksChanged\n", "\n"),
                ("a struct that grows", r"struct CancelAnswer \{",
                 "struct CancelAnswer { more: ubyte;"),
                ("a field that is gone", r"  broker_version: string \(id: 8\);\n", "")):
            with self.subTest(what):
                self.assertTrue(self.judge(pattern, replacement), f"nobody objects to {what}")

    def judge(self, pattern, replacement):
        """All objections to control.fbs as changed by a pattern."""
        with tempfile.TemporaryDirectory() as folder:
            for name in FILES:
                with open(os.path.join(SCHEMAS, name), encoding="utf-8") as file:
                    text = file.read()
                if name == "control.fbs":
                    text, changes = re.subn(pattern, replacement, text, count=1)
                    self.assertEqual(changes, 1, f"the schema has no {pattern}")
                    text += "table Drain2 {}\n"
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            return flatc_objections(SCHEMAS,
                                    folder) + list(objections(wire.WIRE, schema.load(folder)))


def lying_in(folder):
    """{name: bytes} of a folder."""
    lying = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            lying[name] = file.read()
    return lying


class Fixtures(unittest.TestCase):
    def test_released_fixtures_are_as_they_were(self):
        for version in versions():
            with open(os.path.join(golden_test.HERE, f"released-{version}.sha256"),
                      encoding="ascii") as file:
                lines = [line.split() for line in file]
            self.assertGreater(len(lines), 100)
            for digest, name in lines:
                with self.subTest(name), open(os.path.join(golden_test.FIXTURES, name),
                                              "rb") as fixture:
                    self.assertEqual(hashlib.sha256(fixture.read()).hexdigest(), digest,
                                     "a released fixture has changed; make a new one beside it")

    def test_a_release_reads_what_is_written_now(self):
        for version in versions():
            old = schema.load(os.path.join(RELEASED, version))
            for name, fixture, frames in golden_test.load():
                with self.subTest(f"{version} {name}"):
                    read = flatbuffer.read(old, fixture["root"], frames[0], fixture["identifier"])
                    now = flatbuffer.read(wire.WIRE, fixture["root"], frames[0],
                                          fixture["identifier"])
                    self.assertTrue(agrees(read, now), f"{read}\n{now}")

    def test_what_is_made_is_what_lies_there(self):
        self.assertEqual(lying_in(later.FOLDER), later.files())
        self.assertEqual(lying_in(broken.FOLDER), broken.files())

    def test_what_comes_later_reads_as_the_fixture(self):
        files = later.files()
        for name, fixture, frames in golden_test.load():
            with self.subTest(name):
                grown = files[f"{name}.bin"]
                self.assertIn(b"later", grown)
                self.assertEqual(golden_test.read_frames(fixture, [grown, *frames[1:]]),
                                 golden_test.read_frames(fixture, frames))


if __name__ == "__main__":
    unittest.main()

"""The fixtures as a later version would write them: two more fields in every table.

`later.py --rewrite` writes the folder anew. Readers of today must find in each what the fixture of
the same name says; later/unknown_message.bin is a message that they cannot know.
"""

import os
import sys

import golden_test
from golden_test import flatbuffer, wire
from millrace_conform.schema import LATER_MESSAGE, LATER_NUMBER, LATER_TEXT, Table, Union, later

FOLDER = os.path.join(golden_test.HERE, "later")
LATER = later(wire.WIRE)
MORE = {LATER_TEXT: "later", LATER_NUMBER: 2 ** 64 - 1}
UNKNOWN = "unknown_message.bin"


def grow(declared, values):
    """The values with those of the fields that came later, in this table and those below."""
    grown = dict(values)
    for field in declared.fields:
        value, below = grown.get(field.name), wire.WIRE.get(field.type.name)
        if isinstance(below, Union):
            member, body = value
            grown[field.name] = (member, grow(wire.WIRE[member], body))
        elif isinstance(below, Table) and value:
            grown[field.name] = ([grow(below, item) for item in value] if field.type.vector
                                 else grow(below, value))
    if isinstance(declared, Table):
        grown.update(MORE)
    return grown


def files():
    """{name: bytes}: the first frames; the bundles are those of the fixtures."""
    written = {}
    for name, fixture, _ in golden_test.load():
        root = wire.WIRE[fixture["root"]]
        values = grow(root, golden_test.fields_from_json(root, fixture["fields"]))
        written[f"{name}.bin"] = flatbuffer.write(LATER, root.name, values, fixture["identifier"])
    envelope = {"protocol_version": 1, "request": 9, "body": (LATER_MESSAGE, {"share": 3})}
    written[UNKNOWN] = flatbuffer.write(LATER, "Envelope", envelope, "MRC1")
    return written


def rewrite():
    for name in os.listdir(FOLDER):
        os.remove(os.path.join(FOLDER, name))
    for name, data in files().items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    if sys.argv[1:] != ["--rewrite"]:
        sys.exit("usage: later.py --rewrite")
    rewrite()

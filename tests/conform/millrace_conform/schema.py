"""Schemas read from the .fbs files: the wire format is the contract, and they are its text.

Understands what the Millrace schemas use: enums, structs, tables with ids, unions of tables.
"""

import dataclasses
import os
import re

SCALARS = {"bool": "?", "byte": "b", "ubyte": "B", "short": "h", "ushort": "H", "int": "i",
           "uint": "I", "long": "q", "ulong": "Q"}
SIZES = {name: 1 if code in "?bB" else 2 if code in "hH" else 4 if code in "iI" else 8
         for name, code in SCALARS.items()}

TOKEN = re.compile(r'//[^\n]*|\s+|("[^"\n]*"|[A-Za-z_][A-Za-z_0-9.]*|-?[0-9]+|[{}()\[\]:;=,])')


@dataclasses.dataclass(frozen=True)
class Type:
    """`name` of a scalar, "string", or a declaration; `vector` of it or just one."""
    name: str
    vector: bool = False


@dataclasses.dataclass(frozen=True)
class Field:
    name: str
    type: Type
    slot: int      # position in the vtable; of a union: that of its value, its type is one below
    default: int = 0


@dataclasses.dataclass(frozen=True)
class Enum:
    name: str
    base: str
    numbers: dict  # name -> number

    def name_of(self, number):
        """The word for a number; the number itself where there is none."""
        return next((name for name, value in self.numbers.items() if value == number), number)


@dataclasses.dataclass(frozen=True)
class Struct:
    name: str
    fields: tuple  # of Field


@dataclasses.dataclass(frozen=True)
class Table:
    name: str
    fields: tuple  # of Field


@dataclasses.dataclass(frozen=True)
class Union:
    name: str
    members: tuple  # of table names; the first has number 1


class Schema:
    """All declarations of a set of .fbs texts, by name."""

    def __init__(self, texts):
        self.declarations = {}
        for text in texts:
            _Parser(text, self.declarations).parse()

    def __getitem__(self, name):
        return self.declarations[name]

    def get(self, name):
        return self.declarations.get(name)

    def layout(self, name):
        """(size, alignment) of a scalar, an enum or a struct in place."""
        if name in SIZES:
            return SIZES[name], SIZES[name]
        declared = self.declarations[name]
        if isinstance(declared, Enum):
            return self.layout(declared.base)
        size, widest = 0, 1
        for _, offset, field_size, alignment in self.places(declared):
            size, widest = offset + field_size, max(widest, alignment)
        return size + -size % widest, widest

    def places(self, struct):
        """(field, offset, size, alignment) of each field of a struct."""
        offset = 0
        for field in struct.fields:
            size, alignment = self.layout(field.type.name)
            offset += -offset % alignment
            yield field, offset, size, alignment
            offset += size

    def is_inline(self, type_):
        """True for what lies in its table itself: scalars, enums and structs."""
        return not type_.vector and (type_.name in SCALARS or
                                     isinstance(self.get(type_.name), (Enum, Struct)))


class _Parser:
    def __init__(self, text, declarations):
        self.tokens = []
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise ValueError(f"not understood in a schema: {text[at:at + 30]!r}")
            if found.group(1):
                self.tokens.append(found.group(1))
            at = found.end()
        self.tokens.reverse()
        self.declarations = declarations

    def parse(self):
        while self.tokens:
            word = self.take()
            if word in ("namespace", "include", "root_type", "file_identifier", "attribute"):
                self.take()
                self.take(";")
            elif word in ("enum", "struct", "table", "union"):
                declared = getattr(self, word)(self.take())
                self.declarations[declared.name] = declared
            else:
                raise ValueError(f"not understood in a schema: {word!r}")

    def take(self, expected=None):
        token = self.tokens.pop()
        if expected is not None and token != expected:
            raise ValueError(f"a schema has {token!r} where {expected!r} should be")
        return token

    def skip(self, token):
        """Takes the token if it is the next."""
        if self.tokens and self.tokens[-1] == token:
            self.tokens.pop()
            return True
        return False

    def enum(self, name):
        self.take(":")
        base = self.take()
        numbers, number = {}, 0
        self.take("{")
        while not self.skip("}"):
            word = self.take()
            if self.skip("="):
                number = int(self.take())
            numbers[word] = number
            number += 1
            self.skip(",")
        return Enum(name, base, numbers)

    def union(self, name):
        members = []
        self.take("{")
        while not self.skip("}"):
            members.append(self.take())
            self.skip(",")
        return Union(name, tuple(members))

    def struct(self, name):
        return Struct(name, tuple(self.fields()))

    def table(self, name):
        return Table(name, tuple(sorted(self.fields(), key=lambda field: field.slot)))

    def fields(self):
        self.take("{")
        position = 0
        while not self.skip("}"):
            name = self.take()
            self.take(":")
            vector = self.skip("[")
            type_ = Type(self.take(), vector)
            if vector:
                self.take("]")
            default = self.take() if self.skip("=") else 0
            slot = position
            if self.skip("("):
                while not self.skip(")"):
                    if self.take() == "id":
                        self.take(":")
                        slot = int(self.take())
                    self.skip(",")
            self.take(";")
            position += 1
            yield Field(name, type_, slot, self.number(type_, default))

    def number(self, type_, text):
        enum = self.declarations.get(type_.name)
        if isinstance(enum, Enum) and text in enum.numbers:
            return enum.numbers[text]
        return int({"true": 1, "false": 0}.get(text, text))


def folder():
    """Where the schemas lie: in the source tree, or where the kit was installed."""
    here = os.path.dirname(os.path.abspath(__file__))
    for place in (os.path.join(here, "..", "..", "..", "schemas"),
                  os.path.join(here, "..", "schemas")):
        if os.path.exists(os.path.join(place, "control.fbs")):
            return os.path.normpath(place)
    raise SystemExit("millrace-conform: the schemas are missing; install the kit again")


WIRE_FILES = ("uuid.fbs", "task.fbs", "control.fbs", "heartbeat.fbs")


def texts_of(place=None):
    """The texts of the wire schemas in a folder, each after those that it includes."""
    place = place or folder()
    texts = []
    for name in WIRE_FILES:
        with open(os.path.join(place, name), encoding="utf-8") as file:
            texts.append(file.read())
    return texts


def load(place=None):
    return Schema(texts_of(place))


# What `later` adds to every table, and the message that it adds.
LATER_TEXT, LATER_NUMBER, LATER_MESSAGE = "later_text", "later_number", "LaterMessage"


def later(schema):
    """A later version of a schema: two more fields in every table, and one more message."""
    grown = Schema([])
    for name, declared in schema.declarations.items():
        if isinstance(declared, Table):
            slot = 1 + max((field.slot for field in declared.fields), default=-1)
            declared = Table(name, declared.fields + (Field(LATER_TEXT, Type("string"), slot),
                                                      Field(LATER_NUMBER, Type("ulong"), slot + 1)))
        elif isinstance(declared, Union):
            declared = Union(name, declared.members + (LATER_MESSAGE,))
        grown.declarations[name] = declared
    grown.declarations[LATER_MESSAGE] = Table(LATER_MESSAGE, (Field("share", Type("uint"), 0),))
    return grown

"""FlatBuffers from and to plain values, by a schema.

A table or struct is a dict of all its fields; a field that is left out has its default: a number,
"" for a string, [] or b"" for a vector, None for a struct or table. Enums are their words (a number
where there is none), [ubyte] is bytes, a Uuid its text. A union field holds (member, value), or
None; beside it stands its number as FIELD_type.

Reading checks everything as a verifier does: bounds, alignment, vtables, zero terminators, depth.
"""

import struct
import uuid

import flatbuffers

from .schema import SCALARS, Enum, Struct, Type, Union

DEPTH_MAX = 8
FLOOR = 2 ** 31


class Unreadable(Exception):
    """The bytes are not what the schema says; the text names the rule."""


# ---- reading ------------------------------------------------------------------------------------

def read(schema, root, data, identifier):
    """The root table of a finished buffer. Raises Unreadable."""
    return _Reader(schema, bytes(data)).root(root, identifier.encode())


class _Reader:
    def __init__(self, schema, data):
        self.schema = schema
        self.data = data

    def root(self, name, identifier):
        if len(self.data) < 8 or len(self.data) >= FLOOR:
            raise Unreadable(f"{len(self.data)} bytes are no FlatBuffer")
        if self.data[4:8] != identifier:
            raise Unreadable(f"identifier {self.data[4:8]!r}, expected {identifier!r}")
        return self.table(self.schema[name], self.follow(0), 0)

    def scalar(self, code, at):
        size = struct.calcsize("<" + code)
        if at % size:
            raise Unreadable(f"a number of {size} bytes is not aligned")
        self.need(at, size)
        return struct.unpack_from("<" + code, self.data, at)[0]

    def need(self, at, size):
        if at < 0 or at + size > len(self.data):
            raise Unreadable("the buffer ends before what it announces")

    def follow(self, at):
        """The place that an offset points to."""
        offset = self.scalar("I", at)
        if offset == 0 or offset >= FLOOR:
            raise Unreadable("an offset leads nowhere")
        return at + offset

    def table(self, table, at, depth):
        if depth > DEPTH_MAX:
            raise Unreadable("tables nest too deep")
        vtable = at - self.scalar("i", at)
        if vtable < 0:
            raise Unreadable("a vtable lies before the buffer")
        vtable_size, table_size = self.scalar("H", vtable), self.scalar("H", vtable + 2)
        if vtable_size % 2 or vtable_size < 4:
            raise Unreadable("a vtable has an impossible size")
        self.need(vtable, vtable_size)
        self.need(at, table_size)

        def place(slot):
            entry = 4 + 2 * slot
            offset = self.scalar("H", vtable + entry) if entry < vtable_size else 0
            if offset >= max(table_size, 1):
                raise Unreadable("a field lies outside of its table")
            return at + offset if offset else None

        return self.fields(table, place, depth)

    def fields(self, table, place, depth):
        values = {}
        for field in table.fields:
            declared = self.schema.get(field.type.name)
            if isinstance(declared, Union):
                kind = place(field.slot - 1)
                number = self.scalar("B", kind) if kind is not None else 0
                values[field.name + "_type"] = number
                values[field.name] = self.union(declared, number, place(field.slot), depth)
                continue
            at = place(field.slot)
            values[field.name] = (self.absent(field, declared) if at is None
                                  else self.value(field.type, declared, at, depth))
        return values

    def union(self, declared, number, at, depth):
        if at is None or number == 0:
            return None
        if number > len(declared.members):
            return (number, None)
        member = declared.members[number - 1]
        return (member, self.table(self.schema[member], self.follow(at), depth + 1))

    @staticmethod
    def absent(field, declared):
        if field.type.vector:
            return b"" if field.type.name == "ubyte" else []
        if isinstance(declared, Enum):
            return declared.name_of(field.default)
        if field.type.name == "bool":
            return bool(field.default)
        return "" if field.type.name == "string" else None if declared else field.default

    def value(self, type_, declared, at, depth):
        if type_.vector:
            return self.vector(type_.name, declared, self.follow(at), depth)
        return self.single(type_.name, declared, at, depth)

    def single(self, name, declared, at, depth):
        if name in SCALARS:
            return self.scalar(SCALARS[name], at)
        if name == "string":
            return self.string(self.follow(at))
        if isinstance(declared, Enum):
            return declared.name_of(self.scalar(SCALARS[declared.base], at))
        if isinstance(declared, Struct):
            return self.struct(declared, at)
        return self.table(declared, self.follow(at), depth + 1)

    def vector(self, name, declared, at, depth):
        count = self.scalar("I", at)
        inline = name in SCALARS or isinstance(declared, (Enum, Struct))
        size = self.schema.layout(name)[0] if inline else 4
        self.need(at + 4, count * size)
        if name == "ubyte":
            return self.data[at + 4:at + 4 + count]
        return [self.single(name, declared, at + 4 + i * size, depth) for i in range(count)]

    def string(self, at):
        size = self.scalar("I", at)
        self.need(at + 4, size + 1)
        if self.data[at + 4 + size] != 0:
            raise Unreadable("a string has no zero at its end")
        return self.data[at + 4:at + 4 + size].decode("utf-8", "surrogateescape")

    def struct(self, declared, at):
        values = {field.name: self.single(field.type.name, self.schema.get(field.type.name),
                                          at + offset, 0)
                  for field, offset, _, _ in self.schema.places(declared)}
        if declared.name != "Uuid":
            return values
        return str(uuid.UUID(int=values["high"] << 64 | values["low"]))


# ---- writing ------------------------------------------------------------------------------------

def write(schema, root, values, identifier):
    """The finished buffer of a table; fields that are left out are not on the wire."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(_Writer(schema, builder).table(schema[root], values), identifier.encode())
    return bytes(builder.Output())


class _Writer:
    def __init__(self, schema, builder):
        self.schema = schema
        self.builder = builder

    def table(self, table, values):
        names = {field.name for field in table.fields}
        unknown = set(values) - names - {name + "_type" for name in names}
        if unknown:
            raise ValueError(f"{table.name} has no {', '.join(sorted(unknown))}")
        slots = []  # (slot, how to put it there)
        for field in table.fields:
            value = values.get(field.name)
            if value is None:
                continue
            slots += self.slots(field, value, values)
        builder = self.builder
        builder.StartObject(1 + max((field.slot for field in table.fields), default=-1))
        # Widest first, as flatc does, so that little is lost to padding.
        for slot, width, put in sorted(slots, key=lambda entry: -entry[1]):
            put()
            builder.Slot(slot)
        return builder.EndObject()

    def slots(self, field, value, values):
        declared = self.schema.get(field.type.name)
        if isinstance(declared, Union):
            member, body = value
            number = member
            if isinstance(member, str):
                number = declared.members.index(member) + 1
            number = values.get(field.name + "_type", number)
            place = self.table(self.schema[member], body) if isinstance(member, str) else None
            yield field.slot - 1, 1, lambda: self.put("ubyte", None, number)
            if place is not None:
                yield field.slot, 4, lambda: self.builder.PrependUOffsetTRelative(place)
        elif self.schema.is_inline(field.type):
            width = self.schema.layout(field.type.name)[1]
            yield field.slot, width, lambda: self.put(field.type.name, declared, value)
        else:
            place = self.offset(field.type, declared, value)
            yield field.slot, 4, lambda: self.builder.PrependUOffsetTRelative(place)

    def put(self, name, declared, value):
        data = self.pack(name, declared, value)
        self.builder.Prep(self.schema.layout(name)[1], len(data))
        self.place(data)

    def place(self, data):
        """Puts bytes before what is there; room and alignment were prepared."""
        builder = self.builder
        builder.head -= len(data)
        builder.Bytes[builder.head:builder.head + len(data)] = data

    def pack(self, name, declared, value):
        if name in SCALARS:
            return struct.pack("<" + SCALARS[name], value)
        if isinstance(declared, Enum):
            number = declared.numbers[value] if isinstance(value, str) else value
            return struct.pack("<" + SCALARS[declared.base], number)
        if declared.name == "Uuid" and not isinstance(value, dict):
            number = uuid.UUID(str(value)).int
            value = {"high": number >> 64, "low": number & 2 ** 64 - 1}
        data = bytearray(self.schema.layout(name)[0])
        for field, offset, size, _ in self.schema.places(declared):
            data[offset:offset + size] = self.pack(
                field.type.name, self.schema.get(field.type.name), value.get(field.name, 0))
        return bytes(data)

    def offset(self, type_, declared, value):
        """Writes what lies outside of its table; its place."""
        if not type_.vector:
            if type_.name == "string":
                return self.bytes_with(value.encode("utf-8", "surrogateescape"), b"\0")
            return self.table(declared, value)
        if type_.name == "ubyte":
            return self.bytes_with(bytes(value), b"")
        if self.schema.is_inline(Type(type_.name)):
            size, alignment = self.schema.layout(type_.name)
            data = b"".join(self.pack(type_.name, declared, item) for item in value)
            self.builder.StartVector(size, len(value), alignment)
            self.place(data)
            return self.builder.EndVector()
        places = [self.offset(Type(type_.name), declared, item) for item in value]
        self.builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            self.builder.PrependUOffsetTRelative(place)
        return self.builder.EndVector()

    def bytes_with(self, data, end):
        """A vector of bytes, or a string, which has a zero behind it that does not count."""
        self.builder.Prep(4, len(data) + len(end))
        self.place(data + end)
        self.builder.PrependUint32(len(data))
        return self.builder.Offset()


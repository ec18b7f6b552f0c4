"""The codecs against the golden fixtures: every message as the C++ codecs write it, and as JSON.

What comes from the broker is decoded and compared with the JSON. What goes to it is made from the
JSON, encoded, read with the generated code and compared with the JSON again.
"""

import base64
import importlib
import json
import os
import unittest
import uuid
from enum import IntEnum

from millrace.wire import (bundle, client_codec, client_reply_codec, shared_codec, task_codec,
                           worker_codec)
from millrace.wire import messages as m
from millrace.wire.bundle import BrokenMessage
from millrace.wire.schema.Envelope import Envelope
from millrace.wire.schema.Uuid import Uuid
from millrace.words import Outcome, QueueAction, StatusTopic, TaskState

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, os.pardir, os.pardir, os.pardir, "tests", "golden")
# The package calls some fields by another name than the schema.
OTHER_NAMES = {"task": "id", "changes": "count"}
# The fields of messages to the broker that are words.
ENUMS = {"outcome": Outcome, "action": QueueAction, "topic": StatusTopic, "state": TaskState}


class Fixture:
    def __init__(self, name, folder="fixtures"):
        self.name = name
        said = json.loads(self.read(f"{name}.json", "fixtures"))
        self.root, self.fields = said["root"], said["fields"]
        self.body_type, self.body = self.fields.get("body_type"), self.fields.get("body")
        self.strings = [base64.b64decode(string) for string in said.get("bundle", [])]
        self.frames = [self.read(f"{name}.bin", folder, "rb")]
        if os.path.exists(os.path.join(GOLDEN, "fixtures", f"{name}.bundle.bin")):
            self.frames.append(self.read(f"{name}.bundle.bin", "fixtures", "rb"))

    @staticmethod
    def read(name, folder, mode="r"):
        with open(os.path.join(GOLDEN, folder, name), mode) as file:
            return file.read()


def fixtures(folder="fixtures"):
    names = sorted(name[:-5] for name in os.listdir(os.path.join(GOLDEN, "fixtures"))
                   if name.endswith(".json"))
    return [Fixture(name, folder) for name in names
            if os.path.exists(os.path.join(GOLDEN, folder, f"{name}.bin"))]


def number(text):
    return uuid.UUID(text).int if "-" in str(text) else int(text)


class GoldenTest(unittest.TestCase):
    def assert_says(self, value, wanted, where):
        """A value of the package says what the JSON does."""
        if value is None:
            self.assertEqual(wanted, "unset", where)
        elif isinstance(value, IntEnum):
            self.assertEqual(value.name, wanted, where)
        elif isinstance(value, bool) or isinstance(value, str):
            self.assertEqual(value, wanted, where)
        elif isinstance(value, int):
            self.assertEqual(value, number(wanted), where)
        elif hasattr(value, "_fields"):
            for field in value._fields:
                name = field if field in wanted else OTHER_NAMES.get(field, field)
                if name in wanted:
                    self.assert_says(getattr(value, field), wanted[name], f"{where}.{field}")
        else:
            self.assertEqual(len(value), len(wanted), where)
            for position, (one, its) in enumerate(zip(value, wanted)):
                self.assert_says(one, its, f"{where}[{position}]")

    def assert_reads(self, table, wanted, where):
        """A table, as the generated code reads it, says what the JSON does."""
        for name, value in wanted.items():
            camel = "".join(part.capitalize() for part in name.split("_"))
            self.assert_field_reads(table, camel, value, f"{where}.{name}")

    def assert_field_reads(self, table, camel, wanted, where):
        accessor = getattr(table, camel)
        if isinstance(wanted, list):
            self.assertEqual(getattr(table, f"{camel}Length")(), len(wanted), where)
            for position, its in enumerate(wanted):
                self.assert_value_reads(accessor(position), its, f"{where}[{position}]")
        elif hasattr(table, f"{camel}Length"):  # [ubyte]
            self.assertEqual(bytes(map(accessor, range(getattr(table, f"{camel}Length")()))),
                             base64.b64decode(wanted), where)
        elif camel == "Task":
            self.assert_value_reads(accessor(Uuid()), wanted, where)
        else:
            self.assert_value_reads(accessor(), wanted, where)

    def assert_value_reads(self, value, wanted, where):
        if isinstance(wanted, dict):
            self.assert_reads(value, wanted, where)
        elif isinstance(value, Uuid):
            self.assertEqual(value.High() << 64 | value.Low(), number(wanted), where)
        elif isinstance(value, bytes) or value is None:
            self.assertEqual((value or b"").decode(), wanted, where)
        elif where.rpartition(".")[2] in ENUMS:
            self.assertEqual(value, number_of_word(ENUMS[where.rpartition(".")[2]], wanted), where)
        else:
            self.assertEqual(int(value), int(wanted), where)


def number_of_word(kind, word):
    return 0 if word == "unset" else kind[word].value




def leases(items):
    return [m.HeldLease(number(item["task"]), int(item["fence"])) for item in items]


def errors_of(body):
    texts = base64.b64decode(body["errors"])
    return bundle.split_texts(texts, [item["error_bytes"] for item in body["items"]])


def ids(body):
    return [number(task) for task in body["tasks"]]


# What goes to the broker, made from a fixture: the message, or for a client its question.
TO_BROKER = {
    "WorkerHello": lambda f, b: m.WorkerHello(
        int(b["hello_number"]), number(b["worker"]), b["name"], b["queues"], b["slots"],
        b["credit"], b["version"], leases(b["holding"])),
    "Complete": lambda f, b: m.Complete(
        [m.Completion(number(i["task"]), int(i["fence"]), Outcome[i["outcome"]],
                      int(i["elapsed_ns"]), result, error)
         for i, result, error in zip(b["items"], f.strings, errors_of(b))],
        b["credit"], int(b["answers_recall"])),
    "Extend": lambda f, b: m.Extend(
        [m.Extension(number(i["task"]), int(i["fence"]), int(i["by_ns"]), i["progress_percent"])
         for i in b["items"]]),
    "WorkerGoodbye": lambda f, b: m.WorkerGoodbye(b["message"]),
    "ClientHello": lambda f, b: m.ClientHello(int(f.fields["request"]), number(b["client"])),
    "Submit": lambda f, b: m.Submit(int(f.fields["request"]), f.strings, b["watch"]),
    "Watch": lambda f, b: m.Watch(int(f.fields["request"]), ids(b)),
    "Ping": lambda f, b: m.Ping(int(f.fields["request"])),
    "ClientGoodbye": lambda f, b: m.ClientGoodbye(),
    "Cancel": lambda f, b: m.Cancel(ids(b)),
    "GetTasks": lambda f, b: m.GetTasks(ids(b), b["with_payload"], b["with_result"],
                                        b["with_attempts"]),
    "ListTasks": lambda f, b: m.ListTasks(b["queue"], number_of_word(TaskState, b["state"]),
                                          int(b["cursor"]), b["limit"], b["with_attempts"]),
    "RequeueDead": lambda f, b: m.RequeueDead(ids(b), b["queue"]),
    "PurgeDead": lambda f, b: m.PurgeDead(ids(b), b["queue"]),
    "ControlQueue": lambda f, b: m.ControlQueue(b["queue"], QueueAction[b["action"]]),
    "DrainWorker": lambda f, b: m.DrainWorker(b["worker"]),
    "GetStatus": lambda f, b: m.GetStatus(StatusTopic[b["topic"]]),
}
# What this package does not say: operators use the command line or HTTP.
NOT_SPOKEN = {"Explain", "ChangeTasks", "Explained", "TasksChanged"}
WORKER_MESSAGES = (m.WorkerHello, m.Complete, m.Extend, m.WorkerGoodbye)
CLIENT_MESSAGES = (m.ClientHello, m.Submit, m.Watch, m.Ping, m.ClientGoodbye)
WORKER_REPLIES = ("WorkerWelcome", "Dispatch", "Completed", "StopTasks", "Recall", "Drain")


def decode(fixture):
    if fixture.root == "Pulse":
        return shared_codec.decode_pulse(fixture.frames[0])
    if fixture.body_type in WORKER_REPLIES or fixture.name.endswith("worker"):
        return worker_codec.decode(fixture.frames)
    return client_reply_codec.decode(fixture.frames)


# Messages of unknown kind may be of a later version, and Python reads structs from any address.
NOT_BROKEN = ("other_side", "off_alignment")
BROKEN_READERS = {"worker_reply": worker_codec.decode, "client_reply": client_reply_codec.decode,
                  "pulse": lambda frames: shared_codec.decode_pulse(frames[0])}


class FromTheBroker(GoldenTest):
    def replies(self, folder="fixtures"):
        return [fixture for fixture in fixtures(folder) if fixture.root == "Pulse" or
                fixture.root == "Envelope" and
                fixture.body_type not in TO_BROKER.keys() | NOT_SPOKEN]

    def test_every_message_is_read(self):
        for fixture in self.replies():
            with self.subTest(fixture.name):
                self.assert_reply(fixture)

    def test_every_message_of_a_later_version_is_read(self):
        later = self.replies("later")
        self.assertGreater(len(later), 20)
        for fixture in later:
            with self.subTest(fixture.name):
                self.assert_reply(fixture)

    def assert_reply(self, fixture):
        value = decode(fixture)
        self.assertNotIsInstance(value, m.Unknown)
        self.assert_says(value, dict(fixture.fields.get("body", fixture.fields),
                                     request=fixture.fields.get("request", "0")), fixture.name)
        if isinstance(value, m.Dispatch):
            queues = fixture.body["queues"]
            self.assertEqual([(task.queue, task.spec) for task in value.tasks],
                             [(queues[item["queue_index"]], spec)
                              for item, spec in zip(fixture.body["tasks"], fixture.strings)])
        elif isinstance(value, m.Finished):
            texts = bundle.split_texts(base64.b64decode(fixture.body["errors"]),
                                       [item["error_bytes"] for item in fixture.body["tasks"]])
            self.assertEqual([(task.result, task.error) for task in value.tasks],
                             list(zip(fixture.strings, texts)))
        elif isinstance(value, m.TaskList):
            self.assertEqual([string for task in value.tasks
                              for string in (task.spec, task.result)], fixture.strings)

    def test_every_broken_message_is_refused(self):
        names = [name[:-5] for name in os.listdir(os.path.join(GOLDEN, "broken"))
                 if name.endswith(".json")]
        refused = 0
        for name in names:
            about = json.loads(Fixture.read(f"{name}.json", "broken"))
            if about["reader"] not in BROKEN_READERS or name in NOT_BROKEN:
                continue
            frames = [Fixture.read(f"{name}{suffix}", "broken", "rb")
                      for suffix in (".bin", ".bundle.bin", ".third.bin")
                      if os.path.exists(os.path.join(GOLDEN, "broken", f"{name}{suffix}"))]
            with self.subTest(f"{name}: {about['about']}"), self.assertRaises(BrokenMessage):
                BROKEN_READERS[about["reader"]](frames)
            refused += 1
        self.assertGreater(refused, 15)

    def test_damaged_messages_are_broken_or_another_message(self):
        broken = 0
        for fixture in self.replies():
            for damaged in self.damaged(fixture.frames):
                fixture.frames = damaged
                try:
                    decode(fixture)
                except BrokenMessage:
                    broken += 1
        self.assertGreater(broken, 100)

    def damaged(self, frames):
        control = frames[0]
        for size in range(0, len(control), max(1, len(control) // 20)):
            yield [control[:size], *frames[1:]]
        for position in range(0, len(control), max(1, len(control) // 40)):
            for byte in (0, 1, 0x7F, 0xFF):
                yield [control[:position] + bytes([byte]) + control[position + 1:], *frames[1:]]
        yield [control, *frames[1:], b"x"]
        yield [control, (frames[1] if len(frames) > 1 else b"") + b"x"]


class ToTheBroker(GoldenTest):
    def test_every_message_is_written(self):
        written = set()
        for fixture in fixtures():
            if fixture.body_type in TO_BROKER:
                with self.subTest(fixture.name):
                    self.assert_written(fixture)
                    written.add(fixture.body_type)
        self.assertEqual(written, set(TO_BROKER))

    def assert_written(self, fixture):
        message = TO_BROKER[fixture.body_type](fixture, fixture.body)
        if isinstance(message, WORKER_MESSAGES):
            frames = worker_codec.encode(message)
        elif isinstance(message, CLIENT_MESSAGES):
            frames = client_codec.encode(message)
        else:
            frames = client_codec.encode(m.Request(int(fixture.fields["request"]), message))
        self.assertEqual([frame for frame in frames[1:] if frame], fixture.frames[1:])
        envelope = Envelope.GetRootAs(frames[0], 0)
        self.assertTrue(Envelope.EnvelopeBufferHasIdentifier(frames[0], 0))
        self.assertEqual((envelope.ProtocolVersion(), envelope.Request()),
                         (1, int(fixture.fields["request"])))
        module = importlib.import_module(f"millrace.wire.schema.{fixture.body_type}")
        body = getattr(module, fixture.body_type)()
        body.Init(envelope.Body().Bytes, envelope.Body().Pos)
        # Which version this package speaks is not the fixture's to say.
        self.assert_reads(body, {name: value for name, value in fixture.body.items()
                                 if name != "protocol_version"}, fixture.name)

    def test_beats(self):
        from millrace.wire.schema.Beat import Beat
        for fixture in fixtures():
            if fixture.root == "Beat":
                fields = fixture.fields
                frame = shared_codec.encode_beat(m.Beat(
                    number(fields["worker"]), int(fields["session"]), int(fields["number"]),
                    fields["running"], fields["queued"]))
                self.assert_reads(Beat.GetRootAs(frame, 0), fields, fixture.name)

    def test_tasks(self):
        from millrace.wire.schema.TaskSpec import TaskSpec
        for fixture in fixtures():
            if fixture.root != "TaskSpec":
                continue
            with self.subTest(fixture.name):
                said = dict(fixture.fields)
                headers = tuple((header["key"], header["value"]) for header in said.pop("headers"))
                payload = base64.b64decode(said.pop("payload"))
                self.assertEqual(task_codec.read_task(fixture.frames[0]), (payload, headers))
                described = task_codec.TaskDescription(
                    number(said.pop("id")), said.pop("queue"), payload, headers,
                    **{name: int(value) for name, value in said.items()})
                written = TaskSpec.GetRootAs(task_codec.encode_task(described), 0)
                self.assert_reads(written, fixture.fields, fixture.name)


if __name__ == "__main__":
    unittest.main()

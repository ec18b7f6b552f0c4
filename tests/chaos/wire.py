"""The protocol of docs/protocol.md for Python: values to frames and back, a client's connection.

The FlatBuffers code is generated from the schemas at the start of a run (`generate`), so that it
cannot fall behind them.
"""

import importlib
import os
import random
import subprocess
import sys
import time
import uuid

import flatbuffers
import zmq

SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "schemas")
CODE_VARIABLE = "MILLRACE_SCHEMA_CODE"
PROTOCOL_VERSION = 1
LISTED_AT_ONCE = 500
HELLO_SECONDS_MAX = 3.0

STATES = {1: "delayed", 2: "pending", 3: "in_progress", 4: "succeeded", 5: "dead", 6: "cancelled",
          7: "expired"}
ENDS = ("succeeded", "dead", "cancelled", "expired")
SUBMIT_STATUS = {1: "accepted", 2: "duplicate", 3: "conflict", 4: "invalid", 5: "too_large",
                 6: "busy", 7: "store_full", 8: "shutting_down"}
CANCEL_STATUS = {1: "cancelled", 2: "cancelling", 3: "already_finished", 4: "not_found"}


def generate(folder):
    """Writes the FlatBuffers code into `folder`, and tells this and child processes of it."""
    schemas = [os.path.join(SCHEMAS, f"{name}.fbs") for name in ("control", "task", "heartbeat")]
    subprocess.run(["flatc", "--python", "--gen-object-api", "--gen-onefile", "--gen-all",
                    "-o", folder, *schemas], check=True, stdout=subprocess.DEVNULL)
    os.environ[CODE_VARIABLE] = folder


def schema(name="control"):
    folder = os.environ[CODE_VARIABLE]
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(f"{name}_generated")


# ---- frames -------------------------------------------------------------------------------------

def encode(body, request=0):
    """The control frame of a message: `body` is an object of the schema's object API."""
    control = schema()
    envelope = control.EnvelopeT()
    envelope.protocolVersion = PROTOCOL_VERSION
    envelope.request = request
    envelope.bodyType = getattr(control.Body, type(body).__name__[:-1])
    envelope.body = body
    builder = flatbuffers.Builder(512)
    builder.Finish(envelope.Pack(builder), file_identifier=b"MRC1")
    return bytes(builder.Output())


def decode(frame):
    """(request, name of the message, its body)."""
    control = schema()
    envelope = control.EnvelopeT.InitFromObj(control.Envelope.GetRootAs(frame, 0))
    return envelope.request, type(envelope.body).__name__[:-1], envelope.body


def bundle(strings):
    frame = bytearray()
    for string in strings:
        if string:
            frame += bytes(-len(frame) % 8) + string
    return bytes(frame)


def unbundle(frame, lengths):
    position = 0
    for length in lengths:
        if length == 0:
            yield b""
            continue
        position += -position % 8
        yield frame[position:position + length]
        position += length


def pack_id(text):
    value = schema().UuidT()
    value.high, value.low = divmod(uuid.UUID(text).int, 1 << 64)
    return value


def unpack_id(value):
    return str(uuid.UUID(int=(value.high << 64) | value.low))


def new_id(source):
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


def encode_spec(task_id, queue, payload, **fields):
    """A TaskSpec. `fields` by their names in the schema, in the spelling of its object API."""
    task = schema("task")
    builder = flatbuffers.Builder(256 + len(payload))
    queue_offset = builder.CreateString(queue)
    payload_offset = builder.CreateByteVector(payload)
    task.TaskSpecStart(builder)
    whole = uuid.UUID(task_id).int
    task.TaskSpecAddId(builder, task.CreateUuid(builder, whole >> 64, whole & ((1 << 64) - 1)))
    task.TaskSpecAddQueue(builder, queue_offset)
    task.TaskSpecAddPayload(builder, payload_offset)
    for name, value in fields.items():
        getattr(task, f"TaskSpecAdd{name[0].upper()}{name[1:]}")(builder, value)
    builder.Finish(task.TaskSpecEnd(builder), file_identifier=b"MRT1")
    return bytes(builder.Output())


def payload_of(spec):
    """The payload inside a TaskSpec, as text; None where the spec is no longer kept."""
    if not spec:
        return None
    table = schema("task").TaskSpec.GetRootAs(spec, 0)._tab
    field = table.Offset(8)
    if field == 0:
        return ""
    begin = table.Vector(field)
    return text_of(spec[begin:begin + table.VectorLen(field)])


def text_of(content):
    return content.decode(errors="replace")


# ---- a client's connection ----------------------------------------------------------------------

class Unanswered(Exception):
    """No answer: what was asked may be done or not."""


class Connection:
    """One client session at a time, on a fresh socket after each silence. Not thread-safe."""

    def __init__(self, address, seed=0, hear_finished=None):
        self._address = address
        self._context = zmq.Context.instance()
        self._random = random.Random(seed)
        self._hear_finished = hear_finished or (lambda body, results: None)
        self._socket = None
        self._request = 0

    def ask(self, body, seconds, frames=()):
        """(name, body, bundle) of the answer. Raises Unanswered after `seconds`."""
        deadline = time.monotonic() + seconds
        self._open(deadline)
        return self._exchange(body, frames, deadline)

    def listen(self, seconds):
        """Hears what comes unasked."""
        if self._socket is None:
            time.sleep(seconds)
            return
        deadline = time.monotonic() + seconds
        while self._receive(deadline):
            pass

    def close(self):
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None

    def _open(self, deadline):
        while self._socket is None:
            if time.monotonic() >= deadline:
                raise Unanswered
            self._socket = self._context.socket(zmq.DEALER)
            self._socket.immediate = 1
            self._socket.linger = 0
            self._socket.reconnect_ivl = 100
            self._socket.connect(self._address)
            hello = schema().ClientHelloT()
            hello.client = pack_id(new_id(self._random))
            hello.protocolVersion = PROTOCOL_VERSION
            hello_deadline = min(deadline, time.monotonic() + HELLO_SECONDS_MAX)
            try:
                name, _, _ = self._exchange(hello, (), hello_deadline)
            except Unanswered:
                continue
            if name != "ClientWelcome":
                self.close()
                time.sleep(min(0.2, max(0, deadline - time.monotonic())))

    def _exchange(self, body, frames, deadline):
        self._request += 1
        request = self._request
        try:
            if not self._socket.poll(max(0, (deadline - time.monotonic()) * 1000), zmq.POLLOUT):
                raise zmq.Again
            self._socket.send_multipart([encode(body, request), *frames], zmq.DONTWAIT)
        except zmq.Again:
            self.close()
            raise Unanswered from None
        while True:
            answer = self._receive(deadline)
            if answer is None:
                self.close()
                raise Unanswered
            if answer[0] == request:
                return answer[1:]

    def _receive(self, deadline):
        """(request, name, body, bundle) of the next answer; None at the deadline."""
        while self._socket.poll(max(0, (deadline - time.monotonic()) * 1000)):
            frames = self._socket.recv_multipart()
            request, name, body = decode(frames[0])
            content = frames[1] if len(frames) > 1 else b""
            if name == "Finished":
                lengths = [task.resultBytes for task in body.tasks]
                self._hear_finished(body, list(unbundle(content, lengths)))
                continue
            if name == "BrokerGoodbye":
                continue
            return request, name, body, content
        return None


# ---- whole answers ------------------------------------------------------------------------------

def submit(connection, specs, watch, seconds):
    """The status of each spec, in words. Raises Unanswered; a Refused is its code for all."""
    body = schema().SubmitT()
    body.specBytes = [len(spec) for spec in specs]
    body.watch = watch
    name, answer, _ = connection.ask(body, seconds, (bundle(specs),))
    if name == "Refused":
        return ["refused"] * len(specs)
    return [SUBMIT_STATUS[status] for status in answer.statuses]


def cancel(connection, tasks, seconds):
    body = schema().CancelT()
    body.tasks = [pack_id(task) for task in tasks]
    name, answer, _ = connection.ask(body, seconds)
    if name == "Refused":
        return ["refused"] * len(tasks)
    return [CANCEL_STATUS[item.status] for item in answer.items]


def get(connection, tasks, seconds, with_bytes=False):
    """A dictionary of what is known of each of `tasks`; those unknown are absent. `with_bytes`: the
    payload and the result too."""
    body = schema().GetTasksT()
    body.tasks = [pack_id(task) for task in tasks]
    body.withPayload = body.withResult = with_bytes
    name, answer, content = connection.ask(body, seconds)
    if name != "TaskList":
        raise Unanswered
    views = answer.tasks or []
    lengths = [size for view in views
               for size in (view.specInBundleBytes, view.resultInBundleBytes)]
    pieces = list(unbundle(content, lengths))
    return {unpack_id(view.id): describe(view, *pieces[2 * i:2 * i + 2], with_bytes)
            for i, view in enumerate(views)}


def describe(view, spec, result, with_bytes):
    known = {"state": STATES[view.state], "attempts": view.attempts, "fence": view.fence,
             "max_attempts": view.maxAttempts, "queue": view.queue.decode()}
    if with_bytes:
        known["payload"] = payload_of(spec)
        known["result"] = text_of(result)
    return known

"""The wire: the sockets of a worker, and messages as objects of the classes that flatc makes.

    flatc --python --gen-object-api -o generated schemas/{uuid,task,control,heartbeat}.fbs
"""
import importlib
import json
import sys
import time

import flatbuffers
import zmq


def schema(name):
    """flatc's class of this name; with a T at its end the one that packs and unpacks."""
    return getattr(importlib.import_module("millrace.wire.schema." + name.rstrip("T")), name)


Outcome, StopCause = schema("Outcome"), schema("StopCause")


def make(kind, lease=None, /, **fields):
    """An object; `lease` is (id high, id low, fence)."""
    made = schema(kind + "T")()
    if lease:
        fields.update(task=make("Uuid", high=lease[0], low=lease[1]), fence=lease[2])
    vars(made).update(fields)
    return made


def lease_of(item):
    return item.task.high, item.task.low, item.fence


def name_of(body):
    return type(body).__name__[:-1]  # without the T


def pack(root, identifier):
    builder = flatbuffers.Builder()
    builder.Finish(root.Pack(builder), identifier)
    return bytes(builder.Output())


def read(frame):
    """The body of a control frame, or a pulse. Raises what it finds when it is neither."""
    name = {b"MRC1": "Envelope", b"MRP1": "Pulse"}[frame[4:8]]
    root = schema(name + "T").InitFromObj(schema(name).GetRootAs(frame))
    if root.protocolVersion != 1 or name == "Pulse" and not (root.epoch and len(frame) <= 256):
        raise ValueError("another version, or no pulse")
    return root.body if name == "Envelope" else root


def unbundle(frame, lengths):
    """The byte strings of a bundle, each on a multiple of 8."""
    strings, position = [], 0
    for length in lengths:
        position += -position % 8 if length else 0
        strings.append(frame[position:position + length])
        position += length
    if position != len(frame):
        raise ValueError("the bundle does not end where its lengths do")
    return strings


def ignore(_message, _bundle):
    """What a later version may say."""


def payload_of(spec):
    """The payload of a TaskSpec."""
    table = schema("TaskSpec").GetRootAs(spec)._tab
    field = table.Offset(8)  # 4 + 2 * the field's id
    return spec[table.Vector(field):][:table.VectorLen(field)] if field else b""


class Wire:
    def __init__(self, broker, key_file=None):
        self.broker = broker  # HOST:PORT
        self.key = json.load(open(key_file, encoding="ascii")) if key_file else None
        self.context, self.dealer, self.ports = zmq.Context(), None, None
        self.beats, self.pulses = self.socket(zmq.PUB), self.socket(zmq.SUB)
        self.pulses.subscribe(b"")
        self.heard = float("-inf")  # when something was, last

    def socket(self, kind):
        """A socket with the key, if there is one: nothing else is different."""
        made = self.context.socket(kind)
        if self.key:
            made.curve_serverkey = self.key["broker"].encode()
            made.curve_publickey = self.key["public"].encode()
            made.curve_secretkey = self.key["secret"].encode()
        return made

    def connect(self, now):
        """A fresh DEALER: the old one may be deaf."""
        self.heard = now
        if self.dealer:
            self.dealer.close(0)
        self.dealer = self.socket(zmq.DEALER)
        self.dealer.immediate = 1
        self.dealer.connect(f"tcp://{self.broker}")

    def follow(self, endpoints):
        """Beats and pulses go by ports of the same host."""
        ports = endpoints.beatPort, endpoints.pulsePort
        for socket, port in zip((self.beats, self.pulses), ports if ports != self.ports else ()):
            socket.connect(f"tcp://{self.broker.rpartition(':')[0]}:{port}")
        self.ports = ports

    def send(self, body, bundle=b""):
        kind = getattr(schema("Body"), name_of(body))
        envelope = make("Envelope", protocolVersion=1, bodyType=kind, body=body)
        if self.dealer.poll(0, zmq.POLLOUT):  # without a connection: what matters is said again
            self.dealer.send_multipart([pack(envelope, b"MRC1"), bundle][:2 if bundle else 1])

    def beat(self, **fields):
        self.beats.send(pack(make("Beat", protocolVersion=1, **fields), b"MRB1"))

    def receive(self, timeout, listener):
        """Waits up to `timeout` seconds; calls listener.on_NAME(message, bundle) for what came."""
        for socket in zmq.select([self.dealer, self.pulses], [], [], timeout)[0]:
            for _ in range(100):
                if not socket.poll(0):
                    break
                frames = socket.recv_multipart()
                try:
                    two = socket is self.dealer and len(frames) == 2
                    frame, bundle = frames if two else (*frames, b"")
                    message = read(frame)
                    self.heard = time.monotonic()
                    getattr(listener, f"on_{name_of(message)}", ignore)(message, bundle)
                except Exception as error:
                    print(f"dropped what breaks the protocol: {error!r}", file=sys.stderr)

    def close(self, goodbye):
        self.send(goodbye)
        self.context.destroy(linger=1000)

"""What the base worker is made of: attempts with the handler of the kit, and small steps."""

import dataclasses
import os
import sys

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from millrace_conform import wire  # noqa: E402: the path comes first
from millrace_conform.flatbuffer import Unreadable  # noqa: E402


@dataclasses.dataclass
class Attempt:
    lease: tuple        # (task, fence)
    timeout: float      # seconds; 0: none
    spec: bytes
    started: float = 0.0
    ends: float = 0.0
    deadline: float = float("inf")
    stuck: bool = False
    outcome: tuple = ("succeeded", b"", b"")  # outcome, result, error
    abandoned: bool = False  # ended for everybody else, while its handler goes on

    def begin(self):
        """Obeys the payload: when the handler will end, and how. The progress to report, if any."""
        try:
            payload = wire.read_spec(self.spec)["payload"]
        except Unreadable:
            self.outcome = ("failed_for_good", b"", b"the task cannot be read")
            return None
        word, _, rest = payload.partition(b" ")
        if word in (b"sleep", b"stuck"):
            self.stuck = word == b"stuck"
            self.ends = self.started + int(rest) / 1000
        elif word == b"progress":
            percent, _, milliseconds = rest.partition(b" ")
            self.ends = self.started + int(milliseconds) / 1000
            return int(percent)
        else:
            self.outcome = self.ORDERS.get(word, self.echo)(payload, rest)
        return None

    @staticmethod
    def echo(payload, _):
        return ("succeeded", payload, b"")

    ORDERS = {
        b"fail": lambda _, rest: ("failed", b"", rest),
        b"fail_for_good": lambda _, rest: ("failed_for_good", b"", rest),
        b"result": lambda _, rest: ("succeeded", b"x" * int(rest), b""),
        b"error": lambda _, rest: ("failed", b"", b"A" + b"x" * (int(rest) - 2) + b"Z"),
    }


@dataclasses.dataclass
class Report:
    outcome: str
    result: bytes
    error: bytes
    elapsed: float
    sent: float = 0.0


def lease_fields(lease):
    return {"task": lease[0], "fence": lease[1]}


def receive(opened):
    if opened is None:
        return None
    try:
        return opened.recv_multipart(zmq.DONTWAIT)
    except zmq.Again:
        return None


def read_pulse(frames):
    if len(frames) != 1 or len(frames[0]) > 256:
        return None
    try:
        pulse = wire.flatbuffer.read(wire.WIRE, "Pulse", frames[0], "MRP1")
    except Unreadable:
        return None
    return pulse if pulse["protocol_version"] == 1 else None

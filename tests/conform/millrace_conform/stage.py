"""The broker's sockets, played by the kit: keeps what a candidate sends, sends what a case orders.

One thread, one stage. Time passes in `pump` only, which reads all sockets and sends the pulses, so
a case that waits always waits in there.
"""

import collections
import errno
import socket
import time

import zmq

from . import wire
from .case import Failure
from .flatbuffer import Unreadable

HOST = "127.0.0.1"
BIND_SECONDS_MAX = 10
STORY_LENGTH = 4
LAST_WORDS_SECONDS = 1.0


class Heard(collections.namedtuple("Heard", "time peer frames message problem")):
    """A message as it came; `message` is None, and `problem` says why, when it cannot be read."""

    def __str__(self):
        return str(self.message or f"an unreadable message ({self.problem})")


class Port:
    """A free port that stays ours while nobody listens on it: a broker can go and come back."""

    def __init__(self):
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind((HOST, 0))
        self.number = self._holder.getsockname()[1]

    def close(self):
        self._holder.close()


class Stage:
    """A broker as far as the wire shows it. `context` is a ZeroMQ context shared by all stages."""

    def __init__(self, context, patience):
        self.context = context
        self.patience = patience
        self.ports = {kind: Port() for kind in ("peer", "beat", "pulse")}
        self.sockets = {}
        self.candidate = None         # the program under test, once it is started
        self.epoch = 1
        self.peer = None              # routing id of who spoke last
        self.inbox = []               # Heard, not yet taken by a case
        self.heard = []               # Heard, all
        self.beats = []               # (time, fields or None, frames)
        self.pulsing = True
        self.pulse_interval = 0.1
        self.pulse_time_ns = time.time_ns
        self._pulse_number = 0
        self._pulse_due = 0.0

    # ---- coming and going -----------------------------------------------------------------------

    def open(self):
        """Listens, as a broker that has just started."""
        for kind, type_ in (("peer", zmq.ROUTER), ("beat", zmq.SUB), ("pulse", zmq.PUB)):
            opened = self.context.socket(type_)
            opened.linger = 0
            # A ROUTER drops what is over its mark, and a slow candidate would miss it.
            opened.sndhwm = 0
            if kind == "beat":
                opened.subscribe(b"")
            self._bind(opened, self.ports[kind].number)
            self.sockets[kind] = opened
        self._pulse_due = time.monotonic()

    @staticmethod
    def _bind(opened, port):
        deadline = time.monotonic() + BIND_SECONDS_MAX
        while True:
            try:
                return opened.bind(f"tcp://{HOST}:{port}")
            except zmq.ZMQError as error:
                # The socket of before is closed by a thread of libzmq, in its own time.
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def vanish(self):
        """As after kill -9: the ports are deaf."""
        for opened in self.sockets.values():
            opened.close()
        self.sockets = {}

    def move(self, kind):
        """Another port for a channel, from the next `open` on."""
        self.ports[kind].close()
        self.ports[kind] = Port()

    def address(self):
        """What the program under test is told: HOST:PORT."""
        return f"{HOST}:{self.ports['peer'].number}"

    def is_gone(self):
        """True once the program under test has ended."""
        return self.candidate is not None and self.candidate.exit_code is not None

    def close(self):
        if self.candidate is not None:
            self.candidate.end()
        self.vanish()
        for port in self.ports.values():
            port.close()

    # ---- time -----------------------------------------------------------------------------------

    def pump(self, seconds):
        """Lets time pass: hears everything, pulses. Returns early when something was heard."""
        deadline = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            if self.pulsing and self.sockets and now >= self._pulse_due:
                self._pulse_due = now + self.pulse_interval
                self.pulse()
            heard = self._hear()
            if heard or now >= deadline:
                return
            wait = min(deadline, self._pulse_due if self.pulsing else deadline) - now
            self._poll(max(wait, 0.001))

    def _poll(self, seconds):
        if not self.sockets:
            time.sleep(seconds)
            return
        poller = zmq.Poller()
        poller.register(self.sockets["peer"], zmq.POLLIN)
        poller.register(self.sockets["beat"], zmq.POLLIN)
        poller.poll(int(seconds * 1000) + 1)

    def wait(self, find, expected, within=None):
        """The first true value of `find()`. Raises Failure: what was expected, and what came."""
        deadline = time.monotonic() + (within or self.patience)
        gone_at = None
        while True:
            found = find()
            if found:
                return found
            if self.is_gone():
                # Its last words may still be on their way; more will not come.
                gone_at = gone_at or time.monotonic()
                deadline = min(deadline, gone_at + LAST_WORDS_SECONDS)
            left = deadline - time.monotonic()
            if left <= 0:
                raise Failure(f"{expected} within {within or self.patience:g} s", self.story())
            self.pump(min(left, 0.5))

    def stay(self, seconds, find=lambda: None, unwanted=""):
        """Lets time pass in which `find()` must stay false."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.pump(left)
            found = find()
            if found:
                raise Failure(f"no {unwanted}", str(found))

    def story(self):
        """What came last, for the text of a failure."""
        told = " | ".join(map(str, self.heard[-STORY_LENGTH:])) or "nothing"
        if self.is_gone():
            told += f"; it ended with exit code {self.candidate.exit_code}"
            told += f", saying {self.candidate.last_words()!r}"
        return told

    # ---- hearing --------------------------------------------------------------------------------

    def _hear(self):
        heard = False
        for kind, take in (("beat", self._take_beat), ("peer", self._take_message)):
            opened = self.sockets.get(kind)
            while opened is not None:
                try:
                    frames = opened.recv_multipart(zmq.DONTWAIT)
                except zmq.Again:
                    break
                take(frames)
                heard = True
        return heard

    def _take_message(self, frames):
        self.peer, *frames = frames
        message, problem = None, ""
        try:
            message = wire.read(frames)
        except Unreadable as error:
            problem = str(error)
        heard = Heard(time.monotonic(), self.peer, frames, message, problem)
        self.heard.append(heard)
        self.inbox.append(heard)

    def _take_beat(self, frames):
        fields = None
        try:
            if len(frames) == 1:
                fields = wire.read_beat(frames[0])
        except Unreadable:
            pass
        self.beats.append((time.monotonic(), fields, frames))

    def take(self, name, where=lambda message: True):
        """Takes the first message of that name out of the inbox: a Heard, or None."""
        for position, heard in enumerate(self.inbox):
            if heard.message is not None and heard.message.name == name and where(heard.message):
                return self.inbox.pop(position)
        return None

    def expect(self, name, where=lambda message: True, expected=None, within=None):
        """Waits for a message and takes it."""
        return self.wait(lambda: self.take(name, where), expected or f"a {name}", within)

    def seen(self, name):
        """All messages of that name, taken or not."""
        return [heard for heard in self.heard
                if heard.message is not None and heard.message.name == name]

    # ---- speaking -------------------------------------------------------------------------------

    def send(self, name, fields=None, parts=(), **options):
        """Sends a message to who spoke last."""
        self.send_frames(wire.write(name, fields, parts, **options))

    def send_frames(self, frames):
        self.sockets["peer"].send_multipart([self.peer, *frames])

    def pulse(self):
        self._pulse_number += 1
        self.publish([wire.write_pulse(self.epoch, self._pulse_number, self.pulse_time_ns())])

    def publish(self, frames):
        self.sockets["pulse"].send_multipart(frames)

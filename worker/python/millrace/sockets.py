"""The sockets of a client or a worker, with the options that docs/protocol.md asks for."""

from __future__ import annotations

import collections
from typing import Any, Deque, Iterable, List, Optional

import zmq
from millrace.address import HostPort
from millrace.key import PeerKey

# Messages that may wait here while the broker is away or slow; all that matters is said again.
_WAITING_MAX = 4_096
_FRAME_BYTES_MAX = 32 << 20


def _open(context: Any, kind: int, key: Optional[PeerKey]) -> Any:
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RECONNECT_IVL, 100)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1_000)
    socket.setsockopt(zmq.MAXMSGSIZE, _FRAME_BYTES_MAX)
    if key is not None:
        socket.setsockopt(zmq.CURVE_SERVERKEY, key.broker)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, key.public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, key.secret)
    return socket


class BrokerSockets:
    """A DEALER that is made anew when it is lost, and the two heartbeat channels. One thread."""

    def __init__(self, broker: HostPort, key: Optional[PeerKey] = None) -> None:
        self._broker = broker
        self._key = key
        self._context = zmq.Context()
        self._dealer: Any = None
        self._monitor: Any = None
        self._beats: Any = None
        self._pulses: Any = None
        self._beat_port = 0
        self._pulse_port = 0
        self._waiting: Deque[List[bytes]] = collections.deque()
        self._poller = zmq.Poller()

    def reconnect(self) -> None:
        """A fresh DEALER; what was not sent yet is dropped."""
        self._waiting.clear()
        self._close_dealer(linger_milliseconds=0)
        self._dealer = _open(self._context, zmq.DEALER, self._key)
        self._dealer.setsockopt(zmq.IMMEDIATE, 1)
        # A hint only: without it a lost connection shows as silence.
        self._monitor = self._dealer.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._dealer.connect(str(self._broker))
        self._poller.register(self._dealer, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)

    def _close_dealer(self, linger_milliseconds: int) -> None:
        if self._dealer is None:
            return
        self._poller.unregister(self._dealer)
        self._poller.unregister(self._monitor)
        self._dealer.disable_monitor()
        self._monitor.close(0)
        self._dealer.close(linger_milliseconds)
        self._dealer = None

    def listen(self, pulse_port: int) -> None:
        """Hears the broker's pulse. 0: it has none."""
        if pulse_port == self._pulse_port or pulse_port == 0:
            return
        if self._pulses is not None:
            self._poller.unregister(self._pulses)
            self._pulses.close(0)
        self._pulses = _open(self._context, zmq.SUB, self._key)
        self._pulses.setsockopt(zmq.RCVHWM, 64)
        self._pulses.setsockopt(zmq.SUBSCRIBE, b"")
        self._pulses.connect(self._broker.with_port(pulse_port))
        self._poller.register(self._pulses, zmq.POLLIN)
        self._pulse_port = pulse_port

    def beat_to(self, beat_port: int) -> None:
        """Where beats go. 0: nowhere."""
        if beat_port == self._beat_port or beat_port == 0:
            return
        if self._beats is not None:
            self._beats.close(0)
        self._beats = _open(self._context, zmq.PUB, self._key)
        self._beats.setsockopt(zmq.SNDHWM, 16)
        self._beats.connect(self._broker.with_port(beat_port))
        self._beat_port = beat_port

    def watch(self, descriptor: Any, events: int = zmq.POLLIN) -> None:
        """`wait` also ends when `descriptor` is ready. Again: changes the events."""
        self._poller.register(descriptor, events)

    def forget(self, descriptor: Any) -> None:
        self._poller.unregister(descriptor)

    def wait(self, milliseconds: int) -> None:
        """Until something can be read, or what waits can be sent, or the time is over."""
        self._poller.modify(self._dealer,
                            zmq.POLLIN | zmq.POLLOUT if self._waiting else zmq.POLLIN)
        self._poller.poll(milliseconds)
        self._send_waiting()

    def receive(self) -> Optional[List[bytes]]:
        """The frames of the next message, if there is one."""
        try:
            frames: List[bytes] = self._dealer.recv_multipart(zmq.NOBLOCK)
            return frames
        except zmq.Again:
            return None

    def receive_pulse(self) -> Optional[bytes]:
        """The next heartbeat frame, if there is one."""
        while self._pulses is not None:
            try:
                frames: List[bytes] = self._pulses.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return None
            if len(frames) == 1:
                return frames[0]
        return None

    def take_disconnected(self) -> bool:
        """True once after the transport lost the connection."""
        disconnected = False
        while True:
            try:
                self._monitor.recv_multipart(zmq.NOBLOCK)
                disconnected = True
            except zmq.Again:
                return disconnected

    def send(self, frames: List[bytes], supersedes: bool = False) -> None:
        """Sends, or keeps until it can be sent. `supersedes` drops what has waited until now."""
        if supersedes:
            self._waiting.clear()
        if len(self._waiting) >= _WAITING_MAX:
            return
        self._waiting.append(frames)
        self._send_waiting()

    def _send_waiting(self) -> None:
        while self._waiting:
            try:
                self._dealer.send_multipart(self._waiting[0], zmq.NOBLOCK)
            except zmq.Again:
                return
            self._waiting.popleft()

    def send_beats(self, frames: Iterable[bytes]) -> None:
        """Beats may be lost; the next one says the same."""
        for frame in frames:
            if self._beats is None:
                return
            try:
                self._beats.send(frame, zmq.NOBLOCK)
            except zmq.Again:
                return

    def close(self) -> None:
        """Gives a last message, such as a goodbye, a moment to leave."""
        self._close_dealer(linger_milliseconds=1_000)
        for socket in (self._beats, self._pulses):
            if socket is not None:
                socket.close(0)
        self._context.term()

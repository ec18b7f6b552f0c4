"""Plain values over a socket pair, between the process of the handlers and the one of the session.

The session's end must never wait for the other: while a handler holds the interpreter's lock, its
process reads nothing. So sending is buffered here, and never blocks unless asked to.
"""

from __future__ import annotations

import collections
import marshal
import select
import socket
import struct
from typing import Any, Deque, List

_LENGTH = struct.Struct("<Q")
_READ_BYTES = 1 << 18


class Channel:
    """Not thread-safe. Values are tuples, lists, dicts, str, bytes, int, float, bool and None."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._outgoing: Deque[memoryview] = collections.deque()
        self._incoming = bytearray()
        self.closed = False  # the other end is gone

    def fileno(self) -> int:
        return self._connection.fileno()

    @property
    def has_unsent(self) -> bool:
        return bool(self._outgoing) and not self.closed

    def send(self, value: Any) -> None:
        """Sends as much as the other end takes now and keeps the rest for flush."""
        if self.closed:
            return
        body = marshal.dumps(value)
        self._outgoing.append(memoryview(_LENGTH.pack(len(body)) + body))
        self.flush()

    def flush(self) -> None:
        while self.has_unsent:
            piece = self._outgoing[0]
            try:
                sent = self._connection.send(piece)
            except BlockingIOError:
                return
            except OSError:
                self.closed = True
                return
            if sent == len(piece):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = piece[sent:]

    def flush_all(self) -> None:
        """Blocks until all is sent or the other end is gone."""
        self.flush()
        while self.has_unsent:
            select.select([], [self._connection], [])
            self.flush()

    def receive(self) -> List[Any]:
        """All that has arrived."""
        while not self.closed:
            try:
                piece = self._connection.recv(_READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                piece = b""
            if not piece:
                self.closed = True
            self._incoming += piece
            if len(piece) < _READ_BYTES:
                break
        return self._take_values()

    def _take_values(self) -> List[Any]:
        values = []
        position = 0
        while len(self._incoming) - position >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._incoming, position)
            end = position + _LENGTH.size + length
            if len(self._incoming) < end:
                break
            values.append(marshal.loads(memoryview(self._incoming)[end - length:end]))
            position = end
        if position:
            del self._incoming[:position]
        return values

    def close(self) -> None:
        self._connection.close()

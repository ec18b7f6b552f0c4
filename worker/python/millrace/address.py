"""HOST, HOST:PORT, tcp://HOST:PORT and [IPv6]:PORT."""

from __future__ import annotations

import re
from typing import NamedTuple

from millrace.errors import Misconfigured

_FORM = re.compile(r"(?:tcp://)?(?:\[(?P<literal>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^\s:/\[\]]+))"
                   r"(?::(?P<port>\d{1,5}))?\Z")


class HostPort(NamedTuple):
    host: str
    port: int

    def with_port(self, port: int) -> str:
        """The ZeroMQ address of another port on the same host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{port}"

    def __str__(self) -> str:
        return self.with_port(self.port)


def parse_address(text: str, default_port: int) -> HostPort:
    """Raises Misconfigured."""
    found = _FORM.match(text)
    port = int(found["port"] or default_port) if found else 0
    if found is None or not 1 <= port <= 65535:
        raise Misconfigured(f"'{text}' is not an address; use HOST or HOST:PORT")
    return HostPort(found["literal"] or found["host"], port)

"""Key files, made by `millrace keygen`: who a client or a worker is, and whom it talks to."""

from __future__ import annotations

import json
import os
import stat
from typing import Any, NamedTuple, Optional

from millrace.errors import Misconfigured

_CHARACTERS = 40


class PeerKey(NamedTuple):
    """Keys of CURVE in Z85."""

    public: bytes
    secret: bytes
    broker: bytes

    def __repr__(self) -> str:
        return "PeerKey(...)"  # a secret is not for logs


def load_key(path: str) -> Optional[PeerKey]:
    """None for an empty path: no key. Raises Misconfigured."""
    if not path:
        return None
    try:
        with open(path, encoding="ascii") as file:
            _check_mode(path, os.fstat(file.fileno()).st_mode)
            document = json.load(file)
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError:
        document = None
    members = [_member(document, name) for name in PeerKey._fields]
    if any(len(member) != _CHARACTERS for member in members):
        raise Misconfigured(f"{path}: is no key file; take one made by millrace keygen")
    return PeerKey(*members)


def _check_mode(path: str, mode: int) -> None:
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Misconfigured(f"{path}: holds a secret and others may read it; run: chmod 600 {path}")


def _member(document: Any, name: str) -> bytes:
    value = document.get(name) if isinstance(document, dict) else None
    return value.encode() if isinstance(value, str) else b""

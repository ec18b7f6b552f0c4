"""The bundle: byte strings one after the other, each on a multiple of 8. Their lengths stand in the
control frame (docs/protocol.md, section 2)."""

from __future__ import annotations

from typing import Iterable, Sequence

_PADDING = b"\0" * 8


class BrokenMessage(ValueError):
    """A message from the broker that does not keep the protocol."""


def pack(strings: Iterable[bytes]) -> bytes:
    """The frame; empty when there are no bytes to carry."""
    pieces: list[bytes] = []
    position = 0
    for string in strings:
        if not string:
            continue
        gap = -position % 8
        if gap:
            pieces.append(_PADDING[:gap])
        pieces.append(string)
        position += gap + len(string)
    return b"".join(pieces)


def unpack(frame: bytes, lengths: Sequence[int]) -> list[bytes]:
    """The strings of these lengths. Raises BrokenMessage when the frame is not exactly theirs."""
    strings = []
    position = 0
    for length in lengths:
        if length == 0:
            strings.append(b"")
            continue
        position += -position % 8
        strings.append(frame[position:position + length])
        position += length
    if position != len(frame):
        raise BrokenMessage(f"a bundle of {len(frame)} bytes where {position} are announced")
    return strings


def split_texts(texts: bytes, lengths: Sequence[int]) -> list[str]:
    """Error texts: one after the other without separators. Ill-formed UTF-8 becomes U+FFFD."""
    if sum(lengths) != len(texts):
        raise BrokenMessage("error texts of another length than announced")
    split = []
    position = 0
    for length in lengths:
        split.append(texts[position:position + length].decode("utf-8", "replace"))
        position += length
    return split

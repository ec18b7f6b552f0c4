"""Time: seconds as floats for people, whole nanoseconds inside and on the wire."""

from __future__ import annotations

# A duration in seconds, fractions allowed.
Seconds = float

SECOND = 1_000_000_000  # nanoseconds
MILLISECOND = 1_000_000
NEVER = (1 << 63) - 1


def nanoseconds(seconds: Seconds) -> int:
    return round(seconds * SECOND)


def seconds(duration_ns: int) -> Seconds:
    return duration_ns / SECOND


def text_of(duration_ns: int) -> str:
    """As durations are written for people: 250ms, 10s, 5m."""
    if duration_ns % (60 * SECOND) == 0 and duration_ns > 0:
        return f"{duration_ns // (60 * SECOND)}m"
    if duration_ns % SECOND == 0:
        return f"{duration_ns // SECOND}s"
    return f"{duration_ns // MILLISECOND}ms"

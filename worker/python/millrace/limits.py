"""The protocol's limits: docs/protocol.md, section 13. The broker announces what holds."""

from __future__ import annotations

from typing import NamedTuple

from millrace.units import SECOND

PROTOCOL_VERSION = 1
NAME_BYTES_MAX = 128
HEADERS_MAX = 256
HEADER_KEY_BYTES_MAX = 128
PRIORITY_HIGHEST = 9
ATTEMPTS_MAX = 1_000
DAY = 86_400 * SECOND
TASK_DURATION_MAX = 3_650 * DAY
BACKOFF_MAX = DAY
TIMEOUT_LEAST = SECOND // 10
NOT_BEFORE_LATEST = 7_258_118_400 * SECOND  # 2200-01-01


class PeerLimits(NamedTuple):
    """What both sides of a connection must know. The sender checks before it sends."""

    frame_bytes_max: int = 32 << 20
    payload_bytes_max: int = 16 << 20
    result_bytes_max: int = 16 << 20
    error_bytes_max: int = 4 << 10
    headers_bytes_max: int = 16 << 10
    queue_name_bytes_max: int = 128
    batch_items_max: int = 10_000
    worker_queues_max: int = 1_024
    credit_max: int = 10_000

"""What running attempts want to tell the broker before their end: more time, and progress. Pure."""

from __future__ import annotations

from typing import Dict, List

from millrace.wire.messages import Extend, Extension, HeldLease
from millrace.worker.attempts import Attempts


class Extensions:
    def __init__(self) -> None:
        self._unsent: Dict[HeldLease, Extension] = {}

    def ask(self, lease: HeldLease, by_ns: int, progress_percent: int) -> None:
        """The newest wish of an attempt stands until it is sent; no progress is no news."""
        before = self._unsent.get(lease)
        if before is not None and progress_percent == 0:
            progress_percent = before.progress_percent
        self._unsent[lease] = Extension(*lease, by_ns, progress_percent)

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def take(self, attempts: Attempts, items_max: int) -> List[Extend]:
        """Messages with the wishes of those attempts that still run for somebody."""
        items = []
        for lease, extension in self._unsent.items():
            attempt = attempts.find(lease)
            if attempt is not None and not attempt.abandoned:
                items.append(extension)
        self._unsent.clear()
        return [Extend(items[first:first + items_max]) for first in range(0, len(items), items_max)]

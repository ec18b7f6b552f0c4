"""How many tasks a worker wants beyond its slots, so that tiny tasks need not wait for the broker's
commit and long ones are not held back from idle workers. Pure."""

from __future__ import annotations

from millrace.units import MILLISECOND

BACKLOG_NS = 20 * MILLISECOND
BACKLOG_MOST_NS = 200 * MILLISECOND
LONG_TASK_NS = 100 * MILLISECOND
WEIGHT = 8  # a new measurement counts for 1/8 of the mean


class Prefetch:
    """The backlog follows the measured handler time: about what all slots finish in 20 ms, doubled
    (up to ten times that) whenever the local queue ran empty while such tasks flowed, and none at
    all for tasks of 100 ms and more."""

    def __init__(self, slots: int, tasks_max: int) -> None:
        self._slots = slots
        self._tasks_max = tasks_max
        self._tasks = 0
        self._mean_ns = 0  # exponentially weighted; 0 before the first measurement
        self._may_grow = False
        self._held = False

    def observe(self, elapsed_ns: int) -> None:
        """A handler ran for `elapsed_ns`."""
        measured = max(elapsed_ns, 100)
        if self._mean_ns == 0:
            self._mean_ns = measured
        else:
            self._mean_ns = max(1, self._mean_ns + (measured - self._mean_ns) // WEIGHT)
        self._held = False
        self._fit()

    def refilled(self) -> None:
        """The broker sent work."""
        self._may_grow = True

    def ran_empty(self) -> None:
        """A slot found nothing to do. Grows at most once per refill."""
        if not self._may_grow:
            return
        self._may_grow = False
        self._tasks = max(1, min(self._tasks_max, self._tasks * 2))
        self._fit()

    def hold(self) -> None:
        """A prefetched task waited too long: asks for none until a handler has ended again."""
        self._held = True

    @property
    def tasks(self) -> int:
        return 0 if self._held else self._tasks

    def finished_in(self, time_ns: int, most: int) -> int:
        """How many tasks the slots together finish in `time_ns`, at most `most`; 0 before the first
        measurement and for tasks of 100 ms and more."""
        if self._mean_ns == 0 or self._mean_ns >= LONG_TASK_NS:
            return 0
        return min(time_ns * self._slots // self._mean_ns, most)

    def _fit(self) -> None:
        least = self.finished_in(BACKLOG_NS, self._tasks_max)
        most = self.finished_in(BACKLOG_MOST_NS, self._tasks_max)
        self._tasks = max(least, min(self._tasks, most))

"""Watches a round from the side: the broker's figures, and whether the machine gave us time."""

import threading
import time

SNAPSHOT_SECONDS = 0.5
TICK_SECONDS = 0.1
STARVED_SECONDS = 1.0


class Witness:
    """Two threads, from `start` to `stop`."""

    def __init__(self, fleet, history):
        self._fleet = fleet
        self._history = history
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._read_metrics, daemon=True),
                         threading.Thread(target=self._notice_starvation, daemon=True)]
        self.snapshots = []
        self.starvations = 0

    def start(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _read_metrics(self):
        while not self._done.wait(SNAPSHOT_SECONDS):
            snapshot = self._fleet.json("/metrics")
            if snapshot:
                self.snapshots.append(snapshot)

    def _notice_starvation(self):
        """A machine that stands still is a fault of nobody's, and excuses what follows from it."""
        before = time.monotonic()
        while not self._done.wait(TICK_SECONDS):
            now = time.monotonic()
            if now - before > TICK_SECONDS + STARVED_SECONDS:
                self.starvations += 1
                number = f"starved {self.starvations}"
                self._history.note("invoke", "fault", number=number, fault="starved",
                                   targets=["all"], mono_ns=int(before * 1e9))
                self._history.note("ok", "fault", number=number)
            before = now

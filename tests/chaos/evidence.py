"""All that a round of a campaign left behind, in the form the checkers read."""

import bisect
import collections
import dataclasses

import history
import wire

Start = collections.namedtuple("Start", "task attempt fence worker mono_ns")

SECOND = 1_000_000_000
EXPORTED_AT_ONCE = 500
EXPORT_SECONDS_MAX = 30


@dataclasses.dataclass
class Fault:
    """Something done to a process, a host or the broker, and when it was over."""
    kind: str
    targets: list  # processes such as w03.7, places such as w03, or "broker"
    begin_ns: int
    end_ns: int

    def hits(self, worker):
        return worker in self.targets or worker.partition(".")[0] in self.targets


@dataclasses.dataclass
class Evidence:
    history: list = dataclasses.field(default_factory=list)
    starts: list = dataclasses.field(default_factory=list)   # Start, of the workers' ledger
    ends: list = dataclasses.field(default_factory=list)
    export: dict = dataclasses.field(default_factory=dict)   # id -> what the broker says at rest
    listed: dict = dataclasses.field(default_factory=dict)   # the same by `millrace tasks`
    metrics: dict = dataclasses.field(default_factory=dict)  # at rest
    snapshots: list = dataclasses.field(default_factory=list)  # metrics during the run
    faults: list = dataclasses.field(default_factory=list)
    unexpected: list = dataclasses.field(default_factory=list)  # ends of programs nobody asked for
    strangers: list = dataclasses.field(default_factory=list)  # processes left behind
    # What the broker has open without any peer, by kind, and in the end.
    descriptors_before: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    descriptors_after: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    drained: bool = True
    clock_moved: bool = False

    def lines(self, operation, *kinds):
        return [line for line in self.history
                if line["operation"] == operation and line["kind"] in kinds]

    def tasks(self, operation, *kinds):
        return {line["task"] for line in self.lines(operation, *kinds)}

    def answers(self):
        """How often what was answered: {"cancel ok": 12, ...}."""
        return collections.Counter(f"{line['operation']} {line['kind']}" for line in self.history
                                   if line["kind"] != "invoke" and line["operation"] != "fault")

    def starts_by_task(self):
        """In the order of the leases: a worker that was frozen may start an old one late."""
        by_task = collections.defaultdict(list)
        for start in sorted(self.starts, key=lambda start: start.fence):
            by_task[start.task].append(start)
        return by_task


def read_ledger(path):
    """(starts, ends)"""
    sides = {"start": [], "end": []}
    with open(path, encoding="utf-8") as ledger:
        for line in ledger:
            what, task, attempt, fence, worker, mono_ns = line.split()
            sides[what].append(Start(task, int(attempt), int(fence), worker, int(mono_ns)))
    return sides["start"], sides["end"]


def faults_of(lines):
    """Those of the injector's history; one that was never healed lasts to the end of time."""
    faults = {}
    for line in lines:
        if line["operation"] == "fault" and line["kind"] == "invoke":
            faults[line["number"]] = Fault(line["fault"], line["targets"], line["mono_ns"], 1 << 63)
        elif line["operation"] == "fault":
            faults[line["number"]].end_ns = line["mono_ns"]
    return list(faults.values())


def export(connection, tasks):
    """What the broker says of each of `tasks`, with payloads, where they are kept, and results."""
    everything = {}
    for first in range(0, len(tasks), EXPORTED_AT_ONCE):
        everything.update(wire.get(connection, tasks[first:first + EXPORTED_AT_ONCE],
                                   EXPORT_SECONDS_MAX, with_bytes=True))
    return everything


def read(folder, ledger):
    """Evidence out of the files of a round; what the broker says is still to be filled in."""
    lines = history.read(folder)
    starts, ends = read_ledger(ledger)
    return Evidence(history=lines, starts=starts, ends=ends, faults=faults_of(lines))


class FaultsByTime:
    """Which faults touch a span of time, without looking at each for each question."""

    def __init__(self, faults):
        self._faults = sorted(faults, key=lambda fault: fault.begin_ns)
        self._begins = [fault.begin_ns for fault in self._faults]
        # The latest end among the first n faults: where it is early enough, none before matters.
        self._ends = []
        for fault in self._faults:
            self._ends.append(max(fault.end_ns, self._ends[-1] if self._ends else 0))

    def touching(self, begin_ns, end_ns):
        index = bisect.bisect_right(self._begins, end_ns)
        while index > 0 and self._ends[index - 1] >= begin_ns:
            index -= 1
            if self._faults[index].end_ns >= begin_ns:
                yield self._faults[index]

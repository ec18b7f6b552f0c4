"""Every call fails once: the N-th sync, write, open … of a whole broker under load, for N = 1, 2, 3 …
until a run has no failure any more."""

import errno
import os
import random
import shutil
import signal
import time

import target
from target import Broker, Client, Ledger

ROUNDS = 6
STOPS_SOON = 1.0  # seconds to wait for a stop before asking for one
CALLS_MOST = 10_000
ARGUMENTS = ("--store-size", "8MiB", "--disk-reserve", "256KiB")


class Kind:
    """One way in which calls fail. `fatal`: a broker that is ready must stop with exit code 74."""

    def __init__(self, name, mode, calls, error=0, fatal=True, lasting=False):
        self.name, self.mode, self.calls, self.error = name, mode, calls, error
        self.fatal, self.lasting = fatal, lasting


KINDS = (
    Kind("sync EIO", "fail", "sync", errno.EIO),
    Kind("write EIO", "fail", "write", errno.EIO),
    Kind("write ENOSPC for good", "fail", "write", errno.ENOSPC, lasting=True),
    Kind("short write", "short", "write"),
    Kind("open EMFILE", "fail", "open", errno.EMFILE),
    Kind("size EIO", "fail", "size", errno.EIO),
    Kind("map ENOMEM", "fail", "map", errno.ENOMEM),
    Kind("name EIO", "fail", "name", errno.EIO),
)
MEMORY = Kind("memory", "fail", "memory", errno.ENOMEM, fatal=False)


class Run:
    """One life of a broker with one fault in it."""

    def __init__(self, folder, kind, number, seed):
        self._folder, self._kind, self._number, self._seed = folder, kind, number, seed
        self._data = os.path.join(folder, "data")
        self._report = os.path.join(folder, "report")
        self._ledger = Ledger()
        self.fired = None   # seconds of the monotonic clock
        self.calls = None   # how many there were, when it did not fire
        self.stopped_in = 0.0
        self.problems = []

    def make(self):
        shutil.rmtree(self._data, ignore_errors=True)
        if os.path.exists(self._report):
            os.remove(self._report)
        more = {"error": self._kind.error, **({"lasting": 1} if self._kind.lasting else {})}
        environment = target.shim_environment(self._data, self._report, self._kind.mode,
                                              self._kind.calls, self._number, **more)
        with Broker(self._data, *ARGUMENTS, environment=environment) as broker:
            ready = broker.wait_ready()
            self._read_report()
            before_ready = self.fired is not None
            if ready:
                self._load(broker)
            code = broker.ends_by_itself(0) if broker.code is None else broker.code
            if code is None:
                code = self._wait(broker)
            ended = time.monotonic()
        self._read_report()
        self._judge(code, ready, before_ready, broker.stderr, ended)
        self.problems += target.problems_after(self._data, self._ledger, *ARGUMENTS)
        return self

    def _load(self, broker):
        client = Client(broker.door, self._ledger, self._seed, patience=2.0)
        for number in range(ROUNDS):
            if not client.round(size=50_000 if number == 3 else None):
                break
        client.close()

    def _wait(self, broker):
        self._read_report()
        if self.fired is not None and self._kind.fatal:
            code = broker.ends_by_itself(STOPS_SOON)
            if code is not None:
                return code
        code = broker.stop()
        if code is None:
            self.problems.append("it does not end after SIGTERM")
            broker.kill()
        return code

    def _read_report(self):
        try:
            with open(self._report, encoding="ascii") as file:
                for word, value in (line.split() for line in file):
                    if word == "failed" and self.fired is None:
                        self.fired = int(value) / 1e9
                    elif word == "calls":
                        self.calls = int(value)
        except FileNotFoundError:
            pass

    def _judge(self, code, ready, before_ready, stderr, ended):
        lines = stderr.strip().splitlines()
        told = [line for line in lines if line.startswith("millrace-broker: ")]
        if self.fired is None:
            if code != 0:
                self.problems.append(f"without a fault it ends with {code}: {stderr.strip()}")
        elif not ready:
            if self._kind.fatal and (code != target.REFUSED or len(told) != 1):
                self.problems.append(f"a start ends with {code} and says {lines}")
        elif self._kind.fatal and not before_ready:
            self.stopped_in = ended - self.fired
            if code != target.STORE_FAILED or len(told) != 1:
                self.problems.append(f"it ends with {code} and says {lines}")


def numbers(kind, run, seed, samples):
    """1, 2, 3 … until nothing fails. Of memory, which is asked for too often for that, a sample."""
    if kind is not MEMORY:
        yield from range(1, CALLS_MOST)
        return
    total = run(CALLS_MOST * 1_000).calls or CALLS_MOST
    yield from sorted(random.Random(seed).sample(range(1, total), min(samples, total - 1)))


def errors(folder, seed, memory_samples, stops_within=None, every=1):
    """`stops_within`: seconds in which a broker must stop, on a machine of its own; `every`: only each
    so-many-th number, for a quick look."""
    counts, problems, slowest = {}, [], 0.0
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for kind in (*KINDS, MEMORY):
        count = 0
        for number in numbers(kind, lambda n, k=kind: Run(folder, k, n, seed).make(), seed,
                              memory_samples):
            if kind is not MEMORY and (number + seed) % every:
                continue
            done = Run(folder, kind, number, seed).make()
            slowest = max(slowest, done.stopped_in)
            problems += [f"{kind.name}, call {number}: {problem}" for problem in done.problems]
            if done.fired is None:
                break
            count += 1
        counts[kind.name] = count
    if stops_within is not None and slowest > stops_within:
        problems.append(f"a broker stopped {slowest:.3f} s after its fault")
    return {"faults": counts, "slowest_stop_seconds": round(slowest, 3), "problems": problems}

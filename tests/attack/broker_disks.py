"""A loaded broker on a disk of its own: power cuts, and a disk that others fill."""

import os
import random
import time

import target
from disks import FLUSH_LOG, FLUSH_NOTHING, Disk, Unavailable
from target import Broker, Client, Ledger, Load

CLIENTS = 4
MEGABYTES = 300  # the least that xfs takes; room for what is accepted while a disk fills
CYCLES_A_DISK = 25  # then it is made anew, so that its directory is new too
ARGUMENTS = ("--store-size", "64MiB", "--disk-reserve", "8MiB")


# ---- power cuts ---------------------------------------------------------------------------------

def power(folder, seed, kinds, cycles):
    """The file system is shut down under a loaded broker, its log not written, again and again."""
    found = {"cycles": {}, "acknowledged": {}}
    problems, unavailable = [], []
    for kind in kinds:
        source = random.Random(f"{seed}/{kind}")
        done, acknowledged = 0, 0
        try:
            while done < cycles:
                with Disk(folder, kind, MEGABYTES) as disk:
                    ledger = Ledger()
                    for _ in range(min(CYCLES_A_DISK, cycles - done)):
                        done += 1
                        problems += [f"{kind}, cycle {done}: {problem}" for problem in
                                     cut(disk, ledger, source, f"{seed}/{kind}/{done}")]
                    acknowledged += len(ledger.accepted) + len(ledger.results)
        except Unavailable as why:
            unavailable.append(f"{kind}: {why}")
        found["cycles"][kind], found["acknowledged"][kind] = done, acknowledged
    if unavailable:
        print("power: NOT DONE ON " + "; ".join(unavailable), flush=True)
    if len(unavailable) == len(kinds):
        return {"skipped": "; ".join(unavailable)}
    return {**found, "unavailable": unavailable, "problems": problems}


def cut(disk, ledger, source, seed):
    """One power cut, and what was lost by it."""
    data = os.path.join(disk.mount_point, "data")
    problems = []
    with Broker(data, *ARGUMENTS) as broker:
        # Some cuts come while the broker starts.
        if source.randrange(6) == 0:
            time.sleep(source.uniform(0, 0.15))
            disk.cut_power(FLUSH_NOTHING)
        elif not broker.wait_ready():
            problems.append(f"it does not start: {broker.ends_by_itself()} {broker.stderr.strip()}")
        else:
            load = Load(broker.door, ledger, CLIENTS, seed)
            time.sleep(source.uniform(0.02, 0.4))
            disk.cut_power(FLUSH_NOTHING if source.randrange(4) else FLUSH_LOG)
            code = broker.ends_by_itself()
            load.stop()
            if code != target.STORE_FAILED:
                problems.append(f"it ends with {code}: {broker.stderr.strip()}")
    disk.unmount()
    disk.mount()
    return problems + target.problems_after(data, ledger, *ARGUMENTS)


# ---- a full disk, a full map --------------------------------------------------------------------

def full(folder, seed, kinds, cycles):
    """Something else fills the disk under load, then the store fills itself; both heal."""
    problems, refused = [], 0
    try:
        for kind in kinds:
            with Disk(folder, kind, MEGABYTES) as disk:
                scene = FullDisk(disk, f"{seed}/{kind}")
                for number in range(cycles):
                    problems += [f"{kind}, cycle {number + 1}: {problem}" for problem in scene.cycle()]
                problems += [f"{kind}: {problem}" for problem in scene.end()]
                refused += scene.refused
    except Unavailable as why:
        return {"skipped": str(why)}
    return {"refused": refused, "problems": problems}


def until(condition):
    """True when it has become so within the patience of tests."""
    deadline = time.monotonic() + target.PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class FullDisk:
    """One broker that lives through all of it, without a restart."""

    def __init__(self, disk, seed):
        self._disk = disk
        self._data = os.path.join(disk.mount_point, "data")
        self._ledger = Ledger()
        self._broker = Broker(self._data, "--disk-reserve", "8MiB")
        if not self._broker.wait_ready():
            raise AssertionError(self._broker.stderr)
        self._client = Client(self._broker.door, self._ledger, seed)
        self.refused = 0

    def _is_refused(self):
        return self._client.submit(20_000) == 503

    def _is_accepted(self):
        return self._client.submit(100) == 202

    def _fill(self, path):
        """As much as there is; the broker may need the same space at the same time."""
        with open(path, "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(1 << 16))
            except OSError:
                pass

    def cycle(self):
        if not until(self._is_accepted):
            return ["nothing is accepted on a disk with room"]
        held = [self._client.lease()[1] for _ in range(3) if self._client.submit(100) == 202]
        filler = os.path.join(self._disk.mount_point, "filler")
        self._fill(filler)
        problems = []
        if not until(self._is_refused):
            problems.append("a full disk refuses nothing")
        self.refused += 1
        # What runs can finish, and what waits can be run.
        for lease in held:
            if lease and self._client.complete(lease) != 200:
                problems.append("a running task could not finish on a full disk")
        status, lease = self._client.lease()
        if status != 200 or self._client.complete(lease) != 200:
            problems.append("a waiting task could not run on a full disk")
        os.remove(filler)
        if not until(self._is_accepted):
            problems.append("it does not heal when space returns")
        return problems

    def end(self):
        self._client.close()
        code = self._broker.stop()
        problems = [] if code == 0 else [f"it ends with {code}: {self._broker.stderr.strip()}"]
        return problems + target.problems_after(self._data, self._ledger, "--disk-reserve", "8MiB")

"""The programs of a campaign on the hosts of its network: started, found by number, started again.

A name such as `w03.7` is one process: the seventh at the place w03. Names are never used twice, so
the ledger tells which process ran what.
"""

import collections
import dataclasses
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import millrace_python
import network
from cluster import BINARIES, DEADLINE_SECONDS, Cluster

HERE = os.path.dirname(os.path.abspath(__file__))
PORTS = {"client": 5555, "worker": 5556, "beat": 5557, "pulse": 5558, "http": 8080}
SLOTS = 2
STOP_SECONDS_MAX = 30
NO_TASK = "00000000-0000-4000-8000-000000000000"
# Built by tests/integration/node_package_test.py.
NODE_PACKAGE = os.path.join(os.path.dirname(BINARIES), "node")
FAKETIME = "/usr/lib/*/faketime/libfaketimeMT.so.1"  # of the package libfaketime

WORKERS = os.path.join(HERE, "workers")
ROOT = os.path.dirname(os.path.dirname(HERE))
WORK = {"echo": ["--builtin", "echo"], "sleep": ["--builtin", "sleep"],
        "program": ["--", os.path.join(WORKERS, "task.sh")],
        "lie": ["--builtin", "poison", "--poison", "lie"]}
QUEUE = {"lie": "echo"}


@dataclasses.dataclass
class Place:
    """Where one process runs at a time, and what it is."""
    name: str
    host: str
    kind: str
    count: int = 0
    process: subprocess.Popen = None
    stopped: bool = False  # on purpose, not to be started again

    def signal(self, number):
        """A worker at curl is a group of processes, which a signal hits together."""
        if self.kind == "curl" and self.process.poll() is None:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    @property
    def current(self):
        return f"{self.name}.{self.count}"


class Fleet(Cluster):
    """A Cluster whose programs run on several hosts. `shape`: the kinds of the workers in order."""

    def __init__(self, shape, submitters, rate, seed):
        super().__init__()
        self.host = network.ADDRESSES["broker"]
        self.ports = dict(PORTS)
        self.places = [Place(f"w{i:02d}", network.WORKER_HOSTS[i % len(network.WORKER_HOSTS)], kind)
                       for i, kind in enumerate(shape)]
        self.clients = [Place(f"c{i:02d}", network.CLIENT_HOSTS[i % len(network.CLIENT_HOSTS)],
                              "submitter") for i in range(submitters)]
        self.rate = rate
        self.seed = seed
        self.unexpected = []  # ends of programs that nobody asked for
        self.clock_file = None
        self._faketime = None
        self.broker_options = []
        self.proxy = None
        self.broker_is_down = False  # on purpose

    # ---- programs on hosts ---------------------------------------------------------------------

    def start_on(self, host, program, *arguments, log, **options):
        """Like Cluster.start, on a host; `program` is one of the binaries or a path."""
        path = program if os.sep in program else os.path.join(BINARIES, program)
        with open(os.path.join(self.folder, log), "ab") as errors:
            options.setdefault("stdin", subprocess.DEVNULL)
            process = subprocess.Popen([*network.inside(host), path, *map(str, arguments)],
                                       stderr=errors, **options)
        self._processes.append(process)
        return process

    def keep(self, name):
        """The folder stays, under this name; its path."""
        kept = os.path.join(os.path.dirname(self.folder), name)
        shutil.rmtree(kept, ignore_errors=True)
        os.rename(self.folder, kept)
        return kept

    def forget(self, process):
        """It has ended, and was waited for."""
        self._processes.remove(process)

    def start_proxy(self):
        ports = [str(PORTS[kind]) for kind in ("client", "worker", "beat", "pulse")]
        self.proxy = self.start_on("proxy", sys.executable, "-B", os.path.join(HERE, "proxy.py"),
                                   network.ADDRESSES["proxy"], self.host, *ports, log="proxy.log",
                                   stdin=subprocess.PIPE)

    def tell_proxy(self, command):
        self.proxy.stdin.write(command.encode() + b"\n")
        self.proxy.stdin.flush()

    def broker_address(self, host, port):
        name = "proxy" if host in network.BEHIND_PROXY and self.proxy else "broker"
        return f"{network.ADDRESSES[name]}:{PORTS[port]}"

    # ---- broker --------------------------------------------------------------------------------

    def give_data_its_own_disk(self, size):
        """A file system of that size, in memory: one that can be filled."""
        os.mkdir(self.data, 0o700)
        network.run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", self.data)
        self.broker_options += ["--disk-reserve", "16MiB"]

    def give_broker_its_own_clock(self):
        """Every start from now on, and the running broker, have the wall clock of `set_clock`."""
        (self._faketime,) = glob.glob(FAKETIME)
        self.clock_file = os.path.join(self.folder, "clock")
        self.set_clock(0)

    def set_clock(self, offset_seconds):
        with open(self.clock_file, "w", encoding="utf-8") as file:
            file.write(f"{offset_seconds:+d}")

    def start_broker(self):
        environment = dict(os.environ)
        if self.clock_file:
            environment.update(LD_PRELOAD=self._faketime, FAKETIME_TIMESTAMP_FILE=self.clock_file,
                               FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_NO_CACHE="1")
        arguments = ["--data", self.data, "--bind", self.host,
                     "--allow-network-without-keys", "--http-readers", "anyone",
                     *self.broker_options]
        for kind, port in PORTS.items():
            arguments += [f"--{kind}-port", port]
        self.broker = self.start_on("broker", "millrace-broker", *arguments, log="broker.log",
                                    stdout=subprocess.PIPE, env=environment)
        self.broker_is_down = False
        return self._ready_line()

    def end_broker(self, number):
        """Sends the signal and waits; the exit code."""
        self.broker_is_down = True
        self.broker.send_signal(number)
        code = self.broker.wait(STOP_SECONDS_MAX)
        self.broker.stdout.close()
        self.forget(self.broker)
        return code

    # ---- workers and clients -------------------------------------------------------------------

    def start_place(self, place):
        place.count += 1
        if place.kind == "submitter":
            place.process = self.start_on(
                place.host, sys.executable, "-B", os.path.join(HERE, "submitter.py"),
                f"tcp://{self.broker_address(place.host, 'client')}",
                os.path.join(self.folder, f"{place.name}.history"), place.current,
                f"{self.seed}{place.count}{place.name[1:]}", self.rate, log=f"{place.name}.log")
            return
        if place.kind == "zombie":
            host, _, _ = self.broker_address(place.host, "worker").partition(":")
            place.process = self.start_on(
                place.host, sys.executable, "-B", os.path.join(HERE, "zombie.py"), host, self.ledger,
                os.path.join(self.folder, f"{place.name}.history"), place.current, "echo",
                self.seed + place.count, log=f"{place.name}.log")
            return
        if place.kind in LANGUAGES:
            place.process = LANGUAGES[place.kind](self, place)
            return
        place.process = self.start_on(
            place.host, "millrace-worker", "--broker", self.broker_address(place.host, "worker"),
            "--queue", QUEUE.get(place.kind, place.kind), "--slots", SLOTS, "--name", place.current,
            "--ledger", self.ledger, "--log-level", "warn", *WORK[place.kind],
            log=f"{place.name}.log", stdout=subprocess.DEVNULL)

    def kill_place(self, place):
        place.signal(signal.SIGKILL)
        place.process.wait()
        self.forget(place.process)

    def start_all(self):
        for place in self.places + self.clients:
            self.start_place(place)

    def look_for_unexpected_ends(self):
        """Programs end when they are told to, and only then. Starts again what did not listen."""
        if not self.broker_is_down and self.broker.poll() is not None:
            self.unexpected.append(f"the broker ended with code {self.broker.returncode}")
            self.forget(self.broker)
            self.start_broker()
        for place in self.places + self.clients:
            if not place.stopped and place.process.poll() is not None:
                code = place.process.returncode
                self.unexpected.append(f"{place.current} ended with code {code}")
                self.forget(place.process)
                self.start_place(place)

    def stop_places(self, places):
        """SIGTERM to all; each must end with code 0, unless it was not yet ready for the signal."""
        expected = {}
        for place in places:
            place.stopped = True
            expected[place.name] = (0,) if listens(place.process.pid) else (0, -signal.SIGTERM)
            place.signal(signal.SIGTERM)
        for place in places:
            try:
                code = place.process.wait(STOP_SECONDS_MAX + DEADLINE_SECONDS)
            except subprocess.TimeoutExpired:
                code = "none: it had to be killed"
                place.signal(signal.SIGKILL)
                place.process.wait()
            if code not in expected[place.name]:
                self.unexpected.append(f"{place.current} stopped with code {code}")
            self.forget(place.process)

    # ---- observation ---------------------------------------------------------------------------

    def use_http(self):
        """Both ways of HTTP to a single task: what they need the broker opens at their first use."""
        for path in ("/tasks", "/v1/tasks"):
            self.json(f"{path}/{NO_TASK}")

    def broker_descriptors(self):
        """How many of each kind the broker has open: socket, anon_inode:[eventfd], a path."""
        folder = f"/proc/{self.broker.pid}/fd"
        targets = [os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)]
        return collections.Counter(re.sub(r":\[\d+\]$", "", target) for target in targets
                                   if "faketime" not in target)

    def listed_tasks(self):
        """What `millrace tasks --all --json` prints, by id."""
        listed = self.client("tasks", "--all", "--json", timeout=120)
        return {task["id"]: task for task in map(json.loads, listed.stdout.splitlines())}

    def strangers(self):
        """Processes of this sandbox that the fleet does not know: left behind by someone."""
        known = {process.pid for process in self._processes} | {os.getpid()}
        return [name for name in os.listdir("/proc")
                if name.isdigit() and int(name) not in known and not is_zombie(name)]


def start_python(fleet, place):
    return fleet.start_on(
        place.host, "/usr/bin/python3", os.path.join(WORKERS, "python_worker.py"),
        fleet.broker_address(place.host, "worker"), place.current, fleet.ledger, SLOTS,
        log=f"{place.name}.log", env=millrace_python.ENVIRONMENT)


def start_node(fleet, place):
    return fleet.start_on(
        place.host, shutil.which("node"), os.path.join(WORKERS, "node_worker.mjs"), NODE_PACKAGE,
        fleet.broker_address(place.host, "worker"), place.current, fleet.ledger, SLOTS,
        log=f"{place.name}.log")


def start_curl(fleet, place):
    environment = dict(os.environ, MILLRACE_HTTP=f"http://{fleet.host}:{PORTS['http']}",
                       MILLRACE_HTTP_HEADER=os.path.join(fleet.data, "http-header"),
                       CHAOS_WORKER=place.current, CHAOS_LEDGER=fleet.ledger)
    return fleet.start_on(
        place.host, os.path.join(ROOT, "worker/examples/curl_worker.sh"), "program",
        os.path.join(WORKERS, "curl_task.sh"), log=f"{place.name}.log", stdout=subprocess.DEVNULL,
        env=environment, start_new_session=True)


# How the workers that are not the program millrace-worker are started.
LANGUAGES = {"python": start_python, "node": start_node, "curl": start_curl}


def listens(pid):
    """Whether the process handles SIGTERM, or takes it from a descriptor."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        masks = [int(line.split()[1], 16) for line in status
                 if line.startswith(("SigCgt:", "SigBlk:"))]
    return any(mask >> (signal.SIGTERM - 1) & 1 for mask in masks)


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True

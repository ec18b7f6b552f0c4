"""A cluster of real programs on this machine: started on free ports, killed, restarted, observed.

Conditions are waited for, with a generous deadline; nothing here sleeps and hopes.
"""

import collections
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BINARIES = os.environ.get("MILLRACE_BINARIES", "build/release/bin")
DEADLINE_SECONDS = 60
KINDS = ("client", "worker", "beat", "pulse", "http")

Start = collections.namedtuple("Start", "task attempt fence worker")


def wait_for(condition, what, seconds=DEADLINE_SECONDS):
    """The first true value of `condition()`; an AssertionError that names `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Cluster:
    """A broker, workers and clients in one temporary folder. Use it in a `with`."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="millrace-test-")
        self.data = os.path.join(self.folder, "data")
        self.http_header = os.path.join(self.data, "http-header")  # for curl -H @FILE
        self.ledger = os.path.join(self.folder, "ledger")
        self.host = "127.0.0.1"  # the broker's
        self.ports = {}
        self.broker = None
        self.workers = {}
        self._processes = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            self._show_logs()
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    pipe.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _show_logs(self):
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".log"):
                with open(os.path.join(self.folder, name), errors="replace") as log:
                    print(f"--- {name}\n{log.read()[-3000:]}")

    def start(self, program, *arguments, log=None, **options):
        path = os.path.join(BINARIES, program)
        if "stderr" not in options:
            log = open(os.path.join(self.folder, log or f"{program}.log"), "ab")
            options["stderr"] = log
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen([path, *map(str, arguments)], **options)
        if not isinstance(options["stderr"], int):
            options["stderr"].close()
        self._processes.append(process)
        return process

    # ---- broker ---------------------------------------------------------------------------------

    def start_broker(self, *extra):
        arguments = ["--data", self.data]
        for kind in KINDS:
            arguments += [f"--{kind}-port", self.ports.get(kind, 0)]
        self.broker = self.start("millrace-broker", *arguments, *extra, log="broker.log",
                                 stdout=subprocess.PIPE)
        ready = self._ready_line()
        self.ports = {kind: int(ready[kind].rpartition(":")[2]) for kind in KINDS}
        return ready

    def _ready_line(self):
        text = b""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not text.endswith(b"\n"):
            left = max(0, deadline - time.monotonic())
            readable, _, _ = select.select([self.broker.stdout], [], [], left)
            piece = os.read(self.broker.stdout.fileno(), 4096) if readable else b""
            if not piece:
                raise AssertionError("the broker did not become ready")
            text += piece
        return json.loads(text)

    def kill_broker(self):
        self.broker.kill()
        self.broker.wait()

    # ---- workers --------------------------------------------------------------------------------

    def start_worker(self, name, *work, queue="demo", slots=1, extra=()):
        """`work`: --builtin KIND, or -- PROGRAM ARG…; its ledger is the cluster's."""
        self.workers[name] = self.start(
            "millrace-worker", "--broker", f"{self.host}:{self.ports['worker']}", "--queue", queue,
            "--slots", slots, "--name", name, "--ledger", self.ledger, *extra, *work,
            log=f"{name}.log")
        return self.workers[name]

    def start_workers(self, count, *work, **options):
        for number in range(1, count + 1):
            self.start_worker(f"w{number:02d}", *work, **options)
        self.wait_for_workers(count)

    def wait_for_workers(self, count):
        wait_for(lambda: self.metric("connected_workers") == count, f"{count} connected workers")

    # ---- clients --------------------------------------------------------------------------------

    def client_arguments(self, *arguments):
        return ["--broker", f"{self.host}:{self.ports['client']}", *arguments]

    def client(self, *arguments, stdin=None, timeout=DEADLINE_SECONDS):
        """Runs `millrace ARGUMENTS`; the finished process with text in stdout and stderr."""
        command = [os.path.join(BINARIES, "millrace"), *map(str, self.client_arguments(*arguments))]
        return subprocess.run(command, input=stdin if stdin is not None else "",
                              capture_output=True, text=True, timeout=timeout)

    def start_client(self, *arguments):
        return self.start("millrace", *self.client_arguments(*arguments), log="client.log",
                          stdout=subprocess.PIPE, text=True)

    def submit(self, *arguments, **options):
        """`millrace submit …` with --wait --json: the summary object."""
        finished = self.client("submit", *arguments, "--wait", "--json", **options)
        return json.loads(finished.stdout.splitlines()[-1])

    # ---- observation ----------------------------------------------------------------------------

    def http(self, path, headers=None, method="GET"):
        """(status, text) of a request to the broker's HTTP port; (0, "") while it is down."""
        request = urllib.request.Request(f"http://{self.host}:{self.ports['http']}{path}",
                                         headers=headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def json(self, path):
        status, text = self.http(path)
        return json.loads(text) if status == 200 else {}

    def metric(self, name):
        return self.json("/metrics").get(name)

    def wait_for_metric(self, name, condition, seconds=DEADLINE_SECONDS):
        wait_for(lambda: (value := self.metric(name)) is not None and condition(value),
                 f"a fitting {name}", seconds)

    def task(self, task_id):
        return self.json(f"/tasks/{task_id}")

    def starts(self):
        return self._ledger_lines("start")

    def ends(self):
        return self._ledger_lines("end")

    def _ledger_lines(self, kind):
        if not os.path.exists(self.ledger):
            return []
        with open(self.ledger) as ledger:
            words = [line.split() for line in ledger]
        return [Start(w[1], int(w[2]), int(w[3]), w[4]) for w in words if w[0] == kind]

    def starts_by_task(self):
        by_task = collections.defaultdict(list)
        for start in self.starts():
            by_task[start.task].append(start)
        return by_task


class ClusterTest(unittest.TestCase):
    """A test with a cluster of its own: self.cluster."""

    cluster_type = Cluster

    def run(self, result=None):
        with self.cluster_type() as self.cluster:
            super().run(result)
            broken = result and (result.failures or result.errors)
            if broken and any(test is self for test, _ in result.failures + result.errors):
                self.cluster._show_logs()
        return result

    def assert_books_balance(self):
        metrics = self.cluster.json("/metrics")
        known = sum(metrics["tasks_by_state"].values()) + metrics["pruned_tasks"]
        self.assertEqual(known, metrics["submitted_tasks"])
        self.assertEqual(metrics["invariant_violations_total"], 0)

    def assert_no_second_start(self, but_of=()):
        """No task was started twice, but for those whose worker is named."""
        twice = {task: starts for task, starts in self.cluster.starts_by_task().items()
                 if len([s for s in starts if s.worker not in but_of]) > 1}
        self.assertEqual(twice, {})

    def assert_fences_grow(self):
        for task, starts in self.cluster.starts_by_task().items():
            fences = [start.fence for start in starts]
            self.assertEqual(fences, sorted(set(fences)), f"fences of {task}")

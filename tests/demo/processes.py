"""The demo's programs: started, killed, and none left running at the end."""

import json
import os
import select
import signal
import subprocess
import time
import urllib.request

READY_SECONDS_MAX = 15
STOP_SECONDS_MAX = 15


class Trouble(Exception):
    """The demo cannot go on; the text says why."""


class Programs:
    """Use it in a `with`; whatever still runs at the end is stopped, by its process id."""

    def __init__(self, binaries, folder):
        self._binaries = binaries
        self._folder = folder
        self._running = []
        self.ports = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_all()

    def start(self, name, *arguments, log=None, **options):
        program = os.path.join(self._binaries, name)
        if not os.access(program, os.X_OK):
            raise Trouble(f"{program} is not there; ./dev build makes it")
        error = open(os.path.join(self._folder, log or f"{name}.log"), "ab")
        with error:
            process = subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, stderr=error,
                                       **options)
        self._running.append(process)
        return process

    def start_broker(self, data):
        """On free ports the first time, on the same ones again after that."""
        arguments = ["--data", data]
        for name in ("client", "worker", "beat", "pulse", "http"):
            arguments += [f"--{name}-port", str(self.ports.get(name, 0))]
        broker = self.start("millrace-broker", *arguments, stdout=subprocess.PIPE)
        self.ports = ports_of(ready_line(broker))
        return broker

    def log_of(self, name):
        try:
            with open(os.path.join(self._folder, name), encoding="utf-8", errors="replace") as log:
                return log.read()[-4000:]
        except FileNotFoundError:
            return ""

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop_all(self):
        """SIGTERM to all, SIGKILL to those who do not listen; the latter are returned."""
        alive = [p for p in self._running if p.poll() is None]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS_MAX
        stubborn = []
        for process in alive:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                stubborn.append(process)
                self.kill(process)
        self._running = []
        return stubborn

    def get(self, path):
        """The JSON document at a path of the broker's HTTP port; nothing while there is no answer."""
        try:
            address = f"http://127.0.0.1:{self.ports['http']}{path}"
            with urllib.request.urlopen(address, timeout=2) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None


def ready_line(process):
    """The broker's one line of JSON on stdout."""
    text = b""
    deadline = time.monotonic() + READY_SECONDS_MAX
    while not text.endswith(b"\n"):
        readable, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        piece = os.read(process.stdout.fileno(), 4096) if readable else b""
        if not piece:
            raise Trouble("the broker did not become ready; its log says why")
        text += piece
    return json.loads(text)


def ports_of(ready):
    """The ports in the ready line: {"client": "tcp://127.0.0.1:5555", ...}."""
    return {name: int(ready[name].rpartition(":")[2])
            for name in ("client", "worker", "beat", "pulse", "http")}

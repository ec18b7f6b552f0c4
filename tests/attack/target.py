"""The broker that is attacked, the load on it, and what must be true of its data afterwards."""

import base64
import collections
import http.client
import json
import os
import random
import select
import signal
import subprocess
import threading
import time
import uuid

BINARIES = os.environ.get("MILLRACE_BINARIES", "build/release/bin")
SHIM = os.path.join(BINARIES, "libmillrace_attack_shim.so")
PATIENCE = 60.0  # seconds for what must come, on a busy machine
BROKER = os.path.join(BINARIES, "millrace-broker")
STORE_FAILED = 74
REFUSED = 78


def shim_environment(directory, report, attack, calls="none", number=0, **more):
    """The environment of a program that is attacked; see shim.cpp."""
    return {**os.environ, "LD_PRELOAD": os.path.abspath(SHIM),
            "MILLRACE_ATTACK_DIRECTORY": directory, "MILLRACE_ATTACK_REPORT": report,
            "MILLRACE_ATTACK": attack, "MILLRACE_ATTACK_CALLS": calls,
            "MILLRACE_ATTACK_NUMBER": str(number),
            **{f"MILLRACE_ATTACK_{name.upper()}": str(value) for name, value in more.items()}}


Door = collections.namedtuple("Door", "host port token")


class Broker:
    """One process of the broker. Use it in a `with`: it is killed at the end."""

    def __init__(self, data, *arguments, environment=None):
        ports = [f"--{kind}-port=0" for kind in ("client", "worker", "beat", "pulse", "http")]
        self._process = subprocess.Popen(
            [BROKER, "--data", data, *ports, *arguments], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._data = data
        self.door = None  # how its HTTP is reached, when it was ready
        self.stderr = ""
        self.code = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def wait_ready(self):
        """True when the ready line has come; False when the process ended instead."""
        text = b""
        deadline = time.monotonic() + PATIENCE
        while not text.endswith(b"\n"):
            readable, _, _ = select.select([self._process.stdout], [], [],
                                           max(0, deadline - time.monotonic()))
            piece = os.read(self._process.stdout.fileno(), 4096) if readable else b""
            if not piece:
                if not readable:
                    raise AssertionError("the broker is neither ready nor does it end")
                return False
            text += piece
        host, _, port = json.loads(text)["http"].removeprefix("http://").rpartition(":")
        with open(os.path.join(self._data, "http-token"), encoding="ascii") as file:
            self.door = Door(host, int(port), file.read().strip())
        return True

    def ends_by_itself(self, seconds=PATIENCE):
        """The exit code; None: it goes on."""
        if self.code is None:
            try:
                _, err = self._process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                return None
            self.stderr = err.decode(errors="replace")
            self.code = self._process.returncode
        return self.code

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self.ends_by_itself()

    def kill(self):
        if self.code is None:
            self._process.kill()
            self.ends_by_itself()


class Ledger:
    """What was said to the broker and what it has acknowledged, kept outside of it."""

    def __init__(self):
        self._lock = threading.Lock()
        self.payloads = {}   # of all that was ever submitted
        self.accepted = set()
        self.results = {}    # of completions that were acknowledged

    def note(self, change):
        with self._lock:
            change(self)

    def violations(self, exported):
        """P1 and P21: what was acknowledged is there with its bytes, and nothing that was not asked for."""
        for task in self.accepted - set(exported):
            yield f"{task} was accepted and is lost"
        for task, found in exported.items():
            if task not in self.payloads:
                yield f"{task} was never submitted"
            elif bytes_of(found, "payload") not in (self.payloads[task], None):
                yield f"{task} has other bytes than were submitted"
        for task, result in self.results.items():
            found = exported.get(task, {})
            if found.get("state") != "succeeded" or bytes_of(found, "result") != result:
                yield f"the completion of {task} was acknowledged and is {found.get('state')}"


def bytes_of(task, name):
    if name in task:
        return task[name].encode()
    encoded = task.get(name + "_base64")
    return None if encoded is None else base64.b64decode(encoded)


class Client:
    """A client and a worker in one, over HTTP, one request after the other."""

    def __init__(self, door, ledger, seed, patience=10.0):
        self._door = door
        self._ledger = ledger
        self._random = random.Random(seed)
        self._patience = patience
        self._connection = None

    def request(self, method, path, body=None):
        """(status, object); (0, None) when no answer came: done or not done is unknown."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._door.host, self._door.port,
                                                              timeout=self._patience)
            headers = {"Content-Type": "application/json",
                       "Authorization": f"Bearer {self._door.token}"}
            self._connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = self._connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            return 0, None

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def submit(self, size=None):
        """The status of the answer."""
        task = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        payload = self._random.randbytes((size or self._random.randrange(4, 400)) // 2).hex()
        self._ledger.note(lambda book: book.payloads.update({task: payload.encode()}))
        status, _ = self.request("POST", "/v1/tasks",
                                 {"id": task, "queue": "q", "payload": payload, "max_attempts": 3})
        if status in (200, 202):
            self._ledger.note(lambda book: book.accepted.add(task))
        return status

    def lease(self):
        """(status, lease): 200 with one, 204 without."""
        return self.request("POST", "/v1/lease?queue=q&wait=1s")

    def complete(self, lease):
        result = self._random.randbytes(20).hex()
        status, _ = self.request("POST", "/v1/complete", {
            "task": lease["task"], "fence": lease["fence"], "result": result})
        if status == 200:
            task = lease["task"]
            self._ledger.note(lambda book: book.results.update({task: result.encode()}))
        return status

    def fail(self, lease):
        status, _ = self.request("POST", "/v1/fail", {
            "task": lease["task"], "fence": lease["fence"], "error": "as planned"})
        return status

    def round(self, size=None):
        """A task that is submitted, and one that is worked on. False: the broker is gone."""
        if self.submit(size) == 0:
            return False
        status, lease = self.lease()
        if status == 0:
            return False
        if status != 200:
            return True
        return (self.complete(lease) if self._random.randrange(4) else self.fail(lease)) != 0


class Load:
    """Clients in threads, until they are told to stop or the broker is gone."""

    def __init__(self, door, ledger, clients, seed):
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(Client(door, ledger, f"{seed}/{number}"),))
            for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def _run(self, client):
        while not self._stopping.is_set() and client.round():
            pass
        client.close()

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join()


def tool(name, data):
    return subprocess.run([BROKER, name, "--data", data], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


def problems_after(data, ledger, *arguments):
    """What is wrong with the data that an attack left; the broker is started on it and checked."""
    with Broker(data, *arguments) as broker:
        if not broker.wait_ready():
            return [f"it does not start again: {broker.ends_by_itself()} {broker.stderr.strip()}"]
    checked = tool("fsck", data)
    if checked.returncode != 0:
        return [f"fsck: {(checked.stdout + checked.stderr).strip()}"]
    exported = tool("export", data)
    if exported.returncode != 0:
        return [f"export: {exported.stderr.strip()}"]
    tasks = {task["id"]: task for task in map(json.loads, exported.stdout.splitlines())}
    return list(ledger.violations(tasks))

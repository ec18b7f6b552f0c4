"""The program `millrace` as a client of a campaign."""

import json
import os
import subprocess
import time

import wire
from history import History


TASKS = 20
PAUSE_SECONDS = 1.0


class CommandClient:
    """Runs of the program `millrace submit --wait`, one after the other, with their history."""

    def __init__(self, fleet, source):
        self._fleet = fleet
        self._random = source
        self._history = History(os.path.join(fleet.folder, "command.history"), "command")
        self._started = 0.0
        self._tasks = {}
        self._out = None
        self.process = None

    def start(self):
        self._started = time.monotonic()
        self._tasks = {wire.new_id(self._random): self._random.randbytes(8).hex()
                       for _ in range(TASKS)}
        lines = os.path.join(self._fleet.folder, "command.jsonl")
        with open(lines, "w", encoding="utf-8") as file:
            for task, payload in self._tasks.items():
                file.write(json.dumps({"id": task, "payload": payload, "max_attempts": 3}) + "\n")
        self._history.note_each("invoke", "submit", [
            {"task": task, "queue": "echo", "payload": payload,
             "max_attempts": 3, "delay_ns": 0, "fails": False}
            for task, payload in self._tasks.items()])
        self._out = os.path.join(self._fleet.folder, "command.out")
        with open(self._out, "wb") as out:
            self.process = self._fleet.start_on(
                "c1", "millrace", "--broker", self._fleet.broker_address("c1", "client"),
                "--timeout", "120s", "submit", "echo", lines, "--wait", "--results", "--json",
                log="command.log", stdout=out)

    def step(self):
        """Notes what a run that has ended printed, and starts the next."""
        if self.process is not None and self.process.poll() is None:
            return
        self.finish()
        if time.monotonic() >= self._started + PAUSE_SECONDS:
            self.start()

    def finish(self, seconds=0.0):
        """Notes the run that is under way, when it ends within that time or is killed then."""
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._fleet.forget(self.process)
        self._note_output()
        self.process = None

    def _note_output(self):
        with open(self._out, encoding="utf-8") as out:
            whole = [json.loads(line) for line in out if line.endswith("\n")]
        summary = next((line for line in whole if "submitted" in line), None)
        for line in whole:
            if "id" in line:
                self._history.note("ok", "finished", task=line["id"], state=line["state"],
                                   attempts=line["attempts"],
                                   result=line.get("result") or "")
        certain = summary and summary["rejected"] == 0 and summary["unknown"] == 0
        self._history.note_each("ok" if certain else "info", "submit",
                                [{"task": task, "status": "accepted"} for task in self._tasks])

"""A client of a chaos campaign: submits, submits again, cancels and reads, and notes all of it.

usage: submitter.py BROKER-ADDRESS HISTORY-FILE NAME SEED TASKS-PER-SECOND

It ends at SIGTERM: with no more new tasks, and one last try for those without an answer.
"""

import random
import signal
import sys
import time

import wire
from history import History

ANSWER_SECONDS_MAX = 4.0
LAST_TRY_SECONDS_MAX = 20.0
BATCH_MOST = 12
# A task's queue decides what its worker does; see fleet.py.
QUEUES = ("echo", "sleep", "program", "echo")
DELAY_MILLISECONDS = (500, 3000)
FAILS_AT_FIRST = b"fail"  # task.sh fails the first attempt of a payload that begins so
NOT_NOW = ("busy", "store_full", "shutting_down", "refused")
NEVER = ("conflict", "invalid", "too_large")


class Submitter:
    def __init__(self, address, history, seed, rate):
        self._random = random.Random(seed)
        self._connection = wire.Connection(address, seed, self._hear_finished)
        self._history = history
        self._rate = rate
        self._specs = {}      # id -> what it takes to submit it again
        self._unknown = []    # submitted without an answer
        self._accepted = []
        self.stopping = False

    def run(self):
        due = time.monotonic()
        while not self.stopping:
            due += self._random.choice(self._steps())() / self._rate
            # Behind by more than a second (the broker was away): go on from now, without a burst.
            due = max(due, time.monotonic() - 1)
            self._connection.listen(max(0, due - time.monotonic()))
        deadline = time.monotonic() + LAST_TRY_SECONDS_MAX
        while self._unknown and time.monotonic() < deadline:
            self._submit_again()
        self._connection.close()

    def _steps(self):
        return ([self._submit_new] * 8 + [self._submit_again, self._submit_other_content,
                                          self._cancel, self._read])

    # ---- steps: each returns how many tasks it counts for --------------------------------------

    def _submit_new(self):
        tasks = [wire.new_id(self._random) for _ in range(self._random.randint(1, BATCH_MOST))]
        for task in tasks:
            self._specs[task] = self._new_spec()
        self._submit(tasks, "submit", self._specs)
        return len(tasks)

    def _submit_again(self):
        tasks, self._unknown = self._unknown[:50], self._unknown[50:]
        tasks = tasks or self._some(self._accepted, 3)
        if tasks:
            self._submit(tasks, "submit", self._specs)
        return 1

    def _submit_other_content(self):
        """The same id with other content: never accepted."""
        tasks = self._some(self._accepted, 1)
        altered = {task: (self._specs[task][0], b"other " + self._specs[task][1], {})
                   for task in tasks}
        if tasks:
            self._submit(tasks, "submit_other", altered)
        return 1

    def _cancel(self):
        tasks = self._some(self._accepted[-60:], 2)
        if not tasks:
            return 0
        self._history.note_each("invoke", "cancel", [{"task": task} for task in tasks])
        try:
            statuses = wire.cancel(self._connection, tasks, ANSWER_SECONDS_MAX)
        except wire.Unanswered:
            statuses = ["unanswered"] * len(tasks)
        kinds = {"cancelled": "ok", "cancelling": "ok", "unanswered": "info"}
        for task, status in zip(tasks, statuses):
            self._history.note(kinds.get(status, "fail"), "cancel", task=task, status=status)
        return 0

    def _read(self):
        tasks = self._some(self._accepted, 10)
        if not tasks:
            return 0
        self._history.note_each("invoke", "read", [{"task": task} for task in tasks])
        try:
            known = wire.get(self._connection, tasks, ANSWER_SECONDS_MAX, with_bytes=True)
        except wire.Unanswered:
            self._history.note_each("info", "read", [{"task": task} for task in tasks])
            return 0
        self._history.note_each("ok", "read", [
            {"task": task, **known.get(task, {"state": "unknown"})} for task in tasks])
        return 0

    # ---- parts ---------------------------------------------------------------------------------

    def _new_spec(self):
        """(queue, payload, fields)."""
        queue = self._random.choice(QUEUES)
        fields = {"maxAttempts": self._random.choice((3, 5, 8)), "backoffInitialNs": 100_000_000}
        if queue == "sleep":
            return queue, str(self._random.randint(20, 800)).encode(), fields
        if self._random.random() < 0.05:
            fields["delayNs"] = self._random.randint(*DELAY_MILLISECONDS) * 1_000_000
        if self._random.random() < 0.1:
            fields["priority"] = self._random.randint(0, 9)
        payload = self._random.randbytes(self._random.randint(1, 60)).hex().encode()
        if queue == "program" and self._random.random() < 0.1:
            payload = FAILS_AT_FIRST + payload
        return queue, payload, fields

    def _submit(self, tasks, operation, contents):
        self._history.note_each("invoke", operation, [
            {"task": task, "queue": contents[task][0], "payload": wire.text_of(contents[task][1]),
             "max_attempts": contents[task][2].get("maxAttempts", 3),
             "delay_ns": contents[task][2].get("delayNs", 0),
             "fails": contents[task][1].startswith(FAILS_AT_FIRST)} for task in tasks])
        specs = [wire.encode_spec(task, queue, payload, **fields)
                 for task in tasks for queue, payload, fields in [contents[task]]]
        try:
            statuses = wire.submit(self._connection, specs, True, ANSWER_SECONDS_MAX)
        except wire.Unanswered:
            statuses = ["unanswered"] * len(tasks)
        for task, status in zip(tasks, statuses):
            self._note_status(operation, task, status)

    def _note_status(self, operation, task, status):
        if status in ("accepted", "duplicate"):
            self._history.note("ok", operation, task=task, status=status)
            if operation == "submit":
                self._accepted.append(task)
        elif status in NOT_NOW + NEVER:
            self._history.note("fail", operation, task=task, status=status)
            if status in NOT_NOW and operation == "submit":
                self._unknown.append(task)
        else:
            self._history.note("info", operation, task=task, status=status)
            if operation == "submit":
                self._unknown.append(task)

    def _some(self, tasks, most):
        return self._random.sample(tasks, min(len(tasks), most))

    def _hear_finished(self, body, results):
        self._history.note_each("ok", "finished", [
            {"task": wire.unpack_id(task.id), "state": wire.STATES[task.state],
             "attempts": task.attempts, "result": wire.text_of(result)}
            for task, result in zip(body.tasks, results)])


def main():
    address, path, name, seed, rate = sys.argv[1:]
    submitter = Submitter(address, History(path, name), int(seed), float(rate))

    def stop(*_):
        submitter.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    submitter.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())

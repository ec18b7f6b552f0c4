"""A worker that comes back from the dead: it falls silent while it holds tasks, and reports them
long after they were given on; it reports things again that are long done, or were taken from it.

usage: zombie.py BROKER-HOST LEDGER HISTORY-FILE NAME QUEUE SEED

Each report is noted before it is sent, and each answer: `ok` where it was accepted, `fail` where it
was refused as stale. It ends at SIGTERM, without a goodbye.
"""

import os
import random
import signal
import sys
import time

import flatbuffers
import zmq

import wire
from history import History

WORKER_PORT, BEAT_PORT = 5556, 5557
SLOTS = 4
HELLO_SECONDS = 1.0
BEAT_SECONDS = 0.5
SILENCE_SECONDS = (3.5, 6.0)
SILENCE_CHANCE = 0.15
REPEAT_CHANCE = 0.3
REMEMBERED_MOST = 50
SUCCEEDED = 1


class Zombie:
    def __init__(self, host, ledger, history, name, queue, seed):
        self._host, self._name, self._queue = host, name, queue
        self._history = history
        self._random = random.Random(seed)
        self._ledger = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._worker = wire.new_id(self._random)
        self._hello_number = 0
        self._held = {}      # task -> (fence, payload): started, not yet answered
        self._reported = []  # (task, fence, payload), of whatever became of them
        self._session = None
        self._socket = None
        self._beats = None
        self._beat_number = 0
        self.stopping = False

    def run(self):
        # Whatever becomes of its tasks is its own fault, to the end.
        self._history.note("invoke", "fault", number=self._name, fault="zombie",
                           targets=[self._name])
        next_beat = heard = 0.0
        while not self.stopping:
            now = time.monotonic()
            if self._session is None and now > heard + HELLO_SECONDS:
                self._say_hello()
                heard = now
            if self._session is not None and now > heard + 3 * HELLO_SECONDS:
                self._session = None  # the broker may be gone
            if self._session is not None and now > next_beat:
                next_beat = now + BEAT_SECONDS
                self._beat()
                self._haunt()
            if self._socket.poll(50):
                heard = time.monotonic()
                self._hear(self._socket.recv_multipart())

    # ---- what it says -----------------------------------------------------------------------------

    def _say_hello(self):
        context = zmq.Context.instance()
        if self._socket is not None:
            self._socket.close(linger=0)
        self._socket = context.socket(zmq.DEALER)
        self._socket.immediate = 1
        self._socket.connect(f"tcp://{self._host}:{WORKER_PORT}")
        if self._beats is None:
            self._beats = context.socket(zmq.PUB)
            self._beats.linger = 0
            self._beats.connect(f"tcp://{self._host}:{BEAT_PORT}")
        control = wire.schema()
        self._hello_number += 1
        hello = control.WorkerHelloT()
        hello.helloNumber = self._hello_number
        hello.worker = wire.pack_id(self._worker)
        hello.name, hello.queues, hello.version = self._name, [self._queue], "zombie"
        hello.slots = hello.credit = SLOTS
        hello.protocolVersion = wire.PROTOCOL_VERSION
        hello.holding = [self._lease(task, fence) for task, (fence, _) in self._held.items()]
        self._socket.poll(HELLO_SECONDS * 1000, zmq.POLLOUT)  # until it is connected
        self._send(hello)

    def _lease(self, task, fence):
        lease = wire.schema().HeldLeaseT()
        lease.task, lease.fence = wire.pack_id(task), fence
        return lease

    def _send(self, body, frames=()):
        try:
            self._socket.send_multipart([wire.encode(body), *frames], zmq.DONTWAIT)
        except zmq.Again:
            pass

    def _beat(self):
        heartbeat = wire.schema("heartbeat")
        self._beat_number += 1
        beat = heartbeat.BeatT()
        beat.protocolVersion = wire.PROTOCOL_VERSION
        beat.worker = heartbeat.UuidT()
        whole = wire.pack_id(self._worker)
        beat.worker.high, beat.worker.low = whole.high, whole.low
        beat.session, beat.number, beat.running = self._session, self._beat_number, len(self._held)
        builder = flatbuffers.Builder(256)
        builder.Finish(beat.Pack(builder), file_identifier=b"MRB1")
        self._beats.send(bytes(builder.Output()))

    def _report(self, leases):
        """Completions of (task, fence, payload), all as succeeded."""
        control = wire.schema()
        complete = control.CompleteT()
        complete.items, complete.credit = [], SLOTS
        self._history.note_each("invoke", "complete", [
            {"task": task, "fence": fence} for task, fence, _ in leases])
        for task, fence, payload in leases:
            item = control.CompletionT()
            item.task, item.fence, item.outcome = wire.pack_id(task), fence, SUCCEEDED
            item.elapsedNs, item.errorBytes, item.resultBytes = 0, 0, len(payload)
            complete.items.append(item)
        self._send(complete, [wire.bundle([payload for _, _, payload in leases])])

    def _haunt(self):
        """Now and then: says old things again, or falls silent with whatever it holds."""
        if self._reported and self._random.random() < REPEAT_CHANCE:
            self._report(self._random.sample(self._reported, min(3, len(self._reported))))
        if self._held:
            leases = [(task, fence, payload) for task, (fence, payload) in self._held.items()]
            if self._random.random() < SILENCE_CHANCE:
                time.sleep(self._random.uniform(*SILENCE_SECONDS))
            self._remember(leases)
            self._report(leases)

    def _report_lost(self, tasks):
        """It has just been told that these leases are over: it reports them all the same."""
        leases = [(task, *self._held.pop(task)) for task in tasks if task in self._held]
        self._remember(leases)
        if leases:
            self._report(leases)

    def _remember(self, leases):
        self._reported = (self._reported + leases)[-REMEMBERED_MOST:]

    # ---- what it hears ----------------------------------------------------------------------------

    def _hear(self, frames):
        _, name, body = wire.decode(frames[0])
        if name == "WorkerWelcome" and body.helloNumber == self._hello_number:
            self._session = body.session
            self._report_lost([wire.unpack_id(lease.task) for lease in body.stale or []])
        elif name == "Dispatch" and self._session is not None:
            self._take(body, frames[1])
        elif name == "Completed":
            self._note_answers(body)
        elif name == "StopTasks":
            self._report_lost([wire.unpack_id(stopped.task) for stopped in body.tasks])
        elif name in ("Refused", "BrokerGoodbye"):
            self._session = None

    def _take(self, dispatch, content):
        specs = wire.unbundle(content, [task.specBytes for task in dispatch.tasks])
        for task, spec in zip(dispatch.tasks, specs):
            name = wire.unpack_id(task.task)
            self._held[name] = (task.fence, wire.payload_of(spec).encode())
            os.write(self._ledger, (f"start {name} {task.attempt} {task.fence} {self._name} "
                                    f"{time.monotonic_ns()}\n").encode())

    def _note_answers(self, completed):
        stale = set(completed.stale or [])
        for position, item in enumerate(completed.items):
            task = wire.unpack_id(item.task)
            kind = "fail" if position in stale else "ok"
            self._history.note(kind, "complete", task=task, fence=item.fence)
            if self._held.get(task, (None,))[0] == item.fence:
                del self._held[task]


def main():
    host, ledger, path, name, queue, seed = sys.argv[1:]
    zombie = Zombie(host, ledger, History(path, name), name, queue, int(seed))

    def stop(*_):
        zombie.stopping = True

    signal.signal(signal.SIGTERM, stop)
    zombie.run()
    os._exit(0)  # without a goodbye, and without waiting for anything


if __name__ == "__main__":
    main()

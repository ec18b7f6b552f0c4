"""A worker of one loop and no library, for the test of the kit: right by itself, and wrong in the
ways of faulty_worker.py. Handlers need no threads: an attempt is a time at which it ends.
"""

import os
import random
import signal
import time
import uuid

import zmq
from base_parts import Attempt, Report, Unreadable, lease_fields, read_pulse, receive, wire

HELLO_SECONDS = 1.0
REPEAT_SECONDS = 2.0
SETTLE_SECONDS = 5.0
DRAIN_SECONDS = 20.0
DEFAULTS = {"frame_bytes_max": 32 << 20, "result_bytes_max": 16 << 20, "error_bytes_max": 4096,
            "batch_items_max": 10_000}


class Worker:
    """Each step is a method, so that a fault is one method that does otherwise."""

    def __init__(self, broker, queue, slots):
        self.host, _, self.port = broker.rpartition(":")
        self.queue = queue
        self.slots = slots
        self.worker = str(uuid.uuid4())
        self.context = zmq.Context()
        self.dealer = self.publisher = self.subscriber = None
        self.channels = {}              # kind -> port that is connected
        self.hello_number = 0
        self.hello_due = 0.0
        self.open = False
        self.session = None
        self.epoch = None
        self.silence = 3.0
        self.beat_interval = 1.0
        self.beat_due = 0.0
        self.beat_number = 0
        self.heard = 0.0
        self.backoff = 0.1
        self.limits = dict(DEFAULTS)
        self.waiting = []
        self.running = {}
        self.reports = {}
        self.recalls = []
        self.credit_told = 0
        self.draining = False
        self.drain_by = self.settle_by = float("inf")
        self.stop_asked = False
        self.ended = False

    # ---- the loop -------------------------------------------------------------------------------

    def run(self):
        signal.signal(signal.SIGTERM, self.on_signal)
        self.connect()
        while not self.ended:
            self.wait()
            self.now = time.monotonic()
            if self.stop_asked and not self.draining:
                self.drain()
            self.hear()
            self.step()
        self.context.destroy(linger=1000)
        return 0

    def on_signal(self, *_):
        self.stop_asked = True

    def wait(self):
        poller = zmq.Poller()
        for opened in filter(None, (self.dealer, self.subscriber)):
            poller.register(opened, zmq.POLLIN)
        poller.poll(20)

    def hear(self):
        while (frames := receive(self.subscriber)) is not None:
            self.hear_pulse(frames)
        while (frames := receive(self.dealer)) is not None:
            self.hear_message(frames)

    def step(self):
        self.start_waiting()
        self.end_attempts()
        self.repeat()
        self.keep_session()
        self.complete()
        self.beat()
        self.end_drain()

    # ---- sockets --------------------------------------------------------------------------------

    def connect(self):
        if self.dealer is not None:
            self.dealer.close()
        self.dealer = self.socket(zmq.DEALER, self.port)
        self.heard = time.monotonic()

    def socket(self, type_, port):
        opened = self.context.socket(type_)
        opened.linger = 1000
        opened.immediate = True
        opened.reconnect_ivl, opened.reconnect_ivl_max = 100, 1000
        opened.heartbeat_ivl, opened.heartbeat_timeout = 1000, 3000
        if type_ == zmq.SUB:
            opened.subscribe(b"")
        opened.connect(f"tcp://{self.host}:{port}")
        return opened

    def connect_channels(self, endpoints):
        for kind, type_, name in (("beat", zmq.PUB, "publisher"), ("pulse", zmq.SUB, "subscriber")):
            port = (endpoints or {}).get(kind + "_port", 0)
            if self.channels.get(kind) == port:
                continue
            self.channels[kind] = port
            if getattr(self, name) is not None:
                getattr(self, name).close()
            setattr(self, name, self.socket(type_, port) if port else None)

    def send(self, name, fields, parts=()):
        self.send_frames(wire.write(name, fields, parts))

    def send_frames(self, frames):
        try:
            self.dealer.send_multipart(frames, zmq.DONTWAIT)
        except zmq.Again:
            pass  # nobody is there; all that matters is said again

    # ---- the session ----------------------------------------------------------------------------

    def say_hello(self):
        self.hello_number += 1
        self.hello_due = self.now + HELLO_SECONDS + random.uniform(0, self.backoff)
        self.credit_told = self.credit()
        self.send("WorkerHello", {
            "hello_number": self.hello_number, "worker": self.worker, "name": f"base-{os.getpid()}",
            "queues": [self.queue], "slots": self.slots, "credit": self.credit_told, "version": "0",
            "protocol_version": 1, "holding": [lease_fields(lease) for lease in self.holding()]})

    def holding(self):
        running = [lease for lease, attempt in self.running.items() if not attempt.abandoned]
        return list(self.reports) + running + [attempt.lease for attempt in self.waiting]

    def keep_session(self):
        if self.open and self.now - self.heard > self.silence:
            self.lose_session(random.uniform(0, self.backoff))
            self.connect()
        if not self.open and self.now >= self.hello_due:
            if self.hello_number and self.now - self.heard > self.silence:
                self.connect()
            self.backoff = min(1.0, self.backoff * 2)
            self.say_hello()

    def lose_session(self, wait=0.0):
        self.open = False
        self.recalls.clear()
        self.hello_due = self.now + wait

    def on_welcome(self, welcome):
        if welcome["hello_number"] != self.hello_number:
            return
        self.open, self.backoff = True, 0.1
        self.session, self.epoch = welcome["session"], welcome["epoch"]
        self.beat_interval = welcome["beat_interval_ns"] / 1e9
        self.silence = welcome["silence_max_ns"] / 1e9
        self.beat_due = self.now
        self.take_limits(welcome["limits"] or {})
        self.connect_channels(welcome["endpoints"])
        for lease in welcome["stale"]:
            self.stop((lease["task"], lease["fence"]), "stale_lease")
        for report in self.reports.values():
            report.sent = 0.0

    def take_limits(self, limits):
        self.limits = {name: limits.get(name) or default for name, default in DEFAULTS.items()}

    def hear_pulse(self, frames):
        pulse = read_pulse(frames)
        if pulse is None:
            return
        self.heard = self.now
        if self.open and pulse["epoch"] != self.epoch:
            self.epoch = pulse["epoch"]
            self.lose_session()

    def beat(self):
        if self.session is None or self.publisher is None or self.now < self.beat_due:
            return
        self.beat_due = self.now + self.beat_interval
        self.beat_number += 1
        self.publisher.send(wire.flatbuffer.write(wire.WIRE, "Beat", self.beat_fields(), "MRB1"))

    def beat_fields(self):
        return {"protocol_version": 1, "worker": self.worker, "session": self.session,
                "number": self.beat_number, "running": len(self.running),
                "queued": len(self.waiting)}

    # ---- messages -------------------------------------------------------------------------------

    def hear_message(self, frames):
        try:
            message = self.read(frames)
        except Unreadable:
            return
        if message.version != 1:
            return
        self.heard = self.now
        known = {"WorkerWelcome": self.on_welcome, "Dispatch": self.on_dispatch,
                 "Completed": self.on_completed, "StopTasks": self.on_stop,
                 "Recall": self.on_recall,
                 "Drain": lambda _: self.drain(), "Refused": self.on_refused,
                 "BrokerGoodbye": lambda _: self.lose_session(random.uniform(0, 0.2))}
        known.get(message.name, lambda _: None)(message)

    def read(self, frames):
        return wire.read(frames)

    def on_dispatch(self, dispatch):
        if not self.open or any(task["queue_index"] >= len(dispatch["queues"])
                                for task in dispatch["tasks"]):
            return
        for task, spec in zip(dispatch["tasks"], dispatch.parts):
            lease = (task["task"], task["fence"])
            if self.has(lease):
                continue
            if self.draining:
                self.report(lease, "released")
            else:
                self.waiting.append(Attempt(lease, task["timeout_ns"] / 1e9, spec))

    def has(self, lease):
        return (lease in self.reports or lease in self.running or
                any(attempt.lease == lease for attempt in self.waiting))

    def on_completed(self, completed):
        for item in completed["items"]:
            self.reports.pop((item["task"], item["fence"]), None)

    def on_stop(self, stop):
        for task in stop["tasks"]:
            if task["cause"] in ("cancelled", "stale_lease", "timed_out"):
                self.stop((task["task"], task["fence"]), task["cause"])

    def stop(self, lease, cause):
        waiting = [attempt for attempt in self.waiting if attempt.lease == lease]
        attempt = self.running.get(lease)
        if waiting:
            self.waiting.remove(waiting[0])
        elif attempt is not None and not attempt.abandoned:
            self.leave(attempt)
        elif cause != "cancelled":
            self.reports.pop(lease, None)
            return
        else:
            return
        if cause == "cancelled":
            self.report(lease, "cancelled")

    def leave(self, attempt):
        """The attempt has ended, whether or not its handler has."""
        attempt.abandoned = attempt.stuck
        if not attempt.stuck:
            del self.running[attempt.lease]

    def on_recall(self, recall):
        if not self.open:
            return
        for held in recall["tasks"]:
            for attempt in self.waiting[:]:
                if attempt.lease == (held["task"], held["fence"]):
                    self.waiting.remove(attempt)
                    self.report(attempt.lease, "released")
        self.recalls.append(recall["recall_number"])

    def on_refused(self, refused):
        if refused["code"] == "unknown_session":
            if self.open:
                self.lose_session()
        elif refused["code"] in ("busy", "shutting_down"):
            self.lose_session(refused["retry_after_ns"] / 1e9 + random.uniform(0, self.backoff))
        else:
            raise SystemExit(f"the broker refuses this worker: {refused['message']}")

    # ---- attempts -------------------------------------------------------------------------------

    def start_waiting(self):
        while self.waiting and len(self.running) < self.slots:
            attempt = self.waiting.pop(0)
            self.running[attempt.lease] = attempt
            self.start(attempt)

    def start(self, attempt):
        attempt.started = self.now
        attempt.deadline = self.now + attempt.timeout if attempt.timeout else float("inf")
        percent = attempt.begin()
        if percent is not None:
            self.tell_progress(attempt, percent)

    def tell_progress(self, attempt, percent):
        if self.open:
            self.send("Extend", {"items": [{**lease_fields(attempt.lease), "by_ns": 0,
                                            "progress_percent": percent}]})

    def end_attempts(self):
        for attempt in list(self.running.values()):
            if self.now >= attempt.ends:
                del self.running[attempt.lease]
                if not attempt.abandoned:
                    self.report(attempt.lease, *attempt.outcome, elapsed=self.now - attempt.started)
            elif self.now >= attempt.deadline and not attempt.abandoned:
                self.leave(attempt)
                self.report(attempt.lease, "timed_out", error=b"it took too long")
        self.start_waiting()

    # ---- completions ----------------------------------------------------------------------------

    def report(self, lease, outcome, result=b"", error=b"", elapsed=0.0):
        result, outcome, error = self.fit(result, outcome, error)
        self.reports.setdefault(lease, Report(outcome, result, error, elapsed))

    def fit(self, result, outcome, error):
        if len(result) > self.limits["result_bytes_max"]:
            result, outcome, error = b"", "failed_for_good", b"the result is too large"
        return result, outcome, error[-self.limits["error_bytes_max"]:]

    def credit(self):
        stuck = sum(attempt.abandoned for attempt in self.running.values())
        return 0 if self.draining else 2 * max(0, self.slots - stuck)

    def repeat(self):
        for report in self.reports.values():
            if report.sent and self.now - report.sent >= REPEAT_SECONDS:
                report.sent = 0.0

    def complete(self):
        if not self.open:
            return
        unsent = [(lease, report) for lease, report in self.reports.items() if not report.sent]
        while unsent or self.recalls or self.credit() != self.credit_told:
            batch = self.take_batch(unsent)
            self.credit_told = self.credit()
            answers = self.recalls.pop(0) if self.recalls and not unsent else 0
            self.send_complete(batch, answers)

    def take_batch(self, unsent):
        batch, size = [], 0
        while unsent and len(batch) < self.limits["batch_items_max"]:
            lease, report = unsent[0]
            size += len(report.result) + len(report.error) + 200
            if batch and size > self.limits["frame_bytes_max"]:
                break
            report.sent = self.now
            batch.append(unsent.pop(0))
        return batch

    def send_complete(self, batch, answers):
        self.send("Complete", {
            "items": [{**lease_fields(lease), "elapsed_ns": int(report.elapsed * 1e9),
                       "result_bytes": len(report.result), "error_bytes": len(report.error),
                       "outcome": report.outcome} for lease, report in batch],
            "errors": b"".join(report.error for _, report in batch),
            "credit": self.credit_told, "answers_recall": answers},
            [report.result for _, report in batch])

    # ---- the end --------------------------------------------------------------------------------

    def drain(self):
        if self.draining:
            return
        self.draining, self.drain_by = True, self.now + DRAIN_SECONDS
        for attempt in self.waiting:
            self.report(attempt.lease, "released")
        self.waiting.clear()

    def end_drain(self):
        if not self.draining or (self.busy() and self.now < self.drain_by):
            return
        if self.settle_by == float("inf"):
            self.settle_by = self.now + SETTLE_SECONDS
        if self.reports and self.now < self.settle_by:
            return
        if self.open:
            self.send("WorkerGoodbye", {"message": "drained"})
        self.ended = True

    def busy(self):
        return any(not attempt.abandoned for attempt in self.running.values())

"""A worker without a library. usage: plain_worker.py HOST:PORT QUEUE SLOTS [KEY_FILE]"""
import random, signal, sys, threading, time
from wire import Outcome, StopCause, Wire, lease_of, make, payload_of, unbundle

def handle(payload, stopped):
    """Your work. `stopped` is set when the attempt should end."""
    if payload.startswith(b"sleep "):
        stopped.wait(int(payload[6:]) / 1000)
    return payload

class Worker:
    def __init__(self, broker, queue, slots, key_file=None):
        self.wire, self.queue = Wire(broker, key_file), queue
        self.slots = self.credit = int(slots)
        self.id = make("Uuid", high=random.getrandbits(64), low=random.getrandbits(64) | 1)
        self.running, self.reports, self.sent = {}, {}, {}  # by lease; reports until answered
        self.session, self.interval, self.silence, self.end_by = None, 1.0, 3.0, None
        self.hello_number = self.beat_number = self.hello_at = self.beat_at = self.told = 0

    def run(self):
        signal.signal(signal.SIGTERM, self.on_Drain)
        while not self.end_by or (self.running or self.reports) and time.time() < self.end_by:
            self.speak(time.monotonic())
            self.wire.receive(0.02, self)
        self.wire.close(make("WorkerGoodbye"))

    def speak(self, now):
        if now - self.wire.heard > self.silence:
            self.wire.connect(now)
            self.session, self.hello_at = None, now + random.random() / 10
        if self.session is None and now >= self.hello_at:
            self.hello_number, self.hello_at = self.hello_number + 1, now + 1 + random.random()
            holding = [make("HeldLease", lease) for lease in [*self.running, *self.reports]]
            self.wire.send(make("WorkerHello", helloNumber=self.hello_number, protocolVersion=1,
                                worker=self.id, name="plain", queues=[self.queue],
                                slots=self.slots, credit=self.credit, holding=holding))
        if self.session is not None:
            self.report(now)
            if now >= self.beat_at:
                self.beat_number, self.beat_at = self.beat_number + 1, now + self.interval
                self.wire.beat(worker=self.id, session=self.session, number=self.beat_number,
                               running=len(self.running))

    def report(self, now):
        for lease, (item, error, result) in list(self.reports.items()):
            if now - self.sent.get(lease, 0) > 2:  # new, or without an answer
                self.sent[lease] = now
                self.complete(result, items=[item], errors=list(error))
        if self.told != self.credit:
            self.complete()

    def complete(self, result=b"", **fields):
        self.told = self.credit
        self.wire.send(make("Complete", credit=self.credit, **fields), result)

    def on_Pulse(self, pulse, _):
        if self.session is not None and pulse.epoch != self.epoch:
            self.session, self.hello_at = None, 0  # the broker has restarted; what runs, runs on

    def on_WorkerWelcome(self, welcome, _):
        if welcome.helloNumber == self.hello_number:
            self.session, self.epoch = welcome.session, welcome.epoch
            self.interval, self.silence = welcome.beatIntervalNs / 1e9, welcome.silenceMaxNs / 1e9
            self.wire.follow(welcome.endpoints)
            self.beat_at, self.sent = 0, {}  # what has no answer is said again
            for lease in map(lease_of, welcome.stale or ()):
                self.stop(lease)

    def on_Dispatch(self, dispatch, bundle):
        specs = unbundle(bundle, [item.specBytes for item in dispatch.tasks])
        for lease, spec in zip(map(lease_of, dispatch.tasks), specs):
            if self.session is None or lease in self.running or lease in self.reports:
                pass  # from before the Welcome, or once more
            elif len(self.running) >= self.credit:
                self.end(lease, Outcome.released)
            else:
                self.running[lease] = stopped = threading.Event()
                threading.Thread(target=self.work, args=(lease, spec, stopped), daemon=True).start()

    def work(self, lease, spec, stopped):
        try:
            end = Outcome.succeeded, b"", handle(payload_of(spec), stopped)
        except Exception as error:
            end = Outcome.failed, repr(error).encode()[-4096:]
        if lease in self.running:
            self.end(lease, *((Outcome.cancelled,) if stopped.is_set() else end))
            self.running.pop(lease, None)  # not before: one of both is held

    def end(self, lease, outcome, error=b"", result=b""):
        self.reports[lease] = make("Completion", lease, outcome=outcome, resultBytes=len(result),
                                   errorBytes=len(error)), error, result

    def on_Completed(self, completed, _):
        for lease in map(lease_of, completed.items):
            self.reports.pop(lease, None)

    def on_StopTasks(self, stop, _):
        for item in stop.tasks:
            self.stop(lease_of(item), answer=item.cause == StopCause.cancelled)

    def stop(self, lease, answer=False):
        self.running.get(lease, threading.Event()).set()
        if not answer:  # nobody wants to know what becomes of it
            self.running.pop(lease, None), self.reports.pop(lease, None)

    def on_Recall(self, recall, _):
        self.report(time.monotonic())
        self.complete(answersRecall=recall.recallNumber)  # what is left here has started

    def on_Refused(self, refused, _):
        wait = getattr(refused, "retryAfterNs", 0) / 1e9 + random.random()
        self.session, self.hello_at = None, time.monotonic() + wait
    on_BrokerGoodbye = on_Refused

    def on_Drain(self, *_):
        self.credit, self.end_by = 0, self.end_by or time.time() + 15

Worker(*sys.argv[1:]).run()

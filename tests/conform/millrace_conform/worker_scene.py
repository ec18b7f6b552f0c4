"""A worker under test and a broker that obeys the case: what worker cases are written with."""

import collections
import itertools
import time
import uuid

from . import wire
from .candidate import Candidate
from .case import Failure, check, check_equal
from .stage import Stage

SECOND_NS = 1_000_000_000
SLOTS = 2
TIMEOUT_NS = 300 * SECOND_NS
# Less than this a worker must not need between two signs of life of the broker.
SILENCE_NS = 3 * SECOND_NS
BEAT_NS = SECOND_NS // 10
# By then a beat tells that a Welcome was heard, or a worker does not beat.
ACCEPTED_SECONDS = 4
# A worker that goes on saying hello is left to what the case waits for.
WELCOMES_MAX = 3

Lease = collections.namedtuple("Lease", "task fence")


class Report(collections.namedtuple("Report", "heard item")):
    """One item of a Complete."""

    @property
    def lease(self):
        return Lease(self.item["task"], self.item["fence"])

    def __str__(self):
        item = self.item
        return (f"{item['outcome']} for fence {item['fence']} with a result of "
                f"{len(item['part'])} bytes and the error {item['error'][:60]!r}")


class WorkerScene(Stage):
    """Queue, slots and task ids of one case, and the steps that many cases share."""

    def __init__(self, context, patience, command):
        super().__init__(context, patience)
        self.command = command
        self.queue = f"conform.{uuid.uuid4().hex[:8]}"
        self.sessions = itertools.count(7_000_000_000_000_000_001)
        self.session = None            # nonce of the newest Welcome
        self.hello = None              # the newest WorkerHello that was welcomed
        self.reports = []              # Report, not yet taken by the case
        self.acknowledge = True        # answer each Complete at once
        self._fences = itertools.count(1)
        self._absorbed = 0             # messages looked at for completions

    def start(self):
        """Starts the program under test."""
        self.candidate = Candidate(self.command, {
            "broker": self.address(), "queue": self.queue, "slots": SLOTS})

    def pump(self, seconds):
        """As Stage.pump; completions become reports, answered at once if the scene does that."""
        super().pump(seconds)
        self.absorb()

    # ---- the session ----------------------------------------------------------------------------

    def expect_hello(self, above=0, within=None):
        """The next WorkerHello with a number above `above`, as a Heard."""
        return self.expect("WorkerHello", lambda hello: hello["hello_number"] > above,
                           "a WorkerHello" + (f" with a number above {above}" if above else ""),
                           within)

    def welcome_fields(self, hello, **changes):
        fields = {
            "hello_number": hello["hello_number"], "session": next(self.sessions),
            "epoch": self.epoch,
            "endpoints": {"worker_port": self.ports["peer"].number,
                          "beat_port": self.ports["beat"].number,
                          "pulse_port": self.ports["pulse"].number},
            "limits": {}, "beat_interval_ns": BEAT_NS, "silence_max_ns": SILENCE_NS,
            "broker_version": "conformance kit"}
        fields.update(changes)
        return fields

    def welcome(self, heard, schema=wire.WIRE, **changes):
        """Answers a WorkerHello and waits until the worker knows: the session is open then.

        A slow worker may have said hello again meanwhile; that is answered in its place."""
        for _ in range(WELCOMES_MAX):
            fields = self.welcome_fields(heard.message, **changes)
            self.hello, self.session, self.peer = heard.message, fields["session"], heard.peer
            self.send("WorkerWelcome", fields, wire=schema)
            newer = self.wait_for_acceptance()
            if newer is None:
                break
            heard = newer
        return fields

    def wait_for_acceptance(self):
        """Until a beat of the newest session, or a newer hello, which it takes out of the inbox."""
        deadline = time.monotonic() + ACCEPTED_SECONDS
        start = len(self.beats)
        while time.monotonic() < deadline:
            for _, beat, _ in self.beats[start:]:
                if beat is None or beat["session"] == self.session:
                    return None
            newer = self.take("WorkerHello", self.is_newer)
            if newer:
                return newer
            self.pump(0.5)
        return None  # no beat comes: what a case waits for will tell

    def is_newer(self, hello):
        return hello["hello_number"] > self.hello["hello_number"]

    def begin(self, **changes):
        """Opens the sockets, starts the worker and welcomes it."""
        self.open()
        self.start()
        return self.welcome(self.expect_hello(), **changes)

    def reopen(self, **changes):
        """Waits for the hello of a worker that must come back, and welcomes it. The hello."""
        heard = self.expect_hello(above=self.hello["hello_number"])
        self.welcome(heard, **changes)
        return heard.message

    # ---- tasks ----------------------------------------------------------------------------------

    def lease(self, task=None):
        return Lease(task or str(uuid.uuid4()), next(self._fences))

    def dispatch(self, *payloads, lease=None, timeout_ns=TIMEOUT_NS, spec=()):
        """Leases a task for each payload, in one Dispatch; `spec` are more fields of the TaskSpecs.

        The leases; one alone for one payload."""
        leases = [lease or self.lease() for _ in payloads]
        specs = [self.spec(lease, payload, **dict(spec)) for lease,
                 payload in zip(leases, payloads)]
        self.send_dispatch(leases, specs, timeout_ns)
        return leases[0] if len(leases) == 1 else leases

    def spec(self, lease, payload, **fields):
        data = payload.encode() if isinstance(payload, str) else payload
        return wire.write_spec(lease.task, self.queue, data, **fields)

    def dispatch_fields(self, leases, specs, timeout_ns=TIMEOUT_NS):
        return {"queues": [self.queue],
                "tasks": [{"task": lease.task, "fence": lease.fence, "timeout_ns": timeout_ns,
                           "spec_bytes": len(spec), "queue_index": 0, "attempt": 1,
                           "max_attempts": 3}
                          for lease, spec in zip(leases, specs)]}

    def send_dispatch(self, leases, specs, timeout_ns=TIMEOUT_NS):
        self.send("Dispatch", self.dispatch_fields(leases, specs, timeout_ns), specs)

    def occupy(self, milliseconds=600_000, slots=SLOTS):
        """Fills slots with sleeping tasks and waits until they run. Their leases."""
        leases = [self.dispatch(f"sleep {milliseconds}") for _ in range(slots)]
        self.wait_until_running(slots)
        return leases

    def wait_until_running(self, count):
        """Until a beat says so; for a while, should the worker's beats say nothing."""
        deadline = time.monotonic() + ACCEPTED_SECONDS
        while time.monotonic() < deadline:
            if self.beats and self.beats[-1][1] and self.beats[-1][1]["running"] >= count:
                return
            self.pump(0.2)

    def stop(self, lease, cause):
        self.send("StopTasks",
                  {"tasks": [{"task": lease.task, "fence": lease.fence, "cause": cause}]})

    # ---- completions ----------------------------------------------------------------------------

    def answer(self, leases, stale=()):
        """Completed for these leases; `stale` are the positions of those refused."""
        self.send("Completed",
                  {"items": [lease._asdict() for lease in leases], "stale": list(stale)})

    def absorb(self):
        """Turns the Completes that came into reports."""
        new, self._absorbed = self.heard[self._absorbed:], len(self.heard)
        for heard in new:
            if heard.message is None or heard.message.name != "Complete":
                continue
            reports = [Report(heard, item) for item in heard.message.items()]
            self.reports += reports
            if self.acknowledge and reports:
                self.answer([report.lease for report in reports])

    def forget_reports(self):
        """What comes from now on is what counts."""
        self.reports.clear()

    def take_report(self, lease):
        for position, report in enumerate(self.reports):
            if report.lease == lease:
                return self.reports.pop(position)
        return None

    def completion(self, lease, outcome=None, within=None):
        """Waits for the completion of a lease, and checks its outcome if one is given."""
        expected = f"a completion of fence {lease.fence}" + (f" as {outcome}" if outcome else "")
        report = self.wait(lambda: self.take_report(lease), expected, within)
        if outcome is not None:
            check(report.item["outcome"] == outcome, expected, report)
        return report

    def no_completion(self, lease, seconds=1.0, why=""):
        """Lets time pass in which no completion of the lease may come."""
        self.stay(seconds, lambda: self.take_report(lease),
                  f"completion of fence {lease.fence}" + (f", {why}" if why else ""))

    # ---- judgements that many cases end with ----------------------------------------------------

    def still_works(self):
        """The worker lives and does a task; a Heard hello on the way is welcomed."""
        lease = self.dispatch("still works")
        report = self.completion(lease, "succeeded")
        check_equal(report.item["part"], b"still works", "the result")

    def survives(self):
        """As still_works, after input on which it may well say hello again."""
        lease = self.dispatch("survived")
        found = self.wait(
            lambda: self.take_report(lease) or self.take("WorkerHello", self.is_newer),
            "a completion, or a new hello, after the bad input")
        if not isinstance(found, Report):
            self.welcome(found)
            self.still_works()

    def ended(self, within=None):
        """Waits for the end of the program; its exit code."""
        self.wait(lambda: self.candidate.exit_code is not None, "the end of the program", within)
        return self.candidate.exit_code

    def held_by(self, hello):
        return [Lease(held["task"], held["fence"]) for held in hello["holding"]]

    def holds(self, hello, *leases):
        """Checks that a hello holds exactly these leases."""
        held = sorted(self.held_by(hello))
        if held != sorted(leases):
            raise Failure(f"holding {[lease.fence for lease in sorted(leases)]} (fences)",
                          f"{[lease.fence for lease in held]}")


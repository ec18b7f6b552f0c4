"""One round of a campaign: a fresh fleet under faults, then rest, then what the checkers say."""

import collections
import dataclasses
import os
import random
import signal
import time

import checkers
import evidence
import network
import reassignment
import wire
from cluster import wait_for
from command_client import CommandClient
from fleet import Fleet
from history import History
from injector import Injector
from witness import Witness

DRAIN_SECONDS_MAX = 180
LEAVE_SECONDS_MAX = 60
LAST_ANSWERS_SECONDS = 30
TICK_SECONDS = 0.02
STEADY_LOOKS = 25  # that see the same: half a second
DISK_SIZE = "96m"

# A worker of every kind there is; every fourth one stands behind the proxy.
MIXED_SHAPE = ["echo", "python", "program", "node", "echo", "sleep", "program", "python",
               "lie", "node", "curl", "sleep", "python", "curl", "echo", "program", "zombie"]
KILLS_SHAPE = ["echo", "sleep", "program", "sleep"] * 6


@dataclasses.dataclass
class Round:
    """What is planned for one."""
    seed: int
    plan: list
    shape: list
    submitters: int = 3
    rate: float = 15.0       # tasks a second and submitter
    own_disk: bool = False   # one that can be filled
    own_clock: bool = False  # one that can be set


@dataclasses.dataclass
class Outcome:
    violations: dict
    counts: dict = dataclasses.field(default_factory=dict)  # of faults, by kind
    answers: dict = dataclasses.field(default_factory=dict)  # by operation and kind
    reassignments: list = dataclasses.field(default_factory=list)
    tasks: int = 0
    attempts: dict = dataclasses.field(default_factory=dict)  # by kind of worker
    starvations: int = 0
    folder: str = ""

    @property
    def kept(self):
        return not any(self.violations.values())


def run(planned, hosts):
    """Runs it; the files stay in the outcome's folder when a promise was broken."""
    with Fleet(planned.shape, planned.submitters, planned.rate, planned.seed) as fleet:
        try:
            outcome = _run(planned, fleet, hosts)
        finally:
            for host in network.ADDRESSES:
                hosts.heal(host)
            if os.path.ismount(fleet.data):
                network.run("umount", "--lazy", fleet.data)
        if not outcome.kept:
            outcome.folder = fleet.keep(f"millrace-chaos-{planned.seed}")
        return outcome


def _run(planned, fleet, hosts):
    if planned.own_disk:
        fleet.give_data_its_own_disk(DISK_SIZE)
    if planned.own_clock:
        fleet.give_broker_its_own_clock()
    fleet.start_broker()
    descriptors_before = _descriptors_at_rest(fleet)
    fleet.start_proxy()
    fleet.start_all()
    command = CommandClient(fleet, random.Random(planned.seed))
    history = History(os.path.join(fleet.folder, "injector.history"), "injector")
    injector = Injector(fleet, hosts, command, history)
    witness = Witness(fleet, history)
    witness.start()

    _inject(planned.plan, fleet, injector, command)
    fleet.stop_places(fleet.clients)
    command.finish(LAST_ANSWERS_SECONDS)
    drained = _comes_to_rest(fleet)
    witness.stop()

    found = evidence.read(fleet.folder, fleet.ledger)
    _ask_the_broker(found, fleet)
    fleet.stop_places(fleet.places)
    _say_farewell(found, fleet, descriptors_before)
    found.drained, found.snapshots = drained, witness.snapshots
    found.clock_moved = planned.own_clock
    found.unexpected = fleet.unexpected
    kinds = {place.name: place.kind for place in fleet.places}
    attempts = collections.Counter(kinds[start.worker.partition(".")[0]] for start in found.starts)
    return Outcome(checkers.check(found), injector.counts, found.answers(),
                   reassignment.samples(found), len(found.export), attempts, witness.starvations)


def _inject(plan, fleet, injector, command):
    began = time.monotonic()

    def pass_time():
        injector.heal_due()
        fleet.look_for_unexpected_ends()
        command.step()
        time.sleep(TICK_SECONDS)

    for planned in plan:
        while time.monotonic() < began + planned.at_seconds:
            pass_time()
        injector.heal_due()
        while not injector.begin(planned) and planned.insists:
            pass_time()
    injector.heal_all()


def _comes_to_rest(fleet):
    def rests():
        fleet.look_for_unexpected_ends()
        metrics = fleet.json("/metrics")
        live = ("delayed", "pending", "in_progress")
        return metrics and not any(metrics["tasks_by_state"][state] for state in live)

    try:
        wait_for(rests, "rest", DRAIN_SECONDS_MAX)
    except AssertionError:
        return False
    return True


def _ask_the_broker(found, fleet):
    """The export over the wire, the list by the client program, the figures over HTTP."""
    connection = wire.Connection(f"tcp://{fleet.broker_address('broker', 'client')}")
    asked = sorted(found.tasks("submit", "invoke"))
    found.export = evidence.export(connection, asked)
    connection.close()
    found.listed = fleet.listed_tasks()
    found.metrics = fleet.json("/metrics")


def _descriptors_at_rest(fleet, known=None):
    """What the broker has open without any peer; without `known` once it stays the same, else once it
    is no more than that, or the time is up."""
    fleet.use_http()
    seen = []

    def rests():
        seen.append(fleet.broker_descriptors())
        if known is not None:
            return not seen[-1] - known
        return len(seen) > STEADY_LOOKS and all(one == seen[-1] for one in seen[-STEADY_LOOKS:])

    try:
        wait_for(rests, "closed files", LEAVE_SECONDS_MAX)
    except AssertionError:
        pass  # the checker says it
    return seen[-1]


def _say_farewell(found, fleet, descriptors_before):
    """All peers are gone: what is left open, who is left behind, how the broker ends."""
    found.descriptors_before = descriptors_before
    found.descriptors_after = _descriptors_at_rest(fleet, descriptors_before)
    code = fleet.end_broker(signal.SIGTERM)
    if code != 0:
        fleet.unexpected.append(f"the broker stopped with code {code}")
    fleet.proxy.stdin.close()
    fleet.proxy.wait()
    fleet.forget(fleet.proxy)
    try:
        wait_for(lambda: not fleet.strangers(), "no process left behind", LEAVE_SECONDS_MAX)
    except AssertionError:
        found.strangers = fleet.strangers()

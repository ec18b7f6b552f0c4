"""A broker under far more than it can do, and what its well-behaved users notice of it.

usage: overload.py [--seconds N] [--roles ROLE,...] [--crowd N] [--no-goodput]
                   [--out FILE]

A user's small tasks and their latency are measured before, during and after an attack by everything
at once: an open-loop flood of submits, 10,000 bare connections, clients and subscribers that never
read, the largest payloads, frames over the limit and messages of thousands of frames. The verdict:
nothing that was sent is without an answer or a count, the broker's own memory stays bounded, and
within a minute after the end the users get at least 95 % of what they got before.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "integration"))

import network
import results
import wire
from attackers import PORTS
from cluster import Cluster

HOST = "127.0.0.1"
TASKS_MAX = 200_000
MEMORY_MEGABYTES_MAX = 1024
SAMPLE_SECONDS = 0.05
CALM_SECONDS = 5
RECOVERY_SECONDS_MAX = 60
GOOD_LATENCY_SECONDS = 1.0
RECOVERED_SHARE = 0.95
BULK_TASKS = 50_000
BULK_JOBS = 3
PARKED_TASKS = 5_000
WORKER_SLOTS = 10  # of the flood's worker; a task of the flood takes 10 ms


class Memory:
    """The most of the broker's own (anonymous) memory, sampled; beyond the bound it is killed."""

    def __init__(self, broker):
        self._broker = broker
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.most_megabytes = 0.0
        self._thread.start()

    def stop(self):
        self._done.set()
        self._thread.join()

    def _watch(self):
        while not self._done.wait(SAMPLE_SECONDS):
            self.most_megabytes = max(self.most_megabytes, self.now_megabytes())
            if self.most_megabytes > MEMORY_MEGABYTES_MAX:
                self._broker.kill()
                return

    def now_megabytes(self):
        """0 when there is no broker any more."""
        try:
            with open(f"/proc/{self._broker.pid}/status", encoding="utf-8") as status:
                kilobytes = [int(line.split()[1]) for line in status if line.startswith("RssAnon")]
        except FileNotFoundError:
            return 0.0
        return sum(kilobytes) / 1024


class Attack:
    """Attackers as processes, from `begin` to `end`."""

    def __init__(self, roles, crowd):
        every = [("flood", 0), ("flood", 0), ("deaf", 20), ("crowd", crowd), ("pulse", 200),
                 ("huge", 0)]
        self._roles = [(role, number) for role, number in every if role in roles]
        self._processes = []

    def begin(self):
        for role, number in self._roles:
            process = subprocess.Popen(
                [sys.executable, "-B", os.path.join(HERE, "attackers.py"), role, HOST, str(number)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self._processes.append((role, process))

    def end(self):
        """Tells all to stop; the figures of each role, those of the floods added up."""
        for _, process in self._processes:
            process.stdin.close()
        figures = {}
        for role, process in self._processes:
            line = process.stdout.read()
            process.wait()
            so_far = figures.setdefault(role, {})
            for name, value in (json.loads(line) if line else {"died": 1}).items():
                so_far[name] = so_far.get(name, 0) + value
        return figures


class Users:
    """The probe, and bulk jobs of the program `millrace`."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._path = os.path.join(cluster.folder, "probe")
        self._process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "probe.py"),
             f"tcp://{HOST}:{PORTS['client']}", self._path], stdin=subprocess.PIPE)

    def bulk(self):
        """Tasks a second of one job, from the submit to the last result."""
        finished = self._cluster.client("submit", "bulk", "--count", BULK_TASKS, "--payload",
                                        "x" * 100, "--wait", "--json", timeout=300)
        summary = json.loads(finished.stdout or '{"succeeded": 0, "seconds": 1}')
        return round(summary["succeeded"] / summary["seconds"])

    def have_a_broker(self):
        return self._cluster.broker.poll() is None

    def leave(self):
        """Ends the probe. [(submitted at, seconds to the result or None)]"""
        self._process.stdin.close()
        self._process.wait()
        with open(self._path, encoding="utf-8") as file:
            pairs = [map(int, line.split()) for line in file]
        return [(begin / 1e9, None if latency < 0 else latency / 1e9) for begin, latency in pairs]


def quality(samples, begin, end):
    """Of the tasks submitted in that time: the share with a result in good time, and latencies."""
    latencies = [latency for submitted, latency in samples if begin <= submitted < end]
    done = sorted(latency for latency in latencies if latency is not None)
    good = sum(latency <= GOOD_LATENCY_SECONDS for latency in done)
    return {"tasks": len(latencies), "good_share": round(good / max(1, len(latencies)), 4),
            "p50_seconds": round(done[len(done) // 2], 4) if done else None,
            "p99_seconds": round(done[int(len(done) * 0.99)], 4) if done else None}


def start(cluster):
    cluster.host = HOST
    cluster.ports = dict(PORTS)
    cluster.start_broker("--tasks-max", TASKS_MAX)
    for queue, kind, slots in (("flood", "sleep", WORKER_SLOTS), ("probe", "echo", 2),
                               ("bulk", "echo", 2)):
        cluster.start_worker(f"on-{queue}", "--builtin", kind, queue=queue, slots=slots)
    cluster.ledger = os.devnull
    cluster.wait_for_workers(3)
    # Something to list for those who ask for long lists.
    cluster.client("submit", "parked", "--count", PARKED_TASKS)


def recover(users, calm_rate, ended):
    """Bulk jobs until one is as fast as before; (its rate, seconds since the end)."""
    best = 0
    while users.have_a_broker() and time.monotonic() < ended + RECOVERY_SECONDS_MAX:
        best = max(best, users.bulk())
        if best >= RECOVERED_SHARE * calm_rate:
            break
    return best, round(time.monotonic() - ended, 1)


def last_line(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().rstrip().rpartition("\n")[2]


def attack_for(cluster, chosen):
    """All at once for that long; (figures of the attackers, of the broker meanwhile, the span)."""
    attack = Attack(chosen.roles.split(","), chosen.crowd)
    began = time.monotonic()
    attack.begin()
    time.sleep(chosen.seconds)
    meanwhile = cluster.json("/metrics")
    ended = time.monotonic()
    figures = attack.end()
    cluster.client("queue", "purge", "flood", timeout=120)
    return figures, meanwhile, (began, ended)


def measure(cluster, chosen):
    start(cluster)
    memory = Memory(cluster.broker)
    users = Users(cluster)
    bulk = not chosen.no_goodput
    calm_rate = statistics.median(users.bulk() for _ in range(BULK_JOBS)) if bulk else None
    calm = time.monotonic()
    time.sleep(CALM_SECONDS)
    memory_calm = memory.now_megabytes()
    figures, meanwhile, (began, ended) = attack_for(cluster, chosen)
    rate, recovery_seconds = recover(users, calm_rate, time.monotonic()) if bulk else (None, None)
    calm_again = time.monotonic()
    time.sleep(CALM_SECONDS)
    samples = users.leave()
    memory.stop()
    return {
        "seconds": chosen.seconds, "broker_ended": cluster.broker.poll(),
        "broker_said": last_line(os.path.join(cluster.folder, "broker.log")),
        "bulk_tasks_per_second": {"calm": calm_rate, "after": rate},
        "recovery_seconds": recovery_seconds,
        "users": {"calm": quality(samples, calm, began),
                  "attacked": quality(samples, began + 1, ended),
                  "after": quality(samples, calm_again, time.monotonic())},
        "memory_megabytes": {"calm": round(memory_calm, 1), "most": round(memory.most_megabytes, 1),
                             "bound": MEMORY_MEGABYTES_MAX},
        "attack": figures, "connected_clients_meanwhile": meanwhile.get("connected_clients"),
        "broker": {name: cluster.metric(name) for name in (
            "bad_messages_total", "dropped_sends_total", "refused_submits_total",
            "invariant_violations_total", "loop_stalls_total", "lease_losses_total")}}


def verdict(found):
    """What was not kept, in words."""
    if found["broker_ended"] is not None:
        yield f"the broker ended with code {found['broker_ended']}: {found['broker_said']}"
    if "flood" in found["attack"]:
        yield from verdict_on_the_flood(found)
    if found["memory_megabytes"]["most"] > MEMORY_MEGABYTES_MAX:
        yield "the broker took more memory than it may"
    if any("died" in figures for figures in found["attack"].values()):
        yield "an attacker died"
    if found["broker"]["invariant_violations_total"] != 0:
        yield "the broker's books do not balance"
    if found["bulk_tasks_per_second"]["calm"] is not None:
        yield from verdict_on_goodput(found)


def verdict_on_goodput(found):
    calm, after = found["users"]["calm"]["good_share"], found["users"]["after"]["good_share"]
    if after < RECOVERED_SHARE * calm:
        yield f"users got {calm:.0%} of their results in time before, and {after:.0%} after"
    rates = found["bulk_tasks_per_second"]
    if rates["after"] < RECOVERED_SHARE * rates["calm"]:
        yield f"bulk jobs ran at {rates['calm']} tasks a second before, at {rates['after']} after"


def verdict_on_the_flood(found):
    flood = found["attack"]["flood"]
    if "died" in flood:
        return
    offered = flood["offered_tasks"] / (flood["milliseconds"] / 2 / 1000)
    found["offered_times_capacity"] = round(offered / (WORKER_SLOTS * 100), 1)
    if found["offered_times_capacity"] < 10:
        yield "the flood was no ten times the capacity"
    if flood.get("answers") != flood["sent_requests"]:
        yield f"{flood['sent_requests']} requests sent, {flood.get('answers', 0)} answered"


def main():
    parser = argparse.ArgumentParser(prog="./dev overload", description="Far too much at once.")
    parser.add_argument("--seconds", type=int, default=20, help="of the attack")
    parser.add_argument("--crowd", type=int, default=10_000, help="bare connections at once")
    parser.add_argument("--roles", default="flood,deaf,crowd,pulse,huge", help="who attacks")
    parser.add_argument("--no-goodput", action="store_true",
                        help="judge no speed: for a machine that does other things meanwhile")
    parser.add_argument("--out", help="append a JSON line with the result to this file")
    chosen = parser.parse_args()
    network.sandboxed()
    network.run("ip", "link", "set", "lo", "up")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="millrace-overload-") as code, Cluster() as cluster:
        wire.generate(code)
        found = measure(cluster, chosen)
    broken = list(verdict(found))
    result = results.stamped("./dev overload", {**found, "broken": broken})
    print(json.dumps(result, indent=2))
    results.append(chosen.out, result)
    for text in broken:
        print(f"BROKEN: {text}")
    return 1 if broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

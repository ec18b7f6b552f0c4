"""Real programs under faults, round after round, and what became of the promises.

usage: campaign.py [--seconds N] [--seed S] [--out FILE] [--broker-kills N --worker-kills M]

With numbers of kills there is nothing but kill -9, that often, within the seconds; without, faults
of every kind. Each round starts anew on an empty store, and ends with a full check. The same seed
gives the same faults at the same moments.
"""

import argparse
import collections
import json
import os
import random
import signal
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "integration"))

import network
import reassignment
import results
import rounds
import schedule
import wire
from fleet import NODE_PACKAGE

ROUND_SECONDS = 120


def options():
    parser = argparse.ArgumentParser(prog="./dev chaos", description="Real programs under faults.")
    parser.add_argument("--seconds", type=int, default=60, help="under faults, in all")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--broker-kills", type=int, default=0)
    parser.add_argument("--worker-kills", type=int, default=0)
    parser.add_argument("--out", help="append a JSON line with the result to this file")
    return parser.parse_args()


def planned_rounds(chosen):
    number_of_rounds = max(1, round(chosen.seconds / ROUND_SECONDS))
    seconds = chosen.seconds / number_of_rounds
    for number in range(number_of_rounds):
        seed = chosen.seed * 1000 + number
        if chosen.broker_kills or chosen.worker_kills:
            plan = schedule.kills(seed, seconds,
                                  schedule.share(chosen.broker_kills, number_of_rounds, number),
                                  schedule.share(chosen.worker_kills, number_of_rounds, number))
            yield rounds.Round(seed, plan, rounds.KILLS_SHAPE)
        else:
            yield rounds.Round(seed, schedule.mixed(seed, seconds), mixed_shape(),
                               own_disk=number % 2 == 0, own_clock=number % 3 == 0)


def mixed_shape():
    """Without Node where its package has not been built, which CI does not let pass."""
    if os.path.exists(os.path.join(NODE_PACKAGE, "dist/src/index.js")):
        return rounds.MIXED_SHAPE
    if os.environ.get("CI"):
        sys.exit(f"no Node package in {NODE_PACKAGE}; node_package_test builds it")
    print(f"without workers in Node: their package is not built in {NODE_PACKAGE}", flush=True)
    return ["sleep" if kind == "node" else kind for kind in rounds.MIXED_SHAPE]


def show(number, outcome):
    faults = sum(outcome.counts.values())
    print(f"round {number}: {faults} faults, {outcome.tasks} tasks, {sum(outcome.attempts.values())} attempts, "
          f"{'every promise kept' if outcome.kept else 'BROKEN'}", flush=True)
    for promise, violations in outcome.violations.items():
        for violation in violations[:5]:
            print(f"  {promise}: {violation}")
        if len(violations) > 5:
            print(f"  {promise}: and {len(violations) - 5} more")
    if outcome.folder:
        print(f"  its files are in {outcome.folder}", flush=True)


def result(chosen, outcomes, complete):
    counts, answers, attempts = collections.Counter(), collections.Counter(), collections.Counter()
    violations = collections.Counter()
    for outcome in outcomes:
        counts.update(outcome.counts)
        answers.update(outcome.answers)
        attempts.update(outcome.attempts)
        violations.update({promise: len(found) for promise, found in outcome.violations.items()})
    return results.stamped("./dev chaos", {
        "seed": chosen.seed, "complete": complete,
        "rounds": len(outcomes), "faults": dict(sorted(counts.items())),
        "tasks": sum(outcome.tasks for outcome in outcomes),
        "attempts": dict(sorted(attempts.items())),
        "answers": dict(sorted(answers.items())),
        "lost": violations["P1 accepted is not lost"],
        "double_accepts": violations["P3 the newest lease succeeds"],
        "violations": {promise: count for promise, count in violations.items() if count},
        "starvations": sum(outcome.starvations for outcome in outcomes),
        "reassignment_seconds": reassignment.distribution(
            [sample for outcome in outcomes for sample in outcome.reassignments])})


def main():
    chosen = options()
    network.sandboxed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"seed {chosen.seed}", flush=True)
    outcomes, complete = [], False
    try:
        with tempfile.TemporaryDirectory(prefix="millrace-chaos-") as code:
            wire.generate(code)
            hosts = network.Network()
            network.wait_until_reachable()
            for number, planned in enumerate(planned_rounds(chosen), 1):
                outcomes.append(rounds.run(planned, hosts))
                show(number, outcomes[-1])
        complete = True
    finally:  # what was found until a campaign was cut short is worth having too
        found = result(chosen, outcomes, complete)
        print(json.dumps(found), flush=True)
        results.append(chosen.out, found)
    return 0 if all(outcome.kept for outcome in outcomes) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

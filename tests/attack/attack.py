"""Attacks on the store and on the broker that stands on it; README.md says what each of them does.

    attack.py [ATTACK…] [--quick] [--seed N] [--results FILE]

Without a name: all of them. The exit code is 0 when nothing was found, 77 when an attack cannot be made
here, and 1 otherwise. One line of JSON an attack says what was done.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "chaos"))

import broker_disks  # noqa: E402
import call_errors  # noqa: E402
import results  # noqa: E402
import store_attacks  # noqa: E402

SKIPPED = 77
IN_MEMORY = "/dev/shm"


class Attack:
    """`run(folder, seed, amount…)`, with an amount for a campaign and one for a quick look."""

    def __init__(self, run, full, quick):
        self.run = run
        self.amounts = {False: full, True: quick}


ATTACKS = {
    "crash": Attack(store_attacks.crash, {"batches": 60}, {"batches": 4}),
    "torn": Attack(store_attacks.torn, {"batches": 60, "images": 2_000},
                   {"batches": 30, "images": 150}),
    "errors": Attack(call_errors.errors, {"memory_samples": 300, "stops_within": 1.0},
                     {"memory_samples": 2, "every": 9}),
    "power": Attack(broker_disks.power, {"kinds": ("ext4", "xfs"), "cycles": 200},
                    {"kinds": ("ext4",), "cycles": 4}),
    "full": Attack(broker_disks.full, {"kinds": ("ext4", "xfs"), "cycles": 10},
                   {"kinds": ("ext4",), "cycles": 1}),
    "damage": Attack(store_attacks.damage, {"batches": 60, "flips": 5_000},
                     {"batches": 20, "flips": 300}),
}


def attack(name, options):
    """The exit code of one attack."""
    folder = tempfile.mkdtemp(prefix="millrace-attack-",
                              dir=IN_MEMORY if os.path.isdir(IN_MEMORY) else None)
    chosen = ATTACKS[name]
    began = time.monotonic()
    try:
        found = chosen.run(folder, options.seed, **chosen.amounts[options.quick])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if "skipped" in found:
        print(f"{name}: NOT DONE HERE: {found['skipped']}", flush=True)
        return SKIPPED
    problems = found.pop("problems")
    line = results.stamped("attack", {
        "attack": name, "seed": options.seed, **chosen.amounts[options.quick], **found,
        "seconds": round(time.monotonic() - began, 1), "failures": len(problems),
        "first_failures": problems[:10]})
    results.append(options.results, line)
    print(f"{name}: {found} in {line['seconds']} s, {len(problems)} failures", flush=True)
    for problem in problems[:20]:
        print(f"  {problem}", flush=True)
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=", ".join(ATTACKS))
    parser.add_argument("--quick", action="store_true", help="a few seconds each, as CI does")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", help="a file that gets a line of JSON an attack")
    options = parser.parse_args()
    for name in options.attacks:
        if name not in ATTACKS:
            parser.error(f"no attack '{name}'; there are {', '.join(ATTACKS)}")
    codes = [attack(name, options) for name in options.attacks or ATTACKS]
    if 1 in codes:
        return 1
    return SKIPPED if SKIPPED in codes else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Searches the protocol's model with Spin: the configurations must be free of errors, and every mutant
must break the promise that it is named for."""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEADLOCK = "P19"  # a state without a next one, before every task has ended


@dataclass(frozen=True)
class Configuration:
    name: str
    proves: str
    defines: str
    liveness: bool = False


# What CI searches on every change.
SMALL = Configuration(
    "small", "one fault of any kind, memory ahead of the disk",
    "GROUP_COMMIT FAULTS=1 DEPTH=1")

CONFIGURATIONS = (
    SMALL,
    Configuration(
        "progress", "no run without faults goes round in circles",
        "FAULTS=1 DEPTH=1", liveness=True),
    Configuration(
        "strays", "late messages of broken connections, clients that disagree",
        "GROUP_COMMIT STRAYS CONTENTS=2 FAULTS=2"),
    Configuration(
        "any", "any number of faults",
        "DEPTH=1"),
    Configuration(
        "any-commit", "any number of faults, memory ahead of the disk",
        "GROUP_COMMIT DEPTH=1"),
    Configuration(
        "attempts", "three workers, three attempts",
        "WORKERS=3 ATTEMPTS=3 FENCES=3 FAULTS=3 DEPTH=1"),
    Configuration(
        "tasks", "two tasks, three workers, three attempts",
        "TASKS=2 WORKERS=3 ATTEMPTS=3 FENCES=3 FAULTS=1 DEPTH=1"),
)


@dataclass(frozen=True)
class Mutant:
    name: str
    breaks: str  # the promise that its search must find broken
    defines: str = "GROUP_COMMIT FAULTS=2 DEPTH=1"


MUTANTS = (
    Mutant("ACKNOWLEDGE_BEFORE_COMMIT", "P1"),
    Mutant("DISPATCH_BEFORE_COMMIT", "P4"),
    Mutant("COMPLETED_BEFORE_COMMIT", "P3"),
    Mutant("ATTEMPTS_NOT_DURABLE", "P4"),
    Mutant("FENCE_NOT_DURABLE", "P4"),
    Mutant("CANCEL_NOT_DURABLE", "P20"),
    Mutant("END_NOT_DURABLE", "P2"),
    Mutant("NO_FENCE_CHECK", "P3"),
    Mutant("END_IS_NOT_FINAL", "P2"),
    Mutant("REPEAT_IS_STALE", "P3"),
    Mutant("SUCCESS_BEATS_CANCEL", "P20"),
    Mutant("RESUBMIT_MAKES_NEW_TASK", "P20"),
    Mutant("RESUBMIT_OTHER_CONTENT", "P8", "GROUP_COMMIT CONTENTS=2 FAULTS=2 DEPTH=1"),
    Mutant("NO_ADOPTION_WINDOW", "P7"),
    Mutant("HELLO_ADOPTS_NOTHING", "P7", "FAULTS=2 DEPTH=1"),
    Mutant("ORPHANS_WAIT_FOR_EVER", DEADLOCK),
    Mutant("SILENCE_COSTS_NO_ATTEMPT", "P4"),
    Mutant("OLD_HELLO_COUNTS", "P4", "GROUP_COMMIT STRAYS FAULTS=2"),
    Mutant("OLD_WELCOME_OPENS", "P7", "GROUP_COMMIT STRAYS FAULTS=2"),
    Mutant("DISPATCH_WITHOUT_SESSION", "P7"),
    Mutant("RELEASE_AFTER_START", "P4"),
    Mutant("REPORT_FORGOTTEN_WHEN_SENT", "P4"),
    Mutant("GOODBYE_WITHOUT_REPORTS", "P4", "FAULTS=1 DEPTH=2"),
)


@dataclass(frozen=True)
class Search:
    broken: str  # the promise found broken, "" for none
    complete: bool
    states: int
    depth: int
    memory_mib: float
    seconds: float  # of the search, without building it
    story: str = ""


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"model-check: {' '.join(command)} failed\n{done.stdout}{done.stderr}")
    return done.stdout


def search(defines, liveness, memory_mib):
    """Builds and runs the verifier for one set of definitions."""
    flags = [f"-D{define}" for define in defines.split()] + (["-DLIVENESS"] if liveness else [])
    with tempfile.TemporaryDirectory(prefix="millrace-model-") as folder:
        run(["spin", "-a", *flags, str(HERE / "model.pml")], folder)
        kind = ["-DNFAIR=3"] if liveness else ["-DSAFETY"]
        run(["gcc", "-O1", "-w", "-DCOLLAPSE", "-DSEPQS", "-DNOREDUCE", *kind,
             f"-DMEMLIM={memory_mib}", "-o", "pan", "pan.c"], folder)
        began = time.monotonic()
        done = subprocess.run(["./pan", "-m1000000", "-n", *(["-a", "-f"] if liveness else [])],
                              cwd=folder, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        story = tell(flags, folder) if (Path(folder) / "model.pml.trail").exists() else ""
    if "errors:" not in done.stdout and "Search not completed" not in done.stdout:
        raise SystemExit(f"model-check: the search died ({done.returncode})\n{done.stdout}{done.stderr}")
    return judge(done.stdout, seconds, story)


def judge(output, seconds, story):
    def number(pattern):
        found = re.search(pattern, output)
        return float(found.group(1)) if found else 0.0

    broken = ""
    if "errors: 0" not in output:
        promise = re.search(r"assertion violated .*\(\((\d+)==0\)\)|assertion violated .*\|\|\((\d+)==0\)",
                            output)
        if promise:
            broken = "P" + (promise.group(1) or promise.group(2))
        elif "invalid end state" in output or "acceptance cycle" in output:
            broken = DEADLOCK
        else:
            broken = "?"
    complete = "Search not completed" not in output
    if broken == "?" and not complete:
        broken = ""  # ran out of memory without having found anything
    return Search(broken, complete, int(number(r"(\d+) states, stored")),
                  int(number(r"depth reached (\d+)")), number(r"([\d.]+)\s+total actual memory"),
                  seconds, story)


def tell(flags, folder):
    """The steps that lead to the error, as the model's printf statements tell them."""
    told = run(["spin", "-t", "-k", "model.pml.trail", *flags, str(HERE / "model.pml")], folder)
    steps = re.compile(r"^\s*(broker: |worker \d: |client: |no faults)")
    return "\n".join("    " + line.strip() for line in told.splitlines() if steps.match(line))


def show(name, result, verdict):
    print(f"{name:28} {verdict:22} {result.states:>12,} {result.depth:>7,} "
          f"{result.memory_mib:>9,.0f} {result.seconds:>9.1f}", flush=True)


def check_configuration(configuration, memory_mib):
    result = search(configuration.defines, configuration.liveness, memory_mib)
    good = not result.broken and result.complete
    verdict = "no error" if good else f"BREAKS {result.broken}" if result.broken else "INCOMPLETE"
    show(configuration.name, result, verdict)
    if result.broken:
        print(result.story)
    return good


def check_mutant(mutant, memory_mib, verbose):
    result = search(f"MUTANT_{mutant.name} {mutant.defines}", False, memory_mib)
    good = result.broken == mutant.breaks
    verdict = f"breaks {result.broken}" if good else f"{result.broken or 'nothing'}, not {mutant.breaks}"
    show(mutant.name.lower(), result, verdict)
    if verbose or not good:
        print(result.story)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="configurations and mutants; default: all of them")
    parser.add_argument("--memory", type=int, default=6144, metavar="MIB",
                        help="a search ends when it has used so much (default 6144)")
    parser.add_argument("--story", action="store_true", help="show how each mutant fails")
    arguments = parser.parse_args()
    known = {c.name: c for c in CONFIGURATIONS} | {m.name.lower(): m for m in MUTANTS}
    names = arguments.names or list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"no configuration or mutant '{unknown[0]}'; there are: {' '.join(known)}")
    print(f"{'':28} {'':22} {'states':>12} {'depth':>7} {'MiB':>9} {'seconds':>9}")
    good = 0
    for name in names:
        item = known[name]
        if isinstance(item, Configuration):
            good += check_configuration(item, arguments.memory)
        else:
            good += check_mutant(item, arguments.memory, arguments.story)
    print(f"{good} of {len(names)} as they should be")
    return 0 if good == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())

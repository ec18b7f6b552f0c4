"""run.py [NAME…]: builds each mutant and tries the suites on it until one fails, which has killed it.

Writes the table in README.md, of all mutants or of those named. Exit code 1: some mutant survives.
"""

import argparse
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

from catalogue import BY_NAME, MUTANTS
from table import Row, read_table, write_table

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", "mutants")
SEEDS_MOST = 3_000  # as in CI
# Of a test program, or of a doubling of seeds: one that computes for ever, and one that waits for ever.
# How busy the machine is must decide nothing.
COMPUTE_WITHIN = 120  # seconds of CPU
END_WITHIN = 900  # seconds
# Stores that the tests make: the disk is not what is tested.
IN_MEMORY = {"TEST_TMPDIR": "/dev/shm"} if os.path.isdir("/dev/shm") else {}

PROGRAMS = {
    "simulation": "bin/millrace-sim",
    "scenario": "millrace_scenario_test",
    "model": "millrace_model_test",
    "core": "millrace_core_test",
    "worker": "millrace_worker_session_test",
    "client": "millrace_client_session_test",
    "conformance": "millrace_store_conformance_test",
    "store": "millrace_store_test",
    "store_faults": "millrace_store_faults_test",
    "shell": "millrace_reactor_test",
    "host": "millrace_host_test",
}


def fail(text):
    sys.exit(f"mutants: {text}")


def run(command, what):
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        fail(f"{what}:\n{done.stdout}")


def configure(name):
    launchers = []
    if shutil.which("ccache"):
        launchers = [f"-DCMAKE_{language}_COMPILER_LAUNCHER=ccache" for language in ("C", "CXX")]
    run(["cmake", "--preset", "release", "-B", BUILD, "-DMILLRACE_BUILD_BENCH=OFF", *launchers,
         f"-DMILLRACE_MUTANT={name}"], f"{name or 'no mutant'} cannot be configured")


def build(suite, name):
    run(["cmake", "--build", BUILD, "-j", str(os.cpu_count()), "--target", PROGRAMS[suite]],
        f"{name or 'no mutant'} does not compile")


def last_words(text, code):
    return text.strip().rpartition("\n")[2][:120] or f"signal {-code}"


def limit_computing():
    resource.setrlimit(resource.RLIMIT_CPU, (COMPUTE_WITHIN, COMPUTE_WITHIN + 1))


def execute(command):
    """The exit code, negative for a signal, and both outputs; None when it has no end."""
    try:
        done = subprocess.run(command, text=True, capture_output=True, timeout=END_WITHIN, check=False,
                              env=os.environ | IN_MEMORY, preexec_fn=limit_computing)
        endless = done.returncode == -signal.SIGXCPU
        return None if endless else done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired:
        return None, "", ""


def try_seeds(program):
    """What the first broken seed shows, or None. Ranges double: most mutants die young."""
    first, count = 1, 1
    while first <= SEEDS_MOST:
        last = min(first + count - 1, SEEDS_MOST)
        code, out, errors = execute([program, "--seeds", f"{first}..{last}", "--json"])
        if code is None:
            return f"no end, seeds {first}–{last}"
        if code < 0:
            return f"seed {first_dead(program, first, last)}: {last_words(errors, code)}"
        failures = json.loads(out)["failures"]
        if failures:
            return f"seed {failures[0]['seed']}: {failures[0]['promise']}"
        first, count = last + 1, count * 2
    return None


def first_dead(program, first, last):
    """The first seed of the range at which the program dies, by halving."""
    while first < last:
        middle = (first + last) // 2
        if execute([program, "--seeds", f"{first}..{middle}", "--json"])[0] in (0, 1):
            first = middle + 1
        else:
            last = middle
    return first


def try_tests(program):
    """The first test that fails, or None."""
    code, out, errors = execute([program, "--gtest_fail_fast", "--gtest_brief=1"])
    if code == 0:
        return None
    failed = re.search(r"^\[  FAILED  \] ([\w/.]+)", out, re.MULTILINE)
    if failed:
        return f"`{failed.group(1)}`"
    return "no end" if code is None else last_words(errors or out, code)


def try_suite(suite, name):
    build(suite, name)
    target = PROGRAMS[suite]
    program = os.path.join(BUILD, "bin", os.path.basename(target))
    return try_seeds(program) if suite == "simulation" else try_tests(program)


def killed_by(mutant):
    configure(mutant.name)
    for suite in mutant.suites:
        how = try_suite(suite, mutant.name)
        if how is not None:
            return suite, how
    return None, "SURVIVES"


def check_that_nothing_fails_without(mutants):
    """A suite that fails by itself kills nothing."""
    configure("")
    for suite in sorted({suite for mutant in mutants for suite in mutant.suites}):
        how = try_suite(suite, "")
        if how is not None:
            fail(f"{suite} fails without any mutant: {how}")


def chosen(options):
    """By file, because most of the time is compiling: two in a row change one object."""
    unknown = [name for name in options.names if name not in BY_NAME]
    if unknown:
        fail(f"no mutant {', '.join(unknown)}; they are in tests/mutants/catalogue.py")
    mutants = [BY_NAME[name] for name in options.names] or list(MUTANTS)
    if options.missing:
        told = {row.name for row in read_table()}
        mutants = [mutant for mutant in mutants if mutant.name not in told]
    return sorted(mutants, key=lambda mutant: mutant.file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--missing", action="store_true", help="those that the table does not tell of")
    parser.add_argument("--no-baseline", action="store_true",
                        help="do not run the suites without a mutant first: they have passed just now")
    options = parser.parse_args()
    mutants = chosen(options)
    if not options.no_baseline:
        check_that_nothing_fails_without(mutants)
    rows = {row.name: row for row in read_table()}
    survivors = []
    for mutant in mutants:
        began = time.monotonic()
        suite, how = killed_by(mutant)
        if suite is None:
            survivors.append(mutant.name)
        print(f"{mutant.name}: {suite or ''} {how} ({time.monotonic() - began:.0f} s)", flush=True)
        rows[mutant.name] = Row(mutant.name, mutant.breaks, mutant.what, mutant.file, suite or "—", how)
        write_table([rows[other.name] for other in MUTANTS if other.name in rows])
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} killed"
          + "".join(f"\nsurvives: {name}" for name in survivors))
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

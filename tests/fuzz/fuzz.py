#!/usr/bin/python3
"""Runs the fuzz targets; `./dev fuzz` builds them first.

A target reads its committed corpus (corpus/TARGET.inputs, packed into one file) and a working one
beside its program, and puts what it finds into findings/ there. Any finding makes this program fail.
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results" / "campaigns.jsonl"
# The longest input of each target: what its deepest case needs, and not much more.
BYTES_MAX = {"wire": 2048, "model": 400, "broker": 600, "sessions": 600, "text": 300, "config": 400,
             "http": 600, "record": 600}
# A campaign's time is cut into turns, so that what was done is on record whenever it ends.
TURN_SECONDS = 600
# The committed corpus of one target.
CORPUS_BYTES_MAX = 32 * 1024


class Target:
    def __init__(self, name, build):
        self.name = name
        self.program = build / "bin" / f"fuzz_{name}"
        self.working = build / "corpus" / name
        self.findings = build / "findings"
        self.committed = build / "committed" / name
        self.packed = HERE / "corpus" / f"{name}.inputs"
        self.regressions = HERE / "regressions" / name

    def prepare(self):
        self.working.mkdir(parents=True, exist_ok=True)
        self.findings.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.committed, ignore_errors=True)
        self.committed.mkdir(parents=True)
        for number, data in enumerate(unpack(self.packed)):
            (self.committed / str(number)).write_bytes(data)

    def options(self):
        # Without "entropic" choice of seeds: its bookkeeping costs these short targets two thirds
        # of their speed.
        options = [f"-max_len={BYTES_MAX[self.name]}", "-entropic=0", "-timeout=10",
                   "-rss_limit_mb=2048", "-print_final_stats=1",
                   f"-artifact_prefix={self.findings}/{self.name}-"]
        dictionary = HERE / "dictionaries" / f"{self.name}.dict"
        return options + ([f"-dict={dictionary}"] if dictionary.exists() else [])

    def run(self, seconds, nice):
        """One run; its figures."""
        self.prepare()
        folders = [self.working, self.committed]
        if self.regressions.is_dir():
            folders.append(self.regressions)
        began = time.monotonic()
        run = subprocess.run(
            [*(["nice", "-n", "19"] if nice else []), self.program, *self.options(),
             f"-max_total_time={seconds}", *folders],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return self.figures(run, time.monotonic() - began)

    def figures(self, run, seconds):
        text = run.stdout.decode(errors="replace")

        def last(pattern):
            found = re.findall(pattern, text)
            return int(found[-1]) if found else 0

        if run.returncode != 0:
            print(text[-6000:], flush=True)
        return {"target": self.name, "executions": last(r"number_of_executed_units: (\d+)"),
                "seconds": round(seconds), "edges": last(r"cov: (\d+)"),
                "findings": int(run.returncode != 0)}

    def minimise(self):
        """Packs the corpus anew: small inputs that reach all, or most, of what is known."""
        self.prepare()
        merged = self.working.with_name(self.name + ".merged")
        shutil.rmtree(merged, ignore_errors=True)
        merged.mkdir(parents=True)
        subprocess.run([self.program, "-merge=1", f"-max_len={BYTES_MAX[self.name]}", merged,
                        self.committed, self.working], check=True, stderr=subprocess.DEVNULL)
        inputs = sorted((file.read_bytes() for file in merged.iterdir()), key=lambda b: (len(b), b))
        shutil.rmtree(merged)
        while sum(len(data) + 2 for data in inputs) > CORPUS_BYTES_MAX:
            inputs.pop()
        self.packed.parent.mkdir(exist_ok=True)
        self.packed.write_bytes(b"".join(struct.pack("<H", len(data)) + data for data in inputs))
        print(f"{self.name}: {len(inputs)} inputs, {self.packed.stat().st_size} bytes", flush=True)


def unpack(file):
    """The inputs of a packed corpus: each after its length, 2 bytes little-endian."""
    data = file.read_bytes() if file.exists() else b""
    at = 0
    while at + 2 <= len(data):
        (length,) = struct.unpack_from("<H", data, at)
        yield data[at + 2:at + 2 + length]
        at += 2 + length


def show(line):
    speed = line["executions"] // max(1, line["seconds"])
    print(f"{line['target']:10} {line['executions']:13,} executions {line['seconds']:7,} s "
          f"{speed:9,} a second {line['edges']:7,} edges  "
          f"{'FINDING' if line['findings'] else 'no findings'}", flush=True)


def run_all(targets, seconds, jobs, nice=False):
    """Each target once, `jobs` at a time; yields the figures as they come."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = [pool.submit(target.run, seconds, nice) for target in targets]
        for run in concurrent.futures.as_completed(runs):
            yield run.result()


def commit():
    run = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=10"], cwd=HERE,
                         capture_output=True, text=True, check=False)
    return run.stdout.strip() or "unknown"


def record(lines, since):
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps({"date": since, "commit": commit(), **line}) + "\n")


def add(sums, line):
    total = sums.setdefault(line["target"], {**line, "executions": 0, "seconds": 0})
    for key in ("executions", "seconds"):
        total[key] += line[key]
    total["edges"] = max(total["edges"], line["edges"])
    total["findings"] = line["findings"]


def campaign(targets, seconds, jobs):
    """Turns over all targets until the time is up. A target with a finding takes no further part."""
    since = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    ends = time.monotonic() + seconds
    sums = {}
    playing = list(targets)
    try:
        while playing and time.monotonic() < ends - 1:
            share = (ends - time.monotonic()) * jobs / len(playing)
            for line in run_all(playing, max(1, int(min(TURN_SECONDS, share))), jobs, nice=True):
                show(line)
                add(sums, line)
            playing = [target for target in playing if not sums[target.name]["findings"]]
    finally:
        record(sums.values(), since)
    print("in all:")
    for line in sums.values():
        show(line)
    return sum(line["findings"] for line in sums.values())


def report_findings(targets):
    for target in targets:
        for file in sorted(target.findings.glob(f"{target.name}-*")):
            print(f"finding: {os.path.relpath(target.program)} {os.path.relpath(file)}")
    print("Mend it; keep the input under tests/fuzz/regressions/TARGET/, named for what it found.")


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(BYTES_MAX))
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=60, help="for each target; default 60")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at a time")
    parser.add_argument("--campaign", type=int, metavar="SECONDS",
                        help="without sanitizers, at full speed and nice 19, for this long in all; "
                             "the figures are added to tests/fuzz/results/")
    parser.add_argument("--minimise", action="store_true",
                        help="make the committed corpora anew from all that is known")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.targets if name not in BYTES_MAX]
    if unknown:
        parser.error(f"no target {', '.join(unknown)}; targets: {', '.join(BYTES_MAX)}")
    targets = [Target(name, arguments.build.resolve()) for name in arguments.targets or BYTES_MAX]
    if arguments.minimise:
        for target in targets:
            target.minimise()
        return 0
    if arguments.campaign:
        findings = campaign(targets, arguments.campaign, arguments.jobs)
    else:
        findings = 0
        for line in run_all(targets, arguments.seconds, arguments.jobs):
            show(line)
            findings += line["findings"]
    if findings:
        report_findings(targets)
    return int(findings > 0)


if __name__ == "__main__":
    sys.exit(main())

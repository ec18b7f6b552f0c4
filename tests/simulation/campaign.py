"""A campaign: as many seeds as fit into a time, on several processes.

    campaign.py PROGRAM --campaign SECONDS [--from SEED] [--jobs N] [--results FILE]

One line of JSON in the results file tells all of it, and is brought up to date every minute: a campaign
may be stopped at any time (SIGINT or SIGTERM), and says what it has seen. It counts only seeds up to
the first that has not been run, so that the next campaign goes on behind it without a gap.
"""

import argparse
import datetime
import fcntl
import glob
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(FOLDER, "results")
CHUNK = 1_000  # seeds a process runs: some seconds
SILENCE_MAX = 900  # seconds without an end, after which a process counts as hanging
TELL_EVERY = 60  # seconds
SUMS = ("seeds", "events", "simulated_seconds")


def next_seed():
    """The first that no campaign has run."""
    seeds = [1]
    for path in glob.glob(os.path.join(RESULTS, "*.jsonl")):
        with open(path, encoding="utf-8") as file:
            seeds += [json.loads(line)["seeds_to"] + 1 for line in file if line.strip()]
    return max(seeds)


def commit():
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=FOLDER, capture_output=True, text=True,
                              check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + ("+changes" if changed else "")


def run(program, first, last):
    """What the seeds first..last have shown. A process that dies is split until its seed is found."""
    try:
        done = subprocess.run([program, "--seeds", f"{first}..{last}", "--json"], text=True,
                              capture_output=True, timeout=SILENCE_MAX, check=False,
                              start_new_session=True)
        if done.returncode in (0, 1):
            return json.loads(done.stdout)
        end = f"ends with code {done.returncode}: " + done.stderr.strip().rpartition("\n")[2]
    except subprocess.TimeoutExpired:
        end = f"has no end within {SILENCE_MAX} s"
    if first == last:
        return {"seeds": 1, "events": 0, "simulated_seconds": 0, "happenings": {},
                "failures": [{"seed": first, "promise": "crash", "what": end}]}
    middle = (first + last) // 2
    return merge(run(program, first, middle), run(program, middle + 1, last))


def merge(one, other):
    happenings = dict(one["happenings"])
    for name, count in other["happenings"].items():
        happenings[name] = happenings.get(name, 0) + count
    return {**{key: one[key] + other[key] for key in SUMS}, "happenings": happenings,
            "failures": one["failures"] + other["failures"]}


class Campaign:
    def __init__(self, options):
        self.options = options
        self.began = time.monotonic()
        self.date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        self.commit = commit()
        self.total = {**{key: 0 for key in SUMS}, "happenings": {}, "failures": []}
        self.next = self.counted = options.first
        self.ahead = {}  # chunks whose turn has not come, by their first seed
        self.lock = threading.Lock()
        self.stopped = threading.Event()

    def take(self):
        with self.lock:
            late = time.monotonic() - self.began >= self.options.campaign
            if (late or self.stopped.is_set()) and self.next > self.options.first:
                return None
            first, self.next = self.next, self.next + CHUNK
            return first

    def work(self):
        while (first := self.take()) is not None:
            seen = run(self.options.program, first, first + CHUNK - 1)
            for failure in seen["failures"]:
                print(f"seed {failure['seed']} breaks {failure['promise']}: {failure['what']}",
                      flush=True)
            with self.lock:
                self.ahead[first] = seen
                while self.counted in self.ahead:
                    self.total = merge(self.total, self.ahead.pop(self.counted))
                    self.counted += CHUNK

    def line(self):
        with self.lock:
            wall = time.monotonic() - self.began
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            return {"date": self.date, "commit": self.commit, "jobs": self.options.jobs,
                    "seeds_from": self.options.first, "seeds_to": self.counted - 1, **self.total,
                    "wall_seconds": round(wall, 1),
                    "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
                    "times_real_time": round(self.total["simulated_seconds"] / max(wall, 0.001))}

    def write(self):
        """Puts this campaign's line in the place of its last one; others may write there too."""
        mine = self.line()
        path = self.options.results
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            lines = [json.loads(line) for line in file if line.strip()]
            same = ("date", "seeds_from")
            lines = [line for line in lines if any(line[key] != mine[key] for key in same)] + [mine]
            with open(path + ".new", "w", encoding="utf-8") as new:
                new.writelines(json.dumps(line) + "\n" for line in lines)
            os.replace(path + ".new", path)
        return mine

    def tell(self):
        line = self.write()
        print(f"seeds {line['seeds_from']}..{line['seeds_to']}: {line['events']:,} events, "
              f"{line['simulated_seconds'] / 3600:,.1f} h in {line['wall_seconds']:,.0f} s "
              f"({line['times_real_time']:,} times real time), {len(line['failures'])} failures",
              flush=True)
        return line

    def run(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopped.set())
        print(f"from seed {self.options.first} on, {self.options.jobs} at a time, for "
              f"{self.options.campaign:g} s; results in {self.options.results}", flush=True)
        threads = [threading.Thread(target=self.work) for _ in range(self.options.jobs)]
        for thread in threads:
            thread.start()
        told = self.began
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.1)
            if time.monotonic() - told >= TELL_EVERY:
                told = time.monotonic()
                self.tell()
        return self.tell()


def seconds(text):
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("a campaign takes more than no time")
    return value


def main():
    today = datetime.date.today().isoformat()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("program", help="millrace-sim")
    parser.add_argument("--campaign", type=seconds, required=True, metavar="SECONDS")
    parser.add_argument("--from", type=int, dest="first", metavar="SEED",
                        help="default: behind all campaigns before")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--results", default=os.path.join(RESULTS, today + ".jsonl"), metavar="FILE")
    options = parser.parse_args()
    if options.first is None:
        options.first = next_seed()
    if options.first < 0 or options.jobs < 1:
        parser.error("--from counts from 0, --jobs from 1")
    line = Campaign(options).run()
    return 1 if line["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())

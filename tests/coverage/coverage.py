#!/usr/bin/python3
"""Adds up what gcov counted, as a table; fails below the goals.

Every branch of the broker's core, its store and the codecs is to be taken in both directions, and nine
lines in ten of the rest are to run. README.md here lists the branches that no test can take, each with
its reason: an entry that excuses nothing any more fails too, so that the list cannot outlive the code.
"""

import argparse
import collections
import concurrent.futures
import datetime
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = pathlib.Path(__file__).parent / "results" / "coverage.jsonl"
# What a part must reach: (share of branches, share of lines).
PARTS = {
    "broker/core": (1.0, 1.0),
    "broker/store": (1.0, 1.0),
    "common/wire": (1.0, 1.0),
    "common/json": (1.0, 1.0),
    "common/base": (None, 0.9),
    "common/host": (None, 0.9),
    "broker/admin": (None, 0.9),
    "broker": (None, 0.9),
    "client/cpp": (None, 0.9),
    "client/cli": (None, 0.9),
    "worker/cpp": (None, 0.9),
}
# A check that fails ends the process: its other branch is a defect.
CHECK = re.compile(r"\bMILLRACE_CHECK\(")
# What the compiler writes: operators that compare or copy member by member.
WRITTEN_BY_COMPILER = re.compile(r"= default;$")
# The branches of a line without any of these are the compiler's own: it takes temporaries down.
DECIDES = re.compile(r"\b(if|for|while|switch|case|default)\b|&&|\|\||\?|[<>!=]=")
SWITCH = re.compile(r"^( *)switch \(")
EXCUSE = re.compile(r"^\| `(?P<file>[^`]+)` \| `(?P<line>.+)` \| (?P<reason>.+) \|$")


def complete_switches(source):
    """The lines of switches without a default, and those right behind them.

    They name every enumerator (-Wswitch is an error): further comes only a number that is none of them.
    """
    switches, behind = set(), set()
    for begin, line in enumerate(source):
        indent = SWITCH.match(line)
        if not indent:
            continue
        end = source.index(indent[1] + "}", begin)
        if not any(inner.startswith(indent[1] + "  default:") for inner in source[begin:end]):
            switches.add(begin + 1)
            behind.add(end + 2)
    return switches, behind


def part_of(file):
    return max((part for part in PARTS if file.startswith(part + "/")), key=len, default=None)


class Line:
    def __init__(self):
        self.count = 0
        self.branches = {}  # function and shape -> how often each branch was taken

    def add(self, function, line):
        self.count += line["count"]
        taken = [b["count"] for b in line["branches"] if not b["throw"]]
        # The instances of a template begin at one place; they are one piece of code to its reader.
        known = self.branches.setdefault((function, len(taken)), [0] * len(taken))
        for at, count in enumerate(taken):
            known[at] += count

    def taken(self):
        return [count for branches in self.branches.values() for count in branches]


def gcov(notes):
    """What gcov says of one object, for the files that are parts."""
    run = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", notes.name],
                         cwd=notes.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         check=False)
    if run.returncode != 0:
        sys.exit(f"gcov cannot read {notes}: {run.stderr.decode(errors='replace').strip()}")
    for text in run.stdout.splitlines():
        document = json.loads(text)
        for file in document["files"]:
            path = pathlib.Path(document["current_working_directory"], file["file"]).resolve()
            if path.is_relative_to(ROOT) and part_of(str(path.relative_to(ROOT))):
                yield str(path.relative_to(ROOT)), file


def measure(build):
    """file -> line number -> Line, over all objects."""
    files = collections.defaultdict(lambda: collections.defaultdict(Line))
    objects = sorted(build.rglob("*.gcno"))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for found in pool.map(lambda notes: list(gcov(notes)), objects):
            for name, file in found:
                begins = {f["name"]: (f["start_line"], f["start_column"]) for f in file["functions"]}
                runs = {(f["name"], f["start_line"]): f["execution_count"] for f in file["functions"]}
                for line in file["lines"]:
                    name_of_function = line.get("function_name")
                    function = begins.get(name_of_function)
                    # gcov counts no run of the line on which a lambda begins.
                    if line["count"] == 0:
                        line["count"] = runs.get((name_of_function, line["line_number"]), 0)
                    files[name][line["line_number"]].add(function, line)
    return files


class Excuses:
    """The listed lines whose branches or runs no test can have."""

    def __init__(self, text):
        found = (EXCUSE.match(line) for line in text.splitlines())
        self.unused = {(m["file"], m["line"].replace("\\|", "|")) for m in found if m}
        self.all = set(self.unused)

    def take(self, file, source):
        """Whether this line is excused, by itself or with all of its file."""
        entries = {(file, source.strip()), (file, "*")} & self.all
        self.unused -= entries
        return bool(entries)


class Count:
    def __init__(self):
        self.lines = self.lines_run = self.branches = self.branches_taken = 0
        self.gaps = []

    def add(self, place, line, source, excuses, switches):
        decides = (DECIDES.search(source) and not CHECK.search(source) and
                   not WRITTEN_BY_COMPILER.search(source))
        branches = line.taken() if decides else []
        if place[1] in switches and 0 in branches:
            branches.remove(0)
        missed = branches.count(0)
        run = line.count > 0
        if (missed or not run) and excuses.take(place[0], source):
            branches, missed, run = [], 0, True
        self.lines += 1
        self.lines_run += run
        self.branches += len(branches)
        self.branches_taken += len(branches) - missed
        where = f"{place[0]}:{place[1]}"
        if not run:
            self.gaps.append(f"{where}: never runs: {source.strip()}")
        elif missed:
            self.gaps.append(f"{where}: {missed} of {len(branches)} branches not taken: {source.strip()}")


def count_parts(files, excuses):
    counts = {part: Count() for part in PARTS}
    for file, lines in sorted(files.items()):
        source = (ROOT / file).read_text(encoding="utf-8").splitlines()
        switches, behind = complete_switches(source)
        for number, line in sorted(lines.items()):
            # A closing brace is where the compiler takes down what an exception would have left.
            closing = source[number - 1].strip() == "}"
            if not closing and not (number in behind and line.count == 0):
                counts[part_of(file)].add((file, number), line, source[number - 1], excuses, switches)
    return counts


def share(taken, of):
    return taken / of if of else 1.0


def report(counts, parts):
    """Prints the table; the parts that miss their goal."""
    print(f"| {'part':12} | {'branches':>8} | {'taken':>8} | {'lines':>6} | {'run':>8} | goal |")
    print("|---|--:|--:|--:|--:|---|")
    missed = []
    for part in parts:
        count = counts[part]
        branches_goal, lines_goal = PARTS[part]
        goal = (f"{branches_goal:.0%} of branches, " if branches_goal else "") + f"{lines_goal:.0%} of lines"
        print(f"| {part:12} | {count.branches:8} | {share(count.branches_taken, count.branches):8.2%} "
              f"| {count.lines:6} | {share(count.lines_run, count.lines):8.2%} | {goal} |")
        if (share(count.lines_run, count.lines) < lines_goal or
                share(count.branches_taken, count.branches) < (branches_goal or 0)):
            missed.append(part)
    return missed


def record(counts, parts):
    """Adds the figures to results/: what they are worth depends on the commit."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=10"], cwd=ROOT,
                            stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    figures = {part: {"branches": counts[part].branches, "taken": counts[part].branches_taken,
                      "lines": counts[part].lines, "run": counts[part].lines_run} for part in parts}
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"date": date, "commit": commit, "parts": figures}) + "\n")


def main():
    parser = argparse.ArgumentParser(prog="./dev coverage", description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--gaps", action="store_true", help="list every gap, not only where it fails")
    parser.add_argument("--record", action="store_true", help="add the figures to tests/coverage/results/")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    arguments = parser.parse_args()
    parts = arguments.parts or list(PARTS)
    excuses = Excuses((pathlib.Path(__file__).parent / "README.md").read_text(encoding="utf-8"))
    counts = count_parts(measure(arguments.build.resolve()), excuses)
    missed = report(counts, parts)
    if arguments.record:
        record(counts, parts)
    for part in parts if arguments.gaps else missed:
        print("\n".join(counts[part].gaps))
    stale = sorted(entry for entry in excuses.unused if part_of(entry[0]) in parts)
    for file, line in stale:
        print(f"tests/coverage/README.md excuses what needs no excuse: {file}: {line}")
    return int(bool(missed or stale))


if __name__ == "__main__":
    sys.exit(main())

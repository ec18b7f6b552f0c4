"""The kit finds what it is there to find: workers and clients with one fault fail what they should.

faults_test.py                       each fault fails its first case, which those without it pass
faults_test.py --all [FAULT...]      each fault fails exactly its cases: a long run
faults_test.py --rewrite [FAULT...]  as --all, and writes down what failed

The table is expected_failures.json: for each fault, the MUSTs that it fails.
"""

import collections
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "workers"), os.path.join(HERE, "clients")]

import faulty_client  # noqa: E402: the path comes first
import faulty_worker  # noqa: E402
from millrace_conform import client_cases, runner, worker_cases  # noqa: E402
from millrace_conform.case import HANDLERS, MUST  # noqa: E402
from millrace_conform.client_scene import ClientScene  # noqa: E402
from millrace_conform.worker_scene import WorkerScene  # noqa: E402

TABLE = os.path.join(HERE, "expected_failures.json")
FAULTLESS = ("worker", "client")
FAULTS = {**faulty_worker.FAULTS, **faulty_client.FAULTS}
# What a fault keeps from coming is waited for in vain; what is right comes well before this.
PATIENCE, PATIENCE_WITH_ALL = 15, 30
AT_ONCE = 32

Finding = collections.namedtuple("Finding", "fault case failed text")


def cases_for(fault):
    suite = client_cases.SUITE if fault in faulty_client.FAULTS else worker_cases.SUITE
    return [case for case in suite.cases if case.level == MUST]


def scene_maker(fault, patience):
    if fault in faulty_client.FAULTS:
        command = [sys.executable, "-B", faulty_client.__file__, fault, "{broker}"]
        return lambda context: ClientScene(context, patience, command)
    command = [sys.executable, "-B", faulty_worker.__file__, fault, "{broker}", "{queue}", "{slots}"]
    return lambda context: WorkerScene(context, patience, command)


def findings(pairs, patience):
    """What each (fault, case) comes to."""
    jobs = [(case, scene_maker(fault, patience)) for fault, case in pairs]
    results = runner.run(jobs, HANDLERS, AT_ONCE)
    return [Finding(fault, case.name, result.status == runner.FAILED, result.text)
            for (fault, case), result in zip(pairs, results)]


def load_table():
    with open(TABLE, encoding="utf-8") as file:
        return json.load(file)


def problems_of_the_table(table):
    """A fault that nobody finds, or a name that means nothing."""
    for fault in FAULTS:
        if fault not in FAULTLESS and not table.get(fault):
            yield f"no case finds {fault}"
    for fault, names in table.items():
        if fault not in FAULTS or not set(names) <= {case.name for case in cases_for(fault)}:
            yield f"{fault} or one of its cases does not exist (any more)"


def few(table):
    """The first case of each fault, with the fault and without any."""
    pairs = []
    for faultless in FAULTLESS:
        for case in cases_for(faultless):
            faults = [fault for fault, names in table.items()
                      if fault.startswith(faultless) and names[:1] == [case.name]]
            pairs += [(fault, case) for fault in faults + [faultless] * bool(faults)]
    return pairs


def surprises(found, table):
    for finding in found:
        expected = finding.case in table.get(finding.fault, [])
        if finding.failed and not expected:
            yield f"{finding.fault} fails {finding.case}, which it should pass: {finding.text}"
        elif expected and not finding.failed:
            yield f"{finding.fault} passes {finding.case}, which it should fail"


def rewrite(found):
    table = load_table() if os.path.exists(TABLE) else {}
    for fault in {finding.fault for finding in found} - set(FAULTLESS):
        table[fault] = [finding.case for finding in found
                        if finding.fault == fault and finding.failed]
    table = {fault: table[fault] for fault in FAULTS if fault in table}
    with open(TABLE, "w", encoding="utf-8") as file:
        json.dump(table, file, indent=1)
        file.write("\n")
    return table


def main(arguments):
    mode, *faults = arguments or [""]
    if mode not in ("", "--all", "--rewrite") or not set(faults) <= set(FAULTS):
        print(__doc__)
        return 2
    if mode:
        pairs = [(fault, case) for fault in faults or FAULTS for case in cases_for(fault)]
        found = findings(pairs, PATIENCE_WITH_ALL)
    else:
        found = findings(few(load_table()), PATIENCE)
    table = rewrite(found) if mode == "--rewrite" else load_table()
    problems = [*problems_of_the_table(table), *surprises(found, table)]
    print(*problems, sep="\n")
    count = len(FAULTS) - len(FAULTLESS)
    print(f"{len(found)} runs with {count} faults and without: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

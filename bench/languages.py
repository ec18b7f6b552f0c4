"""What the Python and Node libraries cost, beside Celery and BullMQ, in one run on one machine; `./dev bench
languages` runs it.

usage: languages.py PROGRAMS PEERS NODE-PACKAGE [--repetitions N] [--seconds N] [--out FOLDER]

PROGRAMS      the folder of our programs
PEERS         the folder of the drivers of other queues (bench.py), BullMQ installed in its src/
NODE-PACKAGE  our Node package, built

tasks a second from a client's submit to the result at the client, payloads of 100 bytes, one worker process
with 1 and 16 slots; and one task after the other. The broker syncs before every answer; so does Redis, with
appendfsync always, behind the other two. Both sides submit as fast as their library can: ours and BullMQ in
batches, Celery, which has none, one by one. Celery's 16 slots are its 16 processes, its default.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from compare import run
from measure import cpu_seconds, machine, spread

HERE = os.path.dirname(os.path.abspath(__file__))
LANGUAGES = os.path.join(HERE, "languages")
sys.path.insert(0, os.path.join(HERE, os.pardir, "tests", "integration"))
SLOTS = (1, 16)
# Language, kind of handler: tasks in a batch, whom it is held against.
KINDS = {("python", "function"): (10_000, "celery"), ("python", "coroutine"): (4_000, "celery"),
         ("python", "process"): (1_000, "celery"), ("node", "function"): (10_000, "bullmq")}


def tree_cpu_seconds(pid):
    """Of the process and its children that run."""
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        below = [int(child) for child in children.read().split()]
    return cpu_seconds(pid) + sum(tree_cpu_seconds(child) for child in below)


def command(language, role, package):
    if language == "python":
        return ["/usr/bin/python3", os.path.join(LANGUAGES, f"echo_{role}.py")]
    return ["node", os.path.join(LANGUAGES, f"echo_{role}.mjs"), package]


def measure(cluster_type, language, kind, slots, arguments):
    """Tasks a second, the processor time of worker and client a task in µs, and a round trip in ms."""
    from millrace_python import ENVIRONMENT
    batch = KINDS[language, kind][0]
    with cluster_type() as cluster:
        cluster.start_broker()
        extra = [kind] if language == "python" else []
        worker = subprocess.Popen(
            [*command(language, "worker", arguments.node_package),
             f"127.0.0.1:{cluster.ports['worker']}", str(slots), *extra], env=ENVIRONMENT)
        try:
            cluster.wait_for_workers(1)
            before = tree_cpu_seconds(worker.pid)
            client = subprocess.run(
                [*command(language, "client", arguments.node_package),
                 f"127.0.0.1:{cluster.ports['client']}", str(arguments.seconds), str(batch)],
                env=ENVIRONMENT, stdout=subprocess.PIPE, check=True)
            done = cluster.json("/metrics")["tasks_by_state"]["succeeded"]
            worker_cpu = (tree_cpu_seconds(worker.pid) - before) / done * 1e6
        finally:
            worker.terminate()
            worker.wait()
    found = json.loads(client.stdout)
    return (found["tasks"] / found["seconds"], worker_cpu, found["cpu_seconds"] / found["tasks"] * 1e6,
            found["ping_ms"])


def measure_peers(arguments):
    """(peer, slots) -> tasks a second, and (peer, "ping") -> ms: medians."""
    figures = {}
    bench = [sys.executable, os.path.join(arguments.peers, "bench.py"), "run", "--levels", "fsync",
             "--figures", "tput1,tput16,ping", "--reps", str(arguments.repetitions),
             "--secs", str(arguments.seconds), "--peers", "celery,bullmq"]
    names = {"tput1": 1, "tput16": 16, "ping_p50": "ping"}
    for peer, _, figure, _, value, *_ in run(bench, dict(os.environ, BENCH_BUILD="/nonexistent")):
        if figure in names and value != "failed":
            figures.setdefault((peer, names[figure]), []).append(float(value))
    return {key: statistics.median(values) for key, values in figures.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("programs", "peers", "node_package"):
        parser.add_argument(name)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--out", default=os.path.join(HERE, "results"))
    arguments = parser.parse_args()
    os.environ["MILLRACE_BINARIES"] = os.path.abspath(arguments.programs)
    arguments.node_package = os.path.abspath(arguments.node_package)
    if not shutil.which("node"):
        sys.exit("node is not installed")
    from millrace_python import PythonCluster

    peers = measure_peers(arguments)
    lines = [machine(), {"peers": {f"{peer} {what}": value for (peer, what), value in peers.items()}}]
    for (language, kind), (_, rival) in KINDS.items():
        for slots in SLOTS:
            runs = [measure(PythonCluster, language, kind, slots, arguments)
                    for _ in range(arguments.repetitions)]
            rates, worker_cpu, client_cpu, pings = zip(*runs)
            theirs = peers.get((rival, slots))
            lines.append({"language": language, "handler": kind, "slots": slots,
                          "tasks_per_second": spread(rates),
                          "worker_cpu_microseconds_per_task": spread(worker_cpu, 1),
                          "client_cpu_microseconds_per_task": spread(client_cpu, 1),
                          "ping_milliseconds": spread(pings, 2),
                          "peer": rival, "peer_tasks_per_second": theirs,
                          "ratio": round(statistics.median(rates) / theirs, 1) if theirs else None})
            print(json.dumps(lines[-1]), flush=True)
    path = os.path.join(arguments.out, f"languages-{time.strftime('%Y-%m-%d')}.jsonl")
    with open(path, "w") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)
    print("written:", os.path.relpath(path))


if __name__ == "__main__":
    main()

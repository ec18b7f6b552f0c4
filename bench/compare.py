"""Millrace beside the queues people use today, in one run on one machine; `./dev bench compare` runs it.

usage: compare.py PROGRAMS PEERS DRIVER [--reps N] [--peers NAME,…] [--no-heavy] [--out FOLDER]

PROGRAMS  the folder of our programs
PEERS     the folder of the drivers of other queues (bench.py)
DRIVER    their driver, with Millrace built in (target peer_driver)

Every queue is measured at its durable level, Millrace in its default configuration: a submit is
acknowledged after it is synced, a completion counts when it is. Ratios of one run are worth comparing;
absolute figures move with the machine.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from measure import machine

PORT = 25100
DURABLE = "redis-list,redis-stream,postgres,rabbitmq,beanstalkd,bullmq,celery"
HEAVY = "redis-list"
# figure: what it is, the peer it is held against, whether less is better, what it must and should be
GOALS = {
    "tput16": ("16 workers, durable, batched", "redis-list", False, 3.5, 6),
    "tput1": ("1 worker, durable, batched", "postgres", False, 1.7, 3),
    "one16": ("one task a message, 16 workers", "rabbitmq", False, 8, 15),
    "cpu_tput16": ("server CPU a task", "redis-list", True, 0.33, 0.2),
    "lat_p50": ("p50 at 500/s", "redis-list", True, 1.5, 1.0),
    "lat_p99": ("p99 at 500/s", "redis-stream", True, 2.0, 1.0),
    "bytes": ("memory a queued 100-byte task", "redis-list", True, 1.0, 0.5),
    "recovery": ("kill -9 to the first task served, 1 M queued", "redis-list", True, 1.5, 0.7),
}


def environment(programs, driver_folder):
    ours = (f"{programs}/millrace-broker --data {{dir}}/data --client-port {PORT} --worker-port {PORT + 1} "
            f"--beat-port {PORT + 2} --pulse-port {PORT + 3} --http-port 0 --log-level warn")
    return {**os.environ, "BENCH_OURS": ours, "BENCH_BUILD": driver_folder, "BENCH_PORT": str(PORT)}


def run(command, env):
    """The lines that begin with `result`, as they come."""
    print("+", " ".join(command[1:]), flush=True)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == "result":
                print("  ", *fields[1:7], flush=True)
                yield fields[1:]


def collect(lines):
    """figure -> peer -> values; the CPU of a throughput is a figure of its own, cpu_FIGURE."""
    figures = {}
    for peer, level, figure, _, value, _, rest in (line[:7] for line in lines if len(line) >= 7):
        if value == "failed" or peer == "disk" or level == "classic":
            continue
        named = dict(part.split("=", 1) for part in rest.split() if "=" in part)
        figures.setdefault(figure, {}).setdefault(peer, []).append(float(value))
        if figure in ("tput1", "tput16", "one16"):
            cpu = float(named["server_cpu_ms_per_1000"])
            figures.setdefault(f"cpu_{figure}", {}).setdefault(peer, []).append(cpu)
        if figure == "peak_rss":
            figures.setdefault("bytes", {}).setdefault(peer, []).append(float(named["bytes_per_task"]))
    return figures


def judge(figures):
    for figure, (text, rival, less, must, aim) in GOALS.items():
        found = figures.get(figure, {})
        if "ours" not in found or rival not in found:
            continue
        ours, theirs = statistics.median(found["ours"]), statistics.median(found[rival])
        ratio = ours / theirs if theirs else float("inf")
        meets = (lambda goal: ratio <= goal) if less else (lambda goal: ratio >= goal)
        verdict = "aim" if meets(aim) else "must" if meets(must) else "not yet"
        yield {"figure": figure, "what": text, "ours": ours, "peer": rival, "theirs": theirs,
               "ratio": round(ratio, 3), "must": must, "aim": aim, "verdict": verdict}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("programs", "peers_folder", "driver"):
        parser.add_argument(name)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--peers", default=DURABLE)
    parser.add_argument("--no-heavy", action="store_true")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "results"))
    arguments = parser.parse_args()
    folder = os.path.dirname(os.path.abspath(arguments.driver))
    if os.path.basename(arguments.driver) != "driver":
        shutil.copy2(arguments.driver, os.path.join(folder, "driver"))
    env = environment(os.path.abspath(arguments.programs), folder)
    bench = [sys.executable, os.path.join(arguments.peers_folder, "bench.py")]
    lines = list(run(bench + ["run", "--reps", str(arguments.reps), "--secs", "1", "--peers",
                              arguments.peers + ",ours"], env))
    if not arguments.no_heavy:
        for _ in range(arguments.reps):
            for peer in (HEAVY, "ours"):
                lines += run(bench + ["heavy", "--peers", peer, "--level", "fsync"], env)
    figures = collect(lines)
    report = {"machine": machine(), "repetitions": arguments.reps,
              "figures": {figure: {peer: {"median": statistics.median(values), "least": min(values),
                                          "most": max(values)} for peer, values in peers.items()}
                          for figure, peers in figures.items()},
              "goals": list(judge(figures))}
    path = os.path.join(arguments.out, f"compare-{time.strftime('%Y-%m-%d')}.json")
    with open(path, "w") as out:
        json.dump(report, out, indent=1)
        out.write("\n")
    for goal in report["goals"]:
        print(f"{goal['what']:46} {goal['ours']:>12,.4g} {goal['peer']:>13} {goal['theirs']:>12,.4g}  "
              f"ratio {goal['ratio']:<8} must {goal['must']:<5} aim {goal['aim']:<5} {goal['verdict']}")
    print("written:", os.path.relpath(path))


if __name__ == "__main__":
    main()

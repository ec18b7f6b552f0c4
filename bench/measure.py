"""Figures of the real programs on this machine, one JSON line each; `./dev bench` runs it.

usage: measure.py FOLDER-OF-THE-PROGRAMS [--out FILE] [WORKLOAD…]

throughput   durable tasks a second, submit to result: 100-byte payloads, 1 and 16 workers
memory       the broker's own memory for each of a million waiting tasks
restart      kill -9 with 100,000 live tasks: until it serves again
reassign     kill -9 of a worker: until its tasks run elsewhere

Ratios on one machine in one run are worth comparing; absolute figures move with the machine.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "tests", "integration"))
REPETITIONS = 3


def smaps(pid, name):
    """A sum in kB out of the process's memory map summary."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith(name))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def throughput(cluster_type):
    payload = "x" * 100
    for workers in (1, 16):
        rates, cpu = [], []
        for _ in range(REPETITIONS):
            with cluster_type() as cluster:
                cluster.start_broker()
                cluster.ledger = "/dev/null"
                cluster.start_workers(workers, "--builtin", "echo")
                tasks = 300_000
                before = cpu_seconds(cluster.broker.pid)
                summary = cluster.submit("demo", "--count", tasks, "--payload", payload, timeout=300)
                assert summary["succeeded"] == tasks, summary
                rates.append(tasks / summary["seconds"])
                cpu.append((cpu_seconds(cluster.broker.pid) - before) / tasks * 1e6)
        yield {"workload": "throughput", "workers": workers, "tasks_per_second": spread(rates),
               "broker_cpu_microseconds_per_task": spread(cpu, 2)}


def memory(cluster_type):
    with cluster_type() as cluster:
        cluster.start_broker()
        before = smaps(cluster.broker.pid, "Pss_Anon")
        for payload_bytes in (100, 2000):
            tasks = 1_000_000 if payload_bytes == 100 else 200_000
            start = smaps(cluster.broker.pid, "Pss_Anon")
            finished = cluster.start_client("submit", f"idle{payload_bytes}", "--count", tasks,
                                            "--payload", "x" * payload_bytes, "--json")
            finished.communicate(timeout=300)
            assert finished.returncode == 0
            after = smaps(cluster.broker.pid, "Pss_Anon")
            yield {"workload": "memory", "payload_bytes": payload_bytes, "tasks": tasks,
                   "bytes_per_waiting_task": round((after - start) * 1024 / tasks, 1),
                   "empty_broker_kilobytes": before, "broker_kilobytes": after}


def restart(cluster_type):
    seconds, first = [], []
    for _ in range(REPETITIONS):
        with cluster_type() as cluster:
            cluster.start_broker()
            cluster.ledger = "/dev/null"
            assert cluster.client("submit", "live", "--count", "100000", timeout=120).returncode == 0
            cluster.kill_broker()
            began = time.monotonic()
            cluster.start_broker()
            while cluster.http("/readyz")[0] != 200:
                time.sleep(0.005)
            seconds.append(time.monotonic() - began)
            cluster.start_worker("w", "--builtin", "echo", queue="live")
            while not cluster.metric("completed_tasks"):
                time.sleep(0.005)
            first.append(time.monotonic() - began)
    yield {"workload": "restart", "live_tasks": 100_000, "ready_seconds": spread(seconds, 3),
           "first_completion_seconds": spread(first, 3)}


def reassign(cluster_type):
    seconds = []
    with cluster_type() as cluster:
        cluster.start_broker()
        cluster.start_worker("heir", "--builtin", "sleep", slots=50)
        for number in range(10):
            victim = cluster.start_worker(f"victim{number}", "--builtin", "sleep", queue=f"q{number}",
                                          extra=())
            cluster.wait_for_workers(2)
            ids = cluster.client("submit", f"q{number}", "--count", "1", "--payload", "600000").stdout
            task = ids.split()[0]
            while task not in cluster.starts_by_task():
                time.sleep(0.005)
            other = cluster.start_worker(f"heir{number}", "--builtin", "sleep", queue=f"q{number}")
            cluster.wait_for_workers(3)
            victim.send_signal(signal.SIGKILL)
            began = time.monotonic()
            while len(cluster.starts_by_task()[task]) < 2:
                time.sleep(0.005)
            seconds.append(time.monotonic() - began)
            other.kill()
            cluster.wait_for_workers(1)
    yield {"workload": "reassign", "kills": len(seconds), "seconds": spread(seconds, 3),
           "bound_seconds": 3.5}


def spread(values, digits=0):
    figures = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    return {name: round(value, digits) if digits else round(value) for name, value in figures.items()}


WORKLOADS = {"throughput": throughput, "memory": memory, "restart": restart, "reassign": reassign}


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "?")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            cwd=HERE).stdout.strip()
    return {"date": time.strftime("%Y-%m-%d"), "commit": commit, "processors": os.cpu_count(),
            "model": model, "kernel": platform.release()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs")
    parser.add_argument("--out")
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    arguments = parser.parse_args()
    os.environ["MILLRACE_BINARIES"] = os.path.abspath(arguments.programs)
    from cluster import Cluster  # reads the folder of the programs

    lines = [machine()]
    print(json.dumps(lines[0]), flush=True)
    for name in arguments.workloads:
        for figure in WORKLOADS[name](Cluster):
            lines.append(figure)
            print(json.dumps(figure), flush=True)
    if arguments.out:
        with open(arguments.out, "w") as out:
            out.writelines(json.dumps(line) + "\n" for line in lines)


if __name__ == "__main__":
    main()

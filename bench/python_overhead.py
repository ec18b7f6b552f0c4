"""What the Python package costs on this machine: one JSON line each.

usage: python_overhead.py FOLDER-OF-THE-PROGRAMS [--repetitions N] [--seconds N] [--out FILE]

throughput   durable tasks a second, from a Python client's submit to its result by a Python worker of one
             process with 1 and 16 slots that returns the payload of 100 bytes; the processor time of each
round_trip   submit one, wait for its result, repeat: milliseconds

The broker syncs before every answer, as always. The client submits in batches and waits for all.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "tests", "integration"))

BATCH_TASKS = {"function": 10_000, "coroutine": 4_000, "process": 1_000}
WORKER = """
import sys, millrace
worker = millrace.Worker(sys.argv[1], slots=int(sys.argv[2]), name="python")
{decorator}
{kind} echo(task):
    return task.payload
if __name__ == "__main__":
    worker.run()
"""
KINDS = {"function": ('@worker.handler("echo")', "def"),
         "coroutine": ('@worker.handler("echo")', "async def"),
         "process": ('@worker.handler("echo", process=True)', "def")}


def cpu_seconds(pid):
    """Of the process and its children that run."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        below = [int(child) for child in children.read().split()]
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(child) for child in below)


class Run:
    """A broker, a Python worker and a Python client."""

    def __init__(self, cluster, kind, slots):
        self.cluster = cluster
        cluster.start_broker()
        path = os.path.join(cluster.folder, "echo_worker.py")
        decorator, keyword = KINDS[kind]
        with open(path, "w") as file:
            file.write(WORKER.format(decorator=decorator, kind=keyword))
        from millrace_python import ENVIRONMENT, PYTHON
        self.worker = subprocess.Popen(
            [PYTHON, path, f"127.0.0.1:{cluster.ports['worker']}", str(slots)], env=ENVIRONMENT)
        cluster._processes.append(self.worker)
        cluster.wait_for_workers(1)
        self.client = cluster.connect()

    def tasks(self, count):
        import millrace
        results = self.client.submit_many(
            millrace.TaskSpec("echo", b"x" * 100) for _ in range(count))
        ends = self.client.as_completed([result.id for result in results], 300)
        assert sum(end.succeeded for end in ends) == count

    def close(self):
        self.client.close()
        self.worker.terminate()
        self.worker.wait()


def throughput(cluster_type, kind, slots, seconds):
    with cluster_type() as cluster:
        run = Run(cluster, kind, slots)
        run.tasks(BATCH_TASKS[kind] // 4)
        worker_cpu, client_cpu = cpu_seconds(run.worker.pid), time.process_time()
        tasks, began = 0, time.monotonic()
        while time.monotonic() < began + seconds:
            run.tasks(BATCH_TASKS[kind])
            tasks += BATCH_TASKS[kind]
        rate = tasks / (time.monotonic() - began)
        worker_cpu = (cpu_seconds(run.worker.pid) - worker_cpu) / tasks
        client_cpu = (time.process_time() - client_cpu) / tasks
        run.close()
    return rate, worker_cpu * 1e6, client_cpu * 1e6


def round_trip(cluster_type, seconds):
    import millrace
    milliseconds = []
    with cluster_type() as cluster:
        run = Run(cluster, "function", 1)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.monotonic()
            end = run.client.wait(run.client.submit(millrace.TaskSpec("echo", b"x" * 100)), 60)
            assert end.succeeded
            milliseconds.append((time.monotonic() - began) * 1e3)
        run.close()
    cuts = statistics.quantiles(milliseconds, n=100)
    return {"workload": "round_trip", "tasks": len(milliseconds),
            "milliseconds": {"p50": round(cuts[49], 2), "p99": round(cuts[98], 2)}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--out")
    arguments = parser.parse_args()
    os.environ["MILLRACE_BINARIES"] = os.path.abspath(arguments.programs)
    from measure import machine, spread
    from millrace_python import PythonCluster

    lines = [machine()]
    for kind in KINDS:
        for slots in (1, 16):
            runs = [throughput(PythonCluster, kind, slots, arguments.seconds)
                    for _ in range(arguments.repetitions)]
            rates, worker_cpu, client_cpu = zip(*runs)
            lines.append({"workload": "throughput", "handler": kind, "slots": slots,
                          "tasks_per_second": spread(rates),
                          "worker_cpu_microseconds_per_task": spread(worker_cpu, 1),
                          "client_cpu_microseconds_per_task": spread(client_cpu, 1)})
            print(json.dumps(lines[-1]), flush=True)
    lines.append(round_trip(PythonCluster, arguments.seconds))
    print(json.dumps(lines[-1]), flush=True)
    if arguments.out:
        with open(arguments.out, "w") as out:
            out.writelines(json.dumps(line) + "\n" for line in lines)


if __name__ == "__main__":
    main()

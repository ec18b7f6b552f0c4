"""The main job, for a person to see: 1,000 tasks, 16 workers, and two kill -9 on the way.

usage: demo.py FOLDER-OF-THE-PROGRAMS

The tasks are real: each worker runs a program that hashes its payload. The program also writes a ledger,
outside the system, of every start and end. At the end the demo checks the promise against the ledger:
every task done, every result right, and no task of a living worker run twice.
"""

import collections
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from processes import Programs, Trouble

HERE = os.path.dirname(os.path.abspath(__file__))
TASKS = 1000
WORKERS = 16
TASK_SECONDS = "0.15"
KILL_WORKER_AT = 250
KILL_BROKER_AT = 500
BROKER_DOWN_SECONDS = 1.0
RUN_SECONDS_MAX = 120
BAR_WIDTH = 40

ON_A_TERMINAL = sys.stdout.isatty()
BOLD, DIM, RED, GREEN, PLAIN = (
    ("\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[0m") if ON_A_TERMINAL else ("",) * 5)


class Screen:
    """A progress bar on a terminal; in a pipe, a line at every tenth."""

    def __init__(self):
        self._began = time.monotonic()
        self._tenth = -1

    def say(self, text):
        if ON_A_TERMINAL:
            print("\r\033[K", end="")
        print(f"{DIM}{time.monotonic() - self._began:6.1f} s{PLAIN}  {text}", flush=True)

    def progress(self, done):
        if ON_A_TERMINAL:
            filled = done * BAR_WIDTH // TASKS
            bar = "█" * filled + "·" * (BAR_WIDTH - filled)
            print(f"\r{DIM}{time.monotonic() - self._began:6.1f} s{PLAIN}  {bar} {done:4d} of {TASKS}",
                  end="", flush=True)
        elif done * 10 // TASKS > self._tenth:
            self._tenth = done * 10 // TASKS
            self.say(f"{done} of {TASKS} completed")


def payloads():
    return [f"line {number} of a file that nobody wants to lose" for number in range(1, TASKS + 1)]


def write_tasks(path):
    with open(path, "w", encoding="utf-8") as file:
        for payload in payloads():
            file.write(json.dumps({"payload": payload}) + "\n")


class Ledger:
    """What the task program wrote: who started and ended which attempt."""

    def __init__(self, path):
        self.path = path
        self.starts = collections.defaultdict(list)  # task -> [(attempt, fence, worker)]
        self.ends = collections.defaultdict(list)

    def read(self):
        self.starts.clear()
        self.ends.clear()
        if not os.path.exists(self.path):
            return
        with open(self.path, encoding="utf-8") as file:
            for line in file:
                what, task, attempt, fence, worker = line.split()
                side = self.starts if what == "start" else self.ends
                side[task].append((int(attempt), int(fence), worker))

    def ended_by(self, worker):
        return sum(entry[2] == worker for entries in self.ends.values() for entry in entries)


def run_tasks(programs, folder, ledger, screen):
    """Starts everything, submits, kills a worker and the broker. Returns what the client printed."""
    data = os.path.join(folder, "data")
    broker = programs.start_broker(data)
    screen.say(f"a broker, ready on port {programs.ports['client']}, HTTP on "
               f"{programs.ports['http']}")
    workers = {}
    for number in range(1, WORKERS + 1):
        name = f"worker-{number:02d}"
        workers[name] = programs.start(
            "millrace-worker", "--broker", f"127.0.0.1:{programs.ports['worker']}",
            "--queue", "demo", "--name", name, "--slots", "1", "--",
            os.path.join(HERE, "task.sh"), ledger.path, name, TASK_SECONDS,
            log=f"{name}.log", stdout=subprocess.DEVNULL)
    screen.say(f"{WORKERS} workers, each running one program at a time")

    tasks = os.path.join(folder, "tasks.jsonl")
    write_tasks(tasks)
    out_path = os.path.join(folder, "results.jsonl")
    with open(out_path, "wb") as out:
        client = programs.start(
            "millrace", "--broker", f"127.0.0.1:{programs.ports['client']}", "submit", "demo",
            tasks, "--wait", "--results", "--json", stdout=out)
    screen.say(f"a client submits {TASKS} tasks and waits")

    victim = "worker-07"
    done, broker_killed_at, deadline = 0, None, time.monotonic() + RUN_SECONDS_MAX
    while client.poll() is None:
        if time.monotonic() > deadline:
            raise Trouble(f"not completed within {RUN_SECONDS_MAX} s")
        metrics = programs.get("/metrics") if broker_killed_at is None else None
        done = metrics["completed_tasks"] if metrics else done
        screen.progress(done)
        if victim in workers and done >= KILL_WORKER_AT:
            pid = workers[victim].pid
            programs.kill(workers.pop(victim))
            screen.say(f"{RED}kill -9{PLAIN} {victim} (process {pid}), at {done} completed")
        elif broker and done >= KILL_BROKER_AT:
            programs.kill(broker)
            screen.say(f"{RED}kill -9{PLAIN} the broker (process {broker.pid}), at {done} completed; "
                       "the workers keep working")
            broker, broker_killed_at = None, time.monotonic()
        elif broker_killed_at and time.monotonic() > broker_killed_at + BROKER_DOWN_SECONDS:
            programs.start_broker(data)
            screen.say("the broker again, on the same data directory")
            broker_killed_at = None
        time.sleep(0.05)
    screen.progress(TASKS)
    screen.say(f"the client is done, exit code {client.returncode}")
    if victim in workers or broker is not None:
        raise Trouble("the run ended before both kills")
    with open(out_path, encoding="utf-8") as out:
        return client.returncode, [json.loads(line) for line in out if line.strip()], victim


def heading(text):
    print(f"\n{BOLD}{text}{PLAIN}")


def show(summary, ledger, victim, metrics, workers):
    heading("Completion")
    for name in ("submitted", "succeeded", "dead", "cancelled", "expired"):
        print(f"  {name:<12}{summary.get(name, 0):>6}")
    print(f"  {'completed':<12}{100 * summary.get('succeeded', 0) / TASKS:>6.1f} %  "
          f"in {summary.get('seconds', 0):.1f} s")
    heading("Programs run, by worker")
    names = [f"worker-{number:02d}" for number in range(1, WORKERS + 1)]
    for row in range(0, WORKERS, 4):
        print("  " + "   ".join(
            f"{name} {ledger.ended_by(name):>4}{'†' if name == victim else ' '}"
            for name in names[row:row + 4]))
    for path, document in (("/metrics", metrics), ("/workers", workers)):
        heading(f"GET {path}")
        lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
        print("{\n" + ",\n".join(lines) + "\n}")


def promises(code, results, summary, ledger, victim, metrics):
    """(What is promised, whether it was kept), each checked against the ledger or the results."""
    expected = collections.Counter(hashlib.sha256(p.encode()).hexdigest() for p in payloads())
    digests = collections.Counter(r.get("result") for r in results)
    run_twice = [task for task, starts in ledger.starts.items()
                 if sum(worker != victim for _, _, worker in starts) > 1]
    repeated = [starts for starts in ledger.starts.values() if len(starts) > 1]
    only_the_victims = all(victim in [worker for _, _, worker in starts] for starts in repeated)
    attempts = [a for starts in ledger.starts.values() for a, _, _ in starts]
    fences_grow = all(
        [fence for _, fence, _ in sorted(starts)] == sorted({fence for _, fence, _ in starts})
        for starts in ledger.starts.values())
    yield f"{TASKS} of {TASKS} tasks succeeded", (
        code == 0 and summary.get("succeeded") == TASKS == summary.get("submitted"))
    yield "every result is the digest of its payload", digests == expected
    yield "every task has an end in the ledger", len(ledger.ends) == TASKS
    yield "no task of a living worker ran twice, over the broker's restart too", not run_twice
    yield f"what ran again was what the killed worker held: {len(repeated)}", (
        only_the_victims and len(repeated) <= 1)
    yield "no task had more than 3 attempts, and each attempt a higher fence", (
        max(attempts, default=0) <= 3 and fences_grow)
    yield "the broker's own books say the same", (
        metrics["completed_tasks"] == TASKS
        and metrics["pending_tasks"] == metrics["in_progress_tasks"] == 0)


def demo(binaries, folder):
    screen = Screen()
    ledger = Ledger(os.path.join(folder, "ledger"))
    with Programs(binaries, folder) as programs:
        try:
            code, lines, victim = run_tasks(programs, folder, ledger, screen)
            metrics, workers = programs.get("/metrics"), programs.get("/workers")
        except Trouble:
            for name in ("millrace-broker.log", "millrace.log", "worker-01.log"):
                print(f"\n--- {name}\n{programs.log_of(name)}")
            raise
        stubborn = programs.stop_all()
    ledger.read()
    summary = next((line for line in lines if "submitted" in line), {})
    results = [line for line in lines if "id" in line]
    show(summary, ledger, victim, metrics, workers)

    heading("The promise")
    checks = list(promises(code, results, summary, ledger, victim, metrics))
    checks.append(("every program stopped when asked", not stubborn))
    for text, kept in checks:
        print(f"  {GREEN + 'kept  ' if kept else RED + 'BROKEN'}{PLAIN}  {text}")
    return all(kept for _, kept in checks)


def main():
    if len(sys.argv) != 2:
        print("usage: demo.py FOLDER-OF-THE-PROGRAMS", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="millrace-demo-")
    try:
        return 0 if demo(os.path.abspath(sys.argv[1]), folder) else 1
    except Trouble as trouble:
        print(f"demo: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

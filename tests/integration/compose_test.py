"""The containers, as a user runs them: docker-compose.yml and docker/Dockerfile as they stand.

Builds the images, starts a broker and 16 workers, and measures the time from `up` to the first completed
task; runs 1,000 tasks; kills a worker and the broker under 1,000 more; restarts; takes everything down.
"""

import contextlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import docker_engine

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORKERS = 16
TASKS = 1000
FIRST_TASK_SECONDS_MAX = 10
# The tasks of the run with the kills become due over this time, so that the kills fall among them.
SPREAD_SECONDS = 12
WAIT_SECONDS_MAX = 60
# The exit code by which test drivers tell a skip from a success.
SKIPPED = 77


class Failure(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failure(what)


def wait_until(condition, what, seconds=WAIT_SECONDS_MAX):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise Failure(f"not within {seconds} s: {what}")


@contextlib.contextmanager
def step(text):
    began = time.monotonic()
    print(f"  {text} ... ", end="", flush=True)
    yield
    print(f"{time.monotonic() - began:.1f} s", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Deployment:
    """One compose project under a name of its own."""

    def __init__(self, environment):
        self.http_port = free_port()
        self.project = f"millrace-test-{os.getpid()}"
        self._environment = dict(environment, COMPOSE_PROJECT_NAME=self.project,
                                 MILLRACE_HTTP_PORT=str(self.http_port))
        # A container cannot have more than the engine that starts it.
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if most != resource.RLIM_INFINITY:
            self._environment["MILLRACE_OPEN_FILES"] = str(min(most, 65536))
        plugin = subprocess.run(["docker", "compose", "version"], check=False, capture_output=True)
        self._compose = ["docker", "compose"] if plugin.returncode == 0 else ["docker-compose"]

    def _run(self, command, text_in=""):
        done = subprocess.run(command, cwd=ROOT, env=self._environment, input=text_in, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{' '.join(command)} ended with {done.returncode}:\n"
                          f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}")
        return done.stdout

    def compose(self, *arguments, text_in=""):
        return self._run([*self._compose, *arguments], text_in)

    def docker(self, *arguments):
        return self._run(["docker", *arguments])

    def start(self, *arguments, text_in=""):
        """A compose command that goes on while the test does something else."""
        process = subprocess.Popen([*self._compose, *arguments], cwd=ROOT, env=self._environment,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        process.stdin.write(text_in)
        process.stdin.close()
        process.stdin = None
        return process

    def containers(self, service="", everything=False):
        label = f"com.docker.compose.service={service}" if service else "com.docker.compose.service"
        state = ["--all"] if everything else []
        return self.docker("ps", "--quiet", *state, "--filter", f"label={label}", "--filter",
                           f"label=com.docker.compose.project={self.project}").split()

    def get(self, path):
        """The JSON document that the published port serves; nothing while there is no answer."""
        try:
            address = f"http://127.0.0.1:{self.http_port}{path}"
            with urllib.request.urlopen(address, timeout=2) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def logs(self):
        return self.compose("logs", "--no-color", "--tail", "40")


def metric(deployment, name):
    return (deployment.get("/metrics") or {}).get(name, -1)


def first_task(deployment):
    with step(f"up with {WORKERS} workers, to the first completed task"):
        began = time.monotonic()
        deployment.compose("up", "-d", "--scale", f"worker={WORKERS}", "broker", "worker")
        started = time.monotonic() - began
        deployment.compose("run", "--rm", "-T", "client", "submit", "demo", "--count", "1", "--wait")
        took = time.monotonic() - began
    print(f"    containers started after {started:.1f} s, first task completed after {took:.1f} s")
    check(took < FIRST_TASK_SECONDS_MAX,
          f"the first task took {took:.1f} s after `up`; at most {FIRST_TASK_SECONDS_MAX} s")


def all_workers_connect(deployment):
    with step(f"all {WORKERS} workers connect"):
        wait_until(lambda: metric(deployment, "connected_workers") == WORKERS, "16 workers connected")
        check(len(deployment.get("/workers")) == WORKERS, "/workers lists every worker")


def thousand_tasks(deployment):
    with step(f"{TASKS} tasks through the client's container"):
        text = deployment.compose("run", "--rm", "-T", "client", "submit", "demo", "--count",
                                  str(TASKS), "--wait", "--json")
        check_summary(text)


def check_summary(text):
    summary = json.loads(text.strip().splitlines()[-1])
    check((summary.get("submitted"), summary.get("succeeded")) == (TASKS, TASKS),
          f"{TASKS} submitted and succeeded, got {summary}")


def kills_under_load(deployment):
    spread = SPREAD_SECONDS * 1000 // TASKS
    tasks = "".join(json.dumps({"payload": f"task {i}", "delay": f"{i * spread}ms"}) + "\n"
                    for i in range(TASKS))
    before = metric(deployment, "completed_tasks")
    with step(f"{TASKS} tasks while a worker and then the broker are killed"):
        client = deployment.start("run", "--rm", "-T", "client", "submit", "demo", "-", "--wait",
                                  "--json", text_in=tasks)
        try:
            wait_until(lambda: metric(deployment, "completed_tasks") > before + 50, "the run began")
            deployment.docker("kill", "--signal", "KILL", deployment.containers("worker")[0])
            wait_until(lambda: metric(deployment, "completed_tasks") > before + 200, "the run goes on")
            broker = deployment.containers("broker")[0]
            # The engine takes `docker kill` for a wish to stop. A crash is the process dying by
            # itself, and the restart policy brings it back.
            crash = "kill -KILL -1"
            subprocess_ignoring_exit(deployment, "exec", broker, "bash", "-c", crash)
            restarts = "{{.RestartCount}}"
            wait_until(lambda: deployment.docker("inspect", "-f", restarts, broker).strip() != "0",
                       "the restart policy brought the broker back")
            out, err = client.communicate(timeout=WAIT_SECONDS_MAX + SPREAD_SECONDS)
        except BaseException:
            client.kill()
            client.wait()
            raise
        check(client.returncode == 0, f"the client ended with {client.returncode}: {err[-4000:]}")
        check_summary(out)
    check(metric(deployment, "completed_tasks") == before + TASKS, "/metrics agrees with the client")


def subprocess_ignoring_exit(deployment, *arguments):
    """`docker exec` of a command that kills its own container has no useful exit code."""
    with contextlib.suppress(Failure):
        deployment.docker(*arguments)


def killed_by_the_engine(deployment):
    before = metric(deployment, "completed_tasks")
    with step("broker and worker killed by the engine, `up` brings them back on the same data"):
        deployment.docker("kill", "--signal", "KILL", deployment.containers("broker")[0])
        deployment.compose("up", "-d", "--scale", f"worker={WORKERS}", "broker", "worker")
        wait_until(lambda: metric(deployment, "connected_workers") == WORKERS, "16 workers again")
        check(metric(deployment, "completed_tasks") == before, "the counts survived")


def restart(deployment):
    before = metric(deployment, "completed_tasks")
    with step("restart, then tasks again"):
        deployment.compose("restart", "broker")
        deployment.compose("run", "--rm", "-T", "client", "submit", "demo", "--count", "100", "--wait")
        check(metric(deployment, "completed_tasks") == before + 100, "the counts go on")


def prometheus_from_the_host(deployment):
    with step("curl of /metrics in both forms and of /workers"):
        address = f"http://127.0.0.1:{deployment.http_port}"
        text = subprocess.run(["curl", "-sf", f"{address}/metrics?format=prometheus"], check=True,
                              capture_output=True, text=True).stdout
        check("# TYPE " in text, "Prometheus text from ?format=prometheus")
        plain = subprocess.run(["curl", "-sf", f"{address}/metrics"], check=True, capture_output=True,
                               text=True).stdout
        check("completed_tasks" in json.loads(plain), "JSON from /metrics")


def down(deployment):
    with step("down"):
        began = time.monotonic()
        deployment.compose("down")
        took = time.monotonic() - began
        check(not deployment.containers(everything=True), "no container is left")
    check(took < 30, f"a graceful stop took {took:.0f} s: a program ignores SIGTERM")


def scenario(deployment):
    with step("building the images"):
        deployment.compose("build", "broker", "worker", "client")
    try:
        first_task(deployment)
        all_workers_connect(deployment)
        thousand_tasks(deployment)
        prometheus_from_the_host(deployment)
        kills_under_load(deployment)
        killed_by_the_engine(deployment)
        restart(deployment)
        down(deployment)
    except BaseException:
        print("failed")
        with contextlib.suppress(Failure):
            print(deployment.logs())
        raise
    finally:
        with contextlib.suppress(Failure):
            deployment.compose("down", "--volumes", "--remove-orphans")


def main():
    began = time.monotonic()
    try:
        with contextlib.ExitStack() as stack:
            with step("a Docker engine and its base image"):
                engine = stack.enter_context(docker_engine.Engine())
            if not shutil.which("curl"):
                raise docker_engine.EngineMissing("curl is not installed; ./dev setup installs it")
            scenario(Deployment(engine.environment))
    except docker_engine.EngineMissing as missing:
        in_ci = bool(os.environ.get("CI"))
        print(f"\n{'FAILED' if in_ci else 'SKIPPED'}: {missing}")
        return 1 if in_ci else SKIPPED
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    print(f"  compose test passed in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

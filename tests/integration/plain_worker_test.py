"""The worker without a library: worker/README.md quotes it as it is, and it works."""

import os
import shutil
import subprocess
import tempfile
import unittest

from millrace_python import PYTHON, PythonClusterTest, wait_for
from millrace import CancelStatus, Reason, TaskSpec, TaskState

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "worker", "examples")
SCHEMAS = ("uuid.fbs", "task.fbs", "control.fbs", "heartbeat.fbs")
LINES_MAX = 120
SECONDS_MAX = 60


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class Text(unittest.TestCase):
    def test_the_readme_quotes_the_file(self):
        program = read("worker", "examples", "plain_worker.py")
        self.assertIn(f"```python\n{program}```\n", read("worker", "README.md"))
        self.assertLess(program.count("\n"), LINES_MAX)


class PlainWorker(PythonClusterTest):
    @classmethod
    def setUpClass(cls):
        cls.generated = tempfile.mkdtemp(prefix="millrace-generated-")
        cls.addClassCleanup(shutil.rmtree, cls.generated)
        subprocess.run(["flatc", "--python", "--gen-object-api", "-o", cls.generated, *SCHEMAS],
                       cwd=os.path.join(ROOT, "schemas"), check=True)

    def setUp(self):
        self.cluster.start_broker()
        environment = dict(os.environ, PYTHONPATH=self.generated)
        with open(os.path.join(self.cluster.folder, "plain.log"), "wb") as log:
            self.worker = subprocess.Popen(
                [PYTHON, "-B", os.path.join(EXAMPLES, "plain_worker.py"),
                 f"127.0.0.1:{self.cluster.ports['worker']}", "plain", "2"],
                env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.cluster._processes.append(self.worker)
        self.cluster.wait_for_workers(1)

    def started(self, client, *tasks):
        return wait_for(lambda: all(view.state == TaskState.in_progress
                                    for view in client.get_many(tasks)), "the tasks' start")

    def test_it_works(self):
        with self.cluster.connect() as client:
            results = client.submit_many(TaskSpec("plain", str(n)) for n in range(100))
            ends = {end.id: end.result for end in
                    client.as_completed([result.id for result in results], SECONDS_MAX)}
            self.assertEqual([ends[result.id] for result in results],
                             [str(n).encode() for n in range(100)])
            self.assertEqual(client.wait(client.submit(TaskSpec("plain", b"")), SECONDS_MAX).result,
                             b"")
            failed = client.submit(TaskSpec("plain", "sleep badly", max_attempts=1))
            end = client.wait(failed, SECONDS_MAX)
            self.assertEqual((end.state, end.reason), (TaskState.dead, Reason.failed))
            self.assertIn("ValueError", end.error)
            cancelled = client.submit(TaskSpec("plain", "sleep 600000"))
            self.started(client, cancelled)
            self.assertEqual(client.cancel(cancelled).status, CancelStatus.cancelling)
            self.assertEqual(client.wait(cancelled, SECONDS_MAX).state, TaskState.cancelled)
        self.assertEqual(self.cluster.metric("lease_losses_total"), 0)

    def test_it_keeps_its_tasks_over_a_broker_restart_and_drains(self):
        with self.cluster.connect() as client:
            tasks = [client.submit(TaskSpec("plain", "sleep 3000")) for _ in range(2)]
            self.started(client, *tasks)
            self.cluster.kill_broker()
            self.cluster.start_broker()
            for end in client.as_completed(tasks, SECONDS_MAX):
                self.assertEqual((end.state, end.attempts), (TaskState.succeeded, 1))
            running = [client.submit(TaskSpec("plain", "sleep 1000")) for _ in range(2)]
            self.started(client, *running)
            left = client.submit(TaskSpec("plain", "later"))
            self.worker.terminate()
            self.assertEqual(self.worker.wait(SECONDS_MAX), 0)
            self.assertEqual({view.state for view in client.get_many(running)},
                             {TaskState.succeeded})
            view = client.get(left)
            self.assertEqual((view.state, view.attempts), (TaskState.pending, 0))
        self.assert_books_balance()


if __name__ == "__main__":
    unittest.main()

"""Workers in Python against the real broker: how handlers end, and what dies on the way."""

import collections
import json
import unittest

from millrace_python import millrace, kill, PythonCluster, PythonClusterTest, wait_for
from millrace import CancelStatus, Reason, TaskSpec, TaskState

SECONDS_MAX = 60


class Handlers(unittest.TestCase):
    """One broker and one worker for all that leaves them as they were."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = PythonCluster()
        cls.addClassCleanup(cls.cluster.__exit__, None, None, None)
        cls.cluster.start_broker()
        cls.worker = cls.cluster.start_python_worker("python", slots=6)
        cls.client = cls.cluster.connect()
        cls.addClassCleanup(cls.client.close)

    def run_task(self, queue, payload=b"", **options):
        options.setdefault("backoff_initial", 0.01)
        task = self.client.submit(TaskSpec(queue, payload, **options))
        return self.client.wait(task, SECONDS_MAX)

    def start_task(self, queue, payload=b"", **options):
        task = self.client.submit(TaskSpec(queue, payload, **options))
        wait_for(lambda: str(task) in self.cluster.marks("started"), "a start")
        return task

    def stop_of(self, task):
        """How the handler saw its end."""
        return wait_for(lambda: [line.partition(":")[2] for line in self.cluster.marks("stopped")
                                 if line.startswith(str(task))], "the handler's end")[0]

    def test_a_handler_sees_its_attempt(self):
        task = self.client.submit(TaskSpec("describe", "p\u00e4", max_attempts=7,
                                           headers=[("k", "1"), ("k", "\u00fc")]))
        end = self.client.wait(task, SECONDS_MAX)
        self.assertEqual(end.state, TaskState.succeeded)
        self.assertEqual(json.loads(end.result), {
            "id": str(task), "queue": "describe", "attempt": 1, "max_attempts": 7, "fence": 1,
            "headers": [["k", "1"], ["k", "\u00fc"]], "payload": "p\u00e4"})

    def test_an_exception_is_retried_and_its_traceback_kept(self):
        task = self.client.submit(TaskSpec("second", backoff_initial=0.01))
        end = self.client.wait(task, SECONDS_MAX)
        self.assertEqual((end.state, end.attempts, end.result),
                         (TaskState.succeeded, 2, b"attempt 2"))
        (record,) = self.client.get(task, attempts=True).attempt_records
        self.assertEqual((record.reason, record.worker), (Reason.failed, "python"))
        self.assertIn("succeed_at_the_second_attempt", record.error)
        self.assertTrue(record.error.endswith("ValueError: not yet"))

    def test_attempts_are_used_up(self):
        end = self.run_task("again", max_attempts=2)
        self.assertEqual((end.state, end.attempts, end.reason, end.error),
                         (TaskState.dead, 2, Reason.failed, "try later"))

    def test_failing_for_good_is_final(self):
        for queue, error in (("good", "no use"),
                             ("wrong", "the handler returned dict; return bytes, str or None")):
            end = self.run_task(queue)
            self.assertEqual((end.state, end.attempts, end.reason, end.error),
                             (TaskState.dead, 1, Reason.failed_for_good, error))

    def test_a_cancel_reaches_threads_loops_and_processes(self):
        for queue, payload, seen in (("wait", "60", "cancelled"), ("async", "60", "cancelled"),
                                     ("process", "wait", "cancelled:True")):
            with self.subTest(queue=queue):
                task = self.start_task(queue, payload)
                self.assertEqual(self.client.cancel(task).status, CancelStatus.cancelling)
                self.assertEqual(self.stop_of(task), seen)
                self.assertEqual(self.client.wait(task, SECONDS_MAX).state, TaskState.cancelled)

    def test_a_timeout_reaches_the_handler(self):
        for queue in ("wait", "async"):
            with self.subTest(queue=queue):
                task = self.start_task(queue, "60", timeout=0.3, max_attempts=1)
                end = self.client.wait(task, SECONDS_MAX)
                self.assertEqual((end.state, end.reason), (TaskState.dead, Reason.timed_out))
                self.assertEqual(self.stop_of(task), "timed_out")

    def test_progress_lengthens_the_attempt(self):
        end = self.run_task("long", "0.4", timeout=0.8)
        self.assertEqual((end.state, end.attempts, end.result), (TaskState.succeeded, 1, b"done"))

    def test_progress_is_shown(self):
        task = self.client.submit(TaskSpec("shown"))
        wait_for(lambda: self.client.get(task).progress_percent == 42, "42 percent")
        self.client.cancel(task)

    def test_coroutines_share_the_slots(self):
        end = self.run_task("async", "0.01")
        self.assertEqual(end.result, b"slept 0.01")

    def test_a_handler_in_a_process_may_die(self):
        task = self.client.submit(TaskSpec("process", "die", backoff_initial=0.01))
        end = self.client.wait(task, SECONDS_MAX)
        self.assertEqual((end.attempts, end.result), (2, b"attempt 2"))
        (record,) = self.client.get(task, attempts=True).attempt_records
        self.assertEqual(record.reason, Reason.crashed)

    def test_a_handler_in_a_process_that_holds_the_lock_is_ended_at_its_timeout(self):
        end = self.run_task("process", "hang", timeout=0.3, max_attempts=1)
        self.assertEqual((end.state, end.reason), (TaskState.dead, Reason.timed_out))
        self.assertNotEqual(self.run_task("process", "pid").result, str(self.worker.pid).encode())


class Failures(PythonClusterTest):
    def setUp(self):
        self.cluster.start_broker()

    def start(self, name="python", **options):
        worker = self.cluster.start_python_worker(name, **options)
        self.cluster.wait_for_workers(len(self.cluster.workers))
        return worker

    def submit(self, client, queue, count, payload=b"", **options):
        results = client.submit_many(TaskSpec(queue, payload, **options) for _ in range(count))
        self.assertTrue(all(result.accepted for result in results), results)
        return [result.id for result in results]

    def wait_for_marks(self, name, count):
        return wait_for(lambda: len(self.cluster.marks(name)) >= count and self.cluster.marks(name),
                        f"{count} marks in {name}")

    def test_a_handler_that_holds_the_interpreters_lock_loses_no_lease(self):
        self.start(slots=2)
        with self.cluster.connect() as client:
            (task,) = self.submit(client, "lock", 1, "5")  # the lease is 3 s
            end = client.wait(task, SECONDS_MAX)
            self.assertEqual((end.state, end.attempts, end.result),
                             (TaskState.succeeded, 1, b"held"))
        self.assertEqual(self.cluster.metric("lease_losses_total"), 0)

    def test_a_broker_killed_midway_takes_no_task_from_the_worker(self):
        self.start(slots=4)
        with self.cluster.connect() as client:
            tasks = self.submit(client, "slow", 120, "x")
            waiting = self.submit(client, "wait", 1, "2")
            self.wait_for_marks("runs", 20)
            self.cluster.kill_broker()
            self.cluster.start_broker()
            ends = list(client.as_completed(tasks + waiting, SECONDS_MAX))
        self.assertEqual({end.state for end in ends}, {TaskState.succeeded})
        runs = collections.Counter(line.partition(":")[0] for line in self.cluster.marks("runs"))
        self.assertEqual((len(runs), set(runs.values())), (120, {1}))
        self.assert_books_balance()

    def test_sigterm_finishes_what_runs_and_hands_back_the_rest(self):
        worker = self.start(slots=2)
        with self.cluster.connect() as client:
            tasks = self.submit(client, "wait", 6, "1")
            self.wait_for_marks("started", 2)
            worker.terminate()
            self.assertEqual(worker.wait(SECONDS_MAX), 0)
            started, ended = self.cluster.marks("started"), self.cluster.marks("ended")
            self.assertEqual(sorted(started), sorted(ended))
            self.assertLess(len(started), 6)
            views = client.get_many(tasks)
            self.assertEqual({view.attempts for view in views if str(view.id) not in started}, {0})
            self.assertEqual({view.state for view in views if str(view.id) in started},
                             {TaskState.succeeded})

    def test_a_drain_that_takes_too_long_hands_back_at_no_cost(self):
        worker = self.start(slots=1, extra=("0.2",))
        with self.cluster.connect() as client:
            (task,) = self.submit(client, "wait", 1, "60")
            self.wait_for_marks("started", 1)
            worker.terminate()
            self.assertEqual(worker.wait(SECONDS_MAX), 0)
            self.assertEqual(self.cluster.marks("stopped"), [f"{task}:shutting_down"])
            view = client.get(task)
            self.assertEqual((view.state, view.attempts), (TaskState.pending, 0))

    def test_the_tasks_of_a_killed_worker_have_crashed_at_once(self):
        worker = self.start(slots=2)
        session = self.cluster.session_of(worker)
        with self.cluster.connect() as client:
            (task,) = self.submit(client, "wait", 1, "60", max_attempts=1)
            self.wait_for_marks("started", 1)
            worker.kill()
            end = client.wait(task, SECONDS_MAX)
            self.assertEqual((end.state, end.reason, end.error),
                             (TaskState.dead, Reason.crashed, "the worker's process died"))
        self.cluster.wait_for_metric("connected_workers", lambda count: count == 0)
        wait_for(lambda: not is_running(session), "the session's end")
        self.assertEqual(self.cluster.metric("lease_losses_total"), 0)

    def test_a_worker_without_its_session_ends_and_its_task_runs_elsewhere(self):
        worker = self.start(slots=1)
        with self.cluster.connect() as client:
            (task,) = self.submit(client, "wait", 1, "5")
            self.wait_for_marks("started", 1)
            kill(self.cluster.session_of(worker))
            self.assertEqual(worker.wait(SECONDS_MAX), 1)
            self.cluster.start_python_worker("heir")
            self.assertEqual(client.wait(task, SECONDS_MAX).attempts, 2)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    unittest.main()

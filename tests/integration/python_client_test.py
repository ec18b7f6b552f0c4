"""The client in Python against the real broker, for threads and for asyncio."""

import asyncio
import datetime
import os
import re
import socket
import subprocess
import threading
import unittest
import uuid

from millrace_python import (ENVIRONMENT, millrace, PYTHON, PythonCluster, PythonClusterTest,
                             wait_for)
from millrace import (CancelStatus, QueueAction, Reason, StatusTopic, SubmitStatus, TaskSpec,
                      TaskState)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS_MAX = 60


class Calls(unittest.TestCase):
    """One broker with an echo worker of the C++ programs; every test has queues of its own."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = PythonCluster()
        cls.addClassCleanup(cls.cluster.__exit__, None, None, None)
        cls.cluster.start_broker()
        cls.cluster.start_worker("echo", "--builtin", "echo", queue="echo,fails-not", slots=2)
        cls.cluster.start_worker("poison", "--builtin", "poison", "--poison", "fail",
                                 queue="poison")
        cls.client = cls.cluster.connect()
        cls.addClassCleanup(cls.client.close)

    def test_submit_wait_get(self):
        task = self.client.submit(TaskSpec("echo", b"hello"))
        end = self.client.wait(task, SECONDS_MAX)
        self.assertEqual((end.id, end.state, end.succeeded, end.reason, end.attempts, end.result),
                         (task, TaskState.succeeded, True, Reason.none, 1, b"hello"))
        view = self.client.get(task, result=True)
        self.assertEqual((view.id, view.queue, view.state, view.attempts, view.result, view.error),
                         (task, "echo", TaskState.succeeded, 1, b"hello", ""))
        self.assertLessEqual(view.accepted, view.ended)
        self.assertIsNone(self.client.get(task).result)

    def test_every_field_of_a_task_arrives(self):
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)
        spec = TaskSpec("fields", b"payload", id=uuid.uuid4(), priority=9, max_attempts=7,
                        delay=3600, not_before=later, ttl=864_000, timeout=1.5, retention=60,
                        backoff_initial=2, backoff_max=4, headers={"key": "value"})
        self.assertEqual(self.client.submit(spec), spec.id)
        view = self.client.get(spec.id, payload=True)
        self.assertEqual((view.state, view.priority, view.max_attempts, view.timeout, view.payload,
                          view.headers, view.payload_bytes),
                         (TaskState.delayed, 9, 7, 1.5, b"payload", (("key", "value"),), 7))
        self.assertLess(abs(view.due - later), datetime.timedelta(milliseconds=1))
        self.assertEqual((view.expires - view.accepted).days, 10)

    def test_a_resubmitted_id_is_the_same_task_and_other_content_a_conflict(self):
        spec = TaskSpec("idle", b"a", id=uuid.uuid4())
        self.assertEqual(self.client.submit(spec), self.client.submit(spec))
        (result,) = self.client.submit_many([spec])
        self.assertEqual((result.status, result.accepted), (SubmitStatus.duplicate, True))
        with self.assertRaises(millrace.Conflict):
            self.client.submit(TaskSpec("idle", b"b", id=spec.id))

    def test_bad_tasks_spoil_only_themselves(self):
        with self.assertRaisesRegex(millrace.Invalid, "^queue"):
            self.client.submit(TaskSpec("no queue"))
        with self.assertRaisesRegex(millrace.Invalid, "^queue"):
            self.client.submit(TaskSpec(5))
        for wrong in ({"payload": 5}, {"timeout": float("nan")}, {"ttl": float("inf")},
                      {"headers": 5}, {"headers": [5]}, {"headers": {"a": 1}}, {"priority": "high"},
                      {"max_attempts": 1.5}, {"id": "x"}):
            with self.subTest(wrong=wrong), self.assertRaises(millrace.Invalid):
                self.client.submit(TaskSpec("idle", **wrong))
        with self.assertRaises(millrace.TooLarge):
            self.client.submit(TaskSpec("idle", bytes(self.client.limits.payload_bytes_max + 1)))
        results = self.client.submit_many([TaskSpec("idle"), TaskSpec("a b"), TaskSpec("idle")])
        self.assertEqual([result.accepted for result in results], [True, False, True])
        self.assertIsInstance(results[1].error, millrace.Invalid)

    def test_many_in_order_and_as_completed(self):
        specs = [TaskSpec("echo", str(number), id=uuid.uuid4()) for number in range(3_000)]
        results = self.client.submit_many(iter(specs))
        self.assertEqual([result.id for result in results], [spec.id for spec in specs])
        self.assertEqual({result.status for result in results}, {SubmitStatus.accepted})
        ends = {end.id: end.result for end in
                self.client.as_completed((spec.id for spec in specs), SECONDS_MAX)}
        self.assertEqual(ends, {spec.id: str(n).encode() for n, spec in enumerate(specs)})

    def test_an_id_twice_in_a_batch_is_answered_twice(self):
        spec = TaskSpec("idle", id=uuid.uuid4())
        self.assertEqual([r.accepted for r in self.client.submit_many([spec, spec])], [True, True])

    def test_a_large_payload_and_its_result(self):
        payload = bytes(range(256)) * 40_000
        task = self.client.submit(TaskSpec("echo", payload))
        self.assertEqual(self.client.wait(task, SECONDS_MAX).result, payload)

    def test_what_is_not_known(self):
        nobody = millrace.new_task_id()
        for call in (self.client.get, lambda task: self.client.wait(task, SECONDS_MAX)):
            with self.assertRaisesRegex(millrace.NotFound, str(nobody)):
                call(nobody)
        self.assertEqual(self.client.get_many([nobody]), [])
        self.assertEqual(self.client.cancel(nobody).status, CancelStatus.not_found)
        known = self.client.submit(TaskSpec("echo"))
        ends = []
        with self.assertRaises(millrace.NotFound):
            for end in self.client.as_completed([nobody, known], SECONDS_MAX):
                ends.append(end.id)
        self.assertEqual(ends, [known])
        with self.assertRaises(millrace.NotFound):
            self.client.drain_worker("nobody")

    def test_a_wait_ends_in_time_and_two_may_wait_for_one_task(self):
        task = self.client.submit(TaskSpec("idle"))
        with self.assertRaisesRegex(millrace.Unavailable, f"task {task} did not end within 100ms"):
            self.client.wait(task, 0.1)
        ends = []
        threads = [threading.Thread(target=lambda: ends.append(self.client.wait(task, SECONDS_MAX)))
                   for _ in range(2)]
        for thread in threads:
            thread.start()
        self.assertEqual(self.client.cancel(task).status, CancelStatus.cancelled)
        for thread in threads:
            thread.join()
        self.assertEqual([end.state for end in ends], [TaskState.cancelled] * 2)
        self.assertEqual(self.client.cancel(task),
                         (CancelStatus.cancelled, TaskState.cancelled))

    def test_listing(self):
        tasks = {result.id for result in
                 self.client.submit_many(TaskSpec("listed") for _ in range(1_500))}
        self.assertEqual({view.id for view in self.client.tasks("listed")}, tasks)
        self.assertEqual(list(self.client.tasks("listed", TaskState.succeeded)), [])

    def test_the_dead_letter_queue(self):
        results = self.client.submit_many(
            TaskSpec("poison", max_attempts=1) for _ in range(3))
        tasks = [result.id for result in results]
        for end in self.client.as_completed(tasks, SECONDS_MAX):
            self.assertEqual((end.state, end.reason), (TaskState.dead, Reason.failed))
        (record,) = self.client.get(tasks[0], attempts=True).attempt_records
        self.assertEqual((record.attempt, record.worker), (1, "poison"))
        self.client.control_queue("poison", QueueAction.pause)
        self.assertEqual(self.client.requeue(tasks[:1]), 1)
        self.assertEqual(self.client.get(tasks[0]).state, TaskState.pending)
        self.assertEqual(self.client.requeue(queue="poison"), 2)
        self.assertEqual(self.client.control_queue("poison", QueueAction.purge), 3)
        self.assertEqual(self.client.purge(queue="poison"), 0)
        self.client.control_queue("poison", QueueAction.resume)

    def test_status(self):
        self.assertIn("completed_tasks", self.client.status(StatusTopic.metrics))
        self.assertIn("echo", self.client.status(StatusTopic.workers))
        self.assertTrue(self.client.broker_version)

    def test_asyncio(self):
        asyncio.run(self.use_async_client())

    async def use_async_client(self):
        async with millrace.AsyncClient(self.cluster.client_address) as client:
            tasks = await asyncio.gather(*[client.submit(TaskSpec("echo", str(n)))
                                           for n in range(20)])
            ends = await asyncio.gather(*[client.wait(task, SECONDS_MAX) for task in tasks])
            self.assertEqual([end.result for end in ends], [str(n).encode() for n in range(20)])
            results = await client.submit_many(TaskSpec("echo") for _ in range(1_000))
            ids = [result.id for result in results]
            done = [end.id async for end in client.as_completed(ids, SECONDS_MAX)]
            self.assertEqual(sorted(done), sorted(ids))
            waiting = await client.submit(TaskSpec("idle"))
            call = asyncio.ensure_future(client.wait(waiting))
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(call, 0.1)
            self.assertEqual((await client.get(waiting)).state, TaskState.pending)
            self.assertEqual((await client.cancel(waiting)).status, CancelStatus.cancelled)
            with self.assertRaises(millrace.NotFound):
                await client.get(millrace.new_task_id())
            self.assertEqual([view.id async for view in client.tasks("idle", TaskState.cancelled)
                              if view.id == waiting], [waiting])


class Outages(PythonClusterTest):
    def test_nobody_there(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # and does not listen
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            with self.assertRaisesRegex(millrace.Unavailable, "no answer from the broker"):
                millrace.Client(address, connect_timeout=0.2)
            with self.assertRaises(millrace.Unavailable):
                asyncio.run(self.enter(millrace.AsyncClient(address, connect_timeout=0.2)))
        with self.assertRaises(millrace.Misconfigured):
            millrace.Client("no address")

    async def enter(self, client):
        async with client:
            pass

    def test_a_broker_killed_midway_loses_nothing_and_nothing_is_there_twice(self):
        self.cluster.start_broker()
        submitted = []

        def specs():
            for number in range(6_000):
                if number == 3_000:
                    self.cluster.kill_broker()
                    self.cluster.start_broker()
                submitted.append(TaskSpec("echo", str(number), id=uuid.uuid4()))
                yield submitted[-1]

        with self.cluster.connect() as client:
            results = client.submit_many(specs())
            self.assertEqual({result.status for result in results}, {SubmitStatus.accepted})
            waiting = threading.Thread(target=self.restart_and_work)
            waiting.start()
            ends = list(client.as_completed([result.id for result in results], SECONDS_MAX))
            waiting.join()
        self.assertEqual({end.id: end.result for end in ends},
                         {spec.id: spec.payload.encode() for spec in submitted})
        self.cluster.wait_for_metric("submitted_tasks", lambda value: value == 6_000)
        self.assert_books_balance()

    def restart_and_work(self):
        self.cluster.kill_broker()
        self.cluster.start_broker()
        self.cluster.start_worker("echo", "--builtin", "echo", queue="echo")

    def test_an_outage_ends_calls_as_unknown(self):
        self.cluster.start_broker()
        with self.cluster.connect(call_timeout=0.5, outage_max=0.5) as client:
            task = client.submit(TaskSpec("idle"))
            self.cluster.kill_broker()
            with self.assertRaises(millrace.Unavailable):
                client.submit(TaskSpec("idle"))
            with self.assertRaises(millrace.Unavailable):
                client.wait(task)
            with self.assertRaises(millrace.Interrupted) as interrupted:
                client.submit_many([TaskSpec("idle"), TaskSpec("a b")])
            first, second = interrupted.exception.results
            self.assertIsInstance(first.error, millrace.Unavailable)
            self.assertIsInstance(second.error, millrace.Invalid)
            self.cluster.start_broker()
            wait_for(lambda: self.answers(client), "the client's return")
            self.assertEqual(client.get(task).state, TaskState.pending)

    def answers(self, client):
        try:
            return client.submit(TaskSpec("idle"))
        except millrace.Unavailable:
            return None

    def test_the_example_of_the_readme(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            work, ask = re.findall(r"^```python\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
        self.cluster.start_broker()
        ask = f"import millrace\n{ask}"
        for name, text, port in (("work", work, "worker"), ("ask", ask, "client")):
            address = f"127.0.0.1:{self.cluster.ports[port]}"
            with open(os.path.join(self.cluster.folder, f"{name}.py"), "w") as file:
                file.write(text.replace('"localhost"', f'"{address}"'))
        worker = subprocess.Popen([PYTHON, "work.py"], cwd=self.cluster.folder, env=ENVIRONMENT)
        self.cluster._processes.append(worker)
        said = subprocess.run([PYTHON, "ask.py"], cwd=self.cluster.folder, env=ENVIRONMENT,
                              text=True, capture_output=True, check=True, timeout=SECONDS_MAX)
        self.assertEqual(said.stdout, "b'hello, world'\n")
        worker.terminate()
        self.assertEqual(worker.wait(SECONDS_MAX), 0)

    def test_close_ends_the_calls_of_other_threads(self):
        self.cluster.start_broker()
        client = self.cluster.connect()
        task = client.submit(TaskSpec("idle"))
        errors = []
        waiting = threading.Event()

        def wait():
            waiting.set()
            try:
                client.wait(task)
            except millrace.Unavailable as error:
                errors.append(str(error))

        thread = threading.Thread(target=wait)
        thread.start()
        waiting.wait()
        client.close()
        thread.join(SECONDS_MAX)
        self.assertEqual(errors, ["the client was closed"])
        with self.assertRaisesRegex(millrace.Unavailable, "closed"):
            client.submit(TaskSpec("idle"))


if __name__ == "__main__":
    unittest.main()

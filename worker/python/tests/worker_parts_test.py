"""What stands between the session and the handlers: the channel, handlers and their tasks,
options."""

import asyncio
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import millrace
from millrace.address import HostPort, parse_address
from millrace.errors import Misconfigured
from millrace.wire.messages import DispatchedTask, HeldLease
from millrace.wire.task_codec import TaskDescription, encode_task
from millrace.words import Outcome, StopReason
from millrace.worker.channel import Channel
from millrace.worker.handler_pool import HandlerPool
from millrace.worker.handlers import Handler, answer_of, call
from millrace.worker.task import Task

DEADLINE_SECONDS = 120


def dispatched(number, queue="q", payload=b"", spec=None):
    if spec is None:
        spec = encode_task(TaskDescription(number, queue, payload))
    return DispatchedTask(number, 1, 0, queue, 1, 3, spec)


def task_of(ask=lambda *_: None):
    return Task(dispatched(1), b"payload", (("k", "v"),), 100, ask)


def kill_itself(_):
    os.kill(os.getpid(), 9)


def leave(_):
    os._exit(3)


def never_end(_):
    while True:
        time.sleep(60)


def process_id(_):
    return str(os.getpid())


class Channels(unittest.TestCase):
    def setUp(self):
        ours, theirs = socket.socketpair()
        self.here, self.there = Channel(ours), Channel(theirs)
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)

    def test_values_arrive_whole_and_in_order(self):
        values = [("a", 1), {"b": [1 << 100, b"x", None]}, "c"]
        for value in values:
            self.here.send(value)
        self.assertEqual(self.there.receive(), values)
        self.assertEqual(self.there.receive(), [])

    def test_a_send_never_waits_for_the_other_end(self):
        large = b"x" * (8 << 20)
        self.here.send(large)
        self.assertTrue(self.here.has_unsent)
        received = []
        while not received:
            received = self.there.receive()
            self.here.flush()
        self.assertEqual(received, [large])

    def test_the_end_of_the_other_side_shows(self):
        self.there.send("last words")
        self.there.close()
        received = []
        while not self.here.closed:
            received += self.here.receive()
        self.assertEqual(received, ["last words"])
        self.here.send("lost")
        self.here.flush_all()


class Handlers(unittest.TestCase):
    def test_what_a_handler_returns(self):
        for value, result in ((None, b""), (b"x", b"x"), ("\u00e9", b"\xc3\xa9"),
                              (bytearray(b"y"), b"y"), (memoryview(b"z"), b"z")):
            self.assertEqual(answer_of(value), (Outcome.succeeded, result, ""))
        answer = answer_of({"a": 1})
        self.assertEqual(answer.outcome, Outcome.failed_for_good)
        self.assertIn("returned dict", answer.error)

    def test_what_a_handler_raises(self):
        def raising(error):
            def handler(_):
                raise error
            return call(handler, task_of())
        self.assertEqual(raising(millrace.FailForGood("why")),
                         (Outcome.failed_for_good, b"", "why"))
        self.assertEqual(raising(millrace.Retry("why")), (Outcome.failed, b"", "why"))
        answer = raising(KeyError("key"))
        self.assertEqual(answer.outcome, Outcome.failed)
        self.assertTrue(answer.error.startswith("Traceback"))
        self.assertTrue(answer.error.endswith("KeyError: 'key'"))
        self.assertEqual(raising(SystemExit(3)).outcome, Outcome.failed)

    def test_a_task_knows_its_stop(self):
        task = task_of()
        self.assertFalse(task.wait_for_stop(0.001))
        task.raise_if_stopped()
        reasons = []
        task._when_stopped(reasons.append)
        threading.Timer(0.05, task._stop, [StopReason.timed_out]).start()
        self.assertTrue(task.wait_for_stop(DEADLINE_SECONDS))
        task._stop(StopReason.cancelled)
        self.assertEqual((task.cancelled, task.stop_reason, reasons),
                         (True, StopReason.timed_out, [StopReason.timed_out]))
        task._when_stopped(reasons.append)
        self.assertEqual(len(reasons), 2)
        with self.assertRaises(millrace.Stopped):
            task.raise_if_stopped()

    def test_what_a_task_asks_for(self):
        asked = []
        task = task_of(lambda _, *what: asked.append(what))
        task.extend(1.5)
        task.extend(-1)
        task.progress(250)
        self.assertEqual(asked, [(1_500_000_000, 0), (0, 0), (0, 100)])


class Pool(unittest.TestCase):
    def make(self, slots=2, grace=0.2, **handlers):
        """Handlers by queue: functions, or (function, True) for a process of its own."""
        self.ends = {}
        self.ended = threading.Condition()
        pool = HandlerPool(slots, {queue: Handler(*h) if isinstance(h, tuple) else Handler(h, False)
                                   for queue, h in handlers.items()},
                           grace, self.report, lambda *_: None)
        self.addCleanup(pool.close)
        return pool

    def report(self, task, answer, _):
        with self.ended:
            self.ends[task.id.int] = answer
            self.ended.notify_all()

    def end_of(self, number):
        with self.ended:
            self.assertTrue(self.ended.wait_for(lambda: number in self.ends, DEADLINE_SECONDS))
            return self.ends[number]

    def test_runs_functions_and_coroutines(self):
        async def twice(task):
            await asyncio.sleep(0)
            return task.payload * 2
        pool = self.make(plain=lambda task: task.payload, loop=twice)
        pool.start([dispatched(1, "plain", b"a"), dispatched(2, "loop", b"b")])
        self.assertEqual(self.end_of(1).result, b"a")
        self.assertEqual(self.end_of(2).result, b"bb")
        self.assertTrue(pool.wait_until_idle(DEADLINE_SECONDS))

    def test_threads_are_made_when_needed_and_no_more_than_slots(self):
        gate = threading.Event()
        pool = self.make(slots=3, q=lambda _: gate.wait())
        pool.start([dispatched(1)])
        self.assertEqual(len(pool._threads), 1)
        pool.start([dispatched(n) for n in range(2, 8)])
        self.assertEqual(len(pool._threads), 3)
        gate.set()
        self.assertTrue(pool.wait_until_idle(DEADLINE_SECONDS))
        pool.start([dispatched(9)])
        self.assertTrue(pool.wait_until_idle(DEADLINE_SECONDS))

    def test_what_cannot_be_run_is_answered(self):
        pool = self.make(q=lambda _: None)
        pool.start([dispatched(1, spec=b"nonsense"), dispatched(2, "other")])
        self.assertEqual(self.end_of(1).outcome, Outcome.failed_for_good)
        self.assertIn("no handler for queue 'other'", self.end_of(2).error)

    def test_a_stop_before_the_start(self):
        gate = threading.Event()
        pool = self.make(slots=1, q=lambda _: gate.wait())
        pool.start([dispatched(1), dispatched(2)])
        pool.stop(HeldLease(2, 1), StopReason.cancelled)
        pool.stop(HeldLease(3, 1), StopReason.cancelled)
        gate.set()
        self.assertEqual(self.end_of(2).error, "stopped before its start")

    def test_coroutines_are_cancelled_also_before_their_first_step(self):
        async def forever(_):
            await asyncio.Event().wait()
        pool = self.make(slots=1, q=forever)
        pool.start([dispatched(1), dispatched(2)])
        pool.stop_all(StopReason.timed_out)
        for number in (1, 2):
            self.assertEqual(self.end_of(number).error, "stopped: timed_out")

    def test_processes_serve_many_and_die_alone(self):
        pool = self.make(slots=1, id=(process_id, True), kill=(kill_itself, True),
                         leave=(leave, True))
        pool.start([dispatched(1, "id"), dispatched(2, "id"), dispatched(3, "kill"),
                    dispatched(4, "leave"), dispatched(5, "id")])
        first = self.end_of(1).result
        self.assertNotEqual(first, str(os.getpid()).encode())
        self.assertEqual(self.end_of(2).result, first)
        self.assertEqual(self.end_of(3),
                         (Outcome.crashed, b"", "the handler's process died by signal 9"))
        self.assertEqual(self.end_of(4),
                         (Outcome.failed, b"", "the handler's process exited with 3"))
        self.assertNotEqual(self.end_of(5).result, first)

    def test_a_process_that_does_not_end_is_killed_after_the_grace(self):
        pool = self.make(slots=1, hang=(never_end, True), id=(process_id, True))
        pool.start([dispatched(1, "hang")])
        pool.stop(HeldLease(1, 1), StopReason.cancelled)
        self.end_of(1)
        pool.start([dispatched(2, "id")])
        self.assertEqual(self.end_of(2).outcome, Outcome.succeeded)


    def test_a_program_without_a_main_guard_says_so_and_starts_no_second_worker(self):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "unguarded.py")
            with open(program, "w") as file:
                file.write(UNGUARDED)
            done = subprocess.run([sys.executable, program], text=True, capture_output=True,
                                  timeout=DEADLINE_SECONDS, check=False)
        self.assertEqual(done.stdout, "failed: the handler's process exited with 1\n")
        self.assertIn("put run() below `if __name__ == '__main__':`", done.stderr)


# Runs a task in a process, as a worker does, and then the worker: without a guard.
UNGUARDED = """
import millrace
from millrace.worker.process_slot import ProcessSlot
from millrace.worker.task import Task
from millrace.wire.messages import DispatchedTask

def handle(task):
    return b"done"

worker = millrace.Worker("127.0.0.1:9")
worker.handle("q", handle, process=True)
if __name__ == "__main__":
    task = Task(DispatchedTask(1, 1, 0, "q", 1, 1, b""), b"", (), 100, print)
    answer = ProcessSlot({"q": handle}, 1.0).run(task)
    print(f"{answer.outcome.name}: {answer.error}", flush=True)
else:
    worker.run()
"""


class Options(unittest.TestCase):
    def test_addresses(self):
        for text, expected in (("host", ("host", 5)), ("host:7", ("host", 7)),
                               ("tcp://host:7", ("host", 7)), ("[::1]:7", ("::1", 7)),
                               ("10.0.0.1", ("10.0.0.1", 5))):
            self.assertEqual(parse_address(text, 5), expected)
        self.assertEqual(str(HostPort("::1", 7)), "tcp://[::1]:7")
        for text in ("", "host:", "host:0", "host:65536", "a b", "host:7:8", "udp://host", "::1"):
            with self.subTest(text=text), self.assertRaises(Misconfigured):
                parse_address(text, 5)

    def test_a_worker_that_cannot_run_says_why(self):
        def run(**options):
            worker = millrace.Worker(options.pop("broker", "localhost"), **options)
            worker.handle("q", lambda _: None)
            worker.run()
        with self.assertRaisesRegex(Misconfigured, "no queue"):
            millrace.Worker().run()
        for options, why in (({"slots": -1}, "slots"), ({"name": "a\n"}, "name"),
                             ({"name": "x" * 129}, "name"), ({"broker": "a b"}, "address")):
            with self.subTest(options=options), self.assertRaisesRegex(Misconfigured, why):
                run(**options)

    def test_handlers_that_cannot_be(self):
        worker = millrace.Worker()
        with self.assertRaisesRegex(Misconfigured, "queue name"):
            worker.handle("a b", lambda _: None)

        async def coroutine(_):
            pass
        with self.assertRaisesRegex(Misconfigured, "coroutine"):
            worker.handle("q", coroutine, process=True)
        worker.handle("q", lambda _: None, process=True)
        with self.assertRaisesRegex(Misconfigured, "function of a module"):
            worker.run()

    def test_no_broker_within_connect_timeout(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # and does not listen
            worker = millrace.Worker(f"127.0.0.1:{taken.getsockname()[1]}", connect_timeout=0.2)
            worker.handle("q", lambda _: None)
            with self.assertRaisesRegex(millrace.Unavailable, "no broker answered"):
                worker.run()

    def test_a_stop_before_the_run_ends_it_at_once(self):
        worker = millrace.Worker("127.0.0.1:9")
        worker.handle("q", lambda _: None)
        worker.request_stop()
        with self.assertLogs("millrace", logging.INFO) as logged:
            worker.run()
        self.assertIn("ended: 0 succeeded", logged.output[-1])

    def test_the_session_finds_its_modules_where_the_worker_does(self):
        code = ("import sys; sys.path.append(%r); import millrace; "
                "w = millrace.Worker('127.0.0.1:9'); w.handle('q', print); w.request_stop(); "
                "w.run()"
                % os.path.dirname(os.path.dirname(millrace.__file__)))
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run([sys.executable, "-c", code], env=environment, cwd="/", text=True,
                              stderr=subprocess.PIPE, timeout=DEADLINE_SECONDS, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()

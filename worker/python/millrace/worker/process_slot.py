"""A handler in a process of its own: it may hold the interpreter's lock, leak or crash, and it can
be ended for sure.

One such process runs one task at a time and serves many, one after the other.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from multiprocessing.connection import Connection
from typing import Any, Dict, Optional

from millrace.units import Seconds
from millrace.wire.messages import DispatchedTask
from millrace.words import Outcome, StopReason
from millrace.worker.handlers import Function, call
from millrace.worker.task import Answer, Task

# A fresh interpreter: the threads and locks of this process are none of its business.
_processes = multiprocessing.get_context("spawn")
HANDLER_PROCESS_NAME = "millrace-handler"


class ProcessSlot:
    """The end in the worker's process. One thread at a time; stop and kill from any."""

    def __init__(self, functions: Dict[str, Function], grace: Seconds) -> None:
        """`functions` by queue. `grace`: from the wish that an attempt ends to SIGKILL."""
        self._grace = grace
        self._connection, other = _processes.Pipe()
        self._send_lock = threading.Lock()
        self._process = _processes.Process(target=_serve, args=(other, functions), daemon=True,
                                           name=HANDLER_PROCESS_NAME)
        self._process.start()
        other.close()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def run(self, task: Task) -> Answer:
        """Runs one task to its end, or to the end of the process."""
        killer = threading.Timer(self._grace, self.kill)
        killer.daemon = True
        # Guards `ended`: a stop that comes late must not hit the next task of this process.
        lock = threading.Lock()
        ended = False

        def stop(reason: StopReason) -> None:
            with lock:
                if ended:
                    return
                self._send(("stop", int(reason)))
                if not killer.ident:
                    killer.start()

        self._send(("run", tuple(task._dispatched), task.payload, task.headers,
                    task.result_bytes_max))
        task._when_stopped(stop)
        try:
            return self._wait(task)
        finally:
            with lock:
                ended = True
            killer.cancel()

    def _wait(self, task: Task) -> Answer:
        while True:
            try:
                kind, *values = self._connection.recv()
            except (EOFError, OSError):
                return self._death()
            if kind == "ask":
                task._ask(task, *values)
            else:
                outcome, result, error = values
                return Answer(Outcome(outcome), result, error)

    def _death(self) -> Answer:
        self._process.join()
        status = self._process.exitcode or 0
        if status < 0:
            return Answer(Outcome.crashed, error=f"the handler's process died by signal {-status}")
        return Answer(Outcome.failed, error=f"the handler's process exited with {status}")

    def _send(self, value: Any) -> None:
        with self._send_lock:
            try:
                self._connection.send(value)
            except OSError:
                pass  # it is gone: the waiting side reads the end of the pipe

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self.kill()
        self._process.join()


# ---- in the process of its own -------------------------------------------------------------------


def _serve(connection: Connection, functions: Dict[str, Function]) -> None:
    # The worker decides when this process ends, whomever a signal to the group was meant for.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    tasks: "queue.SimpleQueue[Task]" = queue.SimpleQueue()
    send_lock = threading.Lock()

    def send(*values: Any) -> None:
        with send_lock:
            connection.send(values)

    def ask(_: Task, by_ns: int, percent: int) -> None:
        send("ask", by_ns, percent)

    threading.Thread(target=_listen, args=(connection, tasks, ask), daemon=True).start()
    while True:
        task = tasks.get()
        answer = call(functions[task.queue], task)
        send("done", int(answer.outcome), answer.result, answer.error)


def _listen(connection: Connection, tasks: "queue.SimpleQueue[Task]", ask: Any) -> None:
    current: Optional[Task] = None
    while True:
        try:
            kind, *values = connection.recv()
        except (EOFError, OSError):
            os._exit(1)  # nobody waits for what runs here, and others may run it
        if kind == "run":
            dispatched, payload, headers, result_bytes_max = values
            current = Task(DispatchedTask(*dispatched), payload, headers, result_bytes_max, ask)
            tasks.put(current)
        elif current is not None:
            current._stop(StopReason(values[0]))

"""The worker that a program makes: name a queue and a function, and run."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
from typing import Any, Callable, Dict, List, Optional, TypeVar

from millrace.address import HostPort, parse_address
from millrace.errors import Misconfigured, SessionDied, error_of
from millrace.key import load_key
from millrace.limits import NAME_BYTES_MAX, PeerLimits
from millrace.units import MILLISECOND, Seconds, nanoseconds
from millrace.wire.messages import DispatchedTask, HeldLease
from millrace.wire.task_codec import has_control_characters, is_queue_name
from millrace.words import ErrorCode, StopReason
from millrace.worker.channel import Channel
from millrace.worker.handler_pool import HandlerPool
from millrace.worker.handlers import Function, Handler
from millrace.worker.outbox import Outbox
from millrace.worker.process_slot import HANDLER_PROCESS_NAME

WORKER_PORT_DEFAULT = 5556
RUN_AHEAD_NS = MILLISECOND
LAST_MOMENTS: Seconds = 1.0

_log = logging.getLogger("millrace")
AnyFunction = TypeVar("AnyFunction", bound=Function)


class Worker:
    """Takes tasks of a broker and gives them to functions.

        worker = millrace.Worker("localhost", slots=8)

        @worker.handler("resize")
        def resize(task: millrace.Task) -> bytes:
            return smaller(task.payload)

        worker.run()

    A plain function runs in one of `slots` threads, an `async def` in an event loop, and with
    `process=True` in a process of its own. What it returns (bytes, str as UTF-8, or None) is the
    result. Raising FailForGood ends the task, any other exception means that it is tried again.

    A task may run more than once: after a crash, a timeout or a lost connection. Make its effects
    idempotent, or guard them with task.fence, which only grows.

    The session with the broker runs in a process of its own, so a handler that computes for minutes
    without letting go of the interpreter loses no lease. Logs to the logger `millrace`.
    """

    def __init__(self, broker: str = "localhost", *, key: str = "", slots: int = 0, name: str = "",
                 prefetch_max: int = 1_000, drain_timeout: Seconds = 30.0,
                 connect_timeout: Seconds = 0.0, grace: Seconds = 5.0) -> None:
        """broker: HOST[:PORT]; without a port 5556.
        key: a key file made by `millrace keygen`, for a broker with keys.
        slots: tasks that run at once; 0: one a processor.
        name: what people see; empty: host name and process id.
        prefetch_max: tasks wanted beyond the slots when they are tiny, at most.
        drain_timeout: seconds from a request to stop to the hand-back of what still runs.
        connect_timeout: run() fails if no broker has answered within these seconds; 0: it waits.
        grace: seconds from the wish that an attempt ends to SIGKILL, for handlers in processes.
        """
        self._broker = broker
        self._key = key
        self._slots = slots
        self._name = name
        self._prefetch_max = prefetch_max
        self._drain_timeout = drain_timeout
        self._connect_timeout = connect_timeout
        self._grace = grace
        self._handlers: Dict[str, Handler] = {}
        self._stop_requests = 0
        self._stops_forwarded = 0
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_in, False)
        os.set_blocking(self._wake_out, False)

    def __del__(self) -> None:
        os.close(self._wake_in)
        os.close(self._wake_out)

    def handler(self, queue: str, *, process: bool = False) -> Callable[[AnyFunction], AnyFunction]:
        """Decorator: gives the tasks of `queue` to the function. See handle()."""
        def add(function: AnyFunction) -> AnyFunction:
            self.handle(queue, function, process=process)
            return function
        return add

    def handle(self, queue: str, function: Function, *, process: bool = False) -> None:
        """Gives the tasks of `queue` to `function`. Before run(). A second one for a queue replaces
        the first. `process`: in a process of its own, which imports the function by its name, may
        run long without the interpreter's lock, may crash, and is killed when it does not end in
        time.
        Raises Misconfigured."""
        if not is_queue_name(queue):
            raise Misconfigured(f"'{queue}' is not a queue name; "
                                "use 1 to 128 of A-Z a-z 0-9 . _ : / -")
        handler = Handler(function, process)
        if process and handler.is_async:
            raise Misconfigured(f"the handler of queue '{queue}' is a coroutine; "
                                "in a process of its own runs a plain function")
        self._handlers[queue] = handler

    def request_stop(self) -> None:
        """The first call: take nothing new, finish or hand back what runs within drain_timeout,
        then run() returns. The second: hand everything back and return at once. Thread-safe, and
        safe in signal handlers."""
        self._stop_requests += 1
        try:
            os.write(self._wake_in, b"\0")
        except BlockingIOError:
            pass  # it is awake

    def run(self, *, handle_signals: bool = True) -> None:
        """Works until told to stop; survives every loss of the broker. Call it once. In the main
        thread SIGTERM and SIGINT become request_stop(), unless `handle_signals` is false.

        Raises Misconfigured; Unavailable (no broker within connect_timeout); Invalid, TooLarge,
        Unsupported or Forbidden when the broker refuses this worker for good; SessionDied. A handler that never
        returns is left behind in its thread.
        """
        if multiprocessing.current_process().name == HANDLER_PROCESS_NAME:
            raise Misconfigured("the program of this worker is being imported by a process for its "
                                "handlers; put run() below `if __name__ == '__main__':`")
        settings = self._settings()
        ours, theirs = socket.socketpair()
        with theirs:
            process = _start_session(theirs)
        try:
            with ours:
                self._run_with(Channel(ours), settings, handle_signals)
        finally:
            process.wait()  # it reads the end of the channel, at the latest

    def _run_with(self, channel: Channel, settings: Dict[str, Any], handle_signals: bool) -> None:
        channel.send(settings)
        outbox = Outbox(channel)
        pool = HandlerPool(settings["slots"], self._handlers, self._grace, outbox.report,
                           outbox.ask)
        restore = self._take_signals() if handle_signals else {}
        try:
            self._serve(channel, outbox, pool)
        finally:
            for number, action in restore.items():
                signal.signal(number, action)
            pool.close()

    def _settings(self) -> Dict[str, Any]:
        limits = PeerLimits()
        if not self._handlers:
            raise Misconfigured("no queue to work on; name at least one with handler()")
        slots = self._slots or os.cpu_count() or 1
        if not 1 <= slots <= limits.credit_max:
            raise Misconfigured(f"slots must be 1 to {limits.credit_max}")
        name = self._name or f"{socket.gethostname()[:100]}-{os.getpid()}"
        if len(name.encode("utf-8", "replace")) > NAME_BYTES_MAX or has_control_characters(name):
            raise Misconfigured(f"the worker's name must be at most {NAME_BYTES_MAX} bytes of "
                                "UTF-8 without control characters")
        for queue, handler in self._handlers.items():
            if handler.in_process:
                _check_importable(queue, handler.function)
        address: HostPort = parse_address(self._broker, WORKER_PORT_DEFAULT)
        load_key(self._key)  # here, so that what is wrong with it is raised here
        return {"host": address.host, "port": address.port, "key": self._key, "name": name,
                "queues": list(self._handlers), "slots": slots, "prefetch_max": self._prefetch_max,
                "run_ahead_ns": RUN_AHEAD_NS,
                "drain_timeout_ns": nanoseconds(self._drain_timeout),
                "connect_timeout_ns": nanoseconds(self._connect_timeout)}

    def _take_signals(self) -> Dict[int, Any]:
        """What stood there before, by signal."""
        if threading.current_thread() is not threading.main_thread():
            return {}
        def stop(_: int, __: Any) -> None:
            self.request_stop()
        return {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}

    def _serve(self, channel: Channel, outbox: Outbox, pool: HandlerPool) -> None:
        while True:
            select.select([channel, self._wake_out], [], [])
            self._forward_stops(outbox)
            for kind, *values in channel.receive():
                if kind == "start":
                    pool.start([DispatchedTask(*fields) for fields in values[0]])
                elif kind == "stop":
                    for task, fence, reason in values[0]:
                        pool.stop(HeldLease(task, fence), StopReason(reason))
                elif kind == "limits":
                    pool.result_bytes_max = values[0]
                elif kind == "notice":
                    _log.log(*values)
                elif kind == "end":
                    pool.stop_all(StopReason.shutting_down)
                    pool.wait_until_idle(LAST_MOMENTS)
                    outbox.send("ended")
                elif kind == "failed":
                    raise error_of(ErrorCode(values[0]), values[1])
                elif kind == "finished":
                    return
            if channel.closed:
                raise SessionDied("the process that speaks with the broker ended unasked")

    def _forward_stops(self, outbox: Outbox) -> None:
        try:
            os.read(self._wake_out, 4096)
        except BlockingIOError:
            return
        while self._stops_forwarded < self._stop_requests:
            self._stops_forwarded += 1
            outbox.send("stop")


def _start_session(connection: socket.socket) -> "subprocess.Popen[bytes]":
    """Starts the session's process, which finds its modules where this one does."""
    paths = [os.path.abspath(path) for path in sys.path]
    code = (f"import sys; sys.path[:] = {paths!r}\n"
            "from millrace.worker.session_process import main; main()")
    descriptor = connection.fileno()
    return subprocess.Popen([sys.executable, "-c", code, str(descriptor)], pass_fds=[descriptor],
                            stdin=subprocess.DEVNULL)


def _check_importable(queue: str, function: Function) -> None:
    try:
        pickle.dumps(function)
    except Exception as error:
        raise Misconfigured(f"the handler of queue '{queue}' cannot run in a process of its own; "
                            f"make it a function of a module: {error}") from error



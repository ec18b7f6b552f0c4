"""Runs handlers: plain functions in threads, coroutines in an event loop, and those that ask for it
in processes of their own. Touches no socket.

The session starts no more tasks than there are slots, but for tiny ones that queue here; so threads
and processes are made when they are first needed, and never more than slots.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from millrace.units import Seconds
from millrace.wire.messages import DispatchedTask, HeldLease
from millrace.wire.task_codec import read_task
from millrace.words import Outcome, StopReason
from millrace.worker.handlers import Handler, answer_of_exception, call, call_async
from millrace.worker.process_slot import ProcessSlot
from millrace.worker.task import Answer, Ask, Task

# Called with the end of each started attempt, in the thread where it ended.
Report = Callable[[Task, Answer, int], None]


class HandlerPool:
    """start, stop and close belong to one thread."""

    def __init__(self, slots: int, handlers: Mapping[str, Handler], grace: Seconds, report: Report,
                 ask: Ask) -> None:
        self._slots = slots
        self._handlers = handlers
        self._grace = grace
        self._report_end = report
        self._ask = ask
        self._lock = threading.Lock()
        self._tasks: Dict[HeldLease, Task] = {}  # started and not ended
        self._ended = threading.Condition(self._lock)
        self._waiting: "queue.SimpleQueue[Optional[Task]]" = queue.SimpleQueue()
        self._threads: List[threading.Thread] = []
        self._idle = threading.Semaphore(0)  # threads that nothing was given to yet
        self._idle_processes: List[ProcessSlot] = []
        self._processes: Set[ProcessSlot] = set()
        self._closing = False
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._loop_slots: Optional[asyncio.Semaphore] = None
        self.result_bytes_max = 16 << 20

    def start(self, started: Sequence[DispatchedTask]) -> None:
        coroutines: List[Tuple[Handler, Task]] = []
        for dispatched in started:
            task, problem = self._read(dispatched)
            with self._lock:
                self._tasks[task._lease] = task
            handler = self._handlers.get(dispatched.queue)
            if problem is not None:
                self._end(task, problem, 0)
            elif handler is None:
                self._end(task, Answer(Outcome.failed, error="this worker has no handler for queue "
                                                             f"'{task.queue}'"), 0)
            elif handler.is_async:
                coroutines.append((handler, task))
            else:
                self._start_in_thread(task)
        if coroutines:
            self._start_in_loop(coroutines)

    def _read(self, dispatched: DispatchedTask) -> Tuple[Task, Optional[Answer]]:
        """The task, and what is wrong with it."""
        problem = None
        try:
            payload, headers = read_task(dispatched.spec)
        except ValueError as error:
            payload, headers = b"", ()
            problem = Answer(Outcome.failed_for_good, error=f"the task {error}")
        return Task(dispatched, payload, headers, self.result_bytes_max, self._ask), problem

    def stop(self, lease: HeldLease, reason: StopReason) -> None:
        with self._lock:
            task = self._tasks.get(lease)
        if task is not None:
            task._stop(reason)

    def stop_all(self, reason: StopReason) -> None:
        with self._lock:
            tasks = list(self._tasks.values())
        for task in tasks:
            task._stop(reason)

    def wait_until_idle(self, timeout: Seconds) -> bool:
        """Until all that was started has ended; False when the time is over before."""
        with self._ended:
            return self._ended.wait_for(lambda: not self._tasks, timeout)

    def close(self) -> None:
        """Ends threads that are idle and all processes. A handler that does not return is left
        behind in its thread."""
        with self._lock:
            self._closing = True
            processes = list(self._processes)
        for _ in self._threads:
            self._waiting.put(None)
        for process in processes:
            process.close()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _end(self, task: Task, answer: Answer, elapsed_ns: int) -> None:
        self._report_end(task, answer, elapsed_ns)
        with self._ended:
            del self._tasks[task._lease]
            if not self._tasks:
                self._ended.notify_all()

    # ---- threads ---------------------------------------------------------------------------------

    def _start_in_thread(self, task: Task) -> None:
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._slots:
            name = f"millrace-{len(self._threads) + 1}"
            thread = threading.Thread(target=self._serve, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._waiting.put(task)

    def _serve(self) -> None:
        while True:
            task = self._waiting.get()
            if task is None:
                return
            handler = self._handlers[task.queue]
            began_ns = time.monotonic_ns()
            if task.cancelled:
                answer = Answer(Outcome.failed, error="stopped before its start")
            elif handler.in_process:
                answer = self._run_in_process(task)
            else:
                answer = call(handler.function, task)
            elapsed_ns = time.monotonic_ns() - began_ns
            self._idle.release()
            self._end(task, answer, elapsed_ns)

    # ---- processes -------------------------------------------------------------------------------

    def _run_in_process(self, task: Task) -> Answer:
        try:
            process = self._take_process()
        except OSError as error:
            return Answer(Outcome.failed, error=f"no process for the handler: {error}")
        if process is None:
            return Answer(Outcome.failed, error="stopped before its start")
        answer = process.run(task)
        self._give_back(process)
        return answer

    def _take_process(self) -> Optional[ProcessSlot]:
        with self._lock:
            if self._closing:
                return None
            if self._idle_processes:
                return self._idle_processes.pop()
        functions = {name: handler.function for name, handler in self._handlers.items()
                     if handler.in_process}
        process = ProcessSlot(functions, self._grace)
        with self._lock:
            self._processes.add(process)
            closing = self._closing
        if closing:
            process.close()
            return None
        return process

    def _give_back(self, process: ProcessSlot) -> None:
        alive = process.alive
        with self._lock:
            if alive:
                self._idle_processes.append(process)
            else:
                self._processes.discard(process)

    # ---- the event loop --------------------------------------------------------------------------

    def _start_in_loop(self, coroutines: Sequence[Tuple[Handler, Task]]) -> None:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._run_loop, args=(self._loop,), name="millrace-asyncio",
                             daemon=True).start()
        self._loop.call_soon_threadsafe(self._spawn_all, self._loop, coroutines)

    def _spawn_all(self, loop: asyncio.AbstractEventLoop,
                   coroutines: Sequence[Tuple[Handler, Task]]) -> None:
        for handler, task in coroutines:
            self._spawn(loop, handler, task)

    def _run_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        self._loop_slots = asyncio.Semaphore(self._slots)
        loop.run_forever()
        loop.close()

    def _spawn(self, loop: asyncio.AbstractEventLoop, handler: Handler, task: Task) -> None:
        began_ns = time.monotonic_ns()

        async def run() -> Answer:
            nonlocal began_ns
            assert self._loop_slots is not None
            async with self._loop_slots:
                began_ns = time.monotonic_ns()
                return await call_async(handler.function, task)

        def end(done: "asyncio.Task[Answer]") -> None:
            # Also after a cancellation that came before the first step.
            if done.cancelled():
                answer = Answer(Outcome.failed, error=f"stopped: {task.stop_reason.name}")
            else:
                error = done.exception()
                answer = done.result() if error is None else answer_of_exception(error)
            self._end(task, answer, time.monotonic_ns() - began_ns)

        running = loop.create_task(run())
        running.add_done_callback(end)
        task._when_stopped(lambda _: loop.call_soon_threadsafe(running.cancel))

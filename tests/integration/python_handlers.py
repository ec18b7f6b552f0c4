"""A worker with one handler for everything that a handler can do; a program of the tests.

usage: python_handlers.py BROKER NAME SLOTS FOLDER [DRAIN_TIMEOUT]
"""

import asyncio
import ctypes
import json
import os
import sys
import time

import millrace

ARGUMENTS = sys.argv if len(sys.argv) > 4 else ["", "localhost", "w", "1", "/tmp"]
FOLDER = ARGUMENTS[4]
worker = millrace.Worker(ARGUMENTS[1], name=ARGUMENTS[2], slots=int(ARGUMENTS[3]), grace=0.3,
                         drain_timeout=float(ARGUMENTS[5]) if len(ARGUMENTS) > 5 else 30.0)


def mark(name, text):
    """Atomic: one write to a file opened for appending."""
    descriptor = os.open(os.path.join(FOLDER, name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{text}\n".encode())
    finally:
        os.close(descriptor)


@worker.handler("describe")
def describe(task):
    return json.dumps({"id": str(task.id), "queue": task.queue, "attempt": task.attempt,
                       "max_attempts": task.max_attempts, "fence": task.fence,
                       "headers": task.headers, "payload": task.payload.decode()})


@worker.handler("second")
def succeed_at_the_second_attempt(task):
    if task.attempt == 1:
        raise ValueError("not yet")
    return f"attempt {task.attempt}"


@worker.handler("good")
def fail_for_good(task):
    raise millrace.FailForGood("no use")


@worker.handler("again")
def fail_again(task):
    raise millrace.Retry("try later")


@worker.handler("wrong")
def return_the_wrong_thing(task):
    return {"a": 1}


@worker.handler("wait")
def wait_for_stop(task):
    """Waits for the seconds in the payload; a stop is written down."""
    mark("started", task.id)
    if task.wait_for_stop(float(task.payload)):
        mark("stopped", f"{task.id}:{task.stop_reason.name}")
        task.raise_if_stopped()
    mark("ended", task.id)


@worker.handler("long")
def take_longer_than_the_timeout(task):
    for percent in (20, 40, 60, 80):
        task.progress(percent)
        if task.wait_for_stop(float(task.payload)):
            task.raise_if_stopped()
    return "done"


@worker.handler("shown")
def show_progress(task):
    task.progress(42)
    task.wait_for_stop(60)


@worker.handler("async")
async def wait_in_the_loop(task):
    mark("started", task.id)
    try:
        await asyncio.sleep(float(task.payload))
    except asyncio.CancelledError:
        mark("stopped", f"{task.id}:{task.stop_reason.name}")
        raise
    return f"slept {task.payload.decode()}"


@worker.handler("lock")
def hold_the_interpreters_lock(task):
    """For the seconds in the payload no other thread of this process runs: what a large power or a
    pathological pattern does, without their use of the processor."""
    mark("started", task.id)
    ctypes.PyDLL(None).sleep(int(task.payload))
    return "held"


@worker.handler("process", process=True)
def work_in_a_process(task):
    kind = task.payload.decode()
    if kind == "pid":
        return str(os.getpid())
    if kind == "die" and task.attempt == 1:
        os.kill(os.getpid(), 9)
    if kind == "hang":
        ctypes.PyDLL(None).sleep(600)
    if kind == "wait":
        mark("started", task.id)
        stopped = task.wait_for_stop(60)
        mark("stopped", f"{task.id}:{task.stop_reason.name}:{stopped}")
    return f"attempt {task.attempt}"


@worker.handler("echo")
def echo(task):
    return task.payload


@worker.handler("slow")
def be_slow(task):
    mark("runs", f"{task.id}:{task.attempt}")
    time.sleep(0.05)
    return task.payload


if __name__ == "__main__":
    import logging
    logging.basicConfig(level=logging.INFO)
    worker.run()

"""A worker of the Python package in a campaign: echo and sleep, as `millrace-worker --builtin` has them.

usage: python_worker.py BROKER NAME LEDGER SLOTS
"""

import os
import sys
import time

import millrace

BROKER, NAME, LEDGER, SLOTS = sys.argv[1:]


def note(what, task):
    line = f"{what} {task.id} {task.attempt} {task.fence} {NAME} {time.monotonic_ns()}\n"
    ledger = os.open(LEDGER, os.O_WRONLY | os.O_APPEND)
    os.write(ledger, line.encode())
    os.close(ledger)


def noted(handle):
    def handler(task):
        note("start", task)
        try:
            return handle(task)
        finally:
            note("end", task)
    return handler


def echo(task):
    return task.payload


def sleep(task):
    task.wait_for_stop(int(task.payload) / 1e3)
    task.raise_if_stopped()


if __name__ == "__main__":
    worker = millrace.Worker(BROKER, slots=int(SLOTS), name=NAME)
    worker.handle("echo", noted(echo))
    worker.handle("sleep", noted(sleep))
    worker.run()

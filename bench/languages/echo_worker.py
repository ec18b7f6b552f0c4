"""A Python worker that returns the payload. usage: echo_worker.py BROKER SLOTS function|coroutine|process"""

import sys

import millrace

broker, slots, kind = sys.argv[1:]
worker = millrace.Worker(broker, slots=int(slots), name="python")


def echo(task):
    return task.payload


async def echo_later(task):
    return task.payload


worker.handle("echo", echo_later if kind == "coroutine" else echo, process=kind == "process")

if __name__ == "__main__":
    worker.run()

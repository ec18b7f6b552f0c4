"""The Python package as a candidate of the conformance kit. usage: python_worker.py BROKER QUEUE SLOTS"""

import sys
import time

import millrace


def handle(task):
    word, _, rest = task.payload.decode("utf-8", "replace").partition(" ")
    step = STEPS.get(word)
    return step(task, rest) if step else task.payload


def sleep(task, milliseconds):
    if task.wait_for_stop(int(milliseconds) / 1e3):
        task.raise_if_stopped()


def stuck(_, milliseconds):
    time.sleep(int(milliseconds) / 1e3)


def fail(_, text):
    raise millrace.Retry(text)


def fail_for_good(_, text):
    raise millrace.FailForGood(text)


def result(_, size):
    return b"r" * int(size)


def error(_, size):
    raise millrace.Retry("A" + "x" * (int(size) - 2) + "Z")


def progress(task, text):
    percent, milliseconds = text.split()
    task.progress(int(percent))
    sleep(task, milliseconds)


STEPS = {"sleep": sleep, "stuck": stuck, "fail": fail, "fail_for_good": fail_for_good,
         "result": result, "error": error, "progress": progress}

if __name__ == "__main__":
    broker, queue, slots = sys.argv[1:]
    worker = millrace.Worker(broker, slots=int(slots))
    worker.handle(queue, handle)
    worker.run()

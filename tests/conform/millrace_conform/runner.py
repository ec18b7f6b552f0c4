"""Runs cases side by side: each has sockets and a process of its own, and most of them wait."""

import collections
import concurrent.futures
import time
import traceback

import zmq

from .case import Failure

Result = collections.namedtuple("Result", "case status text seconds")

TRACE_LINES = 4

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"


def run(jobs, handlers, at_once):
    """The results in the order of the jobs: (case, make_scene), which takes a ZeroMQ context."""
    context = zmq.Context()
    context.max_sockets = 4096
    try:
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda job: run_one(*job, context, handlers), jobs))
    finally:
        context.destroy(linger=0)


def run_one(case, make_scene, context, handlers):
    missing = [need for need in case.needs if need not in handlers]
    if missing:
        return Result(case, SKIPPED, f"the candidate has no handler for {', '.join(missing)}", 0.0)
    began = time.monotonic()
    status, text = PASSED, ""
    scene = make_scene(context)
    try:
        case.run(scene)
    except Failure as failure:
        status, text = FAILED, str(failure)
    except Exception:  # noqa: BLE001: a defect of the kit or a broken candidate; show where
        last = traceback.format_exc().splitlines()[-TRACE_LINES:]
        status, text = FAILED, "the case broke: " + " / ".join(last)
    finally:
        scene.close()
    return Result(case, status, " ".join(text.split()), time.monotonic() - began)

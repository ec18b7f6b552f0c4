"""Attempts that must end, and tasks that must come back."""

from ..case import check, check_equal
from ..worker_scene import SLOTS
from .suite import case


@case("stop.cancel_running", "8", needs=("sleep",))
def cancel_running(scene):
    """A running task that is cancelled is stopped, and answered as cancelled."""
    scene.begin()
    (lease,) = scene.occupy(slots=1)
    scene.stop(lease, "cancelled")
    scene.completion(lease, "cancelled")
    scene.still_works()


@case("stop.cancel_waiting", "8", needs=("sleep",))
def cancel_waiting(scene):
    """A task that has not started is dropped, and answered as cancelled."""
    scene.begin()
    scene.occupy()
    lease = scene.dispatch("sleep 600000")
    scene.stop(lease, "cancelled")
    report = scene.completion(lease)
    # Handed back before the cancel came, it was not started either.
    check(report.item["outcome"] in ("cancelled", "released"), "cancelled", report)


@case("stop.cancel_unknown", "8")
def cancel_unknown(scene):
    """Leases that the worker does not have are ignored."""
    scene.begin()
    for cause in ("cancelled", "stale_lease", "timed_out"):
        scene.stop(scene.lease(), cause)
    scene.still_works()
    check_equal(len(scene.seen("WorkerHello")), 1, "the number of hellos")


@case("stop.cancel_finished", "8")
def cancel_finished(scene):
    """A cancel that comes after the end: what happened is reported, and nothing else."""
    scene.acknowledge = False
    scene.begin()
    lease = scene.dispatch("done already")
    first = scene.completion(lease, "succeeded")
    scene.stop(lease, "cancelled")
    again = scene.completion(lease)
    check_equal(again.item, first.item, "the same completion")


@case("stop.cancel_twice", "8", needs=("sleep",))
def cancel_twice(scene):
    """A cancel that is said twice is answered once."""
    scene.begin()
    (lease,) = scene.occupy(slots=1)
    scene.stop(lease, "cancelled")
    scene.stop(lease, "cancelled")
    scene.completion(lease, "cancelled")
    scene.no_completion(lease, 1, "which was answered")


@case("stop.other_fence", "10", needs=("sleep",))
def other_fence(scene):
    """A stop under another fence of the same task stops nothing."""
    scene.begin()
    (lease,) = scene.occupy(1500, slots=1)
    scene.stop(scene.lease(task=lease.task), "stale_lease")
    scene.stop(scene.lease(task=lease.task), "cancelled")
    scene.completion(lease, "succeeded")


@case("stop.stale", "8", needs=("sleep",))
def stale(scene):
    """A stale lease is stopped without an answer, and its slot is free again."""
    scene.begin()
    leases = scene.occupy()
    for lease in leases:
        scene.stop(lease, "stale_lease")
    scene.still_works()
    for lease in leases:
        scene.no_completion(lease, 0.7, "whose lease is stale")


@case("stop.timed_out", "8", needs=("sleep",))
def timed_out(scene):
    """An attempt that the broker has counted as timed out is stopped without an answer."""
    scene.begin()
    leases = scene.occupy()
    for lease in leases:
        scene.stop(lease, "timed_out")
    scene.still_works()
    for lease in leases:
        scene.no_completion(lease, 0.7, "which timed out at the broker")


@case("stop.stale_forgotten", "7", needs=("sleep",))
def stale_forgotten(scene):
    """A lease that was stopped as stale is not held any more."""
    scene.begin()
    (lease,) = scene.occupy(slots=1)
    scene.stop(lease, "stale_lease")
    scene.still_works()
    scene.send("Refused", {"code": "unknown_session", "message": "say hello"})
    scene.holds(scene.reopen())


@case("stop.credit_of_the_stuck", "8", needs=("stuck",))
def credit_of_the_stuck(scene):
    """A handler that does not end keeps its slot: no more is asked for than the rest can run."""
    scene.begin()
    stuck = [scene.dispatch("stuck 600000") for _ in range(SLOTS)]
    scene.wait_until_running(SLOTS)
    for lease in stuck:
        scene.stop(lease, "cancelled")
    beats = len(scene.beats)
    scene.wait(lambda: len(scene.beats) >= beats + 10, "ten more beats")


@case("recall.none", "8")
def recall_none(scene):
    """A Recall is answered by one Complete that names it, even with nothing to give back."""
    scene.begin()
    scene.send("Recall", {"recall_number": 77, "tasks": [scene.lease()._asdict()]})
    heard = scene.expect("Complete", lambda message: message["answers_recall"] != 0,
                         "a Complete that answers the Recall")
    check_equal(heard.message["answers_recall"], 77, "answers_recall")
    check_equal(heard.message["items"], [], "the items")
    scene.stay(0.7, lambda: scene.take("Complete", lambda message: message["answers_recall"] != 0),
               "second answer")


@case("recall.running", "8", needs=("sleep",))
def recall_running(scene):
    """A task that has started is never released."""
    scene.begin()
    leases = scene.occupy(1500)
    scene.send("Recall", {"recall_number": 5, "tasks": [lease._asdict() for lease in leases]})
    scene.expect("Complete", lambda message: message["answers_recall"] == 5,
                 "a Complete that answers the Recall")
    for lease in leases:
        scene.completion(lease, "succeeded")


@case("recall.waiting", "8", needs=("sleep",))
def recall_waiting(scene):
    """A task that has not started is released, together with the answer or before it."""
    scene.begin()
    scene.occupy()
    leases = [scene.dispatch("sleep 600000") for _ in range(2)]
    scene.send("Recall", {"recall_number": 6, "tasks": [lease._asdict() for lease in leases]})
    answer = scene.expect("Complete", lambda message: message["answers_recall"] == 6,
                          "a Complete that answers the Recall")
    for lease in leases:
        report = scene.completion(lease, "released")
        check(report.heard.time <= answer.time, "the release not after the answer", "it later")


@case("extend.progress", "8", needs=("progress",))
def progress(scene):
    """Progress is an Extend under the lease's fence, at most 100 percent."""
    scene.begin()
    lease = scene.dispatch("progress 42 1000")
    heard = scene.expect("Extend", expected="an Extend")
    item = heard.message["items"][0]
    check_equal((item["task"], item["fence"]), tuple(lease), "(task, fence)")
    check_equal(item["progress_percent"], 42, "progress_percent")
    scene.completion(lease, "succeeded")

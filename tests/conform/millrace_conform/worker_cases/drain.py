"""The end of a worker, asked for by a signal or by a message."""

import time

from ..case import SHOULD, check, check_equal
from .suite import case


def goodbye(scene):
    return scene.expect("WorkerGoodbye")


@case("drain.idle", "7")
def idle(scene):
    """SIGTERM while idle: WorkerGoodbye, and exit code 0."""
    scene.begin()
    scene.still_works()
    scene.candidate.terminate()
    goodbye(scene)
    check_equal(scene.ended(), 0, "exit code")


@case("drain.running", "7", needs=("sleep",))
def running(scene):
    """SIGTERM: credit 0, what runs is finished or handed back, WorkerGoodbye, exit code 0."""
    scene.begin()
    (lease,) = scene.occupy(1500, slots=1)
    scene.candidate.terminate()
    report = scene.completion(lease)
    check(report.item["outcome"] in ("succeeded", "released"), "succeeded or released", report)
    check_equal(report.heard.message["credit"], 0, "credit")
    farewell = goodbye(scene)
    check(farewell.time >= report.heard.time, "WorkerGoodbye after the completion", "it before")
    check_equal(scene.ended(), 0, "exit code")


@case("drain.finishes", "7", level=SHOULD, needs=("sleep",))
def finishes(scene):
    """SIGTERM: what ends soon is finished, not handed back."""
    scene.begin()
    (lease,) = scene.occupy(1000, slots=1)
    scene.candidate.terminate()
    scene.completion(lease, "succeeded")


@case("drain.message", "8", needs=("sleep",))
def message(scene):
    """Drain: credit 0 from now on, what runs is finished or handed back, then WorkerGoodbye."""
    scene.begin()
    (lease,) = scene.occupy(1500, slots=1)
    scene.send("Drain")
    report = scene.completion(lease)
    check(report.item["outcome"] in ("succeeded", "released"), "succeeded or released", report)
    check_equal(report.heard.message["credit"], 0, "credit")
    goodbye(scene)


@case("drain.credit_told", "7", level=SHOULD, needs=("sleep",))
def credit_told(scene):
    """A worker that begins to drain says so at once, by a Complete with credit 0."""
    scene.begin()
    scene.occupy(5000, slots=1)
    scene.candidate.terminate()
    scene.expect("Complete", lambda complete: complete["credit"] == 0 and not complete["items"],
                 "a Complete without items and with credit 0", within=3)


@case("drain.waits_for_answers", "7")
def waits_for_answers(scene):
    """WorkerGoodbye is not said before the completions are answered."""
    scene.acknowledge = False
    scene.begin()
    lease = scene.dispatch("the last one")
    scene.completion(lease, "succeeded")
    scene.candidate.terminate()
    scene.stay(1.5, lambda: scene.take("WorkerGoodbye"), "WorkerGoodbye before the answer")
    scene.answer([lease])
    goodbye(scene)
    check_equal(scene.ended(), 0, "exit code")


@case("drain.dispatch_on_its_way", "7", needs=("sleep",))
def dispatch_on_its_way(scene):
    """What is dispatched to a worker that drains is handed back, not lost and not run."""
    scene.begin()
    (running_lease,) = scene.occupy(2500, slots=1)
    scene.candidate.terminate()
    scene.wait(lambda: scene.take("Complete", lambda complete: complete["credit"] == 0) or
               time.sleep(0.01), "a Complete with credit 0")
    late = scene.dispatch("on its way already")
    scene.completion(late, "released")
    scene.completion(running_lease)
    goodbye(scene)


@case("drain.waiting_released", "7", needs=("sleep",))
def waiting_released(scene):
    """Tasks that have not started are handed back as released."""
    scene.begin()
    scene.occupy(2000)
    waiting = [scene.dispatch("sleep 600000") for _ in range(2)]
    scene.candidate.terminate()
    for lease in waiting:
        scene.completion(lease, "released")
    goodbye(scene)


@case("drain.without_broker", "7")
def without_broker(scene):
    """SIGTERM while the broker is away: the program ends all the same."""
    scene.begin()
    scene.still_works()
    scene.vanish()
    scene.candidate.terminate()
    scene.ended()


@case("drain.before_welcome", "7")
def before_welcome(scene):
    """SIGTERM before there was a Welcome: the program ends."""
    scene.open()
    scene.start()
    scene.expect_hello()
    scene.candidate.terminate()
    check_equal(scene.ended(), 0, "exit code")


@case("drain.nothing_after_goodbye", "7")
def nothing_after_goodbye(scene):
    """After WorkerGoodbye nothing is sent any more."""
    scene.begin()
    scene.still_works()
    scene.candidate.terminate()
    goodbye(scene)
    scene.ended()
    scene.inbox.clear()
    scene.stay(0.3, lambda: scene.inbox, "message after WorkerGoodbye")

"""Waiting for ends, and cancelling."""

import uuid

from ..case import check, check_equal
from .suite import case

# A client may leave a watch alone for 30 s when nothing changes.
WATCH_SECONDS_MAX = 45


def begin_wait(scene):
    """A client that waits for a task of somebody else; the id and its Watch."""
    task = str(uuid.uuid4())
    scene.open()
    scene.start("wait", task)
    return task, scene.expect("Watch", lambda watch: task in watch["tasks"], "a Watch for the task")


@case("wait.told_as_they_end", "6")
def told_as_they_end(scene):
    """The end of a task is told when it comes, not when all have ended."""
    heard = scene.begin_submit(2)
    one, two = scene.ids(heard)
    scene.accept(heard)
    scene.finish(one)
    scene.wait(lambda: scene.printed() == {one: "succeeded"}, "the line of the first task")
    scene.finish(two)
    scene.succeeds([one, two])


@case("wait.watch", "6")
def watch(scene):
    """A task of somebody else is watched, and its end told."""
    task, _ = begin_wait(scene)
    scene.finish(task, result=b"the result")
    scene.succeeds([task])


@case("wait.ended_before", "5")
def ended_before(scene):
    """A task that has ended is told at once."""
    task = str(uuid.uuid4())
    scene.finish(task, tell=False)
    scene.open()
    scene.start("wait", task)
    scene.succeeds([task])


@case("wait.unknown", "6")
def unknown(scene):
    """A task that the broker does not know is not waited for."""
    scene.answers_watch = False
    _, heard = begin_wait(scene)
    scene.reply(heard, "Watching", {"unknown": heard.message["tasks"]})
    scene.ended_with(False)


@case("wait.states", "6")
def states(scene):
    """Ends that are no success are told as what they are, and the exit code tells too."""
    heard = scene.begin_submit(4)
    one, two, three, four = scene.ids(heard)
    scene.accept(heard)
    scene.finish(one, result=b"good")
    scene.finish(two, state="dead", reason="failed", error=b"no such picture")
    scene.finish(three, state="cancelled", reason="cancelled")
    scene.finish(four, state="expired", reason="expired")
    scene.ended_with(False)
    check_equal(scene.printed(),
                {one: "succeeded", two: "dead", three: "cancelled", four: "expired"},
                "the states")


@case("wait.many_in_one", "2")
def many_in_one(scene):
    """One Finished may carry several tasks, with empty results and errors between others."""
    heard = scene.begin_submit(4)
    ids = scene.ids(heard)
    scene.accept(heard)
    scene.finish(ids[0], result=b"123", tell=False)
    scene.finish(ids[1], state="dead", reason="failed", error=b"first error", tell=False)
    scene.finish(ids[2], tell=False)
    scene.finish(ids[3], state="dead", reason="crashed", error=b"2", tell=False)
    scene.tell_ends(ids)
    scene.ended_with(False)
    check_equal(scene.printed(), {ids[0]: "succeeded", ids[1]: "dead", ids[2]: "succeeded",
                                  ids[3]: "dead"}, "the states")


@case("wait.told_twice", "5")
def told_twice(scene):
    """Finished may come more than once; an end is told once."""
    heard = scene.begin_submit(2)
    one, two = scene.ids(heard)
    scene.accept(heard)
    scene.finish(one)
    scene.tell_ends([one])
    scene.tell_ends([one])
    scene.finish(two)
    scene.succeeds([one, two])


@case("wait.told_before_accepted", "6")
def told_before_accepted(scene):
    """Finished may come before Submitted."""
    heard = scene.begin_submit(1)
    scene.finish(*scene.ids(heard))
    scene.accept(heard)
    scene.succeeds(scene.ids(heard))


@case("wait.of_others", "5")
def of_others(scene):
    """Ends of tasks that nobody here waits for are ignored."""
    heard = scene.begin_submit(1)
    scene.accept(heard)
    scene.finish(str(uuid.uuid4()))
    scene.finish(*scene.ids(heard))
    scene.succeeds(scene.ids(heard))


@case("wait.lost_end", "5")
def lost_end(scene):
    """A Finished that was lost is asked for: Watch is sent again."""
    heard = scene.begin_submit(1)
    scene.accept(heard)
    scene.finish(*scene.ids(heard), tell=False)
    scene.expect("Watch", lambda message: scene.ids(heard)[0] in message["tasks"], "a Watch",
                 within=max(scene.patience, WATCH_SECONDS_MAX))
    scene.succeeds(scene.ids(heard))


@case("wait.after_cut", "5")
def after_cut(scene):
    """After a reconnect, Watch is sent for what is still waited for."""
    heard = scene.begin_submit(2)
    one, two = scene.ids(heard)
    scene.accept(heard)
    scene.finish(one)
    scene.wait(lambda: one in scene.printed(), "the line of the first task")
    scene.vanish()
    scene.epoch += 1
    scene.inbox.clear()
    scene.pump(0.2)
    scene.open()
    again = scene.expect("Watch", lambda message: two in message["tasks"],
                         "a Watch for the second task")
    check(one not in again.message["tasks"], "no Watch for what has ended", again.message["tasks"])
    scene.finish(two)
    scene.succeeds([one, two])


@case("wait.new_epoch", "5")
def new_epoch(scene):
    """After a new epoch, in a Pulse or a Pong, Watch is sent again: watches do not survive."""
    heard = scene.begin_submit(1)
    scene.accept(heard)
    (task,) = scene.ids(heard)
    scene.pump(0.5)
    scene.inbox.clear()
    scene.answers_watch = False
    scene.epoch += 1
    watch_ = scene.expect("Watch", lambda message: task in message["tasks"], "a Watch")
    scene.reply(watch_, "Watching", {})
    scene.finish(task)
    scene.succeeds([task])


@case("cancel.cancelled", "6")
def cancelled(scene):
    """A cancel names its task; `cancelled` and `cancelling` are what was asked for."""
    task = str(uuid.uuid4())
    for status, state in (("cancelled", "cancelled"), ("cancelling", "in_progress")):
        if not scene.sockets:
            scene.open()
        if scene.candidate is not None:
            scene.candidate.end()
        scene.start("cancel", task)
        heard = scene.expect("Cancel")
        check_equal(heard.message["tasks"], [task], "the task")
        check(heard.message.request >= 1, "a request from 1", heard.message.request)
        scene.reply(heard, "Cancelled", {"items": [{"status": status, "state": state}]})
        scene.ended_with(True)


@case("cancel.not_found", "6")
def not_found(scene):
    """`not_found` and `already_finished` are failures."""
    task = str(uuid.uuid4())
    scene.open()
    for status, state in (("not_found", "unset"), ("already_finished", "succeeded")):
        if scene.candidate is not None:
            scene.candidate.end()
        scene.start("cancel", task)
        scene.reply(scene.expect("Cancel"), "Cancelled",
                    {"items": [{"status": status, "state": state}]})
        scene.ended_with(False)


@case("cancel.after_cut", "5")
def cancel_after_cut(scene):
    """A Cancel that was cut off from its answer is sent again."""
    task = str(uuid.uuid4())
    scene.open()
    scene.start("cancel", task)
    scene.expect("Cancel")
    scene.vanish()
    scene.inbox.clear()
    scene.epoch += 1
    scene.pump(0.2)
    scene.open()
    again = scene.expect("Cancel")
    check_equal(again.message["tasks"], [task], "the task")
    scene.reply(again, "Cancelled", {"items": [{"status": "cancelled", "state": "cancelled"}]})
    scene.ended_with(True)

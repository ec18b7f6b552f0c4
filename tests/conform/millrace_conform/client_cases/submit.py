"""Submitting tasks, and what may become of them."""

import re
import time

from ..case import SHOULD, check, check_equal
from .hello import NIL
from .suite import case

QUEUE_NAME = re.compile(r"^[A-Za-z0-9._:/-]{1,128}$")


@case("submit.specs", "4")
def specs(scene):
    """Specs verify, name the queue, and have ids of their own."""
    heard = scene.begin_submit(5)
    tasks = scene.specs(heard)
    while len(tasks) < 5:
        scene.accept(heard)
        heard = scene.expect_submit()
        tasks += scene.specs(heard)
    check_equal({task.queue for task in tasks}, {scene.queue}, "the queue")
    check(len({task.id for task in tasks} - {None, NIL}) == 5, "5 ids", [task.id for task in tasks])
    check(all(QUEUE_NAME.match(task.queue) for task in tasks), "a queue name", tasks[0].queue)
    check(heard.message.request >= 1, "a request from 1", heard.message.request)


@case("submit.ends", "6")
def ends(scene):
    """A client that waits tells the end of each task, and exits when all are told."""
    heard = scene.begin_submit(3)
    ids = scene.ids(heard)
    scene.accept(heard)
    for task in ids:
        scene.finish(task, result=b"done")
    scene.succeeds(ids)


@case("submit.duplicate", "6")
def duplicate(scene):
    """`duplicate` is as good as `accepted`."""
    heard = scene.begin_submit(2)
    scene.accept(heard, "duplicate", "accepted")
    ids = scene.ids(heard)
    scene.finish(*ids)
    scene.succeeds(ids)


@case("submit.requests", "2")
def requests(scene):
    """Requests under way have numbers of their own, from 1."""
    scene.welcome_changes = {"limits": {"batch_items_max": 2}}
    scene.begin_submit(20)
    scene.stay(1.5)
    numbers = [heard.message.request for heard in scene.heard
               if heard.message and heard.message.name in ("Submit", "Watch", "Ping")]
    # What is sent again may keep its number; two different messages may not share one.
    first_frames = {}
    for heard in scene.heard:
        if heard.message and heard.message.name in ("Submit", "Watch", "Ping"):
            known = first_frames.setdefault(heard.message.request, heard.frames)
            check_equal(heard.frames == known, True,
                        f"one message under request {heard.message.request}:")
    check(min(numbers) >= 1, "requests from 1", numbers)


@case("submit.again_after_cut", "5")
def again_after_cut(scene):
    """A Submit that was cut off from its answer is sent again: the same ids, the same tasks."""
    heard = scene.begin_submit(3)
    before = {spec.id: spec.data for spec in scene.specs(heard)}
    scene.vanish()
    scene.inbox.clear()
    scene.epoch += 1
    scene.pump(0.2)
    scene.open()
    after = {}
    while len(after) < len(before):
        heard = scene.expect_submit()
        after.update({spec.id: spec.data for spec in scene.specs(heard)})
        scene.accept(heard)
    check_equal(sorted(after), sorted(before), "the ids, again")
    check(after == before, "the same specs", "others")
    scene.finish(*after)
    scene.succeeds(after)


@case("submit.again_without_answer", "5", level=SHOULD)
def again_without_answer(scene):
    """A Submit whose answer does not come, from a broker that lives, is sent again."""
    heard = scene.begin_submit(2)
    again = scene.expect_submit()
    check_equal(sorted(scene.ids(again)), sorted(scene.ids(heard)), "the ids, again")
    scene.succeeds(scene.accept_and_finish(again))


def retried(scene, again, refused_at, ids):
    """Checks that a Submit has these ids and came no earlier than it should."""
    check_equal(sorted(scene.ids(again)), sorted(ids), "the ids, again")
    waited = again.time - refused_at
    check(waited >= 2, "it after at least 2 s", f"it after {waited:.2f} s")


@case("submit.busy", "6")
def busy(scene):
    """`busy`: the tasks are sent again, under their ids, after retry_after_ns."""
    heard = scene.begin_submit(2)
    refused_at = time.monotonic()
    scene.accept(heard, "busy", "busy", retry_after_ns=2 * 10 ** 9)
    again = scene.expect_submit()
    retried(scene, again, refused_at, scene.ids(heard))
    scene.succeeds(scene.accept_and_finish(again))


@case("submit.store_full", "6")
def store_full(scene):
    """`store_full`: as `busy`."""
    heard = scene.begin_submit(2)
    refused_at = time.monotonic()
    scene.accept(heard, "store_full", "store_full", retry_after_ns=2 * 10 ** 9)
    again = scene.expect_submit()
    retried(scene, again, refused_at, scene.ids(heard))
    scene.succeeds(scene.accept_and_finish(again))


@case("submit.busy_in_part", "6")
def busy_in_part(scene):
    """Of an answer that is accepted in part, only the rest is sent again."""
    heard = scene.begin_submit(3)
    one, two, three = scene.ids(heard)
    scene.accept(heard, "accepted", "busy", "accepted", retry_after_ns=10 ** 8)
    again = scene.expect_submit()
    check_equal(scene.ids(again), [two], "the ids, again")
    scene.accept(again)
    scene.finish(one, two, three)
    scene.succeeds([one, two, three])


@case("submit.refused_busy", "12")
def refused_busy(scene):
    """Refused{busy} for the whole message: sent again after retry_after_ns."""
    heard = scene.begin_submit(2)
    refused_at = time.monotonic()
    scene.reply(heard, "Refused",
                {"code": "busy", "message": "too much", "retry_after_ns": 2 * 10 ** 9})
    again = scene.expect_submit()
    retried(scene, again, refused_at, scene.ids(heard))
    scene.succeeds(scene.accept_and_finish(again))


@case("submit.shutting_down", "6")
def shutting_down(scene):
    """`shutting_down`: the tasks are sent again, to the broker that comes back."""
    heard = scene.begin_submit(2)
    scene.accept(heard, "shutting_down", "shutting_down", retry_after_ns=10 ** 8)
    again = scene.expect_submit()
    check_equal(sorted(scene.ids(again)), sorted(scene.ids(heard)), "the ids, again")
    scene.succeeds(scene.accept_and_finish(again))


@case("submit.refused_items", "6")
def refused_items(scene):
    """Items refused for good fail alone: the others are waited for, the exit code tells."""
    heard = scene.begin_submit(5)
    ids = scene.ids(heard)
    scene.accept(heard, "accepted", "conflict", "invalid", "too_large", "accepted")
    scene.finish(ids[0], ids[4])
    scene.ended_with(False)
    printed = scene.printed()
    check({ids[0], ids[4]} <= set(printed), "a line for each accepted task", printed)
    succeeded = [task for task in ids[1:4] if printed.get(task) == "succeeded"]
    check(not succeeded, "no success of a refused task", succeeded)
    check_equal(len(scene.seen("Submit")), 1, "the number of Submits")


@case("submit.refused_for_good", "12")
def refused_for_good(scene):
    """Refused{invalid} for the whole message: it fails, and is not sent again."""
    heard = scene.begin_submit(2)
    scene.reply(heard, "Refused", {"code": "invalid", "message": "because the case says so"})
    scene.ended_with(False)
    check_equal(len(scene.seen("Submit")), 1, "the number of Submits")


@case("limits.batch_items", "13")
def batch_items(scene):
    """A Submit has at most batch_items_max items, as the Welcome announces it."""
    scene.welcome_changes = {"limits": {"batch_items_max": 2}}
    heard = scene.begin_submit(7)
    ids = []
    while len(ids) < 7:
        if ids:
            heard = scene.expect_submit()
        check(len(heard.message.parts) <= 2, "at most 2 items", len(heard.message.parts))
        ids += scene.accept_and_finish(heard)
    scene.succeeds(ids)


@case("limits.frame", "13")
def frame(scene):
    """No frame is over frame_bytes_max, as the Welcome announces it."""
    frame_bytes_max = 20_000
    scene.welcome_changes = {"limits": {"frame_bytes_max": frame_bytes_max}}
    heard = scene.begin_submit(1000)
    ids = []
    while len(ids) < 1000:
        if ids:
            heard = scene.expect_submit()
        ids += scene.accept_and_finish(heard)
    longest = max(len(frame_) for heard in scene.heard for frame_ in heard.frames)
    check(longest <= frame_bytes_max, f"frames of at most {frame_bytes_max} bytes", longest)
    scene.succeeds(ids)

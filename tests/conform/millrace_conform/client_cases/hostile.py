"""Input that breaks the rules, or that a later version made."""

import random

from .. import wire
from ..case import check_equal
from ..schema import LATER_MESSAGE, LATER_NUMBER, LATER_TEXT, later
from .suite import case

SEED = 20_260_102
LATER = later(wire.WIRE)
MORE = {LATER_TEXT: "north", LATER_NUMBER: 7}


def survives(scene, heard, *messages):
    """Sends broken messages while a Submit waits for its answer; then all goes well."""
    for frames in messages:
        scene.send_frames(list(frames))
    found = scene.take("Submit", lambda submit: submit["spec_bytes"])
    scene.pump(0.3)
    newest = found or heard
    while (later_submit := scene.take("Submit", lambda submit: submit["spec_bytes"])) is not None:
        newest = later_submit
    ids = scene.ids(heard)
    scene.accept(newest)
    scene.finish(*ids)
    scene.succeeds(ids)


@case("hostile.garbage", "2")
def garbage(scene):
    """Frames that are no FlatBuffers, and messages of many frames, are dropped."""
    chance = random.Random(SEED)
    heard = scene.begin_submit(2)
    survives(scene, heard, [b""], [b"x"], [b"MRC1"], [bytes(100)], [b"p"] * 50,
             *[[chance.randbytes(size)] for size in (3, 50, 300, 5000)])


@case("hostile.unasked", "5")
def unasked(scene):
    """Answers to requests that nobody made are ignored."""
    heard = scene.begin_submit(2)
    survives(scene, heard,
             wire.write("Submitted", {"statuses": ["conflict", "conflict"], "messages": ["", ""]},
                        request=1 << 50),
             wire.write("Cancelled", {"items": [{"status": "cancelled", "state": "cancelled"}]},
                        request=1 << 50),
             wire.write("Pong", {"epoch": scene.epoch}, request=1 << 50),
             wire.write("Refused", {"code": "invalid", "message": "of another"}, request=1 << 50))


@case("hostile.other_version", "2")
def other_version(scene):
    """What comes in another protocol version is not acted on."""
    heard = scene.begin_submit(1)
    survives(scene, heard, wire.write("Submitted", {"statuses": ["conflict"], "messages": [""]},
                                      request=heard.message.request, version=2))


@case("hostile.other_side", "14")
def other_side(scene):
    """Messages for workers are ignored."""
    heard = scene.begin_submit(1)
    survives(scene, heard, wire.write("Drain"), wire.write("Dispatch"),
             wire.write("Recall", {"recall_number": 1}))


@case("hostile.count", "6")
def count(scene):
    """A Submitted with another number of items than the Submit answers nothing of it."""
    heard = scene.begin_submit(2)
    scene.reply(heard, "Submitted", {"statuses": ["accepted"]})
    scene.pump(0.3)
    again = scene.expect_submit()
    check_equal(sorted(scene.ids(again)), sorted(scene.ids(heard)), "the ids, again")
    scene.succeeds(scene.accept_and_finish(again))


@case("hostile.bundle", "2")
def bundle(scene):
    """A Finished whose bundle does not end where its lengths do is dropped."""
    heard = scene.begin_submit(1)
    (task,) = scene.ids(heard)
    scene.accept(heard)
    scene.finish(task, state="dead", reason="failed", result=b"12345678", tell=False)
    fields, parts = scene.finished_message([task])
    frames = wire.write("Finished", fields, parts)
    for broken in ([frames[0], frames[1][:-1]], [frames[0], frames[1] + bytes(8)], [frames[0]]):
        scene.send_frames(broken)
    scene.ended.clear()
    scene.pump(0.3)
    scene.finish(task)
    scene.succeeds([task])


@case("evolution.unknown_fields", "14")
def unknown_fields(scene):
    """Fields that a later version added are ignored."""
    scene.answers_hello = False
    scene.open()
    scene.start("submit", scene.queue, 1)
    hello = scene.expect("ClientHello")
    scene.reply(hello, "ClientWelcome", {**scene.welcome_fields(), **MORE}, wire=LATER)
    scene.answers_hello = True
    heard = scene.expect_submit()
    scene.reply(heard, "Submitted", {"statuses": ["accepted"], **MORE}, wire=LATER)
    ids = scene.ids(heard)
    scene.finish(*ids, tell=False)
    fields, parts = scene.finished_message(ids)
    scene.send("Finished", {**fields, **MORE}, parts, wire=LATER)
    scene.succeeds(ids)


@case("evolution.unknown_message", "14")
def unknown_message(scene):
    """A message that a later version added is ignored."""
    heard = scene.begin_submit(1)
    survives(scene, heard, wire.write(LATER_MESSAGE, {"share": 3}, wire=LATER),
             wire.write(LATER_MESSAGE, {"share": 3}, request=heard.message.request, wire=LATER))

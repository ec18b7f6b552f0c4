"""How a session begins and ends."""

import time

from ..case import SHOULD, check, check_equal
from .suite import case

NIL = "00000000-0000-0000-0000-000000000000"


@case("hello.first", "5")
def first(scene):
    """The first message is a ClientHello of one valid frame, version 1, with a request from 1."""
    scene.answers_hello = False
    scene.open()
    scene.start("submit", scene.queue, 1)
    scene.wait(lambda: scene.heard, "a ClientHello")
    heard = scene.heard[0]
    check(heard.message is not None, "a frame that verifies", heard.problem)
    check_equal(heard.message.name, "ClientHello", "the first message")
    check_equal((heard.message.version, len(heard.frames)), (1, 1), "(protocol_version, frames)")
    check(heard.message.request >= 1, "a request from 1", heard.message.request)
    check(heard.message["client"] not in (None, NIL), "a client id that is not nil",
          heard.message["client"])
    check(heard.message["protocol_version"] >= 1, "protocol_version from 1",
          heard.message["protocol_version"])


@case("hello.routing_id", "1")
def routing_id(scene):
    """ZMQ_ROUTING_ID is unset: the routing id is one that the ROUTER made up."""
    scene.open()
    scene.start("submit", scene.queue, 1)
    heard = scene.expect("ClientHello")
    check(len(heard.peer) == 5 and heard.peer[0] == 0, "5 bytes of which the first is 0",
          heard.peer)


@case("hello.repeated", "5")
def repeated(scene):
    """A hello that is not answered is said again, by the same client, before anything else."""
    scene.answers_hello = False
    scene.open()
    scene.start("submit", scene.queue, 1)
    one = scene.expect("ClientHello")
    two = scene.expect("ClientHello")
    check_equal(two.message["client"], one.message["client"], "the same client id")
    check(not scene.seen("Submit"), "no Submit before the Welcome", scene.story())
    scene.answers_hello = True
    scene.succeeds(scene.accept_and_finish(scene.expect_submit()))


@case("hello.busy", "12")
def busy(scene):
    """Refused{busy}: the next hello waits for retry_after_ns."""
    scene.answers_hello = False
    scene.open()
    scene.start("submit", scene.queue, 1)
    heard = scene.expect("ClientHello")
    refused_at, wait_seconds = time.monotonic(), 2.5
    scene.reply(heard, "Refused", {"code": "busy", "message": "too many clients",
                                   "retry_after_ns": int(wait_seconds * 1e9)})
    again = scene.expect("ClientHello")
    waited = again.time - refused_at
    check(waited >= wait_seconds, f"a hello after at least {wait_seconds} s",
          f"one after {waited:.2f} s")


@case("hello.absent_at_start", "5")
def absent_at_start(scene):
    """A client that is started before its broker waits for it."""
    scene.start("submit", scene.queue, 1)
    scene.stay(1.5, lambda: scene.candidate.exit_code is not None, "end of the program")
    scene.open()
    scene.succeeds(scene.accept_and_finish(scene.expect_submit()))


@case("hello.goodbye", "5", level=SHOULD)
def goodbye(scene):
    """A client that leaves says ClientGoodbye."""
    heard = scene.begin_submit()
    scene.accept_and_finish(heard)
    scene.expect("ClientGoodbye")

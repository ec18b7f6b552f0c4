"""How a session begins."""

import re
import time

from .. import wire
from ..case import SHOULD, check, check_equal
from ..schema import LATER_MESSAGE, LATER_NUMBER, LATER_TEXT, later
from .suite import case

QUEUE_NAME = re.compile(r"^[A-Za-z0-9._:/-]{1,128}$")
NIL = "00000000-0000-0000-0000-000000000000"


def is_name(text, least=1):
    return least <= len(text.encode("utf-8", "surrogateescape")) <= 128 and text.isprintable()


@case("hello.first", "7")
def first(scene):
    """The first message is a WorkerHello of one valid frame, version 1, request 0."""
    scene.open()
    scene.start()
    scene.wait(lambda: scene.heard, "a WorkerHello")
    heard = scene.heard[0]
    check(heard.message is not None, "a frame that verifies", heard.problem)
    check_equal(heard.message.name, "WorkerHello", "the first message")
    check_equal((heard.message.version, heard.message.request, len(heard.frames)), (1, 0, 1),
                "(protocol_version, request, frames)")


@case("hello.fields", "8")
def fields(scene):
    """Every field of the hello is in its range, and it holds nothing yet."""
    scene.open()
    scene.start()
    hello = scene.expect_hello().message
    check(hello["hello_number"] >= 1, "hello_number from 1", hello["hello_number"])
    check(hello["worker"] not in (None, NIL), "a worker id that is not nil", hello["worker"])
    check(is_name(hello["name"]), "a name of 1 to 128 bytes", repr(hello["name"]))
    check(is_name(hello["version"], least=0), "a version of at most 128 bytes",
          repr(hello["version"]))
    check(scene.queue in hello["queues"], f"the queue {scene.queue}", hello["queues"])
    check(all(QUEUE_NAME.match(name) for name in hello["queues"]), "queue names", hello["queues"])
    check(hello["slots"] >= 1, "slots from 1", hello["slots"])
    check(hello["credit"] >= 1, "credit for at least one task", hello["credit"])
    check(hello["protocol_version"] >= 1, "protocol_version from 1", hello["protocol_version"])
    check_equal(hello["holding"], [], "holding")


@case("hello.routing_id", "1")
def routing_id(scene):
    """ZMQ_ROUTING_ID is unset: the routing id is one that the ROUTER made up."""
    scene.open()
    scene.start()
    heard = scene.expect_hello()
    check(len(heard.peer) == 5 and heard.peer[0] == 0, "5 bytes of which the first is 0",
          heard.peer)


@case("hello.repeated", "7")
def repeated(scene):
    """Without a Welcome within 1 s the hello comes again, with a higher number."""
    scene.open()
    scene.start()
    hello = scene.expect_hello().message
    again = scene.expect_hello(above=hello["hello_number"]).message
    check_equal(again["worker"], hello["worker"], "the same worker id")


@case("hello.not_hammered", "7", level=SHOULD)
def not_hammered(scene):
    """Unanswered hellos come about once a second, not in a flood."""
    scene.open()
    scene.start()
    scene.expect_hello()
    scene.stay(2.5)
    check(len(scene.seen("WorkerHello")) <= 6, "at most 6 hellos in 2.5 s",
          len(scene.seen("WorkerHello")))


@case("hello.dispatch_before_welcome", "7")
def dispatch_before_welcome(scene):
    """A Dispatch before the Welcome is discarded: not run, not held."""
    scene.open()
    scene.start()
    hello = scene.expect_hello().message
    early = scene.dispatch("too early")
    again = scene.expect_hello(above=hello["hello_number"])
    scene.holds(again.message)
    scene.welcome(again)
    scene.still_works()
    scene.no_completion(early, 0.5, "whose dispatch came before the Welcome")


@case("hello.old_echo", "7")
def old_echo(scene):
    """A Welcome that echoes an older hello opens nothing."""
    scene.open()
    scene.start()
    first_hello = scene.expect_hello()
    second = scene.expect_hello(above=first_hello.message["hello_number"])
    scene.send("WorkerWelcome", scene.welcome_fields(first_hello.message))
    early = scene.dispatch("under an old echo")
    third = scene.expect_hello(above=second.message["hello_number"])
    scene.holds(third.message)
    scene.welcome(third)
    scene.still_works()
    scene.no_completion(early, 0.5, "dispatched under a Welcome for an older hello")


@case("hello.busy", "8")
def busy(scene):
    """Refused{busy}: the next hello waits for retry_after_ns."""
    scene.open()
    scene.start()
    hello = scene.expect_hello().message
    wait_seconds = 2.5
    refused_at = time.monotonic()
    scene.send("Refused", {"code": "busy", "message": "too many workers",
                           "retry_after_ns": int(wait_seconds * 1e9)})
    again = scene.expect_hello(above=hello["hello_number"])
    waited = again.time - refused_at
    check(waited >= wait_seconds, f"a hello after at least {wait_seconds} s",
          f"one after {waited:.2f} s")
    scene.welcome(again)
    scene.still_works()


@case("hello.shutting_down", "8")
def shutting_down(scene):
    """Refused{shutting_down}: it tries again later."""
    scene.open()
    scene.start()
    hello = scene.expect_hello().message
    scene.send("Refused", {"code": "shutting_down", "message": "the broker stops",
                           "retry_after_ns": 200_000_000})
    scene.welcome(scene.expect_hello(above=hello["hello_number"]))
    scene.still_works()


@case("hello.refused_for_good", "8", level=SHOULD)
def refused_for_good(scene):
    """A hello that is refused as invalid is not sent in a loop: it ends with an error, or waits."""
    scene.open()
    scene.start()
    scene.expect_hello()
    scene.send("Refused", {"code": "invalid", "message": "queues has no name"})

    def refuse():
        if scene.take("WorkerHello"):
            scene.send("Refused", {"code": "invalid", "message": "queues has no name"})

    scene.stay(2, refuse)
    check(len(scene.seen("WorkerHello")) <= 8, "at most 8 hellos in 2 s",
          len(scene.seen("WorkerHello")))
    check(scene.candidate.exit_code != 0, "an exit code that tells of a failure", "0")


@case("hello.other_version", "2")
def other_version(scene):
    """What comes in another protocol version is not acted on."""
    scene.open()
    scene.start()
    hello = scene.expect_hello()
    scene.send("WorkerWelcome", scene.welcome_fields(hello.message), version=2)
    early = scene.dispatch("in a session of version 2")
    again = scene.expect_hello(above=hello.message["hello_number"])
    scene.welcome(again)
    scene.no_completion(early, 0.5, "dispatched after a Welcome of version 2")
    lease = scene.lease()
    spec = scene.spec(lease, "version 2")
    scene.send("Dispatch", scene.dispatch_fields([lease], [spec]), [spec], version=2)
    scene.survives()
    scene.no_completion(lease, 0.5, "whose Dispatch was of version 2")


@case("hello.defaults", "8")
def defaults(scene):
    """A Welcome without limits means the defaults; ports that are 0 are not served."""
    scene.begin(limits=None)
    scene.still_works()


LATER = later(wire.WIRE)
MORE = {LATER_TEXT: "north", LATER_NUMBER: 7}


@case("evolution.unknown_fields", "14")
def unknown_fields(scene):
    """Fields that a later version added are ignored."""
    scene.open()
    scene.start()
    scene.welcome(scene.expect_hello(), LATER, limits={"error_bytes_max": 5000, **MORE}, **MORE)
    lease = scene.lease()
    spec = wire.write_spec(lease.task, scene.queue, b"from the future", LATER, **MORE,
                           headers=[{"key": "k", "value": "v", **MORE}])
    scene.send("Dispatch", {**scene.dispatch_fields([lease], [spec]), **MORE}, [spec], wire=LATER)
    report = scene.completion(lease, "succeeded")
    check_equal(report.item["part"], b"from the future", "the result")
    scene.still_works()


@case("evolution.unknown_message", "14")
def unknown_message(scene):
    """A message that a later version added is ignored, and the session goes on."""
    scene.begin()
    scene.still_works()
    number = scene.hello["hello_number"]
    scene.send(LATER_MESSAGE, {"share": 3}, wire=LATER)
    scene.still_works()
    again = [heard.message for heard in scene.seen("WorkerHello")
             if heard.message["hello_number"] > number]
    check(not again, "no new hello", again)


@case("evolution.other_side", "14")
def other_side(scene):
    """Messages of the other direction and of clients are ignored."""
    scene.begin()
    scene.send("Ping")
    scene.send("Submitted", {"statuses": ["accepted"]}, request=5)
    scene.send("Complete", {"credit": 5})
    scene.survives()


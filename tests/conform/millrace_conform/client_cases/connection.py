"""Connections that are silent, lost or moved."""

from ..case import SHOULD, check, check_equal
from ..client_scene import SECOND_NS
from .suite import case


@case("connection.ping", "5", level=SHOULD)
def ping(scene):
    """While it waits and hears nothing, a client pings."""
    heard = scene.begin_submit(1)
    scene.accept(heard)
    scene.pulsing = False
    scene.expect("Ping")


@case("connection.silence", "5")
def silence(scene):
    """A client that hears nothing at all asks again on a fresh socket, after a hello."""
    heard = scene.begin_submit(2)
    scene.answers_hello = scene.answers_ping = scene.answers_watch = scene.pulsing = False
    old_peer = heard.peer
    hello = scene.wait(lambda: scene.take_of_other("ClientHello", old_peer),
                       "a ClientHello on a fresh socket")
    scene.answers_hello = scene.answers_ping = scene.answers_watch = scene.pulsing = True
    scene.reply(hello, "ClientWelcome", scene.welcome_fields())
    again = scene.wait(lambda: scene.take_of_other("Submit", old_peer),
                       "the Submit on a fresh socket")
    check_equal(sorted(scene.ids(again)), sorted(scene.ids(heard)), "the ids, again")
    scene.succeeds(scene.accept_and_finish(again))


@case("connection.one_client", "6")
def one_client(scene):
    """The client id is drawn once a process: fresh sockets say the same."""
    scene.begin_submit(1)
    scene.vanish()
    scene.epoch += 1
    scene.pump(0.2)
    scene.open()
    scene.expect_submit()
    clients = {heard.message["client"] for heard in scene.seen("ClientHello")}
    check(len(scene.seen("ClientHello")) >= 2, "two hellos", len(scene.seen("ClientHello")))
    check_equal(len(clients), 1, "the number of client ids")


@case("connection.restart_while_waiting", "5")
def restart_while_waiting(scene):
    """A broker that is away for a while, while tasks are waited for, loses nobody."""
    heard = scene.begin_submit(3)
    ids = scene.ids(heard)
    scene.accept(heard)
    scene.pump(0.2)
    scene.vanish()
    scene.finish(*ids, tell=False)
    scene.epoch += 1
    scene.stay(4)
    scene.open()
    scene.succeeds(ids)


@case("connection.goodbye", "6")
def goodbye(scene):
    """BrokerGoodbye: the client comes back, and asks again."""
    heard = scene.begin_submit(1)
    scene.send("BrokerGoodbye", {"message": "the broker stops"})
    again = scene.expect_submit()
    check(len(scene.seen("ClientHello")) >= 2, "a hello before it asks again", "none")
    check_equal(scene.ids(again), scene.ids(heard), "the ids, again")
    scene.succeeds(scene.accept_and_finish(again))


@case("connection.unknown_session", "12")
def unknown_session(scene):
    """Refused{unknown_session}: hello, then the request again."""
    heard = scene.begin_submit(1)
    hellos = len(scene.seen("ClientHello"))
    scene.reply(heard, "Refused", {"code": "unknown_session", "message": "say hello"})
    again = scene.expect_submit()
    check(len(scene.seen("ClientHello")) > hellos, "a hello before it asks again", "none")
    check_equal(scene.ids(again), scene.ids(heard), "the ids, again")
    scene.succeeds(scene.accept_and_finish(again))


@case("connection.no_http", "6")
def no_ports(scene):
    """Ports that are 0 are not served: a client works without pulses."""
    scene.welcome_changes = {"endpoints": {"client_port": scene.ports["peer"].number}}
    scene.pulsing = False
    scene.succeeds(scene.accept_and_finish(scene.begin_submit(2)))


@case("connection.default_limits", "6")
def default_limits(scene):
    """A Welcome without limits means the defaults."""
    scene.welcome_changes = {"limits": None}
    scene.succeeds(scene.accept_and_finish(scene.begin_submit(2)))


@case("connection.clock_jump", "9")
def clock_jump(scene):
    """A broker's clock that jumps in its pulses changes nothing."""
    year_ns = 365 * 86_400 * SECOND_NS
    heard = scene.begin_submit(1)
    scene.accept(heard)
    hellos = len(scene.seen("ClientHello"))
    for time_ns in (year_ns * 80, 1, -1):
        scene.pulse_time_ns = lambda time_ns=time_ns: time_ns
        scene.pump(0.3)
    scene.finish(*scene.ids(heard))
    scene.succeeds(scene.ids(heard))
    check_equal(len(scene.seen("ClientHello")), hellos, "the number of hellos")

"""The session is lost and found; what runs goes on."""

from .. import wire
from ..case import SHOULD, check, check_equal
from ..worker_scene import SECOND_NS, SILENCE_NS
from .suite import case

# For cases about silence; what the kit itself may be late by must stay far below it.
SHORT_SILENCE_NS = 2 * SECOND_NS


@case("session.unknown", "7", needs=("sleep",))
def unknown(scene):
    """Refused{unknown_session}: hello again, holding what runs, which goes on under its fence."""
    scene.begin()
    (lease,) = scene.occupy(2000, slots=1)
    scene.send("Refused", {"code": "unknown_session", "message": "say hello"})
    before = scene.hello
    hello = scene.reopen()
    check_equal(hello["worker"], before["worker"], "the same worker id")
    check_equal(hello["name"], before["name"], "the same name")
    scene.holds(hello, lease)
    scene.completion(lease, "succeeded")


@case("session.new_epoch", "7", needs=("sleep",))
def new_epoch(scene):
    """A Pulse with another epoch: hello again; the lease is completed under its old fence."""
    scene.begin()
    (lease,) = scene.occupy(2000, slots=1)
    scene.epoch += 1
    hello = scene.reopen()
    scene.holds(hello, lease)
    scene.completion(lease, "succeeded")
    scene.still_works()


@case("session.restart", "7", needs=("sleep",))
def restart(scene):
    """The broker is killed and comes back on its ports with a new epoch: nothing is lost."""
    scene.begin()
    (lease,) = scene.occupy(3000, slots=1)
    scene.vanish()
    scene.epoch += 1
    scene.pump(0.5)
    scene.open()
    hello = scene.reopen()
    scene.holds(hello, lease)
    scene.completion(lease, "succeeded")
    scene.still_works()


@case("session.away", "7", needs=("sleep",))
def away(scene):
    """A task that ends while the broker is away is reported when it is back."""
    scene.begin()
    (lease,) = scene.occupy(1000, slots=1)
    scene.vanish()
    scene.epoch += 1
    scene.stay(4)
    scene.open()
    hello = scene.reopen()
    scene.holds(hello, lease)
    scene.completion(lease, "succeeded")


@case("session.absent_at_start", "7")
def absent_at_start(scene):
    """A worker that is started before its broker waits for it."""
    scene.start()
    scene.stay(2, lambda: scene.candidate.exit_code is not None, "end of the program")
    scene.open()
    scene.welcome(scene.expect_hello())
    scene.still_works()


@case("session.silence", "7", needs=("sleep",))
def silence(scene):
    """No pulse and no message for silence_max_ns: a fresh socket and a hello; what runs goes on."""
    scene.begin(silence_max_ns=SHORT_SILENCE_NS)
    (lease,) = scene.occupy(600_000, slots=1)
    old_peer = scene.peer
    scene.pulsing = False
    heard = scene.expect_hello(above=scene.hello["hello_number"])
    scene.pulsing = True
    check(heard.peer != old_peer, "a fresh socket, which has a new routing id",
          "the same routing id")
    scene.holds(heard.message, lease)
    scene.welcome(heard)
    scene.stop(lease, "cancelled")
    scene.completion(lease, "cancelled")


@case("session.fresh_socket_again", "7")
def fresh_socket_again(scene):
    """While the broker stays silent, fresh sockets go on being tried."""
    scene.begin(silence_max_ns=SHORT_SILENCE_NS)
    scene.pulsing = False
    peers = set()

    def third_peer():
        peers.update(heard.peer for heard in scene.heard)
        return len(peers) >= 3

    scene.wait(third_peer, "hellos from three sockets", within=scene.patience * 1.5)


@case("session.patience", "7", level=SHOULD)
def patience(scene):
    """A broker that is silent for less than silence_max_ns is not left."""
    scene.begin(silence_max_ns=10 * SECOND_NS)
    scene.pulsing = False
    scene.stay(3, lambda: scene.take("WorkerHello"), "hello before silence_max_ns has passed")


@case("session.pulses_are_life", "9")
def pulses_are_life(scene):
    """Pulses alone keep a session."""
    scene.begin(silence_max_ns=SHORT_SILENCE_NS)
    scene.still_works()
    scene.stay(5, lambda: scene.take("WorkerHello"), "hello while the broker pulses")


@case("session.messages_are_life", "9")
def messages_are_life(scene):
    """Without pulses, messages keep a session."""
    scene.begin(silence_max_ns=SHORT_SILENCE_NS)
    scene.pulsing = False
    for _ in range(10):
        scene.stay(0.5, lambda: scene.take("WorkerHello"), "hello while messages come")
        scene.answer([scene.lease()])
    scene.still_works()


@case("session.stale_in_welcome", "7", needs=("sleep",))
def stale_in_welcome(scene):
    """Leases in the Welcome's `stale` are dropped: stopped, neither reported nor held."""
    scene.begin()
    kept, lost = scene.occupy(600_000, slots=2)
    scene.send("Refused", {"code": "unknown_session", "message": "say hello"})
    scene.reopen(stale=[lost._asdict()])
    scene.still_works()  # in the slot that is free again
    scene.no_completion(lost, 1, "which the Welcome called stale")
    scene.send("Refused", {"code": "unknown_session", "message": "say hello"})
    scene.holds(scene.reopen(), kept)


@case("session.stale_completion_in_welcome", "7")
def stale_completion_in_welcome(scene):
    """A completion whose lease is in `stale` is not sent again."""
    scene.acknowledge = False
    scene.begin()
    lease = scene.dispatch("too late")
    scene.completion(lease, "succeeded")
    scene.send("Refused", {"code": "unknown_session", "message": "say hello"})
    scene.reopen(stale=[lease._asdict()])
    scene.forget_reports()
    scene.no_completion(lease, 3, "which the Welcome called stale")


@case("session.goodbye", "8", needs=("sleep",))
def goodbye(scene):
    """BrokerGoodbye: what runs goes on, and the worker comes back."""
    scene.begin()
    (lease,) = scene.occupy(2000, slots=1)
    scene.send("BrokerGoodbye", {"message": "the broker stops"})
    hello = scene.reopen()
    scene.holds(hello, lease)
    scene.completion(lease, "succeeded")


@case("session.numbers", "7")
def numbers(scene):
    """Hello numbers grow, over sessions and sockets, and the worker id stays."""
    scene.begin(silence_max_ns=SHORT_SILENCE_NS)
    scene.send("Refused", {"code": "unknown_session", "message": "say hello"})
    scene.reopen()
    scene.epoch += 1
    scene.reopen(silence_max_ns=SHORT_SILENCE_NS)
    scene.pulsing = False
    scene.expect_hello(above=scene.hello["hello_number"])
    hellos = [heard.message for heard in scene.seen("WorkerHello")]
    said = [hello["hello_number"] for hello in hellos]
    check_equal(said, sorted(set(said)), "growing hello numbers")
    check_equal(len({hello["worker"] for hello in hellos}), 1, "the number of worker ids")


@case("session.newest_limits", "7", needs=("result",))
def newest_limits(scene):
    """Limits are those of the newest Welcome."""
    scene.begin()
    scene.completion(scene.dispatch("result 5000"), "succeeded")
    scene.send("Refused", {"code": "unknown_session", "message": "say hello"})
    scene.reopen(limits={"result_bytes_max": 4000})
    scene.completion(scene.dispatch("result 5000"), "failed_for_good")


@case("session.moved_channels", "7")
def moved_channels(scene):
    """Beats and pulses follow the ports of the newest Welcome."""
    scene.begin()
    scene.still_works()
    scene.vanish()
    scene.move("beat")
    scene.move("pulse")
    scene.epoch += 1
    scene.open()
    scene.reopen(silence_max_ns=SHORT_SILENCE_NS)
    beats = len(scene.beats)
    scene.wait(lambda: len(scene.beats) > beats + 2, "beats on the new port")
    scene.stay(3, lambda: scene.take("WorkerHello"), "hello while pulses come on the new port")


@case("session.clock_jump", "9")
def clock_jump(scene):
    """A broker's clock that jumps in its pulses, either way, changes nothing."""
    scene.begin()
    scene.still_works()
    year_ns = 365 * 86_400 * SECOND_NS
    for time_ns in (year_ns * 80, 1, 0, year_ns * 10, -1):
        scene.pulse_time_ns = lambda time_ns=time_ns: time_ns
        scene.stay(0.4, lambda: scene.take("WorkerHello"), "hello because of a clock")
    scene.still_works()


@case("session.stopping_pulse", "9")
def stopping_pulse(scene):
    """A pulse that says `stopping` is no reason to stop anything."""
    scene.begin()
    for number in range(3):
        scene.publish([wire.write_pulse(scene.epoch, 1000 + number, 1, stopping=True)])
        scene.pump(0.1)
    scene.survives()


@case("session.default_silence", "9", level=SHOULD)
def default_silence(scene):
    """The silence that ends a session is that of the Welcome, not one of the worker's own."""
    scene.begin(silence_max_ns=30 * SECOND_NS)
    scene.pulsing = False
    scene.stay(SILENCE_NS / SECOND_NS + 2, lambda: scene.take("WorkerHello"),
               "hello before silence_max_ns has passed")

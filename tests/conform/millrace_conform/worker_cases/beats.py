"""Heartbeats."""

from ..case import SHOULD, Failure, check, check_equal
from ..worker_scene import SECOND_NS, SLOTS
from .suite import case

BEAT_BYTES_MAX = 256


def wait_for_beats(scene, count):
    """Waits for so many beats from now on; their fields. One that cannot be read is a failure."""
    start = len(scene.beats)
    scene.wait(lambda: len(scene.beats) >= start + count, f"{count} beats")
    beats = scene.beats[start:]
    for _, fields, frames in beats:
        if fields is None:
            raise Failure("beats that verify, of one frame", f"{len(frames)} frames of "
                          f"{[len(frame) for frame in frames]} bytes")
    return [fields for _, fields, _ in beats]


def newest(scene):
    """The fields of the newest beat. A beat that cannot be read is a failure."""
    scene.wait(lambda: scene.beats, "a beat")
    _, beat, frames = scene.beats[-1]
    check(beat is not None, "beats that verify, of one frame", f"{len(frames)} frames")
    return beat


@case("beat.fields", "9")
def fields(scene):
    """Beats verify, are small, name worker and session, and their numbers grow."""
    scene.begin()
    beats = wait_for_beats(scene, 6)
    for beat in beats:
        check_equal(beat["protocol_version"], 1, "protocol_version")
        check_equal(beat["worker"], scene.hello["worker"], "the worker of the hello")
        check_equal(beat["session"], scene.session, "the session of the Welcome")
    said = [beat["number"] for beat in beats]
    check_equal(said, sorted(set(said)), "growing numbers")
    longest = max(len(frame) for _, _, frames in scene.beats for frame in frames)
    check(longest <= BEAT_BYTES_MAX, f"at most {BEAT_BYTES_MAX} bytes", longest)


@case("beat.none_before_welcome", "9")
def none_before_welcome(scene):
    """There is no session, so no beat, before the Welcome."""
    scene.open()
    scene.start()
    heard = scene.expect_hello()
    scene.stay(0.8, lambda: scene.beats, "beat before the Welcome")
    scene.welcome(scene.take("WorkerHello") or heard)


@case("beat.cadence", "9", level=SHOULD)
def cadence(scene):
    """Beats come about each beat_interval_ns: no flood, and no pace of the worker's own."""
    scene.begin(beat_interval_ns=SECOND_NS // 5)
    wait_for_beats(scene, 2)
    start = len(scene.beats)
    scene.stay(3)
    came = len(scene.beats) - start
    check(7 <= came <= 25, "about 15 beats in 3 s", came)


@case("beat.while_busy", "9", needs=("sleep",))
def while_busy(scene):
    """Handlers that take long do not silence the beats."""
    scene.begin()
    scene.occupy()
    wait_for_beats(scene, 15)


@case("beat.while_busy_computing", "9", needs=("stuck",))
def while_stuck(scene):
    """Handlers that listen to nobody do not silence the beats."""
    scene.begin()
    for _ in range(SLOTS):
        scene.dispatch("stuck 600000")
    scene.pump(0.5)
    wait_for_beats(scene, 15)


@case("beat.new_session", "9")
def new_session(scene):
    """After a new Welcome the beats carry its session."""
    scene.begin()
    wait_for_beats(scene, 2)
    scene.send("Refused", {"code": "unknown_session", "message": "say hello"})
    scene.reopen()
    scene.wait(lambda: newest(scene)["session"] == scene.session, "a beat of the new session")
    for beat in wait_for_beats(scene, 3):
        check_equal(beat["session"], scene.session, "the session of the newest Welcome")


@case("beat.new_cadence", "7")
def new_cadence(scene):
    """After a new Welcome the beats come at its cadence."""
    scene.begin(beat_interval_ns=3600 * SECOND_NS, silence_max_ns=7200 * SECOND_NS)
    scene.still_works()
    scene.send("Refused", {"code": "unknown_session", "message": "say hello"})
    scene.reopen()
    wait_for_beats(scene, 10)


@case("beat.numbers_over_sessions", "9")
def numbers_over_sessions(scene):
    """Beat numbers go on growing over sessions."""
    scene.begin()
    before = wait_for_beats(scene, 3)
    scene.send("Refused", {"code": "unknown_session", "message": "say hello"})
    scene.reopen()
    scene.wait(lambda: newest(scene)["session"] == scene.session, "a beat of the new session")
    after = newest(scene)["number"]
    check(after > before[-1]["number"], f"a number above {before[-1]['number']}", after)


@case("beat.counts", "9", needs=("sleep",))
def counts(scene):
    """A beat says how many tasks run."""
    scene.begin()
    scene.wait(lambda: newest(scene)["running"] == 0, "a beat that says 0 running")
    leases = scene.occupy()
    check_equal(newest(scene)["running"], SLOTS, "a beat whose running is")
    for lease in leases:
        scene.stop(lease, "cancelled")
    scene.wait(lambda: newest(scene)["running"] == 0, "a beat that says 0 running, again")

"""Input that breaks the rules: dropped, without harm."""

import random
import struct

from .. import flatbuffer, wire
from ..case import SHOULD
from ..worker_scene import SECOND_NS
from .suite import case

SEED = 20_260_101
TASK_BYTES = wire.WIRE.layout("DispatchedTask")[0]


def ordinary(scene):
    """A lease and the frames of a valid Dispatch for it."""
    lease = scene.lease()
    spec = scene.spec(lease, "must not run")
    return lease, wire.write("Dispatch", scene.dispatch_fields([lease], [spec]), [spec])


def send_broken(scene, *messages):
    for frames in messages:
        scene.send_frames(list(frames))
    scene.survives()


@case("hostile.garbage", "2")
def garbage(scene):
    """Frames that are no FlatBuffers at all are dropped."""
    scene.begin()
    chance = random.Random(SEED)
    send_broken(scene, [b""], [b"x"], [b"MRC1"], [bytes(8)], [bytes(100)], [b"\xff" * 100],
                *[[chance.randbytes(size)] for size in (3, 50, 300, 5000)])


@case("hostile.frame_count", "2")
def frame_count(scene):
    """Messages of more than two frames are dropped, valid as the first two may be."""
    scene.begin()
    lease, frames = ordinary(scene)
    send_broken(scene, [*frames, b""], [b"", *frames], [b"p"] * 50)
    scene.no_completion(lease, 0.7, "whose Dispatch had three frames")


@case("hostile.identifier", "2")
def identifier(scene):
    """A buffer with another identifier, or with none, is no Envelope."""
    scene.begin()
    lease, frames = ordinary(scene)
    for identifier_ in (b"MRC2", b"MRT1", bytes(4)):
        frames[0] = frames[0][:4] + identifier_ + frames[0][8:]
        send_broken(scene, frames)
    scene.no_completion(lease, 0.5, "whose Dispatch had another identifier")


@case("hostile.size_prefix", "2")
def size_prefix(scene):
    """A buffer with a size prefix is refused."""
    scene.begin()
    lease, frames = ordinary(scene)
    send_broken(scene, [struct.pack("<I", len(frames[0])) + frames[0], *frames[1:]])
    scene.no_completion(lease, 0.5, "whose Dispatch had a size prefix")


@case("hostile.truncated", "2")
def truncated(scene):
    """A frame that was cut within what it has to say is dropped; nothing of it is run."""
    scene.begin()
    lease, frames = ordinary(scene)
    for size in range(0, len(frames[0]) - TASK_BYTES, 7):
        scene.send_frames([frames[0][:size], *frames[1:]])
    scene.survives()
    scene.no_completion(lease, 0.5, "whose Dispatch was cut")


@case("hostile.mutated", "2")
def mutated(scene):
    """Hundreds of broken variants of a valid Dispatch do no harm."""
    scene.begin()
    _, frames = ordinary(scene)
    chance = random.Random(SEED)
    sent = 0
    while sent < 300:
        broken = bytearray(frames[0])
        for _ in range(chance.randrange(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            wire.read([bytes(broken), *frames[1:]])
        except (flatbuffer.Unreadable, UnicodeError):
            scene.send_frames([bytes(broken), *frames[1:]])
            sent += 1
    scene.survives()


@case("hostile.no_body", "2")
def no_body(scene):
    """An Envelope without a body, or with a type and no body, is dropped."""
    scene.begin()
    envelopes = ({"protocol_version": 1}, {"protocol_version": 1, "request": 7})
    send_broken(scene, *[[flatbuffer.write(wire.WIRE, "Envelope", fields, "MRC1")]
                         for fields in envelopes])
    send_broken(scene, wire.write(wire.WIRE["Body"].members.index("Dispatch") + 1, {}))


@case("hostile.bundle_short", "2")
def bundle_short(scene):
    """A bundle that ends before its lengths do is refused; nothing of the message is run."""
    scene.begin()
    lease, frames = ordinary(scene)
    send_broken(scene, [frames[0], frames[1][:-8]], [frames[0]], [frames[0], b""])
    scene.no_completion(lease, 0.5, "whose bundle was short")


@case("hostile.bundle_long", "2")
def bundle_long(scene):
    """A bundle that goes on after its lengths end is refused; nothing of the message is run."""
    scene.begin()
    lease, frames = ordinary(scene)
    send_broken(scene, [frames[0], frames[1] + bytes(8)])
    scene.no_completion(lease, 0.5, "whose bundle was long")


@case("hostile.queue_index", "8", level=SHOULD)
def queue_index(scene):
    """A queue_index beyond queues is refused."""
    scene.begin()
    lease = scene.lease()
    spec = scene.spec(lease, "no queue")
    fields = scene.dispatch_fields([lease], [spec])
    fields["tasks"][0]["queue_index"] = 4_000_000_000
    send_broken(scene, wire.write("Dispatch", fields, [spec]))
    scene.no_completion(lease, 0.5, "whose queue_index leads nowhere")


@case("hostile.lengths", "2")
def lengths(scene):
    """Lengths of 4 GiB are refused without that memory."""
    scene.begin()
    lease = scene.lease()
    spec = scene.spec(lease, "long")
    fields = scene.dispatch_fields([lease], [spec])
    fields["tasks"][0]["spec_bytes"] = 2 ** 32 - 1
    send_broken(scene, wire.write("Dispatch", fields, [spec]))
    scene.no_completion(lease, 0.5, "whose spec_bytes is a lie")


@case("hostile.completed", "8")
def completed(scene):
    """A Completed whose `stale` leads beyond its items does no harm."""
    scene.begin()
    scene.answer([scene.lease()], stale=[1, 4_000_000_000])
    scene.survives()


@case("hostile.unknown_words", "8")
def unknown_words(scene):
    """Numbers of enums that nobody knows do no harm."""
    scene.begin()
    scene.stop(scene.lease(), 200)
    scene.stop(scene.lease(), 0)
    scene.survives()


@case("hostile.running_goes_on", "2", needs=("sleep",))
def running_goes_on(scene):
    """Broken input does not disturb what runs."""
    scene.begin()
    (lease,) = scene.occupy(1500, slots=1)
    scene.send_frames([b"broken"])
    scene.send_frames([b"broken"] * 3)
    scene.survives()
    scene.completion(lease, "succeeded")


@case("hostile.pulses", "9")
def pulses(scene):
    """Pulses that do not verify, of two frames, too long or of another version are dropped."""
    scene.begin()
    good = wire.write_pulse(scene.epoch + 1, 1, 1)
    later = flatbuffer.write(wire.WIRE, "Pulse", {"protocol_version": 2, "epoch": 99}, "MRP1")
    beat = flatbuffer.write(wire.WIRE, "Beat", {"protocol_version": 1, "session": 99}, "MRB1")
    for _ in range(3):
        for frames in ([b""], [b"x" * 50], [good[:20]], [good, b""], [good + bytes(300)], [later],
                       [beat]):
            scene.publish(frames)
        scene.stay(0.2, lambda: scene.take("WorkerHello"), "hello because of a broken pulse")
    scene.still_works()


@case("hostile.broken_pulses_only", "9")
def broken_pulses_only(scene):
    """Broken pulses are no sign of life."""
    scene.begin(silence_max_ns=2 * SECOND_NS)
    scene.pulsing = False

    def shout():
        scene.publish([b"this is no pulse, and long enough to be one"])
        return scene.take("WorkerHello", scene.is_newer)

    scene.wait(shout, "a hello, because nobody pulses")


@case("hostile.flood", "8")
def flood(scene):
    """A flood of messages of no consequence does not stop the work."""
    scene.begin()
    answer = wire.write("Completed", {"items": [scene.lease()._asdict() for _ in range(10)]})
    for _ in range(500):
        scene.send_frames(answer)
    scene.still_works()

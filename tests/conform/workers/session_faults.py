"""What a worker can do wrong about its session, its heartbeats and its end."""

import os
import random
import time

import zmq
from base_parts import wire
from base_worker import DEFAULTS, Worker
from faults import fault

# ---- the session ---------------------------------------------------------------------------------

@fault
class FixedRoutingId(Worker):
    """Uses its name as a routing id, so that a fresh socket is taken for the old one."""

    def socket(self, type_, port):
        opened = self.context.socket(type_)
        if type_ == zmq.DEALER:
            opened.routing_id = b"base"
        opened.linger, opened.immediate = 1000, True
        if type_ == zmq.SUB:
            opened.subscribe(b"")
        opened.connect(f"tcp://{self.host}:{port}")
        return opened


@fault
class SameHelloNumber(Worker):
    """Says every hello with the number 1."""

    def say_hello(self):
        self.hello_number = 0
        super().say_hello()


@fault
class NewWorkerId(Worker):
    """Draws a new id for each hello."""

    def say_hello(self):
        self.worker = f"{random.getrandbits(128) | 1:032x}"
        super().say_hello()


@fault
class HoldsNothing(Worker):
    """Does not say what it runs."""

    def holding(self):
        return list(self.reports)


@fault
class HoldsNoReports(Worker):
    """Does not say what it finished and got no answer for."""

    def holding(self):
        return [lease for lease in super().holding() if lease not in self.reports]


@fault
class RunsBeforeWelcome(Worker):
    """Takes tasks that were sent before the broker knew what it holds."""

    def on_dispatch(self, dispatch):
        was_open, self.open = self.open, True
        super().on_dispatch(dispatch)
        self.open = was_open


@fault
class AnyEcho(Worker):
    """Takes a Welcome for whichever hello."""

    def on_welcome(self, message):
        message.fields["hello_number"] = self.hello_number
        super().on_welcome(message)


@fault
class Impatient(Worker):
    """Does not wait as long as a busy broker asks for."""

    def on_refused(self, message):
        message.fields["retry_after_ns"] = 0
        super().on_refused(message)


@fault
class IgnoresEpoch(Worker):
    """Does not notice that the broker restarted."""

    def hear_pulse(self, frames):
        epoch = self.epoch
        self.epoch = pulse_epoch(frames, epoch)
        super().hear_pulse(frames)
        self.epoch = epoch


def pulse_epoch(frames, otherwise):
    try:
        return wire.flatbuffer.read(wire.WIRE, "Pulse", frames[0], "MRP1")["epoch"]
    except wire.flatbuffer.Unreadable:
        return otherwise


@fault
class IgnoresSilence(Worker):
    """Waits for ever for a broker that is gone."""

    def keep_session(self):
        self.heard = self.now
        super().keep_session()


@fault
class OldSocket(Worker):
    """Says hello after a silence, but on the socket that may be deaf."""

    def connect(self):
        if self.dealer is None:
            super().connect()


@fault
class DropsRunning(Worker):
    """Gives up what runs when the session is lost."""

    def lose_session(self, wait=0.0):
        self.running.clear()
        super().lose_session(wait)


@fault
class IgnoresStale(Worker):
    """Goes on with what the Welcome calls stale."""

    def on_welcome(self, message):
        message.fields["stale"] = []
        super().on_welcome(message)


@fault
class FirstLimits(Worker):
    """Keeps the limits that it was built with."""

    def take_limits(self, limits):
        self.limits = dict(DEFAULTS)


@fault
class FirstChannels(Worker):
    """Stays with the beat and pulse ports of the first Welcome."""

    def connect_channels(self, endpoints):
        if not self.channels:
            super().connect_channels(endpoints)


# ---- heartbeats ----------------------------------------------------------------------------------

@fault
class BusyMeansMute(Worker):
    """Runs handlers in the loop of the session, which says nothing meanwhile."""

    def start(self, attempt):
        super().start(attempt)
        if attempt.ends > self.now:
            time.sleep(attempt.ends - self.now)


@fault
class OldNonce(Worker):
    """Beats with the nonce of its first session."""

    def beat_fields(self):
        self.first = getattr(self, "first", self.session)
        return {**super().beat_fields(), "session": self.first}


@fault
class SameBeatNumber(Worker):
    """Does not count its beats."""

    def beat_fields(self):
        return {**super().beat_fields(), "number": 1}


@fault
class BeatOfTwoFrames(Worker):
    """Puts a topic before its beats."""

    def beat(self):
        publisher = self.publisher
        if publisher is not None:
            self.publisher = Topic(publisher)
        super().beat()
        self.publisher = publisher


class Topic:
    """A publisher that puts a frame before each."""

    def __init__(self, publisher):
        self.publisher = publisher

    def send(self, frame):
        self.publisher.send_multipart([b"beat", frame])


# ---- the end -------------------------------------------------------------------------------------

@fault
class JustDies(Worker):
    """Ends at SIGTERM as it stands."""

    def on_signal(self, *_):
        os._exit(143)


@fault
class LeavesEarly(Worker):
    """Says goodbye before its completions are answered."""

    def end_drain(self):
        if self.draining and not self.busy():
            self.settle_by = 0.0
        super().end_drain()


@fault
class SilentGoodbye(Worker):
    """Ends without a goodbye."""

    def end_drain(self):
        was_open, self.open = self.open, False
        super().end_drain()
        self.open = was_open


@fault
class TakesMoreWhileDraining(Worker):
    """Runs what comes while it drains."""

    def on_dispatch(self, dispatch):
        draining, self.draining = self.draining, False
        super().on_dispatch(dispatch)
        self.draining = draining


@fault
class CreditWhileDraining(Worker):
    """Goes on wanting tasks while it drains."""

    def credit(self):
        draining, self.draining = self.draining, False
        credit = super().credit()
        self.draining = draining
        return credit


@fault
class DeafToDrain(Worker):
    """Does not know the message Drain."""

    def hear_message(self, frames):
        try:
            if self.read(frames).name == "Drain":
                return
        except wire.flatbuffer.Unreadable:
            pass
        super().hear_message(frames)

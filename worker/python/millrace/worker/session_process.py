"""The process that speaks with the broker: session and sockets, no handler.

A handler may hold the interpreter's lock of its own process for as long as it likes; this one goes
on beating. It outlives the process of the handlers, by as long as it takes to report that it died.

usage: python3 -m millrace.worker.session_process DESCRIPTOR
"""

from __future__ import annotations

import random
import select
import signal
import socket
import sys
import time
from typing import Any, Callable, Dict, List, Sequence

import zmq
from millrace.address import HostPort
from millrace.key import load_key
from millrace.sockets import BrokerSockets
from millrace.units import NEVER, SECOND, text_of
from millrace.version import VERSION
from millrace.wire import shared_codec, worker_codec
from millrace.wire.bundle import BrokenMessage
from millrace.wire.messages import Completion, Extension, WorkerHello
from millrace.words import ErrorCode, Outcome, StopCause, StopReason
from millrace.worker.channel import Channel
from millrace.worker.session import Session
from millrace.worker.session_types import Actions, SessionSettings, Welcomed

MESSAGES_PER_TURN = 256
WAIT_MOST_NS = 60 * SECOND
# After the order to end at once, so that a task that is handed back does not run here any more.
LAST_MOMENTS_NS = SECOND

INFO, WARNING = 20, 30  # as in logging

REASONS: Dict[StopCause, StopReason] = {
    StopCause.cancelled: StopReason.cancelled,
    StopCause.stale_lease: StopReason.lease_lost,
    StopCause.timed_out: StopReason.timed_out,
}


class Runner:
    """The loop between the session, the sockets and the process of the handlers."""

    def __init__(self, channel: Channel, settings: Dict[str, Any]) -> None:
        randomness = random.SystemRandom()
        self._channel = channel
        self._broker = HostPort(settings["host"], settings["port"])
        self._sockets = BrokerSockets(self._broker, load_key(settings["key"]))
        self._session = Session(
            SessionSettings(randomness.getrandbits(128) | 1, settings["name"], settings["queues"],
                            settings["slots"], settings["prefetch_max"], VERSION,
                            run_ahead_ns=settings["run_ahead_ns"]), randomness)
        self._drain_timeout_ns: int = settings["drain_timeout_ns"]
        self._connect_timeout_ns: int = settings["connect_timeout_ns"]
        self._stop_requests = 0
        self._drain_by_ns = NEVER
        self._connect_by_ns = NEVER
        self._handlers_alive = True
        self._connected_before = False
        self._takers: Dict[str, Callable[..., None]] = {
            "done": self._take_done, "extend": self._take_extend, "stop": self._take_stop}

    def run(self, early: Sequence[Any]) -> None:
        """Until drained, stopped or refused. `early`: what the handlers' process has said
        already."""
        self._sockets.reconnect()
        self._sockets.watch(self._channel)
        now_ns = time.monotonic_ns()
        if self._connect_timeout_ns > 0:
            self._connect_by_ns = now_ns + self._connect_timeout_ns
        actions = Actions()
        self._take(early, now_ns, actions)
        self._session.tick(now_ns, actions)
        while self._perform(actions):
            if now_ns >= self._connect_by_ns:
                self._fail(ErrorCode.unavailable,
                           f"no broker answered at {self._broker} within "
                           f"{text_of(self._connect_timeout_ns)}; is it running, and is that its "
                           "worker port?")
                break
            self._wait(now_ns)
            now_ns = time.monotonic_ns()
            actions = Actions()
            self._collect(now_ns, actions)
            self._obey_stop_requests(now_ns, actions)
            self._session.tick(now_ns, actions)
        self._sockets.close()

    def _wait(self, now_ns: int) -> None:
        if self._handlers_alive:
            events = zmq.POLLIN | zmq.POLLOUT if self._channel.has_unsent else zmq.POLLIN
            self._sockets.watch(self._channel, events)
        wake_ns = min(self._session.next_deadline_ns(), self._drain_by_ns, self._connect_by_ns)
        wait_ns = max(0, min(wake_ns - now_ns, WAIT_MOST_NS))
        self._sockets.wait(-(-wait_ns // 1_000_000))
        self._channel.flush()

    # ---- what comes in ---------------------------------------------------------------------------

    def _collect(self, now_ns: int, actions: Actions) -> None:
        """Hears all there is to hear, within bounds, before anything is judged late."""
        for _ in range(MESSAGES_PER_TURN):
            frame = self._sockets.receive_pulse()
            if frame is None:
                break
            try:
                self._session.hear_pulse(shared_codec.decode_pulse(frame), now_ns, actions)
            except BrokenMessage as error:
                self._notice(WARNING, f"dropped a broken pulse: {error}")
        for _ in range(MESSAGES_PER_TURN):
            frames = self._sockets.receive()
            if frames is None:
                break
            try:
                self._session.receive(worker_codec.decode(frames), now_ns, actions)
            except BrokenMessage as error:
                self._notice(WARNING, f"dropped a broken message from the broker: {error}")
        if self._sockets.take_disconnected():
            self._session.connection_lost(now_ns, actions)
        self._hear_handlers(now_ns, actions)

    def _hear_handlers(self, now_ns: int, actions: Actions) -> None:
        if not self._handlers_alive:
            return
        self._take(self._channel.receive(), now_ns, actions)
        if self._channel.closed:
            self._handlers_alive = False
            self._sockets.forget(self._channel)
            self._session.handlers_died(now_ns, actions)

    def _take(self, values: Sequence[Any], now_ns: int, actions: Actions) -> None:
        for kind, *parts in values:
            take = self._takers.get(kind)
            if take is not None:
                take(now_ns, actions, *parts)

    def _take_done(self, now_ns: int, actions: Actions, completions: Any) -> None:
        for task, fence, outcome, elapsed_ns, result, error in completions:
            self._session.finish(
                Completion(task, fence, Outcome(outcome), elapsed_ns, result, error), now_ns,
                actions)

    def _take_extend(self, now_ns: int, _: Actions, task: int, fence: int, by_ns: int,
                     percent: int) -> None:
        self._session.extend(Extension(task, fence, by_ns, percent), now_ns)

    def _take_stop(self, _: int, __: Actions) -> None:
        self._stop_requests += 1

    def _obey_stop_requests(self, now_ns: int, actions: Actions) -> None:
        if self._stop_requests > 0 and self._drain_by_ns == NEVER:
            self._drain_by_ns = now_ns + self._drain_timeout_ns
            self._session.drain(now_ns, actions)
            self._notice(INFO, "stopping: taking nothing new; "
                               f"{self._session.running} running")
        if self._stop_requests > 1 or now_ns >= self._drain_by_ns:
            self._session.abandon(now_ns, actions)

    # ---- what goes out ---------------------------------------------------------------------------

    def _perform(self, actions: Actions) -> bool:
        """Does what the session wants, in the order that Actions gives. False at the end."""
        if actions.failure is not None:
            self._fail(actions.failure.code, actions.failure.message)
            return False
        if actions.lost:
            self._notice(WARNING, f"lost the broker: {actions.lost}; running tasks go on")
        if actions.reconnect:
            self._sockets.reconnect()
        if actions.welcomed is not None:
            self._follow(actions.welcomed)
        if actions.starts:
            self._channel.send(("start", [tuple(task) for task in actions.starts]))
        if actions.finished:
            # At the end everything stops, and for one reason: the end.
            self._end_handlers()
        elif actions.stops:
            self._channel.send(("stop", [(task, fence, int(REASONS[cause]))
                                         for task, fence, cause in actions.stops]))
        for message in actions.sends:
            self._sockets.send(worker_codec.encode(message), isinstance(message, WorkerHello))
        self._sockets.send_beats(shared_codec.encode_beat(beat) for beat in actions.beats)
        if actions.finished:
            self._say_farewell()
        return not actions.finished

    def _follow(self, welcomed: Welcomed) -> None:
        how = "reconnected" if self._connected_before else "connected"
        self._notice(INFO, f"{how} to broker {welcomed.broker_version}, epoch {welcomed.epoch}")
        self._connected_before = True
        self._connect_by_ns = NEVER
        self._sockets.beat_to(welcomed.endpoints.beat_port)
        self._sockets.listen(welcomed.endpoints.pulse_port)
        self._channel.send(("limits", welcomed.limits.result_bytes_max))

    def _end_handlers(self) -> None:
        """Everything that runs is told to end at once, and gets a moment to do so."""
        self._channel.send(("end",))
        end_by_ns = time.monotonic_ns() + LAST_MOMENTS_NS
        while not self._channel.closed:
            left_ns = end_by_ns - time.monotonic_ns()
            if left_ns <= 0:
                return
            unsent = [self._channel] if self._channel.has_unsent else []
            select.select([self._channel], unsent, [], left_ns / SECOND)
            self._channel.flush()
            if any(value[0] == "ended" for value in self._channel.receive()):
                return

    def _fail(self, code: ErrorCode, message: str) -> None:
        self._end_handlers()
        self._channel.send(("failed", int(code), message))

    def _say_farewell(self) -> None:
        totals = self._session.totals
        self._notice(INFO, f"ended: {totals.succeeded} succeeded, {totals.unsuccessful} failed, "
                           f"{totals.cancelled} cancelled, {totals.released} handed back, "
                           f"{totals.stale} too late")
        self._channel.send(("finished",))

    def _notice(self, level: int, text: str) -> None:
        self._channel.send(("notice", level, text))


def main() -> None:
    # Those who stop the handlers' process stop this one through it, in good order.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    values: List[Any] = []
    while not values and not channel.closed:
        select.select([channel], [], [])
        values = channel.receive()
    if values:
        Runner(channel, values[0]).run(values[1:])
        channel.flush_all()


if __name__ == "__main__":
    main()

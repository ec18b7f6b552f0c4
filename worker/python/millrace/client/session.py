"""The client's side of the protocol without I/O, clock or thread: messages and the time go in,
messages to send and events come out. The rules are those of client/cpp/session.h.

What was asked is kept until it is answered, and asked again after silence, after a new connection
and after a restart of the broker (a new epoch); ids make that safe.
"""

from __future__ import annotations

import random
from enum import Enum
from typing import Callable, Dict, Iterable, Type

from millrace.client.request_book import RequestBook
from millrace.client.session_types import (Actions, Connected, Disconnected, HelloRefused, Replied,
                                           RequestCounter, SessionSettings, Submission,
                                           full_jitter_ns)
from millrace.client.submit_book import SubmitBook
from millrace.client.watch_book import WatchBook
from millrace.limits import PeerLimits
from millrace.units import NEVER
from millrace.wire.messages import (Answer, BrokerGoodbye, Cancelled, Changed, ClientGoodbye,
                                    ClientHello, ClientReply, ClientWelcome, Finished, Ping, Pong,
                                    Pulse, Question, Refused, StatusReport, Submitted, TaskList,
                                    Watching)
from millrace.words import ErrorCode

# Hellos on one connection before it is made anew.
_HELLOS_MAX = 2


class _Link(Enum):
    stopped = 0  # before start and after stop
    waiting = 1  # until the backoff ends
    greeting = 2  # hello sent
    connected = 3


class Session:
    """Every input appends to `actions`; perform them before the next input. `now_ns` never goes
    back. Not thread-safe."""

    def __init__(self, settings: SessionSettings, randomness: random.Random) -> None:
        self._settings = settings
        self._randomness = randomness
        self.limits = PeerLimits()
        self._counter = RequestCounter()
        self._submits = SubmitBook(settings)
        self._watches = WatchBook(settings)
        self._requests = RequestBook(settings)
        self._link = _Link.stopped
        self._epoch = 0
        self._hello = 0  # its request
        self._hellos = 0  # since the connection was made
        self._failures = 0  # connections lost in a row
        self._connect_at_ns = 0  # waiting
        self._hello_again_ns = 0  # greeting
        self._ping_at_ns = 0  # connected, something outstanding
        self._last_reply_ns = 0  # of this connection
        self._last_heard_ns = 0  # a reply or a pulse
        self._takers: Dict[Type[object], Callable[..., None]] = {
            ClientWelcome: self._take_welcome, Submitted: self._take_submitted,
            Watching: self._take_watching, Finished: self._take_finished, Pong: self._take_pong,
            Refused: self._take_refused, BrokerGoodbye: self._take_goodbye,
            Cancelled: self._take_answer, TaskList: self._take_answer, Changed: self._take_answer,
            StatusReport: self._take_answer}

    @property
    def connected(self) -> bool:
        return self._link is _Link.connected

    # ---- the link --------------------------------------------------------------------------------

    def start(self, now_ns: int, actions: Actions) -> None:
        """The shell has a fresh connection, or is making one. Call once."""
        self._greet(now_ns, actions)

    def stop(self, actions: Actions) -> None:
        """The last words. Whatever is open stays unanswered."""
        if self.connected:
            actions.sends.append(ClientGoodbye())
        self._link = _Link.stopped

    def _greet(self, now_ns: int, actions: Actions) -> None:
        self._link = _Link.greeting
        self._hello = self._counter.next()
        self._hellos += 1
        self._hello_again_ns = now_ns + self._settings.resend_after_ns
        actions.sends.append(ClientHello(self._hello, self._settings.client))

    def _greet_again(self, cause: str, now_ns: int, actions: Actions) -> None:
        """On the same connection, to a broker that does not know this session (any more)."""
        actions.events.append(Disconnected(cause))
        self._hellos = 0
        self._greet(now_ns, actions)

    def _lose_connection(self, cause: str, wait_ns: int, now_ns: int, actions: Actions) -> None:
        if self.connected:
            actions.events.append(Disconnected(cause))
        self._link = _Link.waiting
        jitter_ns = full_jitter_ns(self._settings, self._failures, self._randomness)
        self._connect_at_ns = now_ns + max(wait_ns, 0) + jitter_ns
        self._failures += 1

    def _has_outstanding(self) -> bool:
        return bool(len(self._submits) or len(self._watches) or len(self._requests))

    def _note_outstanding(self, now_ns: int) -> None:
        """Before something is asked. An idle client is not answered by anyone: its silence begins
        with the next thing it asks."""
        if self._has_outstanding():
            return
        self._last_reply_ns = max(self._last_reply_ns, now_ns)
        self._last_heard_ns = max(self._last_heard_ns, now_ns)
        self._ping_at_ns = now_ns + self._settings.ping_interval_ns

    def _silence_deadline_ns(self) -> int:
        # Pulses without any reply mean a broken connection to a living broker, once pings go
        # unanswered.
        most_ns = self._settings.silence_max_ns
        return min(self._last_heard_ns + most_ns, self._last_reply_ns + 2 * most_ns)

    def _check_silence(self, now_ns: int, actions: Actions) -> None:
        if not self._has_outstanding():
            return
        if self._silence_deadline_ns() <= now_ns:
            self._lose_connection("no word from the broker", 0, now_ns, actions)
        elif self._ping_at_ns <= now_ns:
            self._ping_at_ns = now_ns + self._settings.ping_interval_ns
            actions.sends.append(Ping(self._counter.next()))

    def _check_link(self, now_ns: int, actions: Actions) -> None:
        if self.connected:
            self._check_silence(now_ns, actions)
        if self._link is _Link.greeting and self._hello_again_ns <= now_ns:
            if self._hellos < _HELLOS_MAX:
                self._greet(now_ns, actions)
            else:
                self._lose_connection("no answer to hello", 0, now_ns, actions)
        if self._link is _Link.waiting and self._connect_at_ns <= now_ns:
            actions.reconnect = True
            self._hellos = 0
            self._greet(now_ns, actions)

    def _send_due(self, now_ns: int, actions: Actions) -> None:
        if not self.connected:
            return
        self._submits.send_due(now_ns, self._counter, actions)
        self._watches.send_due(now_ns, self._counter, actions)
        self._requests.send_due(now_ns, actions)

    def tick(self, now_ns: int, actions: Actions) -> None:
        """Call it at next_deadline_ns() at the latest; harmless at any other time."""
        if self._link is _Link.stopped:
            return
        self._submits.give_up(now_ns, actions)
        self._requests.give_up(now_ns, actions)
        self._check_link(now_ns, actions)
        self._send_due(now_ns, actions)

    def next_deadline_ns(self) -> int:
        next_ns = min(self._submits.next_give_up_ns, self._requests.next_give_up_ns())
        if self._link is _Link.stopped:
            return NEVER
        if self._link is _Link.waiting:
            return min(next_ns, self._connect_at_ns)
        if self._link is _Link.greeting:
            return min(next_ns, self._hello_again_ns)
        if not self._has_outstanding():
            return next_ns
        return min(next_ns, self._ping_at_ns, self._silence_deadline_ns(),
                   self._submits.next_send_ns(), self._watches.next_send_ns(),
                   self._requests.next_send_ns())

    # ---- what the broker says --------------------------------------------------------------------

    def receive(self, reply: ClientReply, now_ns: int, actions: Actions) -> None:
        # Late words on a connection that is given up must not revive it.
        if self._link in (_Link.stopped, _Link.waiting):
            return
        self._last_reply_ns = self._last_heard_ns = now_ns
        take = self._takers.get(type(reply))
        if take is not None:
            take(reply, now_ns, actions)
        self._send_due(now_ns, actions)

    def hear_pulse(self, pulse: Pulse, now_ns: int, actions: Actions) -> None:
        if not self.connected or pulse.epoch < self._epoch:
            return
        self._last_heard_ns = now_ns
        self._take_epoch(pulse.epoch, now_ns, actions)

    def _take_epoch(self, epoch: int, now_ns: int, actions: Actions) -> None:
        if self.connected and epoch != self._epoch:
            self._greet_again("the broker started anew", now_ns, actions)

    def _take_welcome(self, welcome: ClientWelcome, now_ns: int, actions: Actions) -> None:
        if self._link is not _Link.greeting or welcome.request != self._hello:
            return
        self._link = _Link.connected
        self._failures = 0
        self._epoch = welcome.epoch
        self.limits = welcome.limits
        self._ping_at_ns = now_ns + self._settings.ping_interval_ns
        self._submits.set_limits(self.limits)
        self._submits.take_back_unanswered()
        self._watches.set_limits(self.limits)
        self._watches.ask_all_again()
        self._requests.send_all_again()
        actions.events.append(Connected(welcome))

    def _take_submitted(self, submitted: Submitted, now_ns: int, actions: Actions) -> None:
        self._submits.answer(submitted, now_ns, self._randomness, actions)

    def _take_watching(self, watching: Watching, _: int, actions: Actions) -> None:
        self._watches.answer(watching, actions)

    def _take_finished(self, finished: Finished, now_ns: int, actions: Actions) -> None:
        self._watches.heard(now_ns)
        actions.events += [item for item in finished.tasks if self._watches.remove(item.task)]

    def _take_pong(self, pong: Pong, now_ns: int, actions: Actions) -> None:
        self._take_epoch(pong.epoch, now_ns, actions)

    def _take_refused(self, refused: Refused, now_ns: int, actions: Actions) -> None:
        if self._link is _Link.greeting and refused.request == self._hello:
            if refused.code not in (ErrorCode.busy, ErrorCode.shutting_down):
                actions.events.append(HelloRefused(refused))
            self._lose_connection("the broker refused the hello", refused.retry_after_ns, now_ns,
                                  actions)
            return
        taken = (self._submits.refuse(refused, now_ns, self._randomness, actions) or
                 self._watches.refuse(refused, now_ns) or
                 self._requests.retry(refused, now_ns, self._randomness))
        if not taken and (refused.request == 0 or self._requests.close(refused.request)):
            actions.events.append(Replied(refused.request, refused))
        if refused.code == ErrorCode.unknown_session and self.connected:
            self._greet_again("the broker does not know this session", now_ns, actions)

    def _take_goodbye(self, goodbye: BrokerGoodbye, now_ns: int, actions: Actions) -> None:
        self._lose_connection(f"the broker said goodbye: {goodbye.message}",
                              self._settings.backoff_initial_ns, now_ns, actions)

    def _take_answer(self, answer: Answer, _: int, actions: Actions) -> None:
        if self._requests.close(answer.request):
            actions.events.append(Replied(answer.request, answer))

    # ---- what the caller wants -------------------------------------------------------------------

    def submit(self, submissions: Iterable[Submission], now_ns: int, actions: Actions) -> None:
        """Takes the tasks in order. Unbounded: a caller who has many waits for answers."""
        self._note_outstanding(now_ns)
        for submission in submissions:
            self._submits.add(submission)
        self._send_due(now_ns, actions)

    def watch(self, tasks: Iterable[int], now_ns: int, actions: Actions) -> None:
        """Tells the end of each (once more, if it was told before), or that it is unknown."""
        self._note_outstanding(now_ns)
        self._watches.add(tasks)
        self._send_due(now_ns, actions)

    def unwatch(self, tasks: Iterable[int]) -> None:
        for task in tasks:
            self._watches.remove(task)

    def request(self, question: Question, give_up_ns: int, now_ns: int, actions: Actions) -> int:
        """The request's number; its answer is told as an event."""
        self._note_outstanding(now_ns)
        request = self._counter.next()
        self._requests.add(request, question, give_up_ns)
        self._send_due(now_ns, actions)
        return request

    def abandon_submits(self, group: int) -> None:
        """Forgets a call's tasks as far as they are not on their way with others."""
        self._submits.abandon(group)

    def abandon_request(self, request: int) -> None:
        self._requests.close(request)



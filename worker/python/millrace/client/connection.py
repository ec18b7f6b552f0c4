"""The thread that owns a client's session and sockets."""

from __future__ import annotations

import os
import random
import threading
import time
from typing import Callable, Iterable, List, NamedTuple, Optional

from millrace.address import HostPort
from millrace.client.inbox import Inbox
from millrace.client.routes import Routes
from millrace.client.session import Session
from millrace.client.session_types import (Actions, Connected, Disconnected, Event, HelloRefused,
                                           Replied, SessionSettings, Submission)
from millrace.key import PeerKey
from millrace.sockets import BrokerSockets
from millrace.units import SECOND, Seconds
from millrace.wire import client_codec, client_reply_codec, shared_codec
from millrace.wire.bundle import BrokenMessage
from millrace.wire.messages import ClientHello, ClientWelcome, Question, Refused

# Messages taken in one turn, so that commands and deadlines get theirs.
_RECEIVE_MAX = 256
_WAIT_MAX_NS = SECOND

Command = Callable[[int, Actions], None]


class LinkState(NamedTuple):
    """What is known of the broker."""

    connected: bool = False
    since_ns: int = 0  # of `connected` or of its absence
    hello_refusal: Optional[Refused] = None  # the newest, while not connected
    complaint: str = ""  # the broker's about a message it could not read
    welcome: ClientWelcome = ClientWelcome(0, 0)  # the newest


class Connection:
    """All public functions are thread-safe."""

    def __init__(self, broker: HostPort, key: Optional[PeerKey] = None) -> None:
        randomness = random.SystemRandom()
        self._sockets = BrokerSockets(broker, key)  # of the thread, as session and routes are
        self._session = Session(SessionSettings(randomness.getrandbits(128) | 1), randomness)
        self._routes = Routes()
        self._lock = threading.Lock()
        self._link_changed = threading.Condition(self._lock)
        self._link = LinkState(since_ns=time.monotonic_ns())
        self._commands: List[Command] = []
        self._last_group = 0
        self._ended = False  # no command is run any more
        self._stopping = False
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_out, False)
        os.set_blocking(self._wake_in, False)
        self._thread = threading.Thread(target=self._run, name="millrace-client", daemon=True)
        self._thread.start()

    # ---- for the callers -------------------------------------------------------------------------

    def new_group(self) -> int:
        with self._lock:
            self._last_group += 1
            return self._last_group

    def submit(self, submissions: List[Submission], inbox: Inbox) -> None:
        """What comes back, here and below, is put into `inbox` until `end_call`."""
        def command(now_ns: int, actions: Actions) -> None:
            for group in {submission.group for submission in submissions}:
                self._routes.add_group(group, inbox)
            self._session.submit(submissions, now_ns, actions)
        self._post(command, inbox)

    def watch(self, tasks: List[int], inbox: Inbox) -> None:
        def command(now_ns: int, actions: Actions) -> None:
            self._routes.add_awaited(tasks, inbox)
            self._session.watch(tasks, now_ns, actions)
        self._post(command, inbox)

    def request(self, question: Question, give_up_ns: int, inbox: Inbox) -> None:
        def command(now_ns: int, actions: Actions) -> None:
            request = self._session.request(question, give_up_ns, now_ns, actions)
            self._routes.add_request(request, inbox)
        self._post(command, inbox)

    def end_call(self, inbox: Inbox, tasks: Iterable[int] = ()) -> None:
        """`tasks`: those it watched and that have not ended."""
        def command(_: int, __: Actions) -> None:
            left = self._routes.remove(inbox, tasks)
            for group in left.groups:
                self._session.abandon_submits(group)
            for request in left.requests:
                self._session.abandon_request(request)
            self._session.unwatch(left.awaited)
        self._post(command, None)

    def link(self) -> LinkState:
        with self._lock:
            return self._link

    def wait_for_link(self, timeout: Seconds) -> LinkState:
        """Waits up to `timeout` seconds for a welcome or a refusal."""
        with self._link_changed:
            self._link_changed.wait_for(
                lambda: self._link.connected or self._link.hello_refusal is not None, timeout)
            return self._link

    def close(self) -> None:
        """Says goodbye; open calls end as the connection ends."""
        with self._lock:
            self._stopping = True
            if not self._ended:
                self._wake()
        self._thread.join()

    def _post(self, command: Command, inbox: Optional[Inbox]) -> None:
        with self._lock:
            if not self._ended:
                self._commands.append(command)
                self._wake()
                return
        if inbox is not None:
            inbox.put(None)

    def _wake(self) -> None:
        try:
            os.write(self._wake_in, b"\0")
        except BlockingIOError:
            pass  # it is awake

    # ---- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._serve()
        finally:
            self._end()

    def _serve(self) -> None:
        self._sockets.reconnect()
        self._sockets.watch(self._wake_out)
        actions = Actions()
        self._session.start(time.monotonic_ns(), actions)
        self._perform(actions)
        while not self._stopping:
            due_ns = self._session.next_deadline_ns() - time.monotonic_ns()
            self._sockets.wait(-(-max(0, min(due_ns, _WAIT_MAX_NS)) // 1_000_000))
            self._take_wakes()
            self._run_commands()
            self._receive()
            actions = Actions()
            self._session.tick(time.monotonic_ns(), actions)
            self._perform(actions)

    def _end(self) -> None:
        """Also after an error that nobody foresaw: no call may wait for ever."""
        actions = Actions()
        self._session.stop(actions)
        self._perform(actions)
        with self._lock:
            self._ended = True
        self._run_commands()  # their inboxes are closed with the rest
        self._routes.close_all()
        self._sockets.close()
        os.close(self._wake_in)
        os.close(self._wake_out)

    def _take_wakes(self) -> None:
        try:
            os.read(self._wake_out, 4096)
        except BlockingIOError:
            pass

    def _run_commands(self) -> None:
        with self._lock:
            commands, self._commands = self._commands, []
        for command in commands:
            actions = Actions()
            command(time.monotonic_ns(), actions)
            self._perform(actions)

    def _receive(self) -> None:
        now_ns = time.monotonic_ns()
        actions = Actions()
        frame = self._sockets.receive_pulse()
        while frame is not None:
            try:
                self._session.hear_pulse(shared_codec.decode_pulse(frame), now_ns, actions)
            except BrokenMessage:
                pass  # it carries nothing that is needed
            frame = self._sockets.receive_pulse()
        self._perform(actions)
        # A hint that saves waiting for silence: whatever is unanswered is asked again in its time.
        self._sockets.take_disconnected()
        for _ in range(_RECEIVE_MAX):
            frames = self._sockets.receive()
            if frames is None:
                return
            try:
                reply = client_reply_codec.decode(frames)
            except BrokenMessage:
                continue  # what it should have answered is asked again
            actions = Actions()
            self._session.receive(reply, time.monotonic_ns(), actions)
            self._perform(actions)

    def _perform(self, actions: Actions) -> None:
        if actions.reconnect:
            self._sockets.reconnect()
        for message in actions.sends:
            self._sockets.send(client_codec.encode(message), isinstance(message, ClientHello))
        if actions.events:
            self._routes.deliver([e for e in actions.events if not self._note_link(e)])

    def _note_link(self, event: Event) -> bool:
        """True when the event is about the link and not about a call."""
        if isinstance(event, Connected):
            self._sockets.listen(event.welcome.endpoints.pulse_port)
            self._set_link(connected=True, since_ns=time.monotonic_ns(), hello_refusal=None,
                           welcome=event.welcome)
        elif isinstance(event, Disconnected):
            self._set_link(connected=False, since_ns=time.monotonic_ns())
        elif isinstance(event, HelloRefused):
            self._set_link(hello_refusal=event.refused)
        elif isinstance(event, Replied) and event.request == 0 and isinstance(event.reply, Refused):
            self._set_link(complaint=event.reply.message)
        else:
            return False
        return True

    def _set_link(self, **changes: object) -> None:
        with self._link_changed:
            self._link = self._link._replace(**changes)  # type: ignore[arg-type]
            self._link_changed.notify_all()

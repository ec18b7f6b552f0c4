"""A worker's session on virtual time, with a broker played by the test."""

import random
import unittest

from millrace.limits import PeerLimits
from millrace.units import MILLISECOND, SECOND
from millrace.wire.messages import (Complete, Completed, Completion, Dispatch, DispatchedTask,
                                    HeldLease, StoppedTask, StopTasks, WorkerHello, WorkerWelcome)
from millrace.words import Outcome
from millrace.worker.session import Session
from millrace.worker.session_types import Actions, SessionSettings

WORKER = 77


class WorkerSessionTest(unittest.TestCase):
    settings = SessionSettings(WORKER, "name", ["q"], slots=2, prefetch_max=100, version="v")

    def setUp(self):
        self.now = 1_000 * SECOND
        self.session = Session(self.settings, random.Random(1))
        self.actions = Actions()

    # ---- the shell -------------------------------------------------------------------------------

    def tick(self, after_ns=0):
        """The time passes, the session ticks, and what it wants is returned."""
        self.now += after_ns
        self.session.tick(self.now, self.actions)
        actions, self.actions = self.actions, Actions()
        return actions

    def receive(self, message):
        self.session.receive(message, self.now, self.actions)

    def run_until(self, condition, most_ns):
        """Ticks at the session's own deadlines until an Actions fits; fails after `most_ns`."""
        end = self.now + most_ns
        while True:
            actions = self.tick()
            if condition(actions):
                return actions
            due = max(self.session.next_deadline_ns(), self.now + MILLISECOND)
            self.assertLessEqual(due, end, "it did not happen in time")
            self.now = due

    # ---- the broker ------------------------------------------------------------------------------

    def open(self, limits=PeerLimits(), epoch=1, stale=()):
        (hello,) = self.sent(self.tick(), WorkerHello)
        self.welcome(hello.hello_number, limits, epoch, stale)
        return self.tick()

    def welcome(self, hello_number, limits=PeerLimits(), epoch=1, stale=()):
        self.receive(WorkerWelcome(hello_number, 5, epoch, limits=limits, stale=stale))

    def dispatch(self, *tasks, fence=1, timeout_ns=0):
        self.receive(Dispatch([DispatchedTask(task, fence, timeout_ns, "q", 1, 3, b"spec")
                               for task in tasks]))

    def stop(self, task, cause, fence=1):
        self.receive(StopTasks([StoppedTask(task, fence, cause)]))

    def acknowledge(self, *tasks, fence=1, stale=()):
        self.receive(Completed([HeldLease(task, fence) for task in tasks], stale))

    # ---- the handlers ----------------------------------------------------------------------------

    def finish(self, task, outcome=Outcome.succeeded, fence=1, elapsed_ns=SECOND, **parts):
        self.session.finish(Completion(task, fence, outcome, elapsed_ns, **parts), self.now,
                            self.actions)

    # ---- what was wanted -------------------------------------------------------------------------

    def sent(self, actions, kind):
        return [message for message in actions.sends if isinstance(message, kind)]

    def started(self, actions):
        return [task.task for task in actions.starts]

    def completions(self, actions):
        return [(item.task, item.outcome) for message in self.sent(actions, Complete)
                for item in message.items]

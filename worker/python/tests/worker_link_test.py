"""The worker's session: its bond with the broker. No socket, no clock."""

import unittest

from millrace.units import MILLISECOND, SECOND
from millrace.wire.messages import (BrokerGoodbye, Complete, HeldLease, Pulse, Refused, Unknown,
                                    WorkerHello)
from millrace.words import ErrorCode, Outcome, StopCause
from worker_session_fixture import WORKER, WorkerSessionTest


class Link(WorkerSessionTest):
    def hello_within(self, most_ns):
        actions = self.run_until(lambda a: self.sent(a, WorkerHello), most_ns)
        return actions, self.sent(actions, WorkerHello)[0]

    def test_the_first_tick_says_hello_with_what_it_is(self):
        (hello,) = self.tick().sends
        self.assertEqual(hello, WorkerHello(1, WORKER, "name", ["q"], 2, 2, "v", []))

    def test_hello_is_repeated_with_a_new_number_until_welcomed(self):
        self.tick()
        _, hello = self.hello_within(SECOND + 100 * MILLISECOND)
        self.assertEqual(hello.hello_number, 2)
        self.welcome(1)
        self.assertIsNone(self.tick().welcomed)
        self.welcome(2)
        self.assertIsNotNone(self.tick().welcomed)

    def test_a_dispatch_before_the_welcome_is_discarded(self):
        self.tick()
        self.dispatch(1)
        self.assertEqual(self.started(self.tick()), [])

    def test_beats_with_the_sessions_nonce_at_the_interval(self):
        self.assertEqual([(b.worker, b.session, b.number) for b in self.open().beats],
                         [(WORKER, 5, 1)])
        self.tick(500 * MILLISECOND)
        self.dispatch(1, 2, 3)
        self.assertEqual(self.tick(499 * MILLISECOND).beats, [])
        (beat,) = self.tick(MILLISECOND).beats
        self.assertEqual((beat.number, beat.running, beat.queued), (2, 2, 1))

    def test_a_new_epoch_says_hello_at_once_on_the_same_socket_and_keeps_running(self):
        for epoch in (2, 1):  # a smaller one is a new broker too
            with self.subTest(epoch=epoch):
                self.setUp()
                self.open(epoch=3 - epoch)
                self.dispatch(1)
                self.tick()
                self.session.hear_pulse(Pulse(epoch), self.now, self.actions)
                actions = self.tick()
                (hello,) = self.sent(actions, WorkerHello)
                self.assertEqual((actions.reconnect, actions.lost, hello.holding),
                                 (False, "the broker has restarted", [HeldLease(1, 1)]))
                self.assertEqual(actions.stops, [])

    def test_unknown_session_says_hello_once_for_many_refusals(self):
        self.open()
        for _ in range(3):
            self.receive(Refused(0, ErrorCode.unknown_session))
        self.assertEqual(len(self.sent(self.tick(), WorkerHello)), 1)
        self.receive(Refused(0, ErrorCode.unknown_session))
        self.assertEqual(self.tick().sends, [])

    def test_silence_reconnects_and_pulses_alone_keep_a_session_alive(self):
        self.open()
        for _ in range(10):
            self.now += SECOND
            self.session.hear_pulse(Pulse(1), self.now, self.actions)
            self.assertEqual(self.sent(self.tick(), WorkerHello), [])
        actions, _ = self.hello_within(3 * SECOND + 200 * MILLISECOND)
        self.assertTrue(actions.reconnect)

    def test_pulses_do_not_hide_a_dead_dealer_while_it_says_hello(self):
        self.open()
        self.session.connection_lost(self.now, self.actions)
        self.hello_within(SECOND)
        for _ in range(12):
            self.now += 400 * MILLISECOND
            self.session.hear_pulse(Pulse(1), self.now, self.actions)
            if self.tick().reconnect:
                return
        self.fail("it kept a dead socket")

    def test_unanswered_completions_over_flowing_pulses_make_it_say_hello_again(self):
        self.open()
        self.dispatch(1)
        self.tick()
        self.finish(1)
        for _ in range(80):
            self.now += 100 * MILLISECOND
            self.session.hear_pulse(Pulse(1), self.now, self.actions)
            if self.sent(self.tick(), WorkerHello):
                return
        self.fail("it never said hello")

    def test_a_goodbye_is_followed_by_a_hello_after_a_backoff(self):
        self.open()
        self.receive(BrokerGoodbye())
        actions, _ = self.hello_within(100 * MILLISECOND)
        self.assertFalse(actions.reconnect)

    def test_a_refused_hello_waits_as_long_as_the_broker_asks(self):
        self.tick()
        self.receive(Refused(0, ErrorCode.busy, "full", 7 * SECOND))
        before = self.now
        self.hello_within(8 * SECOND + MILLISECOND)
        self.assertGreaterEqual(self.now - before, 7 * SECOND)

    def test_a_refusal_for_good_is_the_end_with_the_brokers_words(self):
        self.tick()
        self.receive(Refused(0, ErrorCode.unsupported, "too old"))
        self.assertIn("too old", self.tick().failure.message)
        self.assertEqual(self.tick(10 * SECOND).sends, [])

    def test_every_refusal_and_every_unknown_message_is_survived_or_reported(self):
        for code in ErrorCode:
            for opened in (False, True):
                with self.subTest(code=code, opened=opened):
                    self.setUp()
                    if opened:
                        self.open()
                    else:
                        self.tick()
                    self.receive(Refused(0, code))
                    self.receive(Unknown(200))
                    self.tick(SECOND)

    def test_a_lost_connection_says_hello_sooner_than_silence(self):
        self.open()
        self.session.connection_lost(self.now, self.actions)
        self.hello_within(100 * MILLISECOND)

    def test_stale_leases_of_a_welcome_are_stopped_or_forgotten(self):
        self.open()
        self.dispatch(1, 2)
        self.tick()
        self.finish(2)
        self.tick()
        self.session.hear_pulse(Pulse(2), self.now, self.actions)
        (hello,) = self.sent(self.tick(), WorkerHello)
        self.welcome(hello.hello_number, epoch=2, stale=[HeldLease(1, 1), HeldLease(2, 1)])
        actions = self.tick()
        self.assertEqual([(s.task, s.cause) for s in actions.stops], [(1, StopCause.stale_lease)])
        self.assertEqual(self.completions(actions), [])
        self.finish(1, Outcome.succeeded)
        self.assertEqual(self.completions(self.tick()), [])

    def test_a_tick_never_leaves_something_due(self):
        self.open()
        self.dispatch(1, 2, 3, timeout_ns=SECOND)
        for _ in range(50):
            self.tick()
            self.assertGreater(self.session.next_deadline_ns(), self.now)
            self.now = self.session.next_deadline_ns()

    def test_the_credit_is_told_when_it_changes(self):
        self.open()
        self.dispatch(1)
        self.tick()
        self.finish(1, elapsed_ns=MILLISECOND)
        self.assertEqual([c.credit for c in self.sent(self.tick(), Complete)], [82])


if __name__ == "__main__":
    unittest.main()

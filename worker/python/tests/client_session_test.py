"""The client's session: link, submits, watches and requests. No socket, no clock."""

import random
import unittest

from millrace.client.session import Session
from millrace.client.session_types import (Actions, Connected, Disconnected, HelloRefused, Replied,
                                           SessionSettings, Submission, SubmitAnswered,
                                           SubmitUnanswered, Unanswered, UnknownTask)
from millrace.limits import PeerLimits
from millrace.units import MILLISECOND, NEVER, SECOND
from millrace.wire.messages import (BrokerGoodbye, Changed, ClientGoodbye, ClientHello,
                                    ClientWelcome, DrainWorker, Finished, FinishedItem, Ping, Pong,
                                    Pulse, Refused,
                                    Request, Submit, Submitted, Unknown, Watch, Watching)
from millrace.words import ErrorCode, Reason, SubmitStatus, TaskState

ACCEPTED, BUSY, DUPLICATE = SubmitStatus.accepted, SubmitStatus.busy, SubmitStatus.duplicate


class ClientSessionTest(unittest.TestCase):
    settings = SessionSettings(client=7)

    def setUp(self):
        self.now = 1_000 * SECOND
        self.session = Session(self.settings, random.Random(1))
        self.actions = Actions()
        self.session.start(self.now, self.actions)
        (self.hello,) = self.take().sends

    def take(self):
        actions, self.actions = self.actions, Actions()
        return actions

    def tick(self, after_ns=0):
        self.now += after_ns
        self.session.tick(self.now, self.actions)
        return self.take()

    def receive(self, message):
        self.session.receive(message, self.now, self.actions)
        return self.take()

    def pulse(self, epoch):
        self.session.hear_pulse(Pulse(epoch), self.now, self.actions)
        return self.take()

    def connect(self, epoch=1, limits=PeerLimits()):
        return self.receive(ClientWelcome(self.hello.request, epoch, limits=limits))

    def submit(self, *tasks, group=1, give_up_ns=NEVER, spec=b"spec"):
        self.session.submit([Submission(task, spec, group, give_up_ns) for task in tasks], self.now,
                            self.actions)
        return self.take()

    def watch(self, *tasks):
        self.session.watch(tasks, self.now, self.actions)
        return self.take()

    def ask(self, give_up_ns=NEVER):
        number = self.session.request(DrainWorker("w"), give_up_ns, self.now, self.actions)
        return number, self.take()

    def run_until(self, condition, most_ns):
        end = self.now + most_ns
        while True:
            actions = self.tick()
            if condition(actions):
                return actions
            self.now = max(self.session.next_deadline_ns(), self.now + MILLISECOND)
            self.assertLessEqual(self.now, end, "it did not happen in time")

    def sent(self, actions, kind):
        return [message for message in actions.sends if isinstance(message, kind)]


class Link(ClientSessionTest):
    def test_says_hello_and_nothing_else_before_the_welcome(self):
        self.assertEqual(self.hello, ClientHello(1, 7))
        self.assertEqual(self.submit(1).sends, [])
        self.assertEqual(self.ask()[1].sends, [])
        actions = self.connect()
        self.assertIsInstance(actions.events[0], Connected)
        self.assertEqual([type(m) for m in actions.sends], [Submit, Request])

    def test_a_welcome_to_another_hello_is_ignored(self):
        self.assertEqual(self.receive(ClientWelcome(99, 1)).events, [])
        self.assertFalse(self.session.connected)

    def test_an_unanswered_hello_is_repeated_then_the_connection_is_made_anew(self):
        (hello,) = self.tick(2 * SECOND).sends
        self.assertEqual(type(hello), ClientHello)
        self.assertFalse(self.tick(SECOND).reconnect)
        actions = self.run_until(lambda a: a.reconnect, 2 * SECOND)
        self.assertEqual([type(m) for m in actions.sends], [ClientHello])

    def test_silence_with_work_outstanding_reconnects_and_asks_again(self):
        self.connect()
        self.submit(1)
        actions = self.run_until(lambda a: a.reconnect, 4 * SECOND)
        (self.hello,) = actions.sends
        (submit,) = self.sent(self.connect(), Submit)
        self.assertEqual(submit.specs, [b"spec"])

    def test_idle_silence_is_no_silence(self):
        self.connect()
        self.assertEqual(self.session.next_deadline_ns(), NEVER)
        self.assertFalse(self.tick(100 * SECOND).reconnect)
        self.submit(1)
        self.assertFalse(self.tick(2 * SECOND).reconnect)

    def test_pings_every_second_while_something_is_outstanding(self):
        self.connect()
        self.submit(1)
        self.assertEqual(len(self.sent(self.tick(SECOND), Ping)), 1)
        self.assertEqual(len(self.sent(self.tick(SECOND // 2), Ping)), 0)

    def test_pulses_without_replies_do_not_hide_a_broken_connection(self):
        self.connect()
        self.submit(1)
        for _ in range(13):
            self.now += SECOND // 2
            self.pulse(1)
            if self.tick().reconnect:
                return
        self.fail("it kept a dead connection")

    def test_a_new_epoch_says_hello_and_submits_again(self):
        for hear in (lambda: self.pulse(2), lambda: self.receive(Pong(0, 2))):
            with self.subTest():
                self.setUp()
                self.connect()
                self.submit(1)
                actions = hear()
                self.assertIsInstance(actions.events[0], Disconnected)
                self.assertFalse(actions.reconnect)
                (self.hello,) = actions.sends
                self.assertEqual(len(self.sent(self.connect(2), Submit)), 1)

    def test_a_pulse_of_an_older_epoch_is_ignored(self):
        self.connect(epoch=5)
        self.assertEqual(self.pulse(4).sends, [])

    def test_unknown_session_says_hello_at_once_and_keeps_the_work(self):
        self.connect()
        (submit,) = self.submit(1).sends
        actions = self.receive(Refused(submit.request, ErrorCode.unknown_session))
        (self.hello,) = actions.sends
        self.assertEqual(len(self.sent(self.connect(), Submit)), 1)

    def test_a_goodbye_reconnects_later_and_late_words_are_ignored(self):
        self.connect()
        self.submit(1)
        self.receive(BrokerGoodbye())
        self.assertFalse(self.session.connected)
        self.assertEqual(self.receive(Submitted(2, [ACCEPTED])).events, [])
        self.run_until(lambda a: a.reconnect, SECOND)

    def test_a_refused_hello_is_told_and_a_busy_one_tried_again_after_the_pause(self):
        refused = Refused(1, ErrorCode.unsupported, "old")
        self.assertEqual(self.receive(refused).events, [HelloRefused(refused)])
        self.setUp()
        self.assertEqual(self.receive(Refused(1, ErrorCode.busy, "", 5 * SECOND)).events, [])
        before = self.now
        self.run_until(lambda a: a.reconnect, 6 * SECOND)
        self.assertGreaterEqual(self.now - before, 5 * SECOND)

    def test_stop_says_goodbye_and_ends_everything(self):
        self.connect()
        self.submit(1)
        self.session.stop(self.actions)
        self.assertEqual(self.take().sends, [ClientGoodbye()])
        self.assertEqual(self.session.next_deadline_ns(), NEVER)
        self.assertEqual(self.tick(10 * SECOND).sends, [])


class Submits(ClientSessionTest):
    settings = SessionSettings(client=7, in_flight_tasks_max=5, batch_items=2, batch_bytes=1_000)

    def setUp(self):
        super().setUp()
        self.connect()

    def test_cuts_batches_and_stops_at_the_bound_of_unanswered_tasks(self):
        sizes = [len(s.specs) for s in self.submit(*range(1, 9)).sends]
        self.assertEqual(sizes, [2, 2, 1])

    def test_cuts_batches_by_bytes_and_a_large_task_travels_alone(self):
        sends = self.submit(1, 2, spec=b"x" * 600).sends + self.submit(3, spec=b"x" * 2_000).sends
        self.assertEqual([len(s.specs) for s in sends], [1, 1, 1])

    def test_the_brokers_batch_limit_holds(self):
        self.pulse(2)
        (self.hello,) = [ClientHello(2, 7)]
        self.connect(2, PeerLimits(batch_items_max=1))
        self.assertEqual([len(s.specs) for s in self.submit(1, 2).sends], [1, 1])

    def test_answers_are_told_with_their_messages_once(self):
        (submit,) = self.submit(1, 2).sends
        answer = Submitted(submit.request, [ACCEPTED, SubmitStatus.invalid], ["", "bad"])
        self.assertEqual(self.receive(answer).events,
                         [SubmitAnswered(1, 1, ACCEPTED), SubmitAnswered(1, 2, SubmitStatus.invalid,
                                                                         "bad")])
        self.assertEqual(self.receive(answer).events, [])

    def test_an_answer_of_the_wrong_length_changes_nothing(self):
        (submit,) = self.submit(1, 2).sends
        self.assertEqual(self.receive(Submitted(submit.request, [ACCEPTED])).events, [])
        self.receive(Pong(0, 1))
        self.assertEqual(len(self.sent(self.tick(2 * SECOND), Submit)), 1)

    def test_unanswered_is_sent_again_with_the_same_number_and_less_and_less_often(self):
        (first,) = self.submit(1).sends
        times = []
        for _ in range(220):
            self.now += SECOND // 10
            if first in self.receive(Pong(0, 1)).sends + self.tick().sends:
                times.append(self.now)
        self.assertEqual([b - a for a, b in zip(times, times[1:])], [4 * SECOND, 8 * SECOND,
                                                                 8 * SECOND])

    def test_a_duplicate_of_our_own_repetition_is_accepted(self):
        (submit,) = self.submit(1).sends
        self.tick(2 * SECOND)
        (event,) = self.receive(Submitted(submit.request, [DUPLICATE])).events
        self.assertEqual(event.status, ACCEPTED)
        (submit,) = self.submit(2).sends
        (event,) = self.receive(Submitted(submit.request, [DUPLICATE])).events
        self.assertEqual(event.status, DUPLICATE)

    def test_busy_tasks_are_sent_again_after_the_pause_and_before_later_ones(self):
        (submit,) = self.submit(1, 2).sends
        self.assertEqual(
            self.receive(Submitted(submit.request, [ACCEPTED, BUSY], (), SECOND)).events[0].task, 1)
        self.assertEqual(self.submit(3).sends, [])
        before = self.now
        (again,) = self.sent(self.run_until(lambda a: self.sent(a, Submit), 2 * SECOND), Submit)
        self.assertEqual(len(again.specs), 2)
        self.assertGreaterEqual(self.now - before, SECOND)

    def test_a_whole_submit_refused_in_passing_is_sent_again(self):
        (submit,) = self.submit(1).sends
        self.assertEqual(self.receive(Refused(submit.request, ErrorCode.busy)).events, [])
        self.run_until(lambda a: self.sent(a, Submit), SECOND)

    def test_an_absurd_pause_is_cut(self):
        (submit,) = self.submit(1).sends
        self.receive(Refused(submit.request, ErrorCode.store_full, "", 1 << 62))
        for _ in range(62):
            self.receive(Pong(0, 1))
            if self.sent(self.tick(SECOND), Submit):
                return
        self.fail("it waited for ever")

    def test_a_whole_submit_refused_for_good_is_final_for_each_task(self):
        (submit,) = self.submit(1, 2).sends
        events = self.receive(Refused(submit.request, ErrorCode.too_large, "big")).events
        self.assertEqual(events, [SubmitAnswered(1, task, SubmitStatus.too_large, "big")
                                  for task in (1, 2)])

    def test_gives_up_at_the_deadline_also_what_is_under_way(self):
        self.submit(*range(1, 8), give_up_ns=self.now + SECOND)
        self.assertEqual(self.tick(SECOND // 2).events, [])
        events = self.tick(SECOND // 2).events
        self.assertEqual(sorted(e.task for e in events if isinstance(e, SubmitUnanswered)),
                         list(range(1, 8)))

    def test_a_batch_under_way_is_given_up_when_all_of_it_is(self):
        self.submit(*range(1, 6))
        self.session.submit([Submission(6, b"", 1, self.now + SECOND),
                             Submission(7, b"", 1, self.now + 2 * SECOND)], self.now, self.actions)
        self.receive(Submitted(2, [ACCEPTED, ACCEPTED]))
        self.receive(Pong(0, 1))
        self.assertEqual(self.tick(SECOND).events, [])
        self.assertEqual({e.task for e in self.tick(SECOND).events}, {6, 7})

    def test_what_is_sent_again_keeps_its_order_and_goes_first(self):
        for task in range(1, 9):
            self.submit(task, spec=b"%d" % task)
        (self.hello,) = self.pulse(2).sends
        sent = [spec for submit in self.sent(self.connect(2), Submit) for spec in submit.specs]
        self.assertEqual(sent, [b"1", b"2", b"3", b"4", b"5"])

    def test_abandoned_tasks_are_not_sent(self):
        first = self.submit(*range(1, 6)).sends
        self.submit(6, group=2)
        self.session.abandon_submits(2)
        for submit in first:
            self.assertEqual(
                self.sent(self.receive(Submitted(submit.request, [ACCEPTED] * len(submit.specs))),
                          Submit), [])


class Watches(ClientSessionTest):
    settings = SessionSettings(client=7, batch_items=2, watches_in_flight_max=2)

    def setUp(self):
        super().setUp()
        self.connect()

    def end(self, *tasks):
        return self.receive(Finished([
            FinishedItem(task, TaskState.succeeded, Reason.none, 1, "", b"r") for task in tasks]))

    def answered(self, actions):
        for watch in self.sent(actions, Watch):
            actions = self.receive(Watching(watch.request, []))
        return actions

    def test_asks_at_once_and_tells_the_end_once(self):
        actions = self.watch(1)
        self.assertEqual([w.tasks for w in self.sent(actions, Watch)], [[1]])
        self.assertEqual([e.task for e in self.end(1, 2).events], [1])
        self.assertEqual(self.end(1).events, [])

    def test_unknown_tasks_are_told(self):
        (watch,) = self.watch(1, 2).sends
        self.assertEqual(self.receive(Watching(watch.request, [2])).events, [UnknownTask(2)])
        self.assertEqual([e.task for e in self.end(1, 2).events], [1])

    def test_asks_again_when_nothing_is_heard(self):
        self.answered(self.watch(1))
        self.receive(Pong(0, 1))
        self.assertEqual([w.tasks for w in self.sent(self.tick(2 * SECOND), Watch)], [[1]])

    def test_a_lost_end_among_many_is_asked_for_in_the_end(self):
        self.answered(self.watch(1))
        for _ in range(31):
            self.now += SECOND
            if self.sent(self.end(99), Watch):
                return
        self.fail("it was forgotten")

    def test_asks_about_all_after_a_new_epoch(self):
        self.answered(self.watch(1))
        (self.hello,) = self.pulse(2).sends
        self.assertEqual([w.tasks for w in self.sent(self.connect(2), Watch)], [[1]])

    def test_many_are_asked_in_batches_with_a_bound_on_unanswered(self):
        first = self.sent(self.watch(*range(1, 8)), Watch)
        self.assertEqual([w.tasks for w in first], [[1, 2], [3, 4]])
        more = self.sent(self.receive(Watching(first[0].request, [])), Watch)
        self.assertEqual([w.tasks for w in more], [[5, 6]])

    def test_a_refused_watch_is_asked_again_after_a_pause(self):
        (watch,) = self.watch(1).sends
        self.assertEqual(self.receive(Refused(watch.request, ErrorCode.busy)).sends, [])
        self.receive(Pong(0, 1))
        self.assertEqual(self.sent(self.tick(SECOND // 2), Watch), [])
        self.assertEqual(len(self.sent(self.tick(SECOND // 2), Watch)), 1)

    def test_a_second_call_for_a_task_gets_its_own_answer(self):
        self.answered(self.watch(1))
        self.assertEqual([w.tasks for w in self.sent(self.watch(1), Watch)], [[1]])

    def test_unwatch_forgets(self):
        self.answered(self.watch(1, 2))
        self.session.unwatch([1, 3])
        self.assertEqual([e.task for e in self.end(1, 2).events], [2])


class Requests(ClientSessionTest):
    def test_is_answered_under_its_number(self):
        self.connect()
        number, actions = self.ask()
        self.assertEqual(actions.sends, [Request(number, DrainWorker("w"))])
        answer = Changed(number, 3)
        self.assertEqual(self.receive(answer).events, [Replied(number, answer)])
        self.assertEqual(self.receive(answer).events, [])

    def test_unanswered_is_sent_again_and_given_up_at_its_deadline(self):
        self.connect()
        number, _ = self.ask(self.now + 3 * SECOND)
        self.assertEqual(len(self.sent(self.tick(2 * SECOND), Request)), 1)
        self.receive(Pong(0, 1))
        self.assertEqual(self.tick(SECOND).events, [Unanswered(number)])

    def test_busy_is_retried_other_refusals_are_final(self):
        self.connect()
        number, _ = self.ask()
        self.assertEqual(self.receive(Refused(number, ErrorCode.busy)).events, [])
        self.run_until(lambda a: self.sent(a, Request), 2 * SECOND)
        refused = Refused(number, ErrorCode.not_found)
        self.assertEqual(self.receive(refused).events, [Replied(number, refused)])

    def test_a_new_epoch_asks_again_at_once(self):
        self.connect()
        number, _ = self.ask()
        (self.hello,) = self.pulse(2).sends
        self.assertEqual([r.request for r in self.sent(self.connect(2), Request)], [number])

    def test_an_unreadable_message_of_ours_is_told(self):
        self.connect()
        refused = Refused(0, ErrorCode.invalid, "what?")
        self.assertEqual(self.receive(refused).events, [Replied(0, refused)])

    def test_unknown_messages_are_ignored(self):
        self.connect()
        actions = self.receive(Unknown(200))
        self.assertEqual((actions.sends, actions.events), ([], []))

    def test_a_tick_never_leaves_something_due(self):
        self.connect()
        self.submit(1)
        self.watch(2)
        self.ask()
        for _ in range(60):
            self.tick()
            self.assertGreater(self.session.next_deadline_ns(), self.now)
            self.now = self.session.next_deadline_ns()


if __name__ == "__main__":
    unittest.main()

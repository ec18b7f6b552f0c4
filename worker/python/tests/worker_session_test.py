"""The worker's session: the work. No socket, no clock."""

import unittest

from millrace.limits import PeerLimits
from millrace.units import MILLISECOND, SECOND
from millrace.wire.messages import (Complete, Completion, Drain, Extend, Extension, HeldLease,
                                    Pulse, Recall, Unknown, WorkerGoodbye, WorkerHello)
from millrace.words import Outcome, StopCause
from millrace.worker.prefetch import Prefetch
from millrace.worker.reports import Reports, fit, last_bytes
from worker_session_fixture import WorkerSessionTest


class Work(WorkerSessionTest):
    def setUp(self):
        super().setUp()
        self.open()

    def test_starts_in_order_and_never_more_than_its_slots(self):
        self.dispatch(1, 2, 3)
        self.assertEqual(self.started(self.tick()), [1, 2])
        self.finish(1)
        self.assertEqual(self.started(self.tick()), [3])

    def test_a_repeated_dispatch_of_a_held_lease_is_ignored(self):
        self.dispatch(1)
        self.dispatch(1)
        self.assertEqual(self.started(self.tick()), [1])
        self.finish(1)
        self.tick()
        self.dispatch(1)
        self.assertEqual(self.started(self.tick()), [])

    def test_all_that_ended_leaves_in_one_complete(self):
        self.dispatch(1, 2)
        self.tick()
        self.finish(1, result=b"r")
        self.finish(2, Outcome.failed, error="why")
        (complete,) = self.sent(self.tick(), Complete)
        self.assertEqual([(i.task, i.result, i.error) for i in complete.items],
                         [(1, b"r", ""), (2, b"", "why")])

    def test_a_completion_is_repeated_until_it_is_acknowledged(self):
        self.dispatch(1)
        self.tick()
        self.finish(1)
        self.assertEqual(self.completions(self.tick()), [(1, Outcome.succeeded)])
        self.assertEqual(self.completions(self.tick(SECOND)), [])
        self.assertEqual(self.completions(self.tick(SECOND)), [(1, Outcome.succeeded)])
        self.acknowledge(1)
        self.assertEqual(self.session.unacknowledged, 0)
        self.assertEqual(self.completions(self.tick(2 * SECOND)), [])

    def test_after_a_new_welcome_what_is_unacknowledged_is_held_and_repeated(self):
        self.dispatch(1, 2)
        self.tick()
        self.finish(1)
        self.tick()
        self.session.connection_lost(self.now, self.actions)
        self.tick()
        (hello,) = self.sent(self.run_until(lambda a: a.sends, SECOND), WorkerHello)
        self.assertEqual(hello.holding, [HeldLease(1, 1), HeldLease(2, 1)])
        self.welcome(hello.hello_number)
        self.assertEqual(self.completions(self.tick()), [(1, Outcome.succeeded)])

    def test_a_stale_answer_is_counted_and_not_repeated(self):
        self.dispatch(1)
        self.tick()
        self.finish(1)
        self.tick()
        self.acknowledge(1, stale=[0])
        self.assertEqual(self.session.totals.stale, 1)
        self.assertEqual(self.completions(self.tick(3 * SECOND)), [])

    def test_a_recall_hands_back_only_what_has_not_started_and_is_always_answered(self):
        self.dispatch(1, 2, 3)
        self.tick()
        self.receive(Recall(9, [HeldLease(2, 1), HeldLease(3, 1), HeldLease(4, 1)]))
        self.receive(Recall(10, []))
        completes = self.sent(self.tick(), Complete)
        self.assertEqual([(c.answers_recall, [i.task for i in c.items]) for c in completes],
                         [(9, [3]), (10, [])])
        self.assertEqual(completes[0].items[0].outcome, Outcome.released)

    def test_a_cancel_of_a_waiting_task_is_answered_at_once(self):
        self.dispatch(1, 2, 3)
        self.tick()
        self.stop(3, StopCause.cancelled)
        self.assertEqual(self.completions(self.tick()), [(3, Outcome.cancelled)])

    def test_a_cancel_of_a_running_task_is_answered_at_its_end_and_beats_a_success(self):
        self.dispatch(1)
        self.tick()
        self.stop(1, StopCause.cancelled)
        self.stop(1, StopCause.cancelled)
        actions = self.tick()
        self.assertEqual([stop.task for stop in actions.stops], [1])
        self.assertEqual(self.completions(actions), [])
        self.finish(1, result=b"late")
        (complete,) = self.sent(self.tick(), Complete)
        self.assertEqual([(i.outcome, i.result) for i in complete.items],
                         [(Outcome.cancelled, b"")])

    def test_a_stale_task_ends_in_silence_and_its_slot_counts_until_then(self):
        self.dispatch(1, 2, 3)
        self.tick()
        self.stop(1, StopCause.stale_lease)
        actions = self.tick()
        self.assertEqual(self.started(actions), [])
        self.assertEqual([c.credit for c in self.sent(actions, Complete)], [1])
        self.finish(1)
        actions = self.tick()
        self.assertEqual(self.started(actions), [3])
        self.assertEqual(self.completions(actions), [])

    def test_a_timeout_is_reported_at_once_while_the_slot_stays_occupied(self):
        self.dispatch(1, 2, timeout_ns=SECOND)
        self.tick()
        self.now += SECOND
        self.dispatch(3)
        actions = self.tick()
        self.assertEqual([stop.cause for stop in actions.stops], [StopCause.timed_out] * 2)
        (complete,) = self.sent(actions, Complete)
        self.assertEqual([(i.outcome, i.error) for i in complete.items][0],
                         (Outcome.timed_out, "timed out after 1s"))
        self.assertEqual((complete.credit, self.started(actions)), (0, []))
        self.finish(1)
        actions = self.tick()
        self.assertEqual(self.started(actions), [3])
        self.assertEqual([c.credit for c in self.sent(actions, Complete)], [1])

    def test_the_retry_of_an_overdue_task_is_another_lease(self):
        self.dispatch(1, timeout_ns=SECOND)
        self.tick()
        self.tick(SECOND)
        self.acknowledge(1)
        self.dispatch(1, fence=2)
        self.assertEqual(self.started(self.tick()), [1])
        self.finish(1, fence=1)
        self.assertEqual(self.completions(self.tick()), [])
        self.finish(1, fence=2)
        self.assertEqual(self.completions(self.tick()), [(1, Outcome.succeeded)])

    def test_a_late_start_re_arms_the_brokers_timeout(self):
        self.dispatch(1, 2, 3, timeout_ns=60 * SECOND)
        self.tick()
        self.tick(100 * MILLISECOND)
        self.finish(1)
        (extend,) = self.sent(self.tick(), Extend)
        self.assertEqual(extend.items, [Extension(3, 1, 0, 0)])

    def test_an_extension_moves_the_deadline_and_progress_never_shortens_it(self):
        self.dispatch(1, timeout_ns=SECOND)
        self.tick()
        self.session.extend(Extension(1, 1, 2 * SECOND, 0), self.now)
        self.session.extend(Extension(1, 1, 0, 40), self.now)
        (extend,) = self.sent(self.tick(), Extend)
        self.assertEqual(extend.items, [Extension(1, 1, 2 * SECOND, 40)])
        self.assertEqual(self.completions(self.tick(SECOND)), [])
        self.assertEqual(self.completions(self.tick(SECOND)), [(1, Outcome.timed_out)])

    def test_extensions_of_what_does_not_run_are_ignored(self):
        self.dispatch(1, 2, 3)
        self.tick()
        for task in (3, 4):
            self.session.extend(Extension(task, 1, 0, 10), self.now)
        self.finish(1)
        self.session.extend(Extension(1, 1, 0, 10), self.now)
        self.assertEqual(self.sent(self.tick(), Extend), [])

    def test_a_task_that_waited_a_second_goes_back_and_none_beyond_the_slots_is_wanted(self):
        self.dispatch(1)
        self.tick()
        self.finish(1, elapsed_ns=MILLISECOND)
        (complete,) = self.sent(self.tick(), Complete)
        self.assertGreater(complete.credit, 2)
        self.dispatch(2, 3, 4)
        self.tick()
        (complete,) = self.sent(self.tick(SECOND), Complete)
        self.assertEqual(([i.task for i in complete.items], complete.credit), ([4], 2))

    def test_a_process_of_handlers_that_died_has_crashed(self):
        self.dispatch(1, 2, 3)
        self.tick()
        self.session.handlers_died(self.now, self.actions)
        self.assertEqual(self.completions(self.tick()),
                         [(3, Outcome.released), (1, Outcome.crashed), (2, Outcome.crashed)])
        self.acknowledge(1, 2, 3)
        actions = self.tick()
        self.assertTrue(actions.finished)
        self.assertEqual(len(self.sent(actions, WorkerGoodbye)), 1)

    def test_batches_keep_to_the_limits(self):
        self.session.connection_lost(self.now, self.actions)
        (hello,) = self.sent(self.run_until(lambda a: a.sends, SECOND), WorkerHello)
        self.welcome(hello.hello_number, PeerLimits(batch_items_max=1))
        self.tick()
        self.dispatch(1, 2)
        self.tick()
        self.finish(1)
        self.finish(2)
        self.assertEqual([len(c.items) for c in self.sent(self.tick(), Complete)], [1, 1])


class RunAhead(WorkerSessionTest):
    settings = WorkerSessionTest.settings._replace(run_ahead_ns=MILLISECOND)

    def test_tiny_tasks_start_ahead_of_free_slots(self):
        self.open()
        self.dispatch(1)
        self.tick()
        self.finish(1, elapsed_ns=MILLISECOND // 2)
        self.tick()
        self.dispatch(*range(2, 12))
        self.assertEqual(len(self.started(self.tick())), 6)  # 2 slots, and what both finish in 1 ms


class TheEnd(WorkerSessionTest):
    def setUp(self):
        super().setUp()
        self.open()

    def test_drain_hands_back_finishes_waits_for_the_answers_and_says_goodbye(self):
        self.dispatch(1, 2, 3)
        self.tick()
        self.session.drain(self.now, self.actions)
        (complete,) = self.sent(self.tick(), Complete)
        self.assertEqual(([(i.task, i.outcome) for i in complete.items], complete.credit),
                         ([(3, Outcome.released)], 0))
        self.finish(1)
        self.finish(2)
        self.assertFalse(self.tick().finished)
        self.acknowledge(1, 2, 3)
        actions = self.tick()
        self.assertTrue(actions.finished)
        self.assertIsInstance(actions.sends[-1], WorkerGoodbye)

    def test_asked_by_the_broker_it_drains_too(self):
        self.receive(Drain())
        self.assertTrue(self.tick().finished)

    def test_work_that_arrives_while_draining_goes_back(self):
        self.dispatch(1)
        self.tick()
        self.session.drain(self.now, self.actions)
        self.tick()
        self.dispatch(2)
        actions = self.tick()
        self.assertEqual(self.started(actions), [])
        self.assertEqual(self.completions(actions), [(2, Outcome.released)])

    def test_without_a_broker_it_ends_after_a_bounded_wait(self):
        self.dispatch(1)
        self.tick()
        self.session.drain(self.now, self.actions)
        self.finish(1)
        self.tick()
        self.run_until(lambda a: a.finished, 6 * SECOND)

    def test_what_stays_unanswered_is_said_again_before_the_goodbye(self):
        self.dispatch(1)
        self.tick()
        self.session.drain(self.now, self.actions)
        self.finish(1)
        self.tick()
        for _ in range(60):
            self.now += 100 * MILLISECOND
            self.session.hear_pulse(Pulse(1), self.now, self.actions)
            self.receive(Unknown(200))
            actions = self.tick()
            if actions.finished:
                self.assertEqual(self.completions(actions), [(1, Outcome.succeeded)])
                return
        self.fail("it did not end")

    def test_a_stuck_attempt_does_not_hold_up_a_drain(self):
        self.dispatch(1, timeout_ns=SECOND)
        self.tick()
        self.tick(SECOND)
        self.acknowledge(1)
        self.session.drain(self.now, self.actions)
        self.assertTrue(self.tick().finished)

    def test_abandon_releases_all_names_what_runs_and_leaves(self):
        self.dispatch(1, 2, 3)
        self.tick()
        self.session.abandon(self.now, self.actions)
        actions = self.tick()
        self.assertEqual([stop.task for stop in actions.stops], [1, 2])
        self.assertEqual({outcome for _, outcome in self.completions(actions)},
                         {Outcome.released})
        self.assertTrue(actions.finished)
        self.finish(1)
        self.assertEqual(self.tick().sends, [])

    def test_a_hello_while_draining_wants_nothing(self):
        self.dispatch(1)
        self.tick()
        self.session.drain(self.now, self.actions)
        self.session.connection_lost(self.now, self.actions)
        self.tick()
        (hello,) = self.sent(self.run_until(lambda a: a.sends, SECOND), WorkerHello)
        self.assertEqual((hello.credit, hello.holding), (0, [HeldLease(1, 1)]))


class Parts(unittest.TestCase):
    def test_prefetch_wants_what_the_slots_finish_in_twenty_milliseconds(self):
        prefetch = Prefetch(4, 100)
        self.assertEqual(prefetch.tasks, 0)
        prefetch.observe(MILLISECOND)
        self.assertEqual(prefetch.tasks, 80)
        prefetch.observe(0)
        self.assertEqual(prefetch.tasks, 91)

    def test_prefetch_wants_no_long_tasks(self):
        prefetch = Prefetch(4, 100)
        prefetch.observe(100 * MILLISECOND)
        self.assertEqual(prefetch.tasks, 0)

    def test_prefetch_grows_once_a_refill_and_holds_until_a_handler_ends(self):
        prefetch = Prefetch(1, 10_000)
        prefetch.observe(MILLISECOND)
        prefetch.ran_empty()
        self.assertEqual(prefetch.tasks, 20)
        for expected in (40, 80, 160, 200, 200):
            prefetch.refilled()
            prefetch.ran_empty()
            prefetch.ran_empty()
            self.assertEqual(prefetch.tasks, expected)
        prefetch.hold()
        self.assertEqual(prefetch.tasks, 0)
        prefetch.observe(MILLISECOND)
        self.assertEqual(prefetch.tasks, 200)

    def test_reports_keep_the_first_completion_of_a_lease(self):
        reports = Reports()
        reports.add(Completion(1, 1, Outcome.succeeded, result=b"first"))
        reports.add(Completion(1, 1, Outcome.failed))
        self.assertEqual([c.result for c in reports.take_batch(10, 1000, 5)], [b"first"])
        reports.add(Completion(1, 1, Outcome.failed))
        self.assertEqual((len(reports), reports.has_unsent, reports.oldest_sent_ns()),
                         (1, False, 5))
        self.assertFalse(reports.settle((1, 2)))
        self.assertTrue(reports.settle((1, 1)))

    def test_reports_split_by_bytes_but_always_move_on(self):
        reports = Reports()
        for task in range(3):
            reports.add(Completion(task, 1, Outcome.succeeded, result=b"x" * 1000))
        self.assertEqual([c.task for c in reports.take_batch(10, 10, 1)], [0])
        self.assertEqual([c.task for c in reports.take_batch(10, 10_000, 2)], [1, 2])
        reports.repeat_sent_until(1)
        self.assertEqual([c.task for c in reports.take_batch(10, 10_000, 3)], [0])

    def test_reports_that_are_said_again_go_first(self):
        reports = Reports()
        reports.add(Completion(1, 1, Outcome.succeeded))
        reports.take_batch(10, 1_000, 1)
        reports.add(Completion(2, 1, Outcome.succeeded))
        reports.repeat_sent_until(1)
        self.assertEqual([c.task for c in reports.take_batch(10, 1_000, 2)], [1, 2])

    def test_a_result_over_the_limit_fails_for_good(self):
        fitted = fit(Completion(1, 1, Outcome.succeeded, result=b"12345"),
                     PeerLimits(result_bytes_max=4))
        self.assertEqual((fitted.outcome, fitted.result), (Outcome.failed_for_good, b""))
        self.assertIn("result of 5 bytes is larger than 4", fitted.error)

    def test_of_a_long_error_the_end_is_kept(self):
        self.assertEqual(last_bytes("abc", 2), "bc")
        self.assertEqual(last_bytes("a\u00e9", 2), "\u00e9")
        self.assertEqual(last_bytes("\u00e9b", 2), "b")
        self.assertEqual(fit(Completion(1, 1, Outcome.failed, result=b"x", error="abc"),
                             PeerLimits(error_bytes_max=1))[4:], (b"", "c"))


if __name__ == "__main__":
    unittest.main()

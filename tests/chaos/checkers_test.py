"""Each checker is quiet about a good round and speaks up about a bad one."""

import collections
import unittest

import checkers
import reassignment
import schedule
from evidence import SECOND, Evidence, Fault, FaultsByTime, Start, faults_of

NEVER = 1 << 63


def line(kind, operation, task="t", at=1, **fields):
    return {"mono_ns": at * SECOND, "kind": kind, "operation": operation, "task": task, **fields}


def asked(task="t", at=1, **fields):
    usual = {"queue": "echo", "payload": "hi", "max_attempts": 3, "delay_ns": 0, "fails": False}
    return line("invoke", "submit", task, at, **{**usual, **fields})


def start(worker="w01.1", attempt=1, fence=1, at=2, task="t"):
    return Start(task, attempt, fence, worker, at * SECOND)


def known(**fields):
    return {"state": "succeeded", "attempts": 1, "fence": 1, "max_attempts": 3, "queue": "echo",
            "payload": None, "result": "hi", **fields}


def figures(**states):
    counts = dict.fromkeys(("delayed", "pending", "in_progress", "succeeded", "dead", "cancelled",
                            "expired"), 0)
    counts.update(states)
    return {"tasks_by_state": counts, "pruned_tasks": 0, "submitted_tasks": sum(counts.values()),
            "invariant_violations_total": 0, "epoch": 1}


def good():
    """One task, submitted, run and read."""
    return Evidence(
        history=[asked(), line("ok", "submit", status="accepted"),
                 line("ok", "finished", at=4, state="succeeded", attempts=1, result="hi")],
        starts=[start()], ends=[start(at=3)], export={"t": known()}, listed={"t": known()},
        metrics=figures(succeeded=1), snapshots=[figures(pending=1)])


class Checkers(unittest.TestCase):
    def violations(self, evidence, promise):
        """Those of one promise; the other checkers must get along with the evidence too."""
        return [violation for name, found in checkers.check(evidence).items()
                if name.startswith(promise + " ") for violation in found]

    def assert_speaks_up(self, promise, evidence, about="t"):
        found = self.violations(evidence, promise)
        self.assertTrue(found, f"{promise} says nothing")
        self.assertTrue(any(about in text for text in found), found)

    def test_a_good_round_breaks_nothing(self):
        self.assertFalse(any(checkers.check(good()).values()), checkers.check(good()))

    def test_p1_a_lost_task(self):
        bad = good()
        bad.export, bad.listed, bad.metrics = {}, {}, figures()
        self.assert_speaks_up("P1", bad, "lost")

    def test_p1_a_lost_task_that_was_unknown_is_no_loss(self):
        fair = Evidence(history=[asked(), line("info", "submit", status="unanswered")],
                        metrics=figures())
        self.assertEqual([], self.violations(fair, "P1"))

    def test_p1_a_task_nobody_submitted(self):
        bad = good()
        bad.listed["ghost"] = known()
        self.assert_speaks_up("P1", bad, "ghost")

    def test_p1_another_payload(self):
        bad = good()
        bad.export["t"]["payload"] = "ho"
        self.assert_speaks_up("P1", bad, "payload")

    def test_p2_an_end_that_changes(self):
        for change in ({"state": "dead"}, {"result": "ho"}):
            bad = good()
            bad.history.append(line("ok", "read", at=5, **{"state": "succeeded", "result": "hi",
                                                           **change}))
            self.assert_speaks_up("P2", bad)

    def test_p2_two_ways_to_ask_disagree(self):
        bad = good()
        bad.listed["t"] = known(state="dead")
        self.assert_speaks_up("P2", bad, "listed")

    def test_p3_a_success_of_a_lease_that_never_ran(self):
        bad = good()
        bad.export["t"]["fence"] = 8
        self.assert_speaks_up("P3", bad, "never ran")

    def test_p3_a_run_under_a_newer_lease_than_the_accepted(self):
        bad = good()
        bad.starts.append(start("w02.1", 2, 2, 3))
        self.assert_speaks_up("P3", bad, "ran under 2")

    def test_p3_two_accepted_completions(self):
        bad = good()
        bad.history += [line("ok", "complete", fence=1), line("ok", "complete", fence=2)]
        self.assert_speaks_up("P3", bad, "all accepted")

    def test_p4_one_run_too_many(self):
        bad = good()
        bad.starts += [start("w02.1", n, n, n + 1) for n in (2, 3, 4)]
        self.assert_speaks_up("P4", bad, "at most 3")

    def test_p4_one_lease_runs_twice(self):
        bad = good()
        bad.starts.append(start(at=5))
        self.assert_speaks_up("P4", bad, "one fence")

    def test_p5_books_out_of_balance(self):
        for wrong in ({"submitted_tasks": 7}, {"invariant_violations_total": 1}):
            bad = good()
            bad.snapshots.append({**figures(pending=1), **wrong})
            self.assert_speaks_up("P5", bad, "")

    def test_p7_a_second_start_without_a_reason(self):
        bad = good()
        bad.starts.append(start("w02.1", 2, 2, 30))
        bad.export["t"].update(fence=2, attempts=2)
        self.assert_speaks_up("P7", bad, "nothing had happened")
        for none in (Fault("kill_worker", ["w01.2"], 20 * SECOND, 20 * SECOND),
                     Fault("kill_broker", ["broker"], 20 * SECOND, 21 * SECOND),
                     Fault("kill_worker", ["w01.1"], 31 * SECOND, 31 * SECOND)):
            bad.faults = [none]
            self.assert_speaks_up("P7", bad, "nothing had happened")

    def test_p7_a_second_start_with_a_reason(self):
        for fault in (Fault("kill_worker", ["w01.1"], 20 * SECOND, 20 * SECOND),
                      Fault("partition", ["w01", "w05"], 1 * SECOND, NEVER),
                      Fault("starved", ["all"], 1 * SECOND, 3 * SECOND)):
            fair = good()
            fair.starts.append(start("w02.1", 2, 2, 30))
            fair.faults = [fault]
            self.assertEqual([], self.violations(fair, "P7"))

    def test_p7_a_frozen_worker_may_start_late_what_was_given_on(self):
        fair = good()
        fair.starts = [start("w02.1", 2, 2, 30), start("w01.1", 1, 1, 31)]
        fair.faults = [Fault("freeze_worker", ["w01.1"], 25 * SECOND, 31 * SECOND)]
        self.assertEqual([], self.violations(fair, "P7"))

    def test_p8_other_content_under_the_same_id(self):
        bad = good()
        bad.history.append(line("ok", "submit_other", status="duplicate"))
        self.assert_speaks_up("P8", bad, "other content")

    def test_p8_a_conflict_with_itself(self):
        bad = good()
        bad.history.append(line("fail", "submit", status="conflict"))
        self.assert_speaks_up("P8", bad, "itself")

    def test_p13_an_early_start(self):
        bad = good()
        bad.history[0]["delay_ns"] = 5 * SECOND
        self.assert_speaks_up("P13", bad, "4.000 s early")
        bad.clock_moved = True
        self.assertEqual([], self.violations(bad, "P13"))

    def test_p15_refused_and_done_all_the_same(self):
        bad = good()
        bad.history = [asked(), line("fail", "submit", status="busy")]
        self.assert_speaks_up("P15", bad, "refused")

    def test_p15_known_and_then_unknown(self):
        for lie in (line("ok", "read", at=5, state="unknown"),
                    line("fail", "cancel", at=5, status="not_found")):
            bad = good()
            bad.history.append(lie)
            self.assert_speaks_up("P15", bad, "unknown")

    def test_p19_no_rest(self):
        bad = good()
        bad.export["t"]["state"] = "pending"
        self.assert_speaks_up("P19", bad, "pending")
        for field, value, about in (
                ("drained", False, "in time"), ("strangers", ["77"], "77"),
                ("unexpected", ["w01.1 ended"], "w01.1"),
                ("descriptors_after", collections.Counter(socket=1), "still has open")):
            bad = good()
            setattr(bad, field, value)
            self.assert_speaks_up("P19", bad, about)

    def test_p20_a_cancel_that_did_not_win(self):
        bad = good()
        bad.history.append(line("ok", "cancel", status="cancelling"))
        self.assert_speaks_up("P20", bad, "cancelling")
        bad = good()
        bad.export["t"]["state"] = "pending"
        bad.history.append(line("fail", "cancel", status="already_finished"))
        self.assert_speaks_up("P20", bad, "already finished")

    def test_p21_a_wrong_result(self):
        bad = good()
        bad.export["t"]["result"] = "a lie"
        self.assert_speaks_up("P21", bad, "a lie")

    def test_p21_wrong_figures(self):
        bad = good()
        bad.metrics = figures(dead=1)
        self.assert_speaks_up("P21", bad, "1 dead")

    def test_every_checker_is_seen_to_fail_here(self):
        tested = {name[5:].split("_")[0].upper() for name in dir(self) if name.startswith("test_p")}
        self.assertEqual({name.split()[0] for name in checkers.CHECKERS}, tested)


class Reassignment(unittest.TestCase):
    def evidence(self, *faults):
        return Evidence(starts=[start("w01.1", 1, 1, 2), start("w02.1", 2, 2, 6)],
                        faults=list(faults))

    def test_counts_from_the_fault_to_the_next_start(self):
        kill = Fault("kill_worker", ["w01.1"], 3 * SECOND, 3 * SECOND)
        self.assertEqual([3.0], reassignment.samples(self.evidence(kill)))

    def test_leaves_out_what_had_other_reasons_too(self):
        kill = Fault("kill_worker", ["w01.1"], 3 * SECOND, 3 * SECOND)
        for other in (Fault("kill_broker", ["broker"], 4 * SECOND, 5 * SECOND),
                      Fault("partition", ["w02"], 1 * SECOND, 4 * SECOND)):
            self.assertEqual([], reassignment.samples(self.evidence(kill, other)))

    def test_leaves_out_what_was_given_on_twice(self):
        evidence = self.evidence(Fault("kill_worker", ["w01.1"], 3 * SECOND, 3 * SECOND))
        evidence.starts[1] = start("w02.1", 3, 3, 9)
        self.assertEqual([], reassignment.samples(evidence))

    def test_leaves_out_what_ended(self):
        evidence = self.evidence(Fault("kill_worker", ["w01.1"], 3 * SECOND, 3 * SECOND))
        evidence.ends = [start(at=2)]
        self.assertEqual([], reassignment.samples(evidence))

    def test_distribution(self):
        self.assertEqual({"count": 0}, reassignment.distribution([]))
        self.assertEqual({"count": 100, "p50": 51, "p90": 91, "p99": 100, "p100": 100},
                         reassignment.distribution(range(100, 0, -1)))


class Faults(unittest.TestCase):
    def test_are_read_with_their_ends(self):
        first, second, _ = faults_of([
            {"operation": "fault", "kind": "invoke", "number": 1, "mono_ns": 10, "fault": "stall",
             "targets": ["w04"]},
            {"operation": "fault", "kind": "invoke", "number": 2, "mono_ns": 11, "fault": "lose",
             "targets": ["w01"]},
            {"operation": "fault", "kind": "invoke", "number": "starved 1", "mono_ns": 12,
             "fault": "starved", "targets": ["all"]},
            {"operation": "fault", "kind": "ok", "number": 1, "mono_ns": 20}])
        self.assertEqual((first.begin_ns, first.end_ns, second.end_ns), (10, 20, NEVER))
        self.assertTrue(first.hits("w04.7") and first.hits("w04") and not first.hits("w40.1"))

    def test_by_time_finds_all_that_touch(self):
        faults = [Fault("lose", ["w01"], begin, end)
                  for begin, end in ((0, 100), (10, 11), (50, 60), (90, 95))]
        by_time = FaultsByTime(faults)
        for begin, end in ((0, 5), (11, 12), (12, 13), (55, 92), (96, 99), (101, 200)):
            expected = [f for f in faults if f.begin_ns <= end and f.end_ns >= begin]
            self.assertCountEqual(expected, by_time.touching(begin, end))


class Schedule(unittest.TestCase):
    def test_is_decided_by_the_seed(self):
        self.assertEqual(schedule.mixed(5, 300), schedule.mixed(5, 300))
        self.assertNotEqual(schedule.mixed(5, 300), schedule.mixed(6, 300))

    def test_has_every_kind_sooner_or_later(self):
        kinds = {planned.kind for seed in range(20) for planned in schedule.mixed(seed, 100)}
        self.assertEqual(set(schedule.MIXED), kinds)

    def test_has_as_many_kills_as_asked_for(self):
        shares = [schedule.share(1000, 7, number) for number in range(7)]
        self.assertEqual(1000, sum(shares))
        plan = schedule.kills(1, 60, 20, 200)
        self.assertEqual((20, 200), tuple(sum(p.kind == kind for p in plan)
                                          for kind in ("kill_broker", "kill_worker")))
        self.assertEqual(plan, sorted(plan, key=lambda planned: planned.at_seconds))


if __name__ == "__main__":
    unittest.main()

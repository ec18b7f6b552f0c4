"""Workers that die, hang, stall, lie or leave; programs that fail in every way."""

import json
import os
import signal
import time
import unittest

from cluster import ClusterTest, wait_for

LEASE_SECONDS = 3
# A bound for a busy test machine; the figure itself is measured by the benchmarks.
NOTICE_SECONDS_MAX = 20


class WorkerFailures(ClusterTest):
    def setUp(self):
        self.cluster.start_broker()

    def submit_ids(self, *arguments):
        finished = self.cluster.client("submit", "demo", *arguments)
        self.assertEqual(finished.returncode, 0, finished.stderr)
        return finished.stdout.split()

    def wait_for_state(self, task, state, seconds=60):
        wait_for(lambda: self.cluster.task(task).get("state") == state, f"{task} {state}", seconds)
        return self.cluster.task(task)

    def test_tasks_of_a_killed_worker_run_elsewhere(self):
        self.cluster.start_worker("victim", "--builtin", "sleep", slots=4)
        self.cluster.wait_for_workers(1)
        ids = self.submit_ids("--count", "4", "--payload", "600000")
        wait_for(lambda: len(self.cluster.starts()) == 4, "four starts")
        self.cluster.start_worker("heir", "--builtin", "echo", slots=4)
        self.cluster.wait_for_workers(2)
        self.cluster.workers["victim"].kill()
        for task in ids:
            view = self.wait_for_state(task, "succeeded", NOTICE_SECONDS_MAX)
            self.assertEqual(view["attempts"], 2)
        self.cluster.wait_for_metric("lease_losses_total", lambda value: value == 4)

    def test_a_stopped_worker_loses_its_tasks_and_comes_back(self):
        self.cluster.start_worker("frozen", "--builtin", "sleep")
        self.cluster.wait_for_workers(1)
        (task,) = self.submit_ids("--count", "1", "--payload", "3000")
        wait_for(lambda: self.cluster.starts(), "a start")
        self.cluster.workers["frozen"].send_signal(signal.SIGSTOP)
        self.cluster.wait_for_metric("connected_workers", lambda count: count == 0)
        self.cluster.start_worker("heir", "--builtin", "echo")
        self.wait_for_state(task, "succeeded")
        self.cluster.workers["frozen"].send_signal(signal.SIGCONT)
        self.cluster.wait_for_workers(2)
        self.assertEqual(self.cluster.task(task)["attempts"], 2)
        # Its late completion changes nothing; it works on.
        self.cluster.workers["heir"].terminate()
        self.cluster.wait_for_workers(1)
        self.assertEqual(self.cluster.submit("demo", "--count", "5", "--payload", "1")["succeeded"], 5)

    def test_a_broker_restart_takes_no_task_from_a_running_worker(self):
        self.cluster.start_worker("steady", "--builtin", "sleep", slots=3)
        self.cluster.wait_for_workers(1)
        ids = self.submit_ids("--count", "3", "--payload", "4000")
        wait_for(lambda: len(self.cluster.starts()) == 3, "three starts")
        self.cluster.kill_broker()
        self.cluster.start_broker()
        for task in ids:
            self.assertEqual(self.wait_for_state(task, "succeeded")["attempts"], 1)
        self.assert_no_second_start()

    def test_sigterm_drains(self):
        self.cluster.start_worker("leaver", "--builtin", "sleep", slots=2)
        self.cluster.wait_for_workers(1)
        ids = self.submit_ids("--count", "6", "--payload", "700")
        wait_for(lambda: len(self.cluster.starts()) >= 2, "two starts")
        self.cluster.workers["leaver"].terminate()
        self.assertEqual(self.cluster.workers["leaver"].wait(timeout=30), 0)
        self.assertEqual(len(self.cluster.ends()), len(self.cluster.starts()))
        self.cluster.start_worker("heir", "--builtin", "echo")
        for task in ids:
            self.assertEqual(self.wait_for_state(task, "succeeded")["attempts"], 1)
        self.assert_no_second_start()

    def test_a_drain_that_takes_too_long_hands_back_at_no_cost(self):
        self.cluster.start_worker("leaver", "--builtin", "sleep", extra=("--drain-timeout", "200ms"))
        self.cluster.wait_for_workers(1)
        (task,) = self.submit_ids("--count", "1", "--payload", "60000")
        wait_for(lambda: self.cluster.starts(), "a start")
        self.cluster.workers["leaver"].terminate()
        self.assertEqual(self.cluster.workers["leaver"].wait(timeout=30), 0)
        wait_for(lambda: self.cluster.task(task).get("state") == "pending", "handed back")
        self.assertEqual(self.cluster.task(task)["attempts"], 0)

    def test_poison_goes_to_the_dead_letter_queue(self):
        self.cluster.start_worker("poison", "--builtin", "poison", "--poison", "fail")
        (task,) = self.submit_ids("--count", "1", "--backoff", "10ms")
        view = self.wait_for_state(task, "dead")
        self.assertEqual((view["attempts"], view["reason"]), (3, "failed"))
        dead = json.loads(self.cluster.client("dlq", "list", "--json").stdout)
        self.assertIn(task, json.dumps(dead))
        shown = self.cluster.client("dlq", "show", task, "--json").stdout
        self.assertEqual(shown.count("poison: this worker fails every task"), shown.count("poison:"))
        self.assertGreaterEqual(shown.count("poison: this worker fails every task"), 3)
        self.cluster.workers["poison"].terminate()
        self.cluster.workers["poison"].wait(timeout=30)
        self.cluster.start_worker("healthy", "--builtin", "echo")
        self.assertEqual(self.cluster.client("dlq", "requeue", task).returncode, 0)
        self.wait_for_state(task, "succeeded")
        self.assert_books_balance()

    def test_a_task_that_kills_its_workers_ends_dead(self):
        for number in range(3):
            self.cluster.start_worker(f"p{number}", "--builtin", "poison", "--poison", "exit")
        (task,) = self.submit_ids("--count", "1")
        view = self.wait_for_state(task, "dead", 90)
        self.assertEqual((view["attempts"], view["reason"]), (3, "lease_lost"))
        self.assertEqual(len(self.cluster.starts()), 3)

    def test_a_hung_handler_is_given_up_at_its_timeout(self):
        self.cluster.start_worker("hung", "--builtin", "poison", "--poison", "hang")
        self.cluster.wait_for_workers(1)
        (task,) = self.submit_ids("--count", "1", "--task-timeout", "300ms", "--max-attempts", "1")
        self.assertEqual(self.wait_for_state(task, "dead")["reason"], "timed_out")

    def test_a_stalled_session_looks_dead(self):
        self.cluster.start_worker("stalled", "--builtin", "poison", "--poison", "stall")
        self.cluster.wait_for_workers(1)
        (task,) = self.submit_ids("--count", "1")
        wait_for(lambda: self.cluster.starts(), "a start")
        self.cluster.start_worker("heir", "--builtin", "echo")
        self.assertEqual(self.wait_for_state(task, "succeeded")["attempts"], 2)

    def test_a_liar_changes_nothing_it_has_no_lease_for(self):
        self.cluster.start_worker("liar", "--builtin", "poison", "--poison", "lie")
        summary = self.cluster.submit("demo", "--count", "20")
        self.assertEqual(summary["succeeded"], 20)
        self.cluster.wait_for_metric("stale_leases_total", lambda count: count > 0)
        self.assert_books_balance()

    def test_any_program_is_a_worker(self):
        script = ('read -r line; case "$line" in '
                  'ok) printf "done by %s" "$MILLRACE_ATTEMPT" ;; '
                  'never) echo "no use" >&2; exit 65 ;; '
                  'fails) echo "try again" >&2; exit 3 ;; '
                  'crash) kill -SEGV $$ ;; '
                  'slow) sleep 60 ;; esac')
        self.cluster.start_worker("shell", "--", "/bin/sh", "-c", script, slots=2,
                                  extra=("--grace", "200ms"))
        lines = "".join(json.dumps({"payload": word + "\n", "max_attempts": 2, "backoff": "10ms",
                                    "timeout": "1s"}) + "\n"
                        for word in ("ok", "never", "fails", "crash", "slow"))
        finished = self.cluster.client("submit", "demo", "-", "--wait", "--results", stdin=lines)
        self.assertEqual(finished.returncode, 1)
        results = [json.loads(line) for line in finished.stdout.splitlines() if '"id"' in line]
        by_error = {(r["state"], r["attempts"], r.get("result"), (r.get("error") or "")[:16])
                    for r in results}
        self.assertEqual(len(results), 5)
        states = sorted((state, attempts) for state, attempts, _, _ in by_error)
        self.assertEqual(states, [("dead", 1), ("dead", 2), ("dead", 2), ("dead", 2),
                                  ("succeeded", 1)])
        self.assertIn("done by 1", {result for _, _, result, _ in by_error})

    def test_a_confirmed_cancel_wins(self):
        self.cluster.start_worker("w", "--builtin", "sleep", slots=1)
        self.cluster.wait_for_workers(1)
        ids = self.submit_ids("--count", "2", "--payload", "60000")
        wait_for(lambda: self.cluster.starts(), "a start")
        self.assertEqual(self.cluster.client("cancel", *ids).returncode, 0)
        for task in ids:
            self.wait_for_state(task, "cancelled")
        self.assertEqual(len(self.cluster.starts()), 1)


class Restart(ClusterTest):
    def test_everything_accepted_survives_kill_9(self):
        cluster = self.cluster
        cluster.start_broker()
        cluster.start_worker("poison", "--builtin", "poison", "--poison", "fail", queue="bad")
        dead = cluster.client("submit", "bad", "--count", "3", "--max-attempts", "1").stdout.split()
        cluster.wait_for_metric("dead_tasks", lambda count: count == 3)
        cluster.workers["poison"].terminate()
        cluster.workers["poison"].wait(timeout=30)
        cluster.start_worker("echo", "--builtin", "echo", queue="good")
        done = cluster.client("submit", "good", "--count", "5", "--payload", "kept").stdout.split()
        cluster.wait_for_metric("completed_tasks", lambda count: count == 5)
        delayed = cluster.client("submit", "later", "--count", "4", "--delay", "1h").stdout.split()
        pending = cluster.client("submit", "idle", "--count", "7").stdout.split()
        cluster.client("queue", "pause", "idle")
        before = {task: cluster.task(task)["state"] for task in dead + done + delayed + pending}
        cluster.kill_broker()
        cluster.start_broker()
        after = {task: cluster.task(task).get("state") for task in before}
        self.assertEqual(before, after)
        self.assertEqual(sorted(before.values()),
                         sorted(["dead"] * 3 + ["succeeded"] * 5 + ["delayed"] * 4 + ["pending"] * 7))
        self.assertIn("kept", cluster.client("get", done[0], "--json").stdout)
        queues = {queue["name"]: queue for queue in cluster.json("/queues")["queues"]}
        self.assertTrue(queues["idle"]["paused"])
        self.assert_books_balance()

    def test_a_clean_stop_and_the_same_id_again(self):
        cluster = self.cluster
        cluster.start_broker()
        line = json.dumps({"id": "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f", "payload": "once"}) + "\n"
        other = json.dumps({"id": "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f", "payload": "twice"}) + "\n"
        self.assertEqual(cluster.client("submit", "q", "-", stdin=line).returncode, 0)
        cluster.broker.terminate()
        self.assertEqual(cluster.broker.wait(timeout=30), 0)
        cluster.start_broker()
        self.assertEqual(cluster.client("submit", "q", "-", stdin=line).returncode, 0)
        cluster.wait_for_metric("submitted_tasks", lambda value: value == 1)
        refused = cluster.client("submit", "q", "-", stdin=other)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("other content", refused.stderr + refused.stdout)

    def test_a_second_broker_is_refused(self):
        self.cluster.start_broker()
        second = self.cluster.start("millrace-broker", "--data", self.cluster.data, "--client-port",
                                    "0", "--worker-port", "0", "--beat-port", "0", "--pulse-port", "0",
                                    "--http-port", "0", log="second.log")
        self.assertEqual(second.wait(timeout=30), 78)
        with open(os.path.join(self.cluster.folder, "second.log")) as log:
            self.assertEqual(len(log.read().splitlines()), 1)


if __name__ == "__main__":
    unittest.main()

"""What an operator does, with the real programs: explain, history, pause, purge, changes by filter,
and the settings of a broker."""

import json
import os
import subprocess
import unittest

from cluster import BINARIES, ClusterTest, wait_for


class Operator(ClusterTest):
    def setUp(self):
        self.cluster.start_broker()

    def submit(self, queue, *arguments, count=1):
        done = self.cluster.client("submit", queue, "--count", count, "--payload", "1", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def explain(self, task):
        done = self.cluster.client("explain", task, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def ask(self, *arguments):
        done = self.cluster.client(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_a_task_is_explained_through_its_life(self):
        task, = self.submit("mail")
        self.assertEqual(self.explain(task)["standing"], "no_worker")
        self.assertIn("no worker serves queue mail", self.ask("explain", task))
        self.ask("queue", "pause", "mail")
        self.assertEqual(self.explain(task)["standing"], "queue_paused")
        self.cluster.start_worker("w1", "--builtin", "echo", queue="mail")
        self.cluster.wait_for_workers(1)

        self.cluster.kill_broker()
        self.cluster.start_broker()
        self.cluster.wait_for_workers(1)
        self.assertEqual(self.explain(task)["standing"], "queue_paused", "a pause is durable")

        self.ask("queue", "resume", "mail")
        self.ask("wait", task)
        self.assertEqual(self.explain(task)["standing"], "succeeded")
        status, text = self.cluster.http(f"/tasks/{task}/explain?format=text")
        self.assertEqual(status, 200)
        self.assertTrue(text.startswith("succeeded "), text)

    def test_a_history_outlives_the_broker(self):
        self.cluster.start_worker("flaky", "--", "sh", "-c",
                                  'test "$MILLRACE_ATTEMPT" = 2 && echo done', queue="mail")
        task, = self.submit("mail", "--backoff", "10ms")
        self.ask("wait", task)
        self.cluster.kill_broker()
        self.cluster.start_broker()
        history = json.loads(self.ask("history", task, "--json"))["history"]
        told = [(entry["event"], entry.get("attempt"), entry.get("worker")) for entry in history]
        self.assertEqual(told, [("accepted", None, None), ("leased", 1, "flaky"),
                                ("failed", 1, "flaky"), ("leased", 2, "flaky"),
                                ("succeeded", 2, "flaky")])
        times = [entry["at"] for entry in history]
        self.assertEqual(times, sorted(times))
        self.assertEqual(self.cluster.json(f"/tasks/{task}/history")["history"], history)

    def test_what_is_purged_never_runs(self):
        self.ask("queue", "pause", "mail")
        tasks = self.submit("mail", count=50) + self.submit("mail", "--delay", "1h", count=5)
        kept = self.submit("video")
        self.assertIn("55 tasks cancelled in mail", self.ask("queue", "purge", "mail"))
        self.assertEqual(self.cluster.client("queue", "purge", "nowhere").returncode, 1)
        self.ask("queue", "resume", "mail")
        self.cluster.start_worker("w1", "--builtin", "echo", queue="mail,video")
        self.ask("wait", kept[0])
        self.assertEqual({start.task for start in self.cluster.starts()}, set(kept))
        self.assertEqual({self.cluster.task(task)["state"] for task in tasks}, {"cancelled"})

    def test_the_dead_are_requeued_by_what_they_are(self):
        self.cluster.start_worker("w1", "--", "sh", "-c", "exit 65", queue="mail")
        tasks = self.submit("mail", count=20)
        self.cluster.wait_for_metric("dead_tasks", lambda dead: dead == len(tasks))
        self.ask("queue", "pause", "mail")
        self.assertIn("0 tasks requeued", self.ask("dlq", "requeue", "--reason", "timed_out"))
        self.assertIn("20 tasks requeued", self.ask("dlq", "requeue", "--queue", "mail", "--reason",
                                                    "failed_for_good", "--rate", "1000"))
        wait_for(lambda: self.cluster.metric("pending_tasks") == len(tasks), "the requeued tasks")
        self.assertIn("20 tasks cancelled", self.ask("cancel", "--queue", "mail", "--priority", "4"))
        self.assertIn("0 tasks cancelled", self.ask("cancel", "--all"))


class Settings(ClusterTest):
    def write(self, text):
        path = os.path.join(self.cluster.folder, "broker.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def broker(self, *arguments):
        return subprocess.run([os.path.join(BINARIES, "millrace-broker"), *arguments], text=True,
                              capture_output=True, check=False, timeout=60)

    def test_a_configuration_is_checked_and_printed_without_a_broker(self):
        good = self.write('retention = "90m"\nhttp-host-name = ["a", "b"]\n')
        data = os.path.join(self.cluster.folder, "nowhere")
        self.assertEqual(self.broker("--data", data, "--config", good, "--check-config").returncode, 0)
        printed = self.broker("--data", data, "--config", good, "--print-config")
        self.assertIn('retention = "90m"\n', printed.stdout)
        self.assertIn("tasks-max = 20000000\n", printed.stdout)
        # What was printed is a configuration, and says the same.
        again = self.broker("--config", self.write(printed.stdout), "--print-config")
        self.assertEqual((again.returncode, again.stdout), (0, printed.stdout), again.stderr)
        self.write('lease = "1ms"\n')
        bad = self.broker("--data", data, "--config", good, "--check-config")
        self.assertEqual((bad.returncode, bad.stdout), (2, ""))
        self.assertIn("--lease", bad.stderr)
        self.assertFalse(os.path.exists(data))

    def test_logs_are_json_where_it_is_wanted(self):
        self.cluster.start_broker("--log-format", "json")
        with open(os.path.join(self.cluster.folder, "broker.log"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual({line["program"] for line in lines}, {"millrace-broker"})


if __name__ == "__main__":
    unittest.main()

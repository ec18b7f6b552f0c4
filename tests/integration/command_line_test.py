"""The programs as people and scripts meet them: outputs, one-line errors, honest exit codes."""

import json
import os
import subprocess
import unittest

from cluster import BINARIES, ClusterTest

TASK_ID = "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f"


class CommandLine(ClusterTest):
    def setUp(self):
        self.cluster.start_broker()

    def assert_one_line(self, text, *words):
        self.assertEqual(len(text.strip().splitlines()), 1, text)
        for word in words:
            self.assertIn(word, text)

    def test_a_bad_line_submits_nothing_and_names_its_place(self):
        path = os.path.join(self.cluster.folder, "batch.jsonl")
        good = json.dumps({"payload": "x"})
        for bad, word in (('{"payload": "x", "priority": 12}', "priority"), ("{oops", "batch.jsonl:7"),
                          ('{"payload": "x", "nonsense": 1}', "nonsense"), ("[1]", "batch.jsonl:7"),
                          ('{"payload": "x", "id": "no"}', "id"),
                          ('{"payload_base64": "%%"}', "payload_base64"),
                          ('{"payload": "x", "timeout": "soon"}', "soon")):
            with open(path, "w") as batch:
                batch.write("\n".join([good] * 6 + [bad] + [good] * 3) + "\n")
            finished = self.cluster.client("submit", "demo", path)
            self.assertEqual(finished.returncode, 2, bad)
            self.assertEqual(finished.stdout, "")
            self.assertIn(":7", finished.stderr)
            self.assertIn(word, finished.stderr)
        self.assertEqual(self.cluster.metric("submitted_tasks"), 0)

    def test_lines_from_a_pipe_with_results(self):
        self.cluster.start_worker("upper", "--", "/usr/bin/tr", "a-z", "A-Z")
        finished = self.cluster.client("submit", "demo", "--lines", "--wait", "--results",
                                       stdin="one\ntwo\nthree\n")
        self.assertEqual(finished.returncode, 0, finished.stderr)
        results = [json.loads(line) for line in finished.stdout.splitlines()]
        self.assertEqual(sorted(r["result"] for r in results if "id" in r), ["ONE", "THREE", "TWO"])
        self.assertNotIn("\r", finished.stderr)

    def test_the_ids_of_a_submit_can_be_waited_for(self):
        finished = self.cluster.client("submit", "demo", "--count", "3")
        ids = finished.stdout.split()
        self.assertEqual(len(ids), 3)
        self.cluster.start_worker("w", "--builtin", "echo")
        self.assertEqual(self.cluster.client("wait", *ids).returncode, 0)
        shown = self.cluster.client("get", ids[0], "--json")
        self.assertEqual(json.loads(shown.stdout.splitlines()[0])["state"], "succeeded")

    def test_exit_codes(self):
        run = self.cluster.client
        self.assertEqual(run("--version").returncode, 0)
        self.assertEqual(run("submit").returncode, 2)
        self.assertEqual(run("get", TASK_ID).returncode, 1)
        self.assertEqual(run("get", "no-id").returncode, 2)
        self.assertEqual(run("queue", "resume", "nowhere").returncode, 1)
        self.assertEqual(run("worker", "drain", "nobody").returncode, 1)
        nobody = subprocess.run([os.path.join(BINARIES, "millrace"), "--broker", "127.0.0.1:1",
                                 "--timeout", "1s", "stats"], capture_output=True, text=True, timeout=60)
        self.assertEqual(nobody.returncode, 3)
        self.assert_one_line(nobody.stderr, "127.0.0.1:1")

    def test_listings(self):
        self.cluster.start_worker("w", "--builtin", "echo")
        self.cluster.wait_for_workers(1)
        self.cluster.client("submit", "paused", "--count", "2")
        self.assertEqual(self.cluster.client("queue", "pause", "paused").returncode, 0)
        for command in (("queues",), ("workers",), ("stats",), ("tasks", "--queue", "paused"),
                        ("dlq", "list")):
            for extra in ((), ("--json",)):
                finished = self.cluster.client(*command, *extra)
                self.assertEqual(finished.returncode, 0, (command, finished.stderr))
                if extra:
                    for line in [finished.stdout] if command[0] in ("queues", "workers", "stats") else \
                            finished.stdout.splitlines():
                        json.loads(line)
        self.assertEqual(self.cluster.client("queue", "purge", "paused").returncode, 0)
        self.cluster.wait_for_metric("cancelled_tasks", lambda count: count == 2)

    def test_a_worker_can_be_drained_by_name(self):
        worker = self.cluster.start_worker("leaver", "--builtin", "echo")
        self.cluster.wait_for_workers(1)
        self.assertEqual(self.cluster.client("worker", "drain", "leaver").returncode, 0)
        self.assertEqual(worker.wait(timeout=30), 0)
        self.cluster.wait_for_workers(0)

    def test_refusals_to_start(self):
        def run(program, *arguments, **environment):
            return subprocess.run([os.path.join(BINARIES, program), *arguments], capture_output=True,
                                  text=True, timeout=30, env={**os.environ, **environment})

        worker = ("--broker", "127.0.0.1", "--queue", "q")
        for expected, word, finished in (
                (2, "--data", run("millrace-broker")),
                (2, "--lease", run("millrace-broker", "--data", "d", "--lease", "1s")),
                (2, "MILLRACE_CLIENT_PORT", run("millrace-broker", "--data", "d",
                                                MILLRACE_CLIENT_PORT="nine")),
                (78, "/proc/nowhere", run("millrace-broker", "--data", "/proc/nowhere")),
                (2, "--", run("millrace-worker", *worker)),
                (2, "no-such-program", run("millrace-worker", *worker, "--", "no-such-program")),
                (2, "poison", run("millrace-worker", *worker, "--builtin", "poison")),
                (3, "127.0.0.1", run("millrace-worker", "--broker", "127.0.0.1:1", "--queue", "q",
                                     "--builtin", "echo", "--connect-timeout", "300ms"))):
            self.assertEqual(finished.returncode, expected, finished.stderr)
            self.assertIn(word, finished.stderr.splitlines()[-1])

    def test_a_configuration_file(self):
        path = os.path.join(self.cluster.folder, "worker.toml")
        with open(path, "w") as file:
            file.write(f'broker = "127.0.0.1:{self.cluster.ports["worker"]}"\nname = "from-file"\n'
                       'queue = "demo"\nbuiltin = "echo"\nslots = 3\n')
        self.cluster.start("millrace-worker", "--config", path)
        self.cluster.wait_for_workers(1)
        self.assertEqual(self.cluster.json("/workers")["from-file"]["slots"], 3)
        with open(path, "a") as file:
            file.write('nonsense = 1\n')
        bad = subprocess.run([os.path.join(BINARIES, "millrace-worker"), "--config", path],
                             capture_output=True, text=True, timeout=30)
        self.assertEqual(bad.returncode, 2)
        self.assert_one_line(bad.stderr, "nonsense")


if __name__ == "__main__":
    unittest.main()

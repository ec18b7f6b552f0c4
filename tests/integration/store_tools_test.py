"""fsck, export, backup, restore and compact: the broker's data without its broker, or beside it."""

import json
import os
import signal
import subprocess
import unittest

import cluster as rig
from cluster import ClusterTest


class StoreTools(ClusterTest):
    def tool(self, *arguments):
        command = [os.path.join(rig.BINARIES, "millrace-broker"), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def fsck(self, data=None):
        return self.tool("fsck", "--data", data or self.cluster.data)

    def export(self, data=None):
        """The tasks by payload, and the finished process."""
        done = self.tool("export", "--data", data or self.cluster.data)
        return [json.loads(line) for line in done.stdout.splitlines()], done

    def path(self, name):
        return os.path.join(self.cluster.folder, name)

    def stop_broker(self):
        self.cluster.broker.send_signal(signal.SIGTERM)
        self.assertEqual(self.cluster.broker.wait(30), 0)

    def submit_waiting(self, payloads):
        """Tasks that nobody works on; their ids."""
        lines = "".join(json.dumps({"payload": payload}) + "\n" for payload in payloads)
        done = self.cluster.client("submit", "later", stdin=lines)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def assert_intact(self, data=None):
        done = self.fsck(data)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertTrue(done.stdout.startswith("intact: "), done.stdout)

    def assert_refused(self, done, *parts, code=78):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)

    # ---- looking --------------------------------------------------------------------------------

    def test_export_has_every_task_as_it_was_given(self):
        cluster = self.cluster
        cluster.start_broker()
        cluster.start_worker("w1", "--", "/bin/sh", "-c", 'read x; test "$x" = good && echo "did $x"')
        cluster.wait_for_workers(1)
        cluster.submit("demo", stdin='{"payload": "good\\n"}\n{"payload": "bad\\n", "max_attempts": 1}\n')
        large = "x" * 100_000
        waiting = self.submit_waiting(["small", large, "\u00e4"])
        self.assert_intact()  # beside the broker
        tasks, done = self.export()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([task["state"] for task in tasks],
                         ["succeeded", "dead", "pending", "pending", "pending"])
        self.assertEqual(tasks[0]["result"], "did good\n")
        self.assertEqual(tasks[1]["payload"], "bad\n")
        self.assertEqual(len(tasks[1]["attempt_records"]), 1)
        self.assertEqual([task["payload"] for task in tasks[2:]], ["small", large, "\u00e4"])
        self.assertEqual([task["id"] for task in tasks[2:]], waiting)
        self.assertEqual({task["queue"] for task in tasks[2:]}, {"later"})
        self.stop_broker()
        self.assert_intact()
        self.assertEqual(self.export()[0], tasks)

    def test_damage_is_named_and_the_rest_is_read(self):
        cluster = self.cluster
        cluster.start_broker()
        payloads = [f"payload number {number} of a test" for number in range(20)]
        ids = self.submit_waiting(payloads)
        self.stop_broker()
        file = os.path.join(cluster.data, "data.mdb")
        with open(file, "r+b") as data:
            content = data.read()
            for place in (place for place in range(len(content))
                          if content.startswith(payloads[7].encode(), place)):
                data.seek(place)
                data.write(b"P")
        done = self.fsck()
        self.assertEqual(done.returncode, 1)
        self.assertIn(ids[7], done.stdout)
        self.assertIn("checksum", done.stdout)
        self.assertTrue(done.stdout.splitlines()[-1].startswith("damaged: 20 tasks"), done.stdout)
        tasks, done = self.export()
        self.assertEqual(done.returncode, 1)
        self.assertEqual([task.get("payload") for task in tasks],
                         payloads[:7] + [None] + payloads[8:])
        self.assertIn("checksum", tasks[7]["damage"][0])
        # A copy of it is no backup.
        done = self.tool("backup", "--data", cluster.data, "--to", self.path("copy"))
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("data.mdb", os.listdir(self.path("copy")))

    def test_damaged_pages_are_one_line_and_what_can_be_reached_is_saved(self):
        cluster = self.cluster
        cluster.start_broker()
        self.submit_waiting(f"task {number}" for number in range(20))
        self.stop_broker()
        with open(os.path.join(cluster.data, "data.mdb"), "r+b") as data:
            for meta in (16, 4096 + 16):  # the newer one counts; LMDB trusts the counts in both
                data.seek(meta + 24 + 32)
                data.write(b"\x55")
        for tool in ("fsck", "backup", "compact"):
            extra = ("--to", self.path("copy")) if tool == "backup" else ()
            self.assert_refused(self.tool(tool, "--data", cluster.data, *extra), "data.mdb is damaged",
                                "backup", code=1)
        self.assert_refused(self.tool("--data", cluster.data), "data.mdb is damaged", "backup")
        tasks, done = self.export()
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(len(tasks), 20)

    def test_directories_that_are_none(self):
        for tool in ("fsck", "export", "compact"):
            self.assert_refused(self.tool(tool, "--data", self.path("nothing")), "nothing", "data.mdb")
            self.assertFalse(os.path.exists(self.path("nothing")))
        done = self.tool("restore", "--from", self.path("nothing"), "--data", self.path("new"))
        self.assert_refused(done, "nothing")
        self.assertEqual(self.tool("fsck").returncode, 2)
        self.assertIn("fsck", self.tool("--help").stdout)

    # ---- copying --------------------------------------------------------------------------------

    def test_restore_drill_under_load(self):
        cluster = self.cluster
        cluster.start_broker()
        cluster.start_workers(4, "--builtin", "echo")
        before = self.submit_waiting(f"before {number}" for number in range(500))
        client = cluster.start_client("submit", "demo", "--count", 20_000, "--wait", "--json")
        cluster.wait_for_metric("completed_tasks", lambda done: done > 1_000)
        done = self.tool("backup", "--data", cluster.data, "--to", self.path("backup"))
        self.assertEqual(done.returncode, 0, done.stderr)
        output, _ = client.communicate(timeout=120)
        self.assertEqual(json.loads(output)["succeeded"], 20_000)  # it went on undisturbed
        self.assert_intact(self.path("backup"))
        self.assert_refused(self.tool("backup", "--data", cluster.data, "--to", self.path("backup")),
                            "data.mdb already")

        # The disk is lost; all that was in the backup comes back, and what was running runs again.
        cluster.kill_broker()
        for name in list(cluster.workers):
            cluster.workers[name].kill()
        os.rename(cluster.data, self.path("lost"))
        done = self.tool("restore", "--from", self.path("backup"), "--data", cluster.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_refused(
            self.tool("restore", "--from", self.path("backup"), "--data", cluster.data), "already")
        restored = {task["id"] for task in self.export()[0]}
        self.assertLessEqual(set(before), restored)
        cluster.start_broker()
        cluster.start_workers(2, "--builtin", "echo", queue="demo,later")
        states = lambda: cluster.metric("tasks_by_state")
        rig.wait_for(lambda: states().get("succeeded") == len(restored), "the end of all tasks")
        self.assert_books_balance()
        self.stop_broker()
        self.assert_intact()

    def test_compact_gives_space_back(self):
        cluster = self.cluster
        cluster.start_broker("--disk-reserve", "4MiB")
        cluster.start_workers(2, "--builtin", "echo")
        cluster.submit("demo", "--count", 300, "--payload", "x" * 100_000)
        kept = self.submit_waiting(["kept"])
        self.assert_refused(self.tool("compact", "--data", cluster.data), "another broker is using it")
        self.stop_broker()
        size = os.path.getsize(os.path.join(cluster.data, "data.mdb"))
        tasks = self.export()[0]
        done = self.tool("compact", "--data", cluster.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(os.path.getsize(os.path.join(cluster.data, "data.mdb")), size)
        self.assert_intact()
        self.assertEqual(self.export()[0], tasks)
        cluster.start_broker()
        self.assertEqual(cluster.task(kept[0])["state"], "pending")


if __name__ == "__main__":
    unittest.main()

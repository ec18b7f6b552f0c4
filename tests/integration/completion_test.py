"""The main job: every task completed, whatever is killed on the way."""

import json
import unittest

from cluster import ClusterTest

# The table of the project that this one replaces.
ROWS = ((50, 4), (500, 8), (1000, 16))


class Completion(ClusterTest):
    def check_row(self, tasks, workers, kills):
        cluster = self.cluster
        cluster.start_broker()
        cluster.start_workers(workers, "--builtin", "sleep")
        client = cluster.start_client("submit", "demo", "--count", tasks, "--payload", "10", "--wait",
                                      "--json")
        killed = ()
        if kills:
            cluster.wait_for_metric("completed_tasks", lambda done: done >= tasks // 5)
            cluster.workers["w01"].kill()
            killed = ("w01",)
            cluster.wait_for_metric("completed_tasks", lambda done: done >= tasks // 3)
            cluster.kill_broker()
            cluster.start_broker()
        output, _ = client.communicate(timeout=120)
        summary = json.loads(output)
        self.assertEqual(client.returncode, 0)
        self.assertEqual((summary["submitted"], summary["succeeded"]), (tasks, tasks))
        self.assertEqual(len(cluster.starts_by_task()), tasks)
        self.assert_no_second_start(but_of=killed)
        self.assert_fences_grow()
        cluster.wait_for_metric("completed_tasks", lambda done: done == tasks)
        self.assert_books_balance()

    def test_50_tasks_on_4_workers(self):
        self.check_row(*ROWS[0], kills=False)

    def test_500_tasks_on_8_workers(self):
        self.check_row(*ROWS[1], kills=False)

    def test_1000_tasks_on_16_workers(self):
        self.check_row(*ROWS[2], kills=False)

    def test_50_tasks_on_4_workers_with_kills(self):
        self.check_row(*ROWS[0], kills=True)

    def test_500_tasks_on_8_workers_with_kills(self):
        self.check_row(*ROWS[1], kills=True)

    def test_1000_tasks_on_16_workers_with_kills(self):
        self.check_row(*ROWS[2], kills=True)

    def test_a_hundred_thousand_tasks_and_five_broker_kills(self):
        cluster = self.cluster
        tasks, kills = 100_000, 5
        cluster.start_broker()
        cluster.start_workers(16, "--builtin", "echo")
        client = cluster.start_client("submit", "demo", "--count", tasks, "--wait", "--json")
        for kill in range(1, kills + 1):
            target = tasks * kill // (kills + 2)
            cluster.wait_for_metric("completed_tasks", lambda done, t=target: done >= t, 120)
            cluster.kill_broker()
            cluster.start_broker()
        output, _ = client.communicate(timeout=240)
        summary = json.loads(output)
        self.assertEqual((summary["submitted"], summary["succeeded"]), (tasks, tasks))
        starts = cluster.starts_by_task()
        self.assertEqual(len(starts), tasks)
        self.assert_no_second_start()
        cluster.wait_for_metric("completed_tasks", lambda done: done == tasks)
        self.assert_books_balance()


if __name__ == "__main__":
    unittest.main()

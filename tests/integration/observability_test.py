"""What is told to monitoring: the metrics of a real broker, and the files in packaging/ that read them.

promtool judges what it can where it is installed (Debian package prometheus); the rest is checked always.
"""

import json
import os
import re
import shutil
import subprocess
import unittest

from cluster import ClusterTest, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGING = os.path.join(ROOT, "packaging")
RULES = os.path.join(PACKAGING, "prometheus", "millrace.rules.yml")
DASHBOARD = os.path.join(PACKAGING, "grafana", "millrace.json")
SCALER = os.path.join(PACKAGING, "keda", "scaledobject.yaml")
PROMTOOL = shutil.which("promtool")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def names_in(text):
    return set(re.findall(r"\bmillrace_[a-z_]+", text))


class Observability(ClusterTest):
    def setUp(self):
        self.cluster.start_broker()
        self.cluster.start_worker("w1", "--builtin", "echo", queue="mail")
        self.cluster.client("submit", "mail", "--count", "3", "--wait")
        self.cluster.client("submit", "resize", "--count", "2")
        # A snapshot may be a moment old.
        self.text = wait_for(self.complete_metrics, "the metrics of both queues")

    def complete_metrics(self):
        text = self.cluster.http("/metrics?format=prometheus")[1]
        return text if 'queue="resize",state="pending"} 2' in text else None

    def test_what_the_files_ask_for_is_there(self):
        for path in (RULES, DASHBOARD):
            asked = names_in(read(path))
            self.assertGreater(len(asked), 8, path)
            missing = {name for name in asked if f"\n{name}" not in self.text}
            self.assertEqual(missing, set(), path)

    def test_the_scaler_finds_its_number(self):
        queues = json.loads(self.cluster.http("/queues")[1])["queues"]
        resize = next(queue for queue in queues if queue["name"] == "resize")
        for place in re.findall(r"valueLocation: '(.*)'", read(SCALER)):
            match = re.fullmatch(r'queues\.#\(name=="resize"\)\.(\w+)', place)
            self.assertIsInstance(resize[match.group(1)], int)

    @unittest.skipUnless(PROMTOOL, "promtool is not installed")
    def test_promtool_accepts_metrics_and_rules(self):
        metrics = subprocess.run([PROMTOOL, "check", "metrics"], input=self.text, text=True,
                                 capture_output=True, check=False)
        self.assertEqual((metrics.returncode, metrics.stderr), (0, ""), metrics.stdout)
        for kind, name in (("rules", RULES),
                           ("config", os.path.join(PACKAGING, "prometheus", "prometheus.yml"))):
            done = subprocess.run([PROMTOOL, "check", kind, name], text=True, capture_output=True,
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()

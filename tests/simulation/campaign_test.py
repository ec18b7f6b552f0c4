"""A campaign counts what it runs, can be stopped, and finds the seed at which a program dies."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.environ["MILLRACE_SIM"]

# Dies at seed 1234, and runs all others in no time.
MORTAL = """#!/bin/sh
first=${2%..*} last=${2#*..}
[ "$first" -le 1234 ] && [ "$last" -ge 1234 ] && { echo "it is broken" >&2; exit 134; }
echo "{\\"seeds\\": $((last - first + 1)), \\"events\\": 1, \\"simulated_seconds\\": 1,"
echo "\\"failures\\": [], \\"happenings\\": {\\"run\\": 1}}"
"""


class Campaign(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.results = os.path.join(self.folder.name, "results.jsonl")

    def command(self, program, *more):
        return [sys.executable, "-B", os.path.join(FOLDER, "campaign.py"), program, "--jobs", "2",
                "--results", self.results, *more]

    def lines(self):
        with open(self.results, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_counts_what_it_runs(self):
        for first in ("1", "5001"):
            subprocess.run(self.command(PROGRAM, "--campaign", "0.1", "--from", first), check=True,
                           stdout=subprocess.DEVNULL)
        self.assertEqual([1, 5001], [line["seeds_from"] for line in self.lines()])
        for line in self.lines():
            self.assertEqual(line["seeds"], line["seeds_to"] - line["seeds_from"] + 1)
            self.assertEqual(line["seeds"], line["happenings"]["faults_end"])
            self.assertEqual([], line["failures"])

    def test_can_be_stopped(self):
        with subprocess.Popen(self.command(PROGRAM, "--campaign", "3600", "--from", "1"),
                              stdout=subprocess.PIPE) as campaign:
            campaign.stdout.readline()  # it has begun
            campaign.send_signal(signal.SIGTERM)
            campaign.communicate(timeout=120)
            self.assertEqual(0, campaign.returncode)
        self.assertGreater(self.lines()[0]["seeds"], 0)

    def test_finds_the_seed_at_which_a_program_dies(self):
        program = os.path.join(self.folder.name, "mortal")
        with open(program, "w", encoding="ascii") as file:
            file.write(MORTAL)
        os.chmod(program, 0o755)
        done = subprocess.run(self.command(program, "--campaign", "1", "--from", "1001"), text=True,
                              capture_output=True, check=False)
        self.assertEqual(1, done.returncode)
        failures = self.lines()[0]["failures"]
        self.assertEqual([1234], [failure["seed"] for failure in failures])
        self.assertIn("it is broken", failures[0]["what"])


if __name__ == "__main__":
    unittest.main()

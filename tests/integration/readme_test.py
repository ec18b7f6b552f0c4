"""The README's commands work as they stand.

usage: readme_test.py FOLDER-OF-THE-PROGRAMS

They use the default ports, so they run in a network of their own where the machine allows one.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import readme

SECONDS_MAX = 90
BINARIES = ""

# The README starts its own broker in the background; a reader waits for it by reading on.
PRELUDE = """set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
"""


def own_network():
    """The command prefix that gives a process a loopback of its own; empty where that is forbidden."""
    for prefix in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        command = [*prefix, "sh", "-c", "ip link set lo up"]
        if shutil.which("unshare") and shutil.which("ip") and subprocess.run(
                command, capture_output=True, check=False).returncode == 0:
            return [*prefix, "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    return []


class Readme(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="millrace-readme-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_script(self, script):
        environment = dict(os.environ, PATH=f"{BINARIES}:{os.environ['PATH']}")
        for name in [n for n in environment if n.startswith("MILLRACE_")]:
            del environment[name]
        process = subprocess.Popen(
            [*own_network(), "bash", "-c", PRELUDE + script], cwd=self.folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True)
        try:
            out, err = process.communicate(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            self.fail(f"not done within {SECONDS_MAX} s\n{out}\n{err}")
        self.assertEqual(0, process.returncode, f"{out}\n{err}")
        return out

    def test_the_commands_work_as_they_stand(self):
        out = self.run_script(readme.shell_script())
        self.assertIn('"completed_tasks"', out)
        self.assertIn('"connected_workers"', out)
        self.assertIn("first sent", out)
        compressed = [name for name in os.listdir(self.folder) if name.endswith(".gz")]
        self.assertIn("GPL-3.gz", compressed)

    def test_a_failing_command_is_noticed(self):
        with self.assertRaises(AssertionError):
            self.run_script("millrace get not-an-id\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: readme_test.py FOLDER-OF-THE-PROGRAMS")
    BINARIES = os.path.abspath(sys.argv.pop(1))
    unittest.main()

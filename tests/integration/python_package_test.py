"""The Python package as a whole: it installs, its types hold, its generated code is flatc's.

usage: python_package_test.py [MYPY-CACHE-FOLDER]
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from millrace_python import PACKAGE, PYTHON

CACHE = "/dev/null"


class Package(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="millrace-python-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_command(self, *command, **options):
        options.setdefault("cwd", PACKAGE)
        done = subprocess.run(command, text=True, capture_output=True, check=False, **options)
        self.assertEqual(0, done.returncode, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def test_the_generated_code_is_what_flatc_makes(self):
        self.run_command(PYTHON, "-B", "generate_schema.py", "--check")

    def test_the_types_hold(self):
        self.run_command(PYTHON, "-m", "mypy", "--strict", "--cache-dir", CACHE)

    def test_pip_installs_it_without_flatc(self):
        source = os.path.join(self.folder, "source")  # pip leaves its traces where it builds
        shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__", "build"))
        target = os.path.join(self.folder, "target")
        no_flatc = dict(os.environ, PATH=f"{self.folder}:/usr/sbin:/sbin", HOME=self.folder)
        self.run_command(PYTHON, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
                         "--no-build-isolation", "--root-user-action=ignore", "--target", target,
                         source, env=no_flatc, cwd=self.folder)
        self.assertTrue(os.path.exists(os.path.join(target, "millrace", "py.typed")))
        code = ("import millrace; millrace.Client; from importlib.metadata import version; "
                "print(millrace.__file__, version('millrace') == millrace.__version__)")
        out = self.run_command(PYTHON, "-B", "-c", code, cwd=self.folder,
                               env=dict(os.environ, PYTHONPATH=target))
        self.assertEqual(out.split(), [os.path.join(target, "millrace", "__init__.py"), "True"])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        CACHE = os.path.abspath(sys.argv.pop(1))
    unittest.main()

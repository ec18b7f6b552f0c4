"""An installed Millrace is enough to build the README's programs, and they run.

usage: install_test.py BUILD-FOLDER CXX-COMPILER
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import readme
import readme_test

BUILD = ""
COMPILER = ""

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
find_package(millrace REQUIRED)
add_executable(submit submit.cpp)
target_link_libraries(submit PRIVATE millrace::client)
add_executable(work work.cpp)
target_link_libraries(work PRIVATE millrace::worker)
"""

SCRIPT = """
millrace-broker --data ./data >/dev/null &
./work &
./submit
"""


class Install(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="millrace-install-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_command(self, *command):
        done = subprocess.run(command, cwd=self.folder, text=True, capture_output=True, check=False)
        self.assertEqual(0, done.returncode, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")

    def test_a_project_of_its_own_builds_and_runs(self):
        prefix = os.path.join(self.folder, "prefix")
        self.run_command("cmake", "--install", BUILD, "--prefix", prefix)
        for program in ("millrace-broker", "millrace-worker", "millrace"):
            self.run_command(os.path.join(prefix, "bin", program), "--version")
        self.run_command(os.path.join(prefix, "bin", "millrace-conform"), "--list")

        project = os.path.join(self.folder, "project")
        os.mkdir(project)
        for name, text in {"CMakeLists.txt": PROJECT, **readme.sources()}.items():
            with open(os.path.join(project, name), "w", encoding="utf-8") as file:
                file.write(text)
        build = os.path.join(self.folder, "build")
        self.run_command("cmake", "-S", project, "-B", build, "-G", "Ninja",
                         f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={COMPILER}")
        self.run_command("cmake", "--build", build)

        readme_test.BINARIES = os.path.join(prefix, "bin")
        runner = readme_test.Readme()
        runner.folder = build
        self.assertIn("hello, world", runner.run_script(SCRIPT))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: install_test.py BUILD-FOLDER CXX-COMPILER")
    BUILD, COMPILER = os.path.abspath(sys.argv.pop(1)), sys.argv.pop(1)
    unittest.main()

#!/usr/bin/env python3
"""The Node package as its users get it: installed from its lock file, built, tested against the real
broker, and judged by the conformance kit.

usage: node_package_test.py FOLDER   (where it is built; kept, so that the next run has less to do)
"""

import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.path.join(ROOT, "worker/node")
SKIPPED = 77
# What is made there, not copied there.
MADE = ("node_modules", "dist", "schema")


def npm(folder, *arguments, **environment):
    command = ["npm", *arguments]
    print("+", *command, flush=True)
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, **environment})


def copy_package(folder):
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name != "node_modules":
            path = os.path.join(folder, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns(*MADE), dirs_exist_ok=True)


def install(folder):
    """True when the packages of the lock file are there."""
    lock = os.path.join(folder, "package-lock.json")
    installed = os.path.join(folder, "node_modules/.installed")
    with open(lock, encoding="utf-8") as file:
        wanted = file.read()
    if os.path.exists(installed):
        with open(installed, encoding="utf-8") as file:
            if file.read() == wanted:
                return True
    try:
        # No package needs its install script: zeromq brings its compiled part along.
        npm(folder, "ci", "--ignore-scripts", "--prefer-offline")
    except subprocess.CalledProcessError:
        return False
    with open(installed, "w", encoding="utf-8") as file:
        file.write(wanted)
    return True


def judge(folder):
    kit = [sys.executable, "-B", os.path.join(ROOT, "tests/conform/millrace-conform"), "--patience", "60"]
    tests = os.path.join(folder, "dist/test")
    subprocess.run([*kit, "--", "node", f"{tests}/conform-worker.js", "{broker}", "{queue}", "{slots}"],
                   check=True)
    subprocess.run([*kit, "--client", "--", "node", f"{tests}/conform-client.js", "{broker}"], check=True)


def main():
    folder = os.path.abspath(sys.argv[1])
    if shutil.which("npm") is None:
        print("npm is not installed")
        return SKIPPED
    copy_package(folder)
    if not install(folder):
        print("npm could not install the package; is its registry reachable?")
        return 1 if os.environ.get("CI") else SKIPPED
    npm(folder, "run", "build", MILLRACE_SCHEMAS=os.path.join(ROOT, "schemas"))
    npm(folder, "test", MILLRACE_FIXTURES=os.path.join(ROOT, "tests/golden/fixtures"))
    judge(folder)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(error.cmd[:3])} … failed with exit code {error.returncode}")

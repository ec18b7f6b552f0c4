#!/usr/bin/env python3
"""The dashboard in a real browser, on a real broker: what is shown, what can be changed, on what screens.

usage: dashboard_test.py FOLDER   (where the browser's driver is installed; screenshots are put there)
"""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "integration"))

from cluster import Cluster, wait_for

SKIPPED = 77
DRIVER = "playwright-core@1.49.1"


def install(folder):
    os.makedirs(folder, exist_ok=True)
    if os.path.isdir(os.path.join(folder, "node_modules/playwright-core")):
        return
    subprocess.run(["npm", "install", "--no-save", "--prefix", folder, DRIVER], check=True)


def fill(cluster):
    """A queue at work, one of dead letters, one that waits."""
    cluster.start_broker()
    for name in ("media-1", "media-2"):
        cluster.start_worker(name, "--builtin", "sleep", queue="thumbnails", slots=2)
    cluster.start_worker("mailer", "--builtin", "poison", "--poison", "fail", queue="mail")
    payloads = "".join(f"{200 + 13 * number % 400}\n" for number in range(2_000))
    submits = [(["thumbnails", "--lines"], payloads),
               (["mail", "--count", 5, "--payload", "hello", "--max-attempts", 2], None),
               (["reports", "--count", 40, "--payload", "later", "--delay", "1h"], None)]
    for arguments, lines in submits:
        done = cluster.client("submit", *arguments, stdin=lines)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
    wait_for(lambda: cluster.metric("dead_tasks") == 5, "five dead letters")


def main():
    folder = os.path.abspath(sys.argv[1])
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None or shutil.which("npm") is None:
        print("not run: it needs chromium and npm")
        return SKIPPED
    install(folder)
    with Cluster() as cluster:
        fill(cluster)
        with open(os.path.join(cluster.data, "http-token"), encoding="utf-8") as file:
            token = file.read().strip()
        shutil.copy(os.path.join(HERE, "page_test.mjs"), folder)
        run = subprocess.run(["node", os.path.join(folder, "page_test.mjs"), browser,
                              f"http://127.0.0.1:{cluster.ports['http']}/", folder],
                             input=token, text=True, check=False, timeout=300)
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())

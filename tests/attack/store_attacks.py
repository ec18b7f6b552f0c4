"""Attacks on a store alone: crashes at every step, torn disks, damaged files."""

import json
import os
import shutil
import subprocess

from target import BINARIES, shim_environment

PROGRAM = os.path.join(BINARIES, "attack_store")
PHASES = ("crash-before", "crash-within", "crash-after")
STEPS_MOST = 100_000


def run(*arguments, environment=None):
    return subprocess.run([PROGRAM, *map(str, arguments)], env=environment, capture_output=True,
                          text=True, check=False)


def fresh(folder, name):
    path = os.path.join(folder, name)
    shutil.rmtree(path, ignore_errors=True)
    return path


def acknowledged(done):
    """The newest batch that a life told as durable."""
    return max((int(line) for line in done.stdout.split()), default=0)


def crash(folder, seed, batches):
    """The process is killed before, within and after every call that changes the directory."""
    points, problems = 0, []
    data = os.path.join(folder, "data")
    for phase in PHASES:
        for number in range(1, STEPS_MOST):
            fresh(folder, "data")
            done = run("live", data, seed, batches,
                       environment=shim_environment(data, os.path.join(folder, "report"), phase,
                                                    number=number))
            if done.returncode == 0:
                break
            points += 1
            checked = run("check", data, seed, batches + 2, acknowledged(done))
            if checked.returncode != 0:
                problems.append(f"{phase} of call {number}: {checked.stdout.strip() or checked.stderr}")
    return {"points": points, "problems": problems}


def torn(folder, seed, batches, images):
    """Two lives are written down; disks are made of that as a power cut could leave them."""
    recording = fresh(folder, "recording")
    if os.path.exists(recording):
        os.remove(recording)
    data = fresh(folder, "data")
    environment = shim_environment(data, recording, "record")
    for until in (batches // 3, batches):
        run("live", data, seed, until, environment=environment).check_returncode()
    told = (recording, os.path.join(folder, "work"), seed, batches + 2, images, seed)
    honest = run("torn", *told, "honest")
    # Were the disk to lie about its syncs, something must be found: else nothing was tested.
    lying = json.loads(run("torn", *told, "lying").stdout)
    problems = honest.stderr.splitlines()
    if lying["failures"] == 0:
        problems.append("a disk that forgets what was synced was not noticed")
    return {**json.loads(honest.stdout), "lying_disks_noticed": lying["failures"],
            "problems": problems}


def damage(folder, seed, batches, flips):
    """Single bits of a closed store are flipped, and it is cut at every page."""
    data = fresh(folder, "data")
    run("live", data, seed, batches).check_returncode()
    done = run("damage", data, os.path.join(folder, "work"), seed, batches, flips, seed)
    return {**json.loads(done.stdout), "problems": done.stderr.splitlines()}

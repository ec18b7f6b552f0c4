"""Clusters with workers in Python, and the Python package of this checkout."""

import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "worker", "python")
sys.path.insert(0, PACKAGE)

from cluster import BINARIES, Cluster, ClusterTest, wait_for
import millrace

PYTHON = "/usr/bin/python3"
ENVIRONMENT = dict(os.environ, PYTHONPATH=PACKAGE)
# Compiled modules belong to the build, not to the checkout.
ENVIRONMENT.setdefault("PYTHONPYCACHEPREFIX", os.path.join(os.path.dirname(BINARIES), "pycache"))


class PythonCluster(Cluster):
    def start_python_worker(self, name, program="python_handlers.py", slots=4, extra=(), **options):
        """`program` is called with the broker's address, its name, its slots and a folder to write
        to."""
        with open(os.path.join(self.folder, f"{name}.log"), "ab") as log:
            process = subprocess.Popen(
                [PYTHON, os.path.join(HERE, program), f"127.0.0.1:{self.ports['worker']}", name,
                 str(slots), self.folder, *extra],
                env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)
        self._processes.append(process)
        self.workers[name] = process
        return process

    @property
    def client_address(self):
        return f"127.0.0.1:{self.ports['client']}"

    def connect(self, **options):
        return millrace.Client(self.client_address, **options)

    def marks(self, name):
        """The lines that handlers have written to a file of this name."""
        try:
            with open(os.path.join(self.folder, name)) as file:
                return file.read().split()
        except FileNotFoundError:
            return []

    def session_of(self, worker):
        """The process id of a worker's session: its child."""
        with open(f"/proc/{worker.pid}/task/{worker.pid}/children") as children:
            return int(children.read().split()[0])


class PythonClusterTest(ClusterTest):
    """A test with a PythonCluster of its own: self.cluster."""

    cluster_type = PythonCluster


def kill(pid):
    os.kill(pid, signal.SIGKILL)

"""The register of faults: each a base worker with one method that does otherwise."""

from base_worker import Worker

FAULTS = {"worker": Worker}


def fault(worker_class):
    """Registers a fault under its class's name in lower case with underscores."""
    name = "".join("_" + char.lower() if char.isupper() else char for char in worker_class.__name__)
    FAULTS["worker" + name] = worker_class
    return worker_class

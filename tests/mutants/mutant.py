"""What a mutant is, and the helpers that its rows are made with."""

from dataclasses import dataclass

CORE = ("simulation", "scenario", "model", "core")
WORKER = ("simulation", "worker")
CLIENT = ("simulation", "client")
STORE = ("conformance", "store", "store_faults")


@dataclass(frozen=True)
class Mutant:
    name: str
    breaks: str  # a promise, or "contract"
    what: str
    file: str
    old: str
    new: str
    suites: tuple


def core(file, name, breaks, what, old, new, suites=CORE):
    return Mutant(name, breaks, what, f"broker/core/{file}.cpp", old, new, suites)


def shell(file, name, breaks, what, old, new):
    return Mutant(name, breaks, what, f"broker/{file}.cpp", old, new, ("shell",))


def store(file, name, breaks, what, old, new):
    return Mutant(name, breaks, what, f"broker/store/{file}.cpp", old, new, STORE)


def worker(file, name, breaks, what, old, new):
    return Mutant(name, breaks, what, f"worker/cpp/{file}.cpp", old, new, WORKER)


def client(file, name, breaks, what, old, new):
    return Mutant(name, breaks, what, f"client/cpp/{file}.cpp", old, new, CLIENT)

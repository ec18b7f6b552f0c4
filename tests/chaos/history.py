"""Histories: what each process asked for and what it was told, as JSON lines outside of the system.

A line: mono_ns and wall_ns, process, kind, operation, and what belongs to the operation. The kinds:
  invoke  before the request is sent
  ok      the answer says that it is done
  fail    the answer says that it is certainly not done
  info    no answer, or one that leaves it open: done or not done
"""

import json
import os
import time


class History:
    """Appends to one file. Lines of one call are one write: a kill leaves none cut short."""

    def __init__(self, path, process):
        self._process = process
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(self, kind, operation, **fields):
        self.note_each(kind, operation, [fields])

    def note_each(self, kind, operation, several):
        """One line for each dictionary of fields."""
        stamp = {"mono_ns": time.monotonic_ns(), "wall_ns": time.time_ns(),
                 "process": self._process, "kind": kind, "operation": operation}
        text = "".join(json.dumps({**stamp, **fields}) + "\n" for fields in several)
        os.write(self._file, text.encode())

    def close(self):
        os.close(self._file)


def read(folder, suffix=".history"):
    """All lines of all histories of a folder, in the order of their monotonic times."""
    lines = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(suffix):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                lines += [json.loads(line) for line in file]
    lines.sort(key=lambda line: line["mono_ns"])
    return lines

"""The base worker with one fault, so that the kit can be seen to find it.

usage: faulty_worker.py FAULT BROKER QUEUE SLOTS
       faulty_worker.py --list
"""

import sys

import session_faults  # noqa: F401: registers its faults
import task_faults  # noqa: F401: registers its faults
from faults import FAULTS


def main(arguments):
    if arguments == ["--list"]:
        for name, worker_class in FAULTS.items():
            print(f"{name:32} {worker_class.__doc__.splitlines()[0]}")
        return 0
    name, broker, queue, slots = arguments
    return FAULTS[name](broker, queue, int(slots)).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

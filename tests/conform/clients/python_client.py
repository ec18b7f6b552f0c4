"""The Python package as a client for the conformance kit: takes the kit's orders.

usage: python_client.py BROKER submit QUEUE COUNT | wait ID | cancel ID
"""

import json
import sys
import uuid

import millrace
from millrace import CancelStatus, TaskSpec

OUTAGE_SECONDS_MAX = 60


def tell(end):
    print(json.dumps({"id": str(end.id), "state": end.state.name}), flush=True)
    return end.succeeded


def submit(client, queue, count):
    results = client.submit_many(TaskSpec(queue, f"task {number}") for number in range(int(count)))
    accepted = [result.id for result in results if result.accepted]
    succeeded = [tell(end) for end in client.as_completed(accepted)]
    return len(accepted) == int(count) and all(succeeded)


def wait(client, task):
    return tell(client.wait(uuid.UUID(task)))


def cancel(client, task):
    return client.cancel(uuid.UUID(task)).status in (CancelStatus.cancelled,
                                                     CancelStatus.cancelling)


def main(broker, order, *words):
    with millrace.Client(broker, connect_timeout=OUTAGE_SECONDS_MAX,
                         call_timeout=OUTAGE_SECONDS_MAX,
                         outage_max=OUTAGE_SECONDS_MAX) as client:
        return {"submit": submit, "wait": wait, "cancel": cancel}[order](client, *words)


if __name__ == "__main__":
    try:
        sys.exit(0 if main(*sys.argv[1:]) else 1)
    except millrace.MillraceError as error:
        sys.exit(f"python_client: {error}")

"""A Python client: submits batches and waits for all their ends, until the time is over; then one task after the other.
It prints its figures as one line of JSON.

usage: echo_client.py BROKER SECONDS BATCH-TASKS
"""

import json
import sys
import time

import millrace

broker, seconds, batch = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
PAYLOAD = b"x" * 100


def run_batch(client):
    results = client.submit_many(millrace.TaskSpec("echo", PAYLOAD) for _ in range(batch))
    ends = client.as_completed([result.id for result in results], 300)
    if sum(end.succeeded for end in ends) != batch:
        sys.exit("not every task has succeeded")


def round_trips(client):
    took = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        client.wait(client.submit(millrace.TaskSpec("echo", PAYLOAD)), 60)
        took.append((time.monotonic() - began) * 1e3)
    return sorted(took)


with millrace.Client(broker) as client:
    run_batch(client)
    tasks, began, cpu = 0, time.monotonic(), time.process_time()
    while time.monotonic() < began + seconds:
        run_batch(client)
        tasks += batch
    took = time.monotonic() - began
    cpu = time.process_time() - cpu
    trips = round_trips(client)
print(json.dumps({"tasks": tasks, "seconds": took, "cpu_seconds": cpu, "ping_ms": trips[len(trips) // 2]}))

"""How long the tasks of a worker that was hit waited for another one."""

from evidence import FaultsByTime

WORKER_FAULTS = ("kill_worker", "freeze_worker", "partition", "deafen", "mute")


def samples(evidence):
    """Seconds from the fault to the next start of each task that the worker was running then.

    Only where nothing else was in the way: the broker lived through it, no other fault hit the
    first or the second worker, the first did not finish the task itself, and no attempt in between
    was given to a worker that died before it could start it.
    """
    ended = {(end.task, end.fence) for end in evidence.ends}
    faults = FaultsByTime(evidence.faults)
    by_task = evidence.starts_by_task()
    found = []
    for starts in by_task.values():
        for first, second in zip(starts, starts[1:]):
            if (first.task, first.fence) in ended or second.attempt != first.attempt + 1:
                continue
            between = list(faults.touching(first.mono_ns, second.mono_ns))
            hits = [fault for fault in between if fault.hits(first.worker)]
            others = [fault for fault in between
                      if fault.targets in (["broker"], ["all"]) or fault.hits(second.worker)]
            if len(hits) == 1 and not others and hits[0].kind in WORKER_FAULTS:
                found.append((second.mono_ns - hits[0].begin_ns) / 1e9)
    return found


def distribution(seconds):
    """The percentiles that a result is given with."""
    ordered = sorted(seconds)
    if not ordered:
        return {"count": 0}

    def at(share):
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)

    return {"count": len(ordered), "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p100": at(1)}

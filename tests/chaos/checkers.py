"""What the promises say about a round, each as a function from its evidence to the violations.

Tasks are independent of each other, so each checker is linear in the evidence. The numbers are
those of the promises in tests/README.md.
"""

import collections

from evidence import SECOND, FaultsByTime
from wire import ENDS

# After a fault is over its worker still has to find the broker again: silence, backoff, hello.
RECOVERY_NS = 10 * SECOND


def accepted_is_not_lost(evidence):
    """P1: whatever was accepted is there at the end, with the payload it was submitted with."""
    for task in evidence.tasks("submit", "ok") - set(evidence.export):
        yield f"{task} was accepted and is lost"
    for line in evidence.lines("submit", "invoke"):
        known = evidence.export.get(line["task"])
        if known and known["payload"] not in (line["payload"], None):
            yield f"{line['task']} has another payload than was submitted"


def nothing_unasked(evidence):
    """P1: what is there was asked for."""
    for task in (set(evidence.export) | set(evidence.listed)) - evidence.tasks("submit", "invoke"):
        yield f"{task} is there and was never submitted"


def an_end_never_changes(evidence):
    """P2: every read of an end agrees with the end."""
    for line in evidence.lines("read", "ok") + evidence.lines("finished", "ok"):
        known = evidence.export.get(line["task"])
        if line["state"] not in ENDS or known is None:
            continue
        if (line["state"], line["result"]) != (known["state"], known["result"]):
            yield f"{line['task']} was {line['state']} for a reader and is {known['state']}"
    for task, known in evidence.export.items():
        if evidence.listed.get(task, {}).get("state") != known["state"]:
            yield f"{task} is {known['state']}, and listed as {evidence.listed.get(task)}"


def the_newest_lease_succeeds(evidence):
    """P3: a success has the fence of the newest lease, which ran; at most one is accepted."""
    fences = collections.defaultdict(set)
    for start in evidence.starts:
        fences[start.task].add(start.fence)
    for task, known in evidence.export.items():
        if known["state"] != "succeeded":
            continue
        if known["fence"] not in fences[task]:
            yield f"{task} succeeded under fence {known['fence']}, which never ran"
        elif max(fences[task]) > known["fence"]:
            yield f"{task} succeeded under fence {known['fence']} and ran under {max(fences[task])}"
    accepted = collections.defaultdict(set)
    for line in evidence.lines("complete", "ok"):
        accepted[line["task"]].add(line["fence"])
    for task, several in accepted.items():
        if len(several) > 1:
            yield f"{task}: completions under fences {sorted(several)} were all accepted"


def attempts_stay_in_their_limit(evidence):
    """P4: no more executions than max_attempts, and no lease runs twice."""
    for task, starts in evidence.starts_by_task().items():
        fences = [start.fence for start in starts]
        if len(set(fences)) < len(fences):
            yield f"{task} ran twice under one fence: {fences}"
        most = evidence.export.get(task, {}).get("max_attempts")
        if most is not None and len(set(fences)) > most:
            yield f"{task} ran {len(set(fences))} times; at most {most} are allowed"


def the_books_balance(evidence):
    """P5: in every snapshot the states and the pruned add up to what was submitted."""
    for snapshot in [*evidence.snapshots, evidence.metrics]:
        known = sum(snapshot["tasks_by_state"].values()) + snapshot["pruned_tasks"]
        if known != snapshot["submitted_tasks"]:
            submitted = snapshot["submitted_tasks"]
            yield f"{submitted} submitted, {known} known, in epoch {snapshot['epoch']}"
        if snapshot["invariant_violations_total"]:
            yield f"invariant_violations_total is {snapshot['invariant_violations_total']}"


def a_living_worker_keeps_its_tasks(evidence):
    """P7: a second start of a task has a reason: its worker was hit, or the first attempt failed.
    That the broker was killed, stopped or frozen is none."""
    fails = {line["task"] for line in evidence.lines("submit", "invoke") if line["fails"]}
    hit = FaultsByTime([fault for fault in evidence.faults if fault.targets != ["broker"]])
    for task, starts in evidence.starts_by_task().items():
        for first, second in zip(starts, starts[1:]):
            begin, end = sorted((first.mono_ns, second.mono_ns))
            excused = (first.attempt == 1 and task in fails) or any(
                fault.hits(first.worker) or "all" in fault.targets
                for fault in hit.touching(begin - RECOVERY_NS, end))
            if not excused:
                yield (f"{task} ran on {first.worker} at {first.mono_ns} and again on "
                       f"{second.worker} at {second.mono_ns}; nothing had happened to the first")


def an_id_is_one_task(evidence):
    """P8: the same task again is the same; the same id with other content is a conflict."""
    for line in evidence.lines("submit_other", "ok"):
        yield f"{line['task']} was accepted with other content"
    for line in evidence.lines("submit", "fail"):
        if line["status"] == "conflict":
            yield f"{line['task']} was refused as a conflict with itself"


def no_delayed_task_starts_early(evidence):
    """P13: as long as nobody sets the clock between two starts of the broker."""
    if evidence.clock_moved:
        return
    asked = {}
    for line in evidence.lines("submit", "invoke"):
        asked.setdefault(line["task"], line["mono_ns"] + line["delay_ns"])
    for start in evidence.starts:
        if start.mono_ns < asked.get(start.task, 0):
            yield f"{start.task} started {(asked[start.task] - start.mono_ns) / SECOND:.3f} s early"


def answers_are_honest(evidence):
    """P15: refused means not done; known means known."""
    maybe = evidence.tasks("submit", "ok", "info")
    for task in evidence.tasks("submit", "fail") - maybe:
        if task in evidence.export:
            yield f"{task} was refused each time, and is there"
    accepted_at = {}
    for line in evidence.lines("submit", "ok"):
        accepted_at.setdefault(line["task"], line["mono_ns"])
    for line in evidence.lines("cancel", "fail") + evidence.lines("read", "ok"):
        missing = "not_found" in line.get("status", "") or line.get("state") == "unknown"
        if missing and accepted_at.get(line["task"], 1 << 63) < line["mono_ns"]:
            yield f"{line['task']} was accepted, and later said to be unknown"


def it_comes_to_rest(evidence):
    """P19: once faults stop every task ends; nothing is left behind and nothing ends by itself."""
    if not evidence.drained:
        yield "not all tasks ended in time"
    for task, known in evidence.export.items():
        if known["state"] not in ENDS:
            yield f"{task} is still {known['state']}"
    left_open = evidence.descriptors_after - evidence.descriptors_before
    if left_open:
        yield f"after all peers have left, the broker still has open: {dict(left_open)}"
    yield from evidence.unexpected
    yield from (f"a process was left behind: {stranger}" for stranger in evidence.strangers)


def a_confirmed_cancel_wins(evidence):
    """P20: a cancel that was confirmed ends as cancelled; one that came late finds another end."""
    for line in evidence.lines("cancel", "ok", "fail"):
        known = evidence.export.get(line["task"])
        if known is None:
            continue
        if line["kind"] == "ok" and known["state"] != "cancelled":
            yield f"{line['task']} was {line['status']}, and is {known['state']}"
        if line["status"] == "already_finished" and known["state"] not in ENDS:
            yield f"{line['task']} had already finished, and is {known['state']}"


def results_are_true(evidence):
    """P21: a success has the result of its own payload and fence, and the figures are those of the
    tasks."""
    payloads = {line["task"]: line["payload"] for line in evidence.lines("submit", "invoke")}
    for task, known in evidence.export.items():
        payload = payloads.get(task, "")
        due = {"echo": payload, "sleep": "", "program": f"{payload} {known['fence']}"}
        if known["state"] == "succeeded" and known["result"] != due[known["queue"]]:
            yield f"{task} has the result {known['result']!r}; due is {due[known['queue']]!r}"
    states = collections.Counter(known["state"] for known in evidence.export.values())
    for state, count in evidence.metrics["tasks_by_state"].items():
        if count != states[state]:
            yield f"/metrics says {count} {state}, there are {states[state]}"


CHECKERS = {
    "P1 accepted is not lost": accepted_is_not_lost,
    "P1 nothing unasked": nothing_unasked,
    "P2 an end never changes": an_end_never_changes,
    "P3 the newest lease succeeds": the_newest_lease_succeeds,
    "P4 attempts stay in their limit": attempts_stay_in_their_limit,
    "P5 the books balance": the_books_balance,
    "P7 a living worker keeps its tasks": a_living_worker_keeps_its_tasks,
    "P8 an id is one task": an_id_is_one_task,
    "P13 no delayed task starts early": no_delayed_task_starts_early,
    "P15 answers are honest": answers_are_honest,
    "P19 it comes to rest": it_comes_to_rest,
    "P20 a confirmed cancel wins": a_confirmed_cancel_wins,
    "P21 results are true": results_are_true,
}


def check(evidence):
    """{name of the promise: its violations}; an empty list means that it was kept."""
    return {name: list(checker(evidence)) for name, checker in CHECKERS.items()}

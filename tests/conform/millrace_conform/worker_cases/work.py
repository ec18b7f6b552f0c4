"""Tasks and what becomes of them."""

from ..case import SHOULD, Failure, check, check_equal
from ..worker_scene import SLOTS
from .suite import case

OUTCOMES = {"succeeded", "failed", "failed_for_good", "timed_out", "crashed", "cancelled",
            "released"}


@case("work.echo", "8")
def echo(scene):
    """A dispatched task is run and reported as succeeded, with its result, under its fence."""
    scene.begin()
    lease = scene.dispatch("hello, worker")
    report = scene.completion(lease, "succeeded")
    message = report.heard.message
    check_equal(report.item["part"], b"hello, worker", "the result")
    check_equal((message.version, message.request), (1, 0), "(protocol_version, request)")
    check(report.item["elapsed_ns"] >= 0, "elapsed_ns from 0", report.item["elapsed_ns"])
    check_equal(report.item["error"], b"", "the error of a success")


@case("work.credit_renewed", "8")
def credit_renewed(scene):
    """Each Complete says the credit anew; an idle worker wants work."""
    scene.begin()
    for number in range(3):
        scene.completion(scene.dispatch(f"task {number}"), "succeeded")
    completes = scene.seen("Complete")
    check(completes[-1].message["credit"] >= 1, "credit for at least one task",
          completes[-1].message["credit"])


@case("work.bundle", "2")
def bundle(scene):
    """Specs and results lie in the bundle on multiples of 8, whatever their sizes."""
    scene.begin()
    payloads = ["", "1", "1234567", "12345678", "123456789", "x" * 1001]
    leases = scene.dispatch(*payloads)
    for lease, payload in zip(leases, payloads):
        report = scene.completion(lease)
        if report.item["outcome"] == "released":
            continue  # more than it wanted to hold
        check_equal(report.item["part"], payload.encode(), "the result")


@case("work.empty_result", "2")
def empty_result(scene):
    """A task with an empty payload and an empty result is a task."""
    scene.begin()
    report = scene.completion(scene.dispatch(""), "succeeded")
    check_equal(report.item["result_bytes"], 0, "result_bytes")


@case("work.binary", "4")
def binary(scene):
    """The payload is opaque: any bytes."""
    scene.begin()
    payload = bytes(range(256)) + b"\0\0\n\r\xff"
    report = scene.completion(scene.dispatch(payload), "succeeded")
    check_equal(report.item["part"], payload, "the result")


@case("work.large", "13")
def large(scene):
    """A payload and a result of 4 MiB, well below the limits."""
    scene.begin()
    payload = b"0123456789abcdef" * (1 << 18)
    report = scene.completion(scene.dispatch(payload), "succeeded")
    check(report.item["part"] == payload, "the payload as the result",
          f"{len(report.item['part'])} bytes that differ")


@case("work.headers", "4")
def headers(scene):
    """Headers, and every other field of a spec, are read without harm."""
    scene.begin()
    lease = scene.dispatch("with headers", spec={
        "priority": 9, "max_attempts": 1000, "ttl_ns": 5, "retention_ns": 0, "not_before_ns": 1,
        "delay_ns": 1, "backoff_initial_ns": 0, "backoff_max_ns": 0,
        "headers": [{"key": "k", "value": ""}, {"key": "k", "value": "\u00e4 b"}]})
    scene.completion(lease, "succeeded")


@case("work.many", "8")
def many(scene):
    """Hundreds of tasks, never more at once than the credit: each is completed."""
    scene.begin()
    credit, waiting, out = scene.hello["credit"], 300, set()

    def step():
        nonlocal credit, waiting
        for report in scene.reports:
            # One that is said again, because its answer was late, is no longer out.
            if report.lease in out:
                check_equal(report.item["outcome"], "succeeded", "the outcome")
                out.remove(report.lease)
                credit = report.heard.message["credit"]
        scene.reports.clear()
        while waiting and len(out) < credit:
            waiting -= 1
            out.add(scene.dispatch(f"number {waiting}"))
        return not waiting and not out

    scene.wait(step, "completions of 300 tasks", within=scene.patience * 2)


@case("work.more_than_credit", "8", needs=("sleep",))
def more_than_credit(scene):
    """Whatever is dispatched beyond what it can hold is handed back or run, never forgotten."""
    scene.begin()
    count = min(scene.hello["credit"], 200) + 20
    leases = scene.dispatch(*["sleep 1"] * count)
    outcomes = [scene.completion(lease).item["outcome"] for lease in leases]
    check(set(outcomes) <= {"succeeded", "released"}, "succeeded or released", set(outcomes))


@case("work.order", "8")
def order(scene):
    """Tasks are started in the order of the Dispatch."""
    scene.begin()
    leases = scene.dispatch(*[f"in order {number}" for number in range(SLOTS)])
    for lease in leases:
        scene.completion(lease, "succeeded")


@case("work.second_queue", "8")
def second_queue(scene):
    """queue_index points into queues, wherever the task's queue stands there."""
    scene.begin()
    leases = [scene.lease(), scene.lease()]
    specs = [scene.spec(lease, "in the second queue") for lease in leases]
    fields = scene.dispatch_fields(leases, specs)
    fields["queues"] = ["another", scene.queue]
    for task in fields["tasks"]:
        task["queue_index"] = 1
    scene.send("Dispatch", fields, specs)
    for lease in leases:
        scene.completion(lease, "succeeded")


@case("work.failed", "8", needs=("fail",))
def failed(scene):
    """A failure is reported as failed, with its text and no result."""
    scene.begin()
    report = scene.completion(scene.dispatch("fail no such picture"), "failed")
    check(b"no such picture" in report.item["error"], "the error text", report.item["error"])
    check_equal(report.item["result_bytes"], 0, "result_bytes")
    scene.still_works()


@case("work.failed_for_good", "8", needs=("fail_for_good",))
def failed_for_good(scene):
    """What will never succeed is reported as failed_for_good, with its text."""
    scene.begin()
    report = scene.completion(scene.dispatch("fail_for_good not a picture"), "failed_for_good")
    check(b"not a picture" in report.item["error"], "the error text", report.item["error"])


@case("work.error_texts", "2", needs=("fail",))
def error_texts(scene):
    """The texts of several items lie one after the other; each item's length is its own."""
    scene.begin()
    words = ["a", "bb", "ccc"][:SLOTS]
    leases = scene.dispatch(*[f"fail {word * 40}" for word in words])
    for lease, word in zip(leases, words):
        report = scene.completion(lease, "failed")
        check(word.encode() * 40 in report.item["error"], f"40 times {word}", report.item["error"])


@case("limits.error", "13", needs=("error",))
def error_limit(scene):
    """An error text over error_bytes_max is cut, and its end is kept."""
    scene.begin(limits={"error_bytes_max": 512})
    report = scene.completion(scene.dispatch("error 5000"), "failed")
    check(len(report.item["error"]) <= 512, "at most 512 bytes", len(report.item["error"]))
    check(report.item["error"].rstrip().endswith(b"Z"), "the end of the text",
          report.item["error"][-20:])


@case("limits.result_over", "8", needs=("result",))
def result_over(scene):
    """A result over result_bytes_max is reported as failed_for_good, without it."""
    scene.begin(limits={"result_bytes_max": 10_000})
    report = scene.completion(scene.dispatch("result 10001"), "failed_for_good")
    check_equal(report.item["result_bytes"], 0, "result_bytes")
    scene.still_works()


@case("limits.result_at", "8", needs=("result",))
def result_at(scene):
    """A result of exactly result_bytes_max is a result."""
    scene.begin(limits={"result_bytes_max": 10_000})
    report = scene.completion(scene.dispatch("result 10000"), "succeeded")
    check_equal(report.item["result_bytes"], 10_000, "result_bytes")


def all_again(scene, leases, limits):
    """Waits for the completions, and once more: after a Welcome all of them may go together."""
    for lease in leases:
        scene.completion(lease)
    scene.send("Refused", {"code": "unknown_session", "message": "say hello"})
    scene.reopen(limits=limits)
    scene.forget_reports()
    for lease in leases:
        scene.completion(lease)


@case("limits.frame", "13", needs=("result",))
def frame_limit(scene):
    """Completions are split so that no frame is over frame_bytes_max."""
    frame_bytes_max = 100_000
    scene.acknowledge = False
    limits = {"frame_bytes_max": frame_bytes_max, "result_bytes_max": 60_000}
    scene.begin(limits=limits)
    all_again(scene, [scene.dispatch("result 60000") for _ in range(SLOTS + 1)], limits)
    for heard in scene.heard:
        check(all(len(frame) <= frame_bytes_max for frame in heard.frames),
              f"frames of at most {frame_bytes_max} bytes", [len(frame) for frame in heard.frames])


@case("limits.batch_items", "13")
def batch_items(scene):
    """A Complete has at most batch_items_max items."""
    scene.acknowledge = False
    limits = {"batch_items_max": 2}
    scene.begin(limits=limits)
    all_again(scene, [scene.dispatch(f"task {number}") for number in range(6)], limits)
    sizes = [len(heard.message["items"]) for heard in scene.seen("Complete")]
    check(max(sizes) <= 2, "at most 2 items", sizes)


@case("work.broken_spec", "4", level=SHOULD)
def broken_spec(scene):
    """A spec that cannot be read fails its task, and nothing else."""
    scene.begin()
    lease = scene.lease()
    good = scene.lease()
    specs = [b"this is no TaskSpec", scene.spec(good, "good")]
    scene.send_dispatch([lease, good], specs)
    scene.completion(good, "succeeded")
    report = scene.completion(lease)
    check(report.item["outcome"] in ("failed", "failed_for_good"), "failed or failed_for_good",
          report)


@case("work.timeout", "10", level=SHOULD, needs=("sleep",))
def timeout(scene):
    """An attempt that passes its timeout is ended by the worker and reported as timed_out."""
    scene.begin()
    scene.completion(scene.dispatch("sleep 600000", timeout_ns=400_000_000), "timed_out")
    scene.still_works()


@case("work.timeout_stuck", "10", level=SHOULD, needs=("stuck",))
def timeout_stuck(scene):
    """A handler that does not end at its timeout does not silence the worker."""
    scene.begin()
    lease = scene.dispatch("stuck 600000", timeout_ns=400_000_000)
    report = scene.completion(lease)
    check_equal(report.item["outcome"], "timed_out", "the outcome")
    beats = len(scene.beats)
    scene.wait(lambda: len(scene.beats) >= beats + 5, "five more beats")


@case("work.duplicate_running", "8", needs=("sleep",))
def duplicate_running(scene):
    """A lease that is dispatched again while it runs is not run twice."""
    scene.begin()
    lease = scene.dispatch("sleep 700")
    scene.dispatch("sleep 700", lease=lease)
    scene.completion(lease, "succeeded")
    scene.no_completion(lease, 1.5, "which was completed already")


@case("work.duplicate_finished", "8")
def duplicate_finished(scene):
    """A lease that is dispatched again before its completion was answered is not run again."""
    scene.acknowledge = False
    scene.begin()
    lease = scene.dispatch("once")
    first = scene.completion(lease, "succeeded")
    scene.dispatch("twice", lease=lease)
    again = scene.completion(lease)
    check_equal(again.item["part"], first.item["part"], "the result, again")


@case("work.new_fence", "10", needs=("sleep",))
def new_fence(scene):
    """The same task under a newer fence is another attempt, reported under that fence."""
    scene.begin()
    old = scene.dispatch("sleep 600000")
    scene.wait_until_running(1)
    scene.stop(old, "stale_lease")
    new = scene.lease(task=old.task)
    scene.dispatch("again", lease=new)
    scene.completion(new, "succeeded")
    scene.no_completion(old, 1, "whose lease was lost")


@case("work.retried", "10", needs=("fail",))
def retried(scene):
    """A task that comes again after a failure is reported under its new fence."""
    scene.begin()
    first = scene.dispatch("fail once")
    scene.completion(first, "failed")
    second = scene.lease(task=first.task)
    scene.dispatch("now it goes well", lease=second)
    scene.completion(second, "succeeded")


@case("work.outcomes", "8", needs=("fail", "fail_for_good"))
def outcomes(scene):
    """Every Complete verifies and names known outcomes."""
    scene.begin()
    leases = [scene.dispatch(payload) for payload in ("ok", "fail x", "fail_for_good y")]
    for lease in leases:
        scene.completion(lease)
    for heard in scene.seen("Complete"):
        for item in heard.message["items"]:
            check(item["outcome"] in OUTCOMES, "a known outcome", item["outcome"])
    broken = [heard.problem for heard in scene.heard if heard.message is None]
    if broken:
        raise Failure("messages that verify", broken[0])


@case("work.fields_of_the_dispatch", "8", needs=("sleep",))
def fields_of_the_dispatch(scene):
    """The timeout of the attempt is that of the Dispatch, whatever stands in the spec."""
    scene.begin()
    lease = scene.dispatch("sleep 1000", spec={"timeout_ns": 100_000_000})
    scene.completion(lease, "succeeded")

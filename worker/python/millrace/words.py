"""The field's words as enumerations. Their numbers are on the wire; their names are the same in
JSON, in the documentation and in every library of Millrace."""

from enum import IntEnum


class TaskState(IntEnum):
    """Where a task is in its life. An end never changes, but that a dead task may be requeued."""

    delayed = 1
    pending = 2
    in_progress = 3
    succeeded = 4
    dead = 5
    cancelled = 6
    expired = 7

    @property
    def is_terminal(self) -> bool:
        return self >= TaskState.succeeded


class Outcome(IntEnum):
    """How one attempt ended, as the worker reports it."""

    succeeded = 1
    failed = 2  # retried while attempts are left
    failed_for_good = 3  # straight to the dead-letter queue
    timed_out = 4  # over the attempt's timeout; retried
    crashed = 5  # its process died; retried
    cancelled = 6
    released = 7  # handed back; costs no attempt


class Reason(IntEnum):
    """Why an attempt or a task did not succeed."""

    none = 0
    failed = 1
    failed_for_good = 2
    timed_out = 3
    crashed = 4
    lease_lost = 5  # its worker fell silent, left, or did not return after a broker restart
    cancelled = 6
    expired = 7


class SubmitStatus(IntEnum):
    """The broker's answer to one task."""

    accepted = 1  # durable
    duplicate = 2  # the same task was accepted before: as good as accepted
    conflict = 3  # the id belongs to a task with other content
    invalid = 4
    too_large = 5
    busy = 6
    store_full = 7
    shutting_down = 8


class CancelStatus(IntEnum):
    """The broker's answer to the wish to cancel one task."""

    cancelled = 1  # it will not run, or not again
    cancelling = 2  # it runs; durably marked: it ends as cancelled whatever it still does
    already_finished = 3
    not_found = 4


class QueueAction(IntEnum):
    pause = 1  # dispatches nothing of it; running tasks go on
    resume = 2
    purge = 3  # cancels its waiting tasks


class StatusTopic(IntEnum):
    metrics = 1
    workers = 2
    queues = 3


class StopCause(IntEnum):
    """Why the broker wants a running attempt to end."""

    cancelled = 1
    stale_lease = 2
    timed_out = 3


class StopReason(IntEnum):
    """Why a running attempt should end. The numbers grow with urgency."""

    none = 0
    cancelled = 1  # a client asked for it
    timed_out = 2  # over the task's timeout; its result is not wanted any more
    lease_lost = 3  # given to another worker
    shutting_down = 4  # this process ends now


class ErrorCode(IntEnum):
    """What can go wrong."""

    invalid = 1  # breaks a rule; sending it again will not help
    too_large = 2
    not_found = 3
    conflict = 4
    busy = 5  # over capacity now
    store_full = 6
    shutting_down = 7
    unsupported = 8
    unknown_session = 9
    stale_lease = 10
    unavailable = 11  # no answer in time: done or not done is unknown
    io = 12
    corrupt = 13
    misconfigured = 14  # an argument has a value that cannot be used
    forbidden = 15  # the key of the connection does not allow it; nothing was changed

    @classmethod
    def _missing_(cls, value: object) -> "ErrorCode":
        return cls.invalid  # a code that a peer does not know means this

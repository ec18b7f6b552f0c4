"""What is raised. Every message says what is wrong and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, List, Type

from millrace.words import ErrorCode, StopReason

if TYPE_CHECKING:
    from millrace.client.values import SubmitResult


class MillraceError(Exception):
    """The root of all errors of this package; `code` is the protocol's word for it."""

    code = ErrorCode.invalid


class Invalid(MillraceError):
    """The request breaks a rule; sending it again will not help."""


class TooLarge(MillraceError):
    """Over a named limit."""

    code = ErrorCode.too_large


class NotFound(MillraceError):
    """No such task, queue or worker: never accepted there, or forgotten after its retention."""

    code = ErrorCode.not_found


class Conflict(MillraceError):
    """The id is taken by a task with other content."""

    code = ErrorCode.conflict


class Unavailable(MillraceError):
    """No answer in time. Done or not done is unknown; repeating it is safe where the task's id is
    the same."""

    code = ErrorCode.unavailable


class Interrupted(Unavailable):
    """submit_many ended before its end. `results` tells what is known of the tasks taken until
    then."""

    def __init__(self, message: str, results: "List[SubmitResult]") -> None:
        super().__init__(message)
        self.results = results


class Unsupported(MillraceError):
    """Client and broker do not speak the same version."""

    code = ErrorCode.unsupported


class Misconfigured(MillraceError):
    """An argument has a value that cannot be used."""

    code = ErrorCode.misconfigured


class Forbidden(MillraceError):
    """The key of the connection does not allow it; nothing was changed."""

    code = ErrorCode.forbidden


class SessionDied(MillraceError):
    """The process that speaks with the broker ended unasked. The broker notices by its silence and
    gives the tasks to others; start the worker anew."""

    code = ErrorCode.io


_BY_CODE: dict[ErrorCode, Type[MillraceError]] = {
    kind.code: kind
    for kind in (Invalid, TooLarge, NotFound, Conflict, Unavailable, Unsupported, Misconfigured,
                 Forbidden)
}


def error_of(code: ErrorCode, message: str) -> MillraceError:
    """The exception for the protocol's `code`; one without a class of its own keeps its code."""
    kind = _BY_CODE.get(code)
    if kind is not None:
        return kind(message)
    error = MillraceError(message)
    error.code = code
    return error


class Retry(Exception):
    """Raised by a handler: this attempt failed. Tried again after the task's backoff while attempts
    are left. Any other exception means the same, and tells its traceback."""


class FailForGood(Exception):
    """Raised by a handler: trying again is useless. Straight to the dead-letter queue."""


class Stopped(Exception):
    """Raised by Task.raise_if_stopped in an attempt that should end; let it pass."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(f"the attempt should end: {reason.name}")
        self.reason = reason

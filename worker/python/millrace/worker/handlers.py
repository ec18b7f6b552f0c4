"""Handlers: what they may be, and what becomes of their returns and exceptions."""

from __future__ import annotations

import inspect
import traceback
from typing import Any, Callable, Union

from millrace.errors import FailForGood, Retry, Stopped
from millrace.words import Outcome
from millrace.worker.task import Answer, Task

# What a handler returns: bytes as they are, text as UTF-8, nothing as no bytes.
Result = Union[bytes, bytearray, memoryview, str, None]
Function = Callable[[Task], Any]  # of Result, or of an awaitable of it


class Handler:
    """A function, and where it runs."""

    def __init__(self, function: Function, in_process: bool) -> None:
        self.function = function
        self.in_process = in_process  # in a process of its own
        self.is_async = inspect.iscoroutinefunction(function)


def call(function: Function, task: Task) -> Answer:
    """Runs a handler to its end; never raises an Exception."""
    try:
        return answer_of(function(task))
    except BaseException as error:  # a SystemExit in a handler is its failure, not the worker's end
        return answer_of_exception(error)


async def call_async(function: Function, task: Task) -> Answer:
    """As call; a cancellation passes."""
    try:
        return answer_of(await function(task))
    except Exception as error:
        return answer_of_exception(error)


def answer_of(result: Result) -> Answer:
    if result is None:
        return Answer(Outcome.succeeded)
    if isinstance(result, str):
        result = result.encode("utf-8", "surrogatepass")
    if isinstance(result, (bytes, bytearray, memoryview)):
        return Answer(Outcome.succeeded, bytes(result))
    return Answer(Outcome.failed_for_good,
                  error=f"the handler returned {type(result).__name__}; return bytes, str or None")


def answer_of_exception(error: BaseException) -> Answer:
    if isinstance(error, FailForGood):
        return Answer(Outcome.failed_for_good, error=str(error) or "failed for good")
    if isinstance(error, (Retry, Stopped)):
        return Answer(Outcome.failed, error=str(error) or "failed")
    # The end of the text is kept when it is too long, and there it says most.
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return Answer(Outcome.failed, error=text.strip())

"""Millrace: a fault-tolerant distributed task queue. Workers and clients in Python.

Durations are seconds, fractions allowed. What each word means is the same as in the protocol
(docs/protocol.md), in JSON and in the C++ libraries.
"""

from millrace.client.async_client import AsyncClient
from millrace.client.client import Client
from millrace.client.values import (AttemptRecord, FinishedTask, SubmitResult, TaskSpec, TaskView,
                                    new_task_id)
from millrace.errors import (Conflict, FailForGood, Forbidden, Interrupted, Invalid,
                             MillraceError, Misconfigured, NotFound, Retry, SessionDied, Stopped, TooLarge,
                             Unavailable, Unsupported)
from millrace.limits import PeerLimits
from millrace.version import VERSION as __version__
from millrace.wire.messages import CancelAnswer
from millrace.words import (CancelStatus, ErrorCode, Outcome, QueueAction, Reason, StatusTopic,
                            StopReason, SubmitStatus, TaskState)
from millrace.worker.task import Task
from millrace.worker.worker import Worker

__all__ = [
    "AsyncClient", "AttemptRecord", "CancelAnswer", "CancelStatus", "Client", "Conflict",
    "ErrorCode", "FailForGood", "FinishedTask", "Forbidden", "Interrupted", "Invalid", "MillraceError",
    "Misconfigured", "NotFound", "Outcome", "PeerLimits", "QueueAction", "Reason", "Retry",
    "SessionDied", "StatusTopic", "StopReason", "Stopped", "SubmitResult", "SubmitStatus",
    "Task", "TaskSpec", "TaskState", "TaskView", "TooLarge", "Unavailable", "Unsupported",
    "Worker", "__version__", "new_task_id",
]

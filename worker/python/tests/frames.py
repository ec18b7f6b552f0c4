"""Frames as a broker writes them, for tests: built by the generated code alone, so that the codecs
of the package are checked against another hand."""

import flatbuffers
from millrace.wire import bundle
from millrace.wire.schema import (BrokerGoodbye, CancelAnswer, Cancelled, Changed, ClientWelcome,
                                  Completed, Dispatch, DispatchedTask, Endpoints, Envelope,
                                  Finished, FinishedTask, HeldLease, PeerLimits, Pong, Pulse,
                                  Recall, Refused, StatusReport, StoppedTask, StopTasks, Submitted,
                                  TaskList, TaskView, Uuid, Watching, WorkerWelcome)
from millrace.wire.schema.Body import Body

LOW = (1 << 64) - 1


def split(number):
    return number >> 64, number & LOW


class Writer:
    """One message: `body` gets a builder and returns the offset of the union member."""

    def __init__(self, body_type, body, request=0, version=1, identifier=b"MRC1"):
        builder = flatbuffers.Builder(64)
        offset = body(builder)
        Envelope.EnvelopeStart(builder)
        Envelope.EnvelopeAddProtocolVersion(builder, version)
        Envelope.EnvelopeAddRequest(builder, request)
        Envelope.EnvelopeAddBodyType(builder, body_type)
        if offset is not None:
            Envelope.EnvelopeAddBody(builder, offset)
        builder.Finish(Envelope.EnvelopeEnd(builder), file_identifier=identifier)
        self.frame = bytes(builder.Output())


def structs(builder, start, create, values):
    start(builder, len(values))
    for value in reversed(values):
        create(builder, *value)
    return builder.EndVector()


def leases(builder, start, values):
    return structs(builder, start, HeldLease.CreateHeldLease,
                   [(*split(task), fence) for task, fence in values])


def strings(builder, start, values):
    offsets = [builder.CreateString(value) for value in values]
    start(builder, len(values))
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def worker_welcome(hello_number=1, session=5, epoch=2, stale=(), result_bytes_max=0,
                   beat_interval_ns=1_000_000_000, silence_max_ns=3_000_000_000):
    def body(b):
        version = b.CreateString("9.9")
        stale_at = leases(b, WorkerWelcome.WorkerWelcomeStartStaleVector, stale)
        Endpoints.EndpointsStart(b)
        Endpoints.EndpointsAddBeatPort(b, 7)
        Endpoints.EndpointsAddPulsePort(b, 8)
        endpoints = Endpoints.EndpointsEnd(b)
        PeerLimits.PeerLimitsStart(b)
        PeerLimits.PeerLimitsAddResultBytesMax(b, result_bytes_max)
        limits = PeerLimits.PeerLimitsEnd(b)
        WorkerWelcome.WorkerWelcomeStart(b)
        WorkerWelcome.WorkerWelcomeAddHelloNumber(b, hello_number)
        WorkerWelcome.WorkerWelcomeAddSession(b, session)
        WorkerWelcome.WorkerWelcomeAddEpoch(b, epoch)
        WorkerWelcome.WorkerWelcomeAddEndpoints(b, endpoints)
        WorkerWelcome.WorkerWelcomeAddLimits(b, limits)
        WorkerWelcome.WorkerWelcomeAddBeatIntervalNs(b, beat_interval_ns)
        WorkerWelcome.WorkerWelcomeAddSilenceMaxNs(b, silence_max_ns)
        WorkerWelcome.WorkerWelcomeAddStale(b, stale_at)
        WorkerWelcome.WorkerWelcomeAddBrokerVersion(b, version)
        return WorkerWelcome.WorkerWelcomeEnd(b)
    return [Writer(Body.WorkerWelcome, body).frame]


def dispatch(tasks, queues):
    """`tasks`: (task, fence, timeout_ns, spec, queue_index, attempt, max_attempts)"""
    def body(b):
        queues_at = strings(b, Dispatch.DispatchStartQueuesVector, queues)
        tasks_at = structs(b, Dispatch.DispatchStartTasksVector,
                           DispatchedTask.CreateDispatchedTask,
                           [(*split(task), fence, timeout_ns, len(spec), queue, attempt, most)
                            for task, fence, timeout_ns, spec, queue, attempt, most in tasks])
        Dispatch.DispatchStart(b)
        Dispatch.DispatchAddTasks(b, tasks_at)
        Dispatch.DispatchAddQueues(b, queues_at)
        return Dispatch.DispatchEnd(b)
    return [Writer(Body.Dispatch, body).frame, bundle.pack(task[3] for task in tasks)]


def completed(items, stale):
    def body(b):
        items_at = leases(b, Completed.CompletedStartItemsVector, items)
        Completed.CompletedStartStaleVector(b, len(stale))
        for position in reversed(stale):
            b.PrependUint32(position)
        stale_at = b.EndVector()
        Completed.CompletedStart(b)
        Completed.CompletedAddItems(b, items_at)
        Completed.CompletedAddStale(b, stale_at)
        return Completed.CompletedEnd(b)
    return [Writer(Body.Completed, body).frame]


def stop_tasks(tasks):
    def body(b):
        tasks_at = structs(b, StopTasks.StopTasksStartTasksVector, StoppedTask.CreateStoppedTask,
                           [(*split(task), fence, cause) for task, fence, cause in tasks])
        StopTasks.StopTasksStart(b)
        StopTasks.StopTasksAddTasks(b, tasks_at)
        return StopTasks.StopTasksEnd(b)
    return [Writer(Body.StopTasks, body).frame]


def recall(number, tasks):
    def body(b):
        tasks_at = leases(b, Recall.RecallStartTasksVector, tasks)
        Recall.RecallStart(b)
        Recall.RecallAddRecallNumber(b, number)
        Recall.RecallAddTasks(b, tasks_at)
        return Recall.RecallEnd(b)
    return [Writer(Body.Recall, body).frame]


def refused(code, message="no", retry_after_ns=0, request=0):
    def body(b):
        text = b.CreateString(message)
        Refused.RefusedStart(b)
        Refused.RefusedAddCode(b, code)
        Refused.RefusedAddMessage(b, text)
        Refused.RefusedAddRetryAfterNs(b, retry_after_ns)
        return Refused.RefusedEnd(b)
    return [Writer(Body.Refused, body, request).frame]


def broker_goodbye(message="bye"):
    def body(b):
        text = b.CreateString(message)
        BrokerGoodbye.BrokerGoodbyeStart(b)
        BrokerGoodbye.BrokerGoodbyeAddMessage(b, text)
        return BrokerGoodbye.BrokerGoodbyeEnd(b)
    return [Writer(Body.BrokerGoodbye, body).frame]


def client_welcome(request, epoch=2):
    def body(b):
        version = b.CreateString("9.9")
        ClientWelcome.ClientWelcomeStart(b)
        ClientWelcome.ClientWelcomeAddEpoch(b, epoch)
        ClientWelcome.ClientWelcomeAddBrokerVersion(b, version)
        return ClientWelcome.ClientWelcomeEnd(b)
    return [Writer(Body.ClientWelcome, body, request).frame]


def submitted(request, statuses, messages=(), retry_after_ns=0):
    def body(b):
        messages_at = strings(b, Submitted.SubmittedStartMessagesVector, messages)
        statuses_at = b.CreateByteVector(bytes(statuses))
        Submitted.SubmittedStart(b)
        Submitted.SubmittedAddStatuses(b, statuses_at)
        Submitted.SubmittedAddMessages(b, messages_at)
        Submitted.SubmittedAddRetryAfterNs(b, retry_after_ns)
        return Submitted.SubmittedEnd(b)
    return [Writer(Body.Submitted, body, request).frame]


def uuids(builder, start, numbers):
    return structs(builder, start, Uuid.CreateUuid, [split(number) for number in numbers])


def watching(request, unknown):
    def body(b):
        unknown_at = uuids(b, Watching.WatchingStartUnknownVector, unknown)
        Watching.WatchingStart(b)
        Watching.WatchingAddUnknown(b, unknown_at)
        return Watching.WatchingEnd(b)
    return [Writer(Body.Watching, body, request).frame]


def finished(tasks):
    """`tasks`: (task, state, reason, attempts, error bytes, result bytes)"""
    def body(b):
        errors_at = b.CreateByteVector(b"".join(task[4] for task in tasks))
        tasks_at = structs(b, Finished.FinishedStartTasksVector, FinishedTask.CreateFinishedTask,
                           [(*split(task), len(result), len(error), attempts, state, reason)
                            for task, state, reason, attempts, error, result in tasks])
        Finished.FinishedStart(b)
        Finished.FinishedAddTasks(b, tasks_at)
        Finished.FinishedAddErrors(b, errors_at)
        return Finished.FinishedEnd(b)
    return [Writer(Body.Finished, body).frame, bundle.pack(task[5] for task in tasks)]


def cancelled(request, items):
    def body(b):
        items_at = structs(b, Cancelled.CancelledStartItemsVector, CancelAnswer.CreateCancelAnswer,
                           items)
        Cancelled.CancelledStart(b)
        Cancelled.CancelledAddItems(b, items_at)
        return Cancelled.CancelledEnd(b)
    return [Writer(Body.Cancelled, body, request).frame]


def task_list(request, task, spec, result, next_cursor=0):
    def body(b):
        queue = b.CreateString("q")
        TaskView.TaskViewStart(b)
        TaskView.TaskViewAddId(b, Uuid.CreateUuid(b, *split(task)))
        TaskView.TaskViewAddQueue(b, queue)
        TaskView.TaskViewAddState(b, 5)
        TaskView.TaskViewAddSpecInBundleBytes(b, len(spec))
        TaskView.TaskViewAddResultInBundleBytes(b, len(result))
        view = TaskView.TaskViewEnd(b)
        TaskList.TaskListStartTasksVector(b, 1)
        b.PrependUOffsetTRelative(view)
        tasks_at = b.EndVector()
        TaskList.TaskListStart(b)
        TaskList.TaskListAddTasks(b, tasks_at)
        TaskList.TaskListAddNextCursor(b, next_cursor)
        return TaskList.TaskListEnd(b)
    return [Writer(Body.TaskList, body, request).frame, bundle.pack([spec, result])]


def changed(request, count):
    def body(b):
        Changed.ChangedStart(b)
        Changed.ChangedAddCount(b, count)
        return Changed.ChangedEnd(b)
    return [Writer(Body.Changed, body, request).frame]


def status_report(request, json):
    def body(b):
        text = b.CreateString(json)
        StatusReport.StatusReportStart(b)
        StatusReport.StatusReportAddJson(b, text)
        return StatusReport.StatusReportEnd(b)
    return [Writer(Body.StatusReport, body, request).frame]


def pong(request, epoch):
    def body(b):
        Pong.PongStart(b)
        Pong.PongAddEpoch(b, epoch)
        return Pong.PongEnd(b)
    return [Writer(Body.Pong, body, request).frame]


def pulse(epoch, version=1):
    b = flatbuffers.Builder(64)
    Pulse.PulseStart(b)
    Pulse.PulseAddProtocolVersion(b, version)
    Pulse.PulseAddEpoch(b, epoch)
    b.Finish(Pulse.PulseEnd(b), file_identifier=b"MRP1")
    return bytes(b.Output())

"""Frames in both directions, against the generated code; and frames that lie."""

import random
import unittest

import frames
from millrace.limits import PeerLimits
from millrace.errors import Invalid, TooLarge
from millrace.wire import (bundle, client_codec, client_reply_codec, flat, shared_codec, task_codec,
                           worker_codec)
from millrace.wire.bundle import BrokenMessage
from millrace.wire.messages import (Beat, Cancel, CancelAnswer, ClientHello, Complete, Completion,
                                    ControlQueue, DispatchedTask, DrainWorker, Endpoints, Extend,
                                    Extension, FinishedItem, GetStatus, GetTasks, HeldLease,
                                    ListTasks, Ping, PurgeDead, Refused, Request, RequeueDead,
                                    StoppedTask, Submit, Unknown, Watch, WorkerGoodbye, WorkerHello)
from millrace.wire.schema import Beat as BeatSchema, CancelAnswer as CancelAnswerSchema
from millrace.wire.schema import Complete as CompleteSchema, Completion as CompletionSchema
from millrace.wire.schema import DispatchedTask as DispatchedTaskSchema, Envelope
from millrace.wire.schema import Extension as ExtensionSchema, FinishedTask as FinishedTaskSchema
from millrace.wire.schema import HeldLease as HeldLeaseSchema, StoppedTask as StoppedTaskSchema
from millrace.wire.schema import Submit as SubmitSchema, Uuid, WorkerHello as WorkerHelloSchema
from millrace.wire.schema.Body import Body
from millrace.wire.schema.TaskSpec import TaskSpec
from millrace.wire.task_codec import TaskDescription
from millrace.words import (CancelStatus, ErrorCode, Outcome, QueueAction, Reason, StatusTopic,
                            StopCause, SubmitStatus, TaskState)

TASK = 0x00112233445566778899AABBCCDDEEFF
OTHER = (1 << 128) - 2


def body_of(test, frame, body_type, schema, request=0):
    """The body of a control frame as the generated code reads it."""
    test.assertTrue(Envelope.Envelope.EnvelopeBufferHasIdentifier(frame, 0))
    envelope = Envelope.Envelope.GetRootAs(frame, 0)
    test.assertEqual((envelope.ProtocolVersion(), envelope.Request(), envelope.BodyType()),
                     (1, request, body_type))
    body = schema()
    body.Init(envelope.Body().Bytes, envelope.Body().Pos)
    return body


def number_of(struct):
    uuid = struct.Task(Uuid.Uuid()) if hasattr(struct, "Task") else struct
    return uuid.High() << 64 | uuid.Low()


class Layouts(unittest.TestCase):
    def test_are_those_of_the_schema(self):
        for layout, schema in ((flat.UUID, Uuid.Uuid), (flat.HELD_LEASE, HeldLeaseSchema.HeldLease),
                               (flat.COMPLETION, CompletionSchema.Completion),
                               (flat.EXTENSION, ExtensionSchema.Extension),
                               (flat.DISPATCHED_TASK, DispatchedTaskSchema.DispatchedTask),
                               (flat.STOPPED_TASK, StoppedTaskSchema.StoppedTask),
                               (flat.FINISHED_TASK, FinishedTaskSchema.FinishedTask),
                               (flat.CANCEL_ANSWER, CancelAnswerSchema.CancelAnswer)):
            with self.subTest(schema=schema.__name__):
                self.assertEqual(layout.size, schema.SizeOf())


class Bundles(unittest.TestCase):
    def test_strings_stand_on_multiples_of_eight(self):
        frame = bundle.pack([b"abc", b"", b"12345678", b"x"])
        self.assertEqual(frame, b"abc\0\0\0\0\0" b"12345678" b"x")
        self.assertEqual(bundle.unpack(frame, [3, 0, 8, 1]), [b"abc", b"", b"12345678", b"x"])

    def test_nothing_is_no_bytes(self):
        self.assertEqual(bundle.pack([b"", b""]), b"")
        self.assertEqual(bundle.unpack(b"", [0, 0]), [b"", b""])

    def test_another_length_is_broken(self):
        for frame, lengths in ((b"abc", [2]), (b"abc", [4]), (b"", [1]), (b"x", []), (b"x", [0])):
            with self.subTest(lengths=lengths), self.assertRaises(BrokenMessage):
                bundle.unpack(frame, lengths)

    def test_error_texts_that_do_not_add_up_are_broken(self):
        self.assertEqual(bundle.split_texts(b"ab\xffc", [1, 2, 1]), ["a", "b\ufffd", "c"])
        with self.assertRaises(BrokenMessage):
            bundle.split_texts(b"abc", [2])


class WorkerMessages(unittest.TestCase):
    def test_hello(self):
        (frame,) = worker_codec.encode(
            WorkerHello(3, TASK, "w\u00e9", ["a", "b"], 4, 9, "1.0", [HeldLease(OTHER, 7)]))
        hello = body_of(self, frame, Body.WorkerHello, WorkerHelloSchema.WorkerHello)
        self.assertEqual((hello.HelloNumber(), number_of(hello.Worker()), hello.Name(),
                          [hello.Queues(0), hello.Queues(1)], hello.QueuesLength(), hello.Slots(),
                          hello.Credit(), hello.Version(), hello.ProtocolVersion()),
                         (3, TASK, "w\u00e9".encode(), [b"a", b"b"], 2, 4, 9, b"1.0", 1))
        held = hello.Holding(0)
        self.assertEqual((hello.HoldingLength(), number_of(held), held.Fence()), (1, OTHER, 7))

    def test_complete(self):
        message = Complete([Completion(TASK, 1, Outcome.succeeded, 5, b"result"),
                            Completion(OTHER, 2, Outcome.failed, 6, b"", "\u00e9rror"),
                            Completion(TASK, 3, Outcome.released)], 12, 34)
        control, results = worker_codec.encode(message)
        complete = body_of(self, control, Body.Complete, CompleteSchema.Complete)
        self.assertEqual((complete.ItemsLength(), complete.Credit(), complete.AnswersRecall()),
                         (3, 12, 34))
        items = [complete.Items(i) for i in range(3)]
        self.assertEqual([(number_of(i), i.Fence(), i.ElapsedNs(), i.ResultBytes(), i.ErrorBytes(),
                           i.Outcome()) for i in items],
                         [(TASK, 1, 5, 6, 0, 1), (OTHER, 2, 6, 0, 6, 2), (TASK, 3, 0, 0, 0, 7)])
        self.assertEqual(flat.byte_vector(complete, 1), "\u00e9rror".encode())
        self.assertEqual(results, b"result")

    def test_a_complete_without_results_is_one_frame(self):
        self.assertEqual(len(worker_codec.encode(Complete([], 3))), 1)

    def test_extend_and_goodbye(self):
        (frame,) = worker_codec.encode(Extend([Extension(TASK, 4, 500, 60)]))
        from millrace.wire.schema.Extend import Extend as ExtendTable
        item = body_of(self, frame, Body.Extend, ExtendTable).Items(0)
        self.assertEqual((number_of(item), item.Fence(), item.ByNs(), item.ProgressPercent()),
                         (TASK, 4, 500, 60))
        (frame,) = worker_codec.encode(WorkerGoodbye("why"))
        from millrace.wire.schema.WorkerGoodbye import WorkerGoodbye as GoodbyeTable
        self.assertEqual(body_of(self, frame, Body.WorkerGoodbye, GoodbyeTable).Message(), b"why")

    def test_beat(self):
        frame = shared_codec.encode_beat(Beat(TASK, 5, 6, 7, 8))
        self.assertTrue(BeatSchema.Beat.BeatBufferHasIdentifier(frame, 0))
        self.assertLessEqual(len(frame), 256)
        beat = BeatSchema.Beat.GetRootAs(frame, 0)
        self.assertEqual((beat.ProtocolVersion(), number_of(beat.Worker()), beat.Session(),
                          beat.Number(), beat.Running(), beat.Queued()), (1, TASK, 5, 6, 7, 8))


class WorkerReplies(unittest.TestCase):
    def test_welcome(self):
        welcome = worker_codec.decode(frames.worker_welcome(stale=[(TASK, 3)], result_bytes_max=99))
        self.assertEqual((welcome.hello_number, welcome.session, welcome.epoch), (1, 5, 2))
        self.assertEqual(welcome.endpoints, Endpoints(beat_port=7, pulse_port=8))
        self.assertEqual(welcome.limits, PeerLimits(result_bytes_max=99))
        self.assertEqual((welcome.stale, welcome.broker_version), ([HeldLease(TASK, 3)], "9.9"))

    def test_a_welcome_without_a_cadence_is_broken(self):
        for cadence in ({"beat_interval_ns": 0}, {"silence_max_ns": 1_000_000_000}):
            with self.subTest(cadence=cadence), self.assertRaises(BrokenMessage):
                worker_codec.decode(frames.worker_welcome(**cadence))

    def test_dispatch(self):
        decoded = worker_codec.decode(
            frames.dispatch([(TASK, 1, 2, b"spec one", 1, 3, 4), (OTHER, 5, 6, b"", 0, 7, 8)],
                            ["a", "b"]))
        self.assertEqual(decoded.tasks, [DispatchedTask(TASK, 1, 2, "b", 3, 4, b"spec one"),
                                         DispatchedTask(OTHER, 5, 6, "a", 7, 8, b"")])

    def test_a_dispatch_of_an_unnamed_queue_is_broken(self):
        with self.assertRaises(BrokenMessage):
            worker_codec.decode(frames.dispatch([(TASK, 1, 2, b"", 9, 1, 1)], ["a"]))

    def test_others(self):
        self.assertEqual(worker_codec.decode(frames.completed([(TASK, 1), (OTHER, 2)], [1])),
                         ([HeldLease(TASK, 1), HeldLease(OTHER, 2)], [1]))
        self.assertEqual(worker_codec.decode(frames.stop_tasks([(TASK, 1, 2)])).tasks,
                         [StoppedTask(TASK, 1, StopCause.stale_lease)])
        self.assertEqual(worker_codec.decode(frames.recall(9, [(TASK, 1)])),
                         (9, [HeldLease(TASK, 1)]))
        self.assertEqual(worker_codec.decode(frames.refused(5, "later", 70)),
                         Refused(0, ErrorCode.busy, "later", 70))
        self.assertEqual(worker_codec.decode(frames.broker_goodbye("bye")).message, "bye")

    def test_what_is_not_known_yet(self):
        self.assertEqual(worker_codec.decode(frames.refused(99)).code, ErrorCode.invalid)
        later = frames.Writer(200, lambda builder: builder.EndObject()
                              if builder.StartObject(0) is None else None)
        self.assertEqual(worker_codec.decode([later.frame]), Unknown(200))

    def test_what_is_no_message_is_broken(self):
        good = frames.recall(9, [(TASK, 1)])[0]
        empty = frames.Writer(Body.Recall, lambda builder: None).frame
        other_version = frames.Writer(
            Body.Drain, lambda b: b.EndObject() if b.StartObject(0) is None else None, version=2)
        for wrong in ([], [b""], [b"MRC1"], [good, b"", b""], [good[:4] + b"MRC2" + good[8:]],
                      [empty], [other_version.frame]):
            with self.subTest(wrong=wrong), self.assertRaises(BrokenMessage):
                worker_codec.decode(wrong)


class ClientMessages(unittest.TestCase):
    def test_submit(self):
        control, specs = client_codec.encode(Submit(8, [b"12345", b"678"], True))
        submit = body_of(self, control, Body.Submit, SubmitSchema.Submit, 8)
        self.assertEqual([submit.SpecBytes(i) for i in range(submit.SpecBytesLength())], [5, 3])
        self.assertTrue(submit.Watch())
        self.assertEqual(specs, b"12345\0\0\0" b"678")

    def test_each_has_its_type_and_its_request(self):
        for message, body_type in ((ClientHello(1, TASK), Body.ClientHello),
                                   (Watch(2, [TASK]), Body.Watch), (Ping(3), Body.Ping),
                                   (Request(4, Cancel([TASK])), Body.Cancel),
                                   (Request(5, GetTasks([TASK], True)), Body.GetTasks),
                                   (Request(6, ListTasks("q", 5)), Body.ListTasks),
                                   (Request(7, RequeueDead([], "q")), Body.RequeueDead),
                                   (Request(8, PurgeDead([TASK])), Body.PurgeDead),
                                   (Request(9, ControlQueue("q", QueueAction.pause)),
                                    Body.ControlQueue),
                                   (Request(10, DrainWorker("w")), Body.DrainWorker),
                                   (Request(11, GetStatus(StatusTopic.queues)), Body.GetStatus)):
            with self.subTest(message=message):
                (frame,) = client_codec.encode(message)
                envelope = Envelope.Envelope.GetRootAs(frame, 0)
                self.assertEqual((envelope.BodyType(), envelope.Request()),
                                 (body_type, message.request))


class ClientReplies(unittest.TestCase):
    def test_all(self):
        decode = client_reply_codec.decode
        welcome = decode(frames.client_welcome(4))
        self.assertEqual((welcome.request, welcome.epoch, welcome.limits), (4, 2, PeerLimits()))
        self.assertEqual(decode(frames.submitted(5, [1, 4], ["", "bad"], 9)),
                         (5, [SubmitStatus.accepted, SubmitStatus.invalid], ["", "bad"], 9))
        self.assertEqual(decode(frames.watching(6, [TASK])), (6, [TASK]))
        self.assertEqual(decode(frames.cancelled(7, [(2, 3)])).items,
                         [CancelAnswer(CancelStatus.cancelling, TaskState.in_progress)])
        self.assertEqual(decode(frames.changed(8, 3)).changes, 3)
        self.assertEqual(decode(frames.status_report(9, "{}")).json, "{}")
        self.assertEqual(decode(frames.pong(10, 77)), (10, 77))
        found = decode(frames.task_list(11, TASK, b"spec", b"result", 12))
        view = found.tasks[0]
        self.assertEqual((view.task, view.queue, view.state, view.spec, view.result,
                          found.next_cursor),
                         (TASK, "q", TaskState.dead, b"spec", b"result", 12))

    def test_finished(self):
        finished = client_reply_codec.decode(
            frames.finished([(TASK, 4, 0, 1, b"", b"result"), (OTHER, 5, 1, 3, b"why", b"")]))
        self.assertEqual(
            finished.tasks,
            [FinishedItem(TASK, TaskState.succeeded, Reason.none, 1, "", b"result"),
             FinishedItem(OTHER, TaskState.dead, Reason.failed, 3, "why", b"")])

    def test_texts_for_other_items_are_broken(self):
        with self.assertRaises(BrokenMessage):
            client_reply_codec.decode(frames.submitted(5, [1, 4], ["only one"]))

    def test_pulse(self):
        self.assertEqual(shared_codec.decode_pulse(frames.pulse(9)).epoch, 9)
        for wrong in (b"", b"12345678", frames.pulse(9, version=2), frames.pulse(9)[:-9],
                      frames.pulse(0), frames.pulse(9) + bytes(300)):
            with self.subTest(wrong=wrong), self.assertRaises(BrokenMessage):
                shared_codec.decode_pulse(wrong)


class Lies(unittest.TestCase):
    """Whatever the bytes say, decoding ends in a value or in BrokenMessage."""

    def test_changed_bytes_and_cut_frames(self):
        randomness = random.Random(7)
        worker = [frames.worker_welcome(stale=[(TASK, 3)]),
                  frames.dispatch([(TASK, 1, 2, b"spec", 0, 3, 4)] * 3, ["a"]),
                  frames.completed([(TASK, 1)] * 3, [1]), frames.stop_tasks([(TASK, 1, 2)]),
                  frames.recall(9, [(TASK, 1)]), frames.refused(5), frames.broker_goodbye()]
        client = [frames.client_welcome(4), frames.submitted(5, [1, 4], ["", "bad"]),
                  frames.watching(6, [TASK]), frames.cancelled(7, [(2, 3)]),
                  frames.finished([(TASK, 5, 1, 1, b"why", b"result")]),
                  frames.task_list(11, TASK, b"spec", b"result")]
        broken = 0
        for decode, messages in ((worker_codec.decode, worker),
                                 (client_reply_codec.decode, client)):
            for message in messages:
                for _ in range(150):
                    broken += self.is_broken(decode, self.falsified(message, randomness))
        self.assertGreater(broken, 100)

    def falsified(self, message, randomness):
        lie = [bytearray(frame) for frame in message]
        for _ in range(randomness.randint(1, 4)):
            lie[0][randomness.randrange(len(lie[0]))] = randomness.choice((0, 1, 127, 255))
        if randomness.random() < 0.2:
            del lie[0][randomness.randrange(len(lie[0])):]
        return [bytes(frame) for frame in lie]

    def is_broken(self, decode, message):
        try:
            decode(message)
        except BrokenMessage:
            return True
        return False


    def test_a_vector_beyond_the_end_of_its_frame(self):
        frame = frames.completed([(TASK, 1)] * 3, [])[0]
        three = (3).to_bytes(4, "little")
        at = frame.index(three + TASK.to_bytes(16, "big")[:8][::-1])
        with self.assertRaisesRegex(BrokenMessage, "beyond the end"):
            worker_codec.decode([frame[:at] + (48).to_bytes(4, "little") + frame[at + 4:]])


class Tasks(unittest.TestCase):
    FULL = TaskDescription(TASK, "q:1", b"payload", (("k", "v"), ("k", "\u00e9")), 9, 5, 1, 2, 3,
                           200_000_000, 4, 6, 7)

    def test_every_field_is_written(self):
        table = TaskSpec.GetRootAs(task_codec.encode_task(self.FULL), 0)
        self.assertEqual(
            (number_of(table.Id()), table.Queue(), table.Priority(), table.MaxAttempts(),
             table.DelayNs(), table.NotBeforeNs(), table.TtlNs(), table.TimeoutNs(),
             table.RetentionNs(), table.BackoffInitialNs(), table.BackoffMaxNs()),
            (TASK, b"q:1", 9, 5, 1, 2, 3, 200_000_000, 4, 6, 7))

    def test_the_mould_gives_what_building_gives(self):
        randomness = random.Random(3)
        for headers in ((), self.FULL.headers):
            for size in (0, 1, 2, 7, 8, 9, 100, 1000):
                for _ in range(3):
                    task = self.FULL._replace(task=randomness.getrandbits(128) | 1, headers=headers,
                                              payload=randomness.randbytes(size))
                    with self.subTest(size=size, headers=headers):
                        self.assertEqual(task_codec.encode_task(task), task_codec._build_task(task))

    def test_payload_and_headers_are_read_back(self):
        self.assertEqual(task_codec.read_task(task_codec.encode_task(self.FULL)),
                         (b"payload", (("k", "v"), ("k", "\u00e9"))))

    def test_what_is_no_task_is_a_value_error(self):
        good = task_codec.encode_task(self.FULL)
        for wrong in (b"", b"12345678", good[:4] + b"MRT2" + good[8:], good[:20]):
            with self.subTest(wrong=wrong), self.assertRaises(ValueError):
                task_codec.read_task(wrong)

    def test_rules(self):
        limits = PeerLimits(payload_bytes_max=10, headers_bytes_max=20)
        task_codec.check_task(self.FULL, limits)
        for change, error, field in (
                ({"task": 0}, Invalid, "id"), ({"queue": ""}, Invalid, "queue"),
                ({"queue": "a b"}, Invalid, "queue"), ({"queue": "q\n"}, Invalid, "queue"),
                ({"queue": "q" * 129}, Invalid, "queue"), ({"priority": 10}, Invalid, "priority"),
                ({"priority": -1}, Invalid, "priority"),
                ({"max_attempts": 0}, Invalid, "max_attempts"),
                ({"max_attempts": 1001}, Invalid, "max_attempts"),
                ({"payload": b"x" * 11}, TooLarge, "payload"),
                ({"headers": (("k", "v" * 20),)}, TooLarge, "headers"),
                ({"headers": (("k", ""),) * 257}, TooLarge, "headers"),
                ({"headers": (("", "v"),)}, Invalid, "header key"),
                ({"headers": (("k" * 129, ""),)}, Invalid, "header key"),
                ({"headers": (("\t", "v"),)}, Invalid, "header key"),
                ({"headers": (("k", "\0"),)}, Invalid, "header 'k'"),
                ({"headers": (("k", "\ud800"),)}, Invalid, "header 'k'"),
                ({"delay_ns": -1}, Invalid, "delay"), ({"ttl_ns": 1 << 62}, Invalid, "ttl"),
                ({"timeout_ns": 99_999_999}, Invalid, "timeout"),
                ({"backoff_initial_ns": 8}, Invalid, "backoff initial"),
                ({"backoff_max_ns": 1 << 60}, Invalid, "backoff max"),
                ({"retention_ns": 1 << 62}, Invalid, "retention"),
                ({"not_before_ns": -1}, Invalid, "not_before")):
            with self.subTest(change=change), self.assertRaisesRegex(error, f"^{field}"):
                task_codec.check_task(self.FULL._replace(**change), limits)


if __name__ == "__main__":
    unittest.main()

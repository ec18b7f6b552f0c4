// The messages of the client port from the broker, docs/protocol.md, section 6.
import { BrokenMessage } from "../errors.js";
import { millisecondsOf } from "../units.js";
import { cancelStatuses, reasons, submitStatuses, taskStates, type Words } from "../words.js";
import { splitTexts, unpackBundle } from "./bundle.js";
import * as flat from "./flat.js";
import type {
  AttemptRecord,
  Cancelled,
  Changed,
  ClientReply,
  ClientWelcome,
  Finished,
  Pong,
  StatusReport,
  Submitted,
  TaskList,
  TaskView,
  Watching,
} from "./messages.js";
import type { AttemptRecord as AttemptTable } from "./schema/attempt-record.js";
import { Body } from "./schema/body.js";
import { Cancelled as CancelledTable } from "./schema/cancelled.js";
import { Changed as ChangedTable } from "./schema/changed.js";
import { ClientWelcome as WelcomeTable } from "./schema/client-welcome.js";
import { Finished as FinishedTable } from "./schema/finished.js";
import { Pong as PongTable } from "./schema/pong.js";
import { StatusReport as StatusReportTable } from "./schema/status-report.js";
import { Submitted as SubmittedTable } from "./schema/submitted.js";
import { TaskList as TaskListTable } from "./schema/task-list.js";
import type { TaskView as TaskViewTable } from "./schema/task-view.js";
import { Watching as WatchingTable } from "./schema/watching.js";
import { readBrokerGoodbye, readEndpoints, readLimits, readRefused } from "./shared-codec.js";
import { readTask } from "./task-codec.js";

/** Throws BrokenMessage when the frames do not keep the protocol, whatever they hold. */
export function decodeClientReply(frames: readonly Uint8Array[]): ClientReply {
  return flat.readMessage<ClientReply>(frames, READERS, { kind: "unknown" });
}

function wordOf<Word extends string>(words: Words<Word>, number: number): Word {
  const word = words.wordOf(number);
  if (word === undefined) throw new BrokenMessage(`no word for ${number}`);
  return word;
}

function readWelcome(received: flat.Received): ClientWelcome {
  const body = flat.bodyOf(received, new WelcomeTable());
  return {
    kind: "clientWelcome",
    request: received.request,
    epoch: body.epoch(),
    endpoints: readEndpoints(body.endpoints()),
    limits: readLimits(body.limits()),
    brokerVersion: body.brokerVersion() ?? "",
  };
}

function readSubmitted(received: flat.Received): Submitted {
  const body = flat.bodyOf(received, new SubmittedTable());
  const statuses = flat.listOf(
    body.statusesLength(),
    (i) => body.statuses(i),
    (status) => wordOf(submitStatuses, status),
  );
  const messages = flat.listOf(body.messagesLength(), (i) => body.messages(i), String);
  if (messages.length > 0 && messages.length !== statuses.length) {
    throw new BrokenMessage("texts for other items than answered");
  }
  return {
    kind: "submitted",
    request: received.request,
    items: statuses.map((status, index) => ({ status, message: messages[index] ?? "" })),
    retryAfterMs: millisecondsOf(body.retryAfterNs()),
  };
}

function readWatching(received: flat.Received): Watching {
  const body = flat.bodyOf(received, new WatchingTable());
  const unknown = flat.listOf(body.unknownLength(), (i) => body.unknown(i), flat.readUuid);
  return { kind: "watching", request: received.request, unknown };
}

function readFinished(received: flat.Received): Finished {
  const body = flat.bodyOf(received, new FinishedTable());
  const heads = flat.listOf(
    body.tasksLength(),
    (i) => body.tasks(i),
    (head) => ({
      id: flat.readUuid(head.id()),
      state: wordOf(taskStates, head.state()),
      reason: wordOf(reasons, head.reason()),
      attempts: head.attempts(),
      resultBytes: head.resultBytes(),
      errorBytes: head.errorBytes(),
    }),
  );
  const results = unpackBundle(
    received.bundle,
    heads.map((head) => head.resultBytes),
  );
  const errors = splitTexts(
    body.errorsArray() ?? new Uint8Array(),
    heads.map((head) => head.errorBytes),
  );
  return {
    kind: "finished",
    tasks: heads.map(({ id, state, reason, attempts }, index) => ({
      id,
      state,
      reason,
      attempts,
      error: flat.present(errors[index]),
      result: flat.present(results[index]),
    })),
  };
}

function readCancelled(received: flat.Received): Cancelled {
  const body = flat.bodyOf(received, new CancelledTable());
  const items = flat.listOf(
    body.itemsLength(),
    (i) => body.items(i),
    (item) => {
      const status = wordOf(cancelStatuses, item.status());
      // The state of a task that is not known says nothing.
      const state = status === "not_found" ? undefined : taskStates.wordOf(item.state());
      return { status, state };
    },
  );
  return { kind: "cancelled", request: received.request, items };
}

/** Times are since the Unix epoch; 0: none. */
function dateOf(nanoseconds: bigint): Date | undefined {
  return nanoseconds === 0n ? undefined : new Date(millisecondsOf(nanoseconds));
}

function readAttempt(table: AttemptTable): AttemptRecord {
  return {
    attempt: table.attempt(),
    fence: table.fence(),
    reason: wordOf(reasons, table.reason()),
    started: dateOf(table.startedNs()),
    ended: dateOf(table.endedNs()),
    worker: table.worker() ?? "",
    error: table.error() ?? "",
  };
}

function readView(view: TaskViewTable, spec: Uint8Array, result: Uint8Array): TaskView {
  const stored = spec.length > 0 ? readTask(spec) : undefined;
  const state = wordOf(taskStates, view.state());
  return {
    id: flat.readUuid(view.id()),
    sequence: view.sequence(),
    queue: view.queue() ?? "",
    state,
    reason: wordOf(reasons, view.reason()),
    cancelRequested: view.cancelRequested(),
    priority: view.priority(),
    attempts: view.attempts(),
    maxAttempts: view.maxAttempts(),
    fence: view.fence(),
    timeoutMs: millisecondsOf(view.timeoutNs()),
    accepted: dateOf(view.acceptedNs()),
    due: dateOf(view.dueNs()),
    expires: dateOf(view.expiresNs()),
    ended: dateOf(view.endedNs()),
    worker: view.worker() ?? "",
    progressPercent: view.progressPercent(),
    error: view.error() ?? "",
    payloadBytes: flat.numberOf(view.payloadBytes()),
    resultBytes: flat.numberOf(view.resultBytes()),
    payload: stored?.payload,
    headers: stored?.headers,
    result: result.length > 0 ? result : undefined,
    attemptRecords: flat.listOf(
      view.attemptRecordsLength(),
      (i) => view.attemptRecords(i),
      readAttempt,
    ),
  };
}

function readTaskList(received: flat.Received): TaskList {
  const body = flat.bodyOf(received, new TaskListTable());
  const views = flat.listOf(
    body.tasksLength(),
    (i) => body.tasks(i),
    (view) => view,
  );
  const lengths = views.flatMap((v) => [v.specInBundleBytes(), v.resultInBundleBytes()]);
  const strings = unpackBundle(received.bundle, lengths);
  return {
    kind: "taskList",
    request: received.request,
    tasks: views.map((view, index) =>
      readView(view, flat.present(strings[2 * index]), flat.present(strings[2 * index + 1])),
    ),
    unknown: flat.listOf(body.unknownLength(), (i) => body.unknown(i), flat.readUuid),
    nextCursor: body.nextCursor(),
  };
}

function readChanged(received: flat.Received): Changed {
  const body = flat.bodyOf(received, new ChangedTable());
  return { kind: "changed", request: received.request, count: flat.numberOf(body.count()) };
}

function readStatus(received: flat.Received): StatusReport {
  const body = flat.bodyOf(received, new StatusReportTable());
  return { kind: "statusReport", request: received.request, json: body.json() ?? "" };
}

function readPong(received: flat.Received): Pong {
  const body = flat.bodyOf(received, new PongTable());
  return { kind: "pong", request: received.request, epoch: body.epoch() };
}

const READERS = new Map<Body, (received: flat.Received) => ClientReply>([
  [Body.ClientWelcome, readWelcome],
  [Body.Submitted, readSubmitted],
  [Body.Watching, readWatching],
  [Body.Finished, readFinished],
  [Body.Cancelled, readCancelled],
  [Body.TaskList, readTaskList],
  [Body.Changed, readChanged],
  [Body.StatusReport, readStatus],
  [Body.Pong, readPong],
  [Body.Refused, readRefused],
  [Body.BrokerGoodbye, readBrokerGoodbye],
]);

// The messages of the worker port, docs/protocol.md, section 8.
import { BrokenMessage } from "../errors.js";
import { PROTOCOL_VERSION } from "../limits.js";
import { millisecondsOf, nanosecondsOf } from "../units.js";
import { halvesOf } from "../uuid.js";
import { outcomes, stopCauses } from "../words.js";
import { packBundle, unpackBundle } from "./bundle.js";
import * as flat from "./flat.js";
import type {
  Complete,
  Completed,
  Dispatch,
  Drain,
  Extend,
  Recall,
  StopTasks,
  WorkerGoodbye,
  WorkerHello,
  WorkerMessage,
  WorkerReply,
  WorkerWelcome,
} from "./messages.js";
import { Body } from "./schema/body.js";
import { Complete as CompleteTable } from "./schema/complete.js";
import { Completed as CompletedTable } from "./schema/completed.js";
import { Completion as CompletionStruct } from "./schema/completion.js";
import { Dispatch as DispatchTable } from "./schema/dispatch.js";
import { Drain as DrainTable } from "./schema/drain.js";
import { Extend as ExtendTable } from "./schema/extend.js";
import { Extension as ExtensionStruct } from "./schema/extension.js";
import { Recall as RecallTable } from "./schema/recall.js";
import { StopTasks as StopTasksTable } from "./schema/stop-tasks.js";
import { WorkerGoodbye as GoodbyeTable } from "./schema/worker-goodbye.js";
import { WorkerHello as HelloTable } from "./schema/worker-hello.js";
import { WorkerWelcome as WelcomeTable } from "./schema/worker-welcome.js";
import { readBrokerGoodbye, readEndpoints, readLimits, readRefused } from "./shared-codec.js";

// ---- to the broker --------------------------------------------------------------------------------

/** The frames of a message. */
export function encodeWorkerMessage(message: WorkerMessage): Uint8Array[] {
  switch (message.kind) {
    case "complete":
      return encodeComplete(message);
    case "extend":
      return [encodeExtend(message)];
    case "hello":
      return [encodeHello(message)];
    case "goodbye":
      return [encodeGoodbye(message)];
  }
}

function encodeComplete(message: Complete): Uint8Array[] {
  const errors = message.items.map((item) => Buffer.from(item.error));
  const texts = Buffer.concat(errors);
  const builder = flat.newBuilder(48 * message.items.length + texts.length + 256);
  const errorsOffset = builder.createByteVector(texts);
  const numbered = message.items.map((item, index) => ({
    item,
    errorBytes: errors[index]?.length ?? 0,
  }));
  const items = flat.structVector(builder, numbered, CompletionStruct.sizeOf(), (entry) => {
    const { task, fence, elapsedMs, result, outcome } = entry.item;
    CompletionStruct.createCompletion(
      builder,
      ...halvesOf(task),
      fence,
      nanosecondsOf(elapsedMs),
      result.length,
      entry.errorBytes,
      outcomes.numberOf(outcome),
    );
  });
  CompleteTable.startComplete(builder);
  CompleteTable.addItems(builder, items);
  CompleteTable.addErrors(builder, errorsOffset);
  CompleteTable.addCredit(builder, message.credit);
  CompleteTable.addAnswersRecall(builder, message.answersRecall);
  const frames = [flat.finishEnvelope(builder, Body.Complete, CompleteTable.endComplete(builder))];
  const results = packBundle(message.items.map((item) => item.result));
  return results.length > 0 ? [...frames, results] : frames;
}

function encodeExtend(message: Extend): Uint8Array {
  const builder = flat.newBuilder(48 * message.items.length + 128);
  const items = flat.structVector(builder, message.items, ExtensionStruct.sizeOf(), (item) => {
    ExtensionStruct.createExtension(
      builder,
      ...halvesOf(item.task),
      item.fence,
      nanosecondsOf(item.byMs),
      item.progressPercent,
    );
  });
  ExtendTable.startExtend(builder);
  ExtendTable.addItems(builder, items);
  return flat.finishEnvelope(builder, Body.Extend, ExtendTable.endExtend(builder));
}

function encodeHello(message: WorkerHello): Uint8Array {
  const builder = flat.newBuilder(24 * message.holding.length + 1_024);
  const name = builder.createString(message.name);
  const version = builder.createString(message.version);
  const queueNames = message.queues.map((queue) => builder.createString(queue));
  const queues = HelloTable.createQueuesVector(builder, queueNames);
  const holding = flat.leaseVector(builder, message.holding);
  HelloTable.startWorkerHello(builder);
  HelloTable.addHelloNumber(builder, BigInt(message.helloNumber));
  HelloTable.addWorker(builder, flat.writeUuid(builder, message.worker));
  HelloTable.addName(builder, name);
  HelloTable.addQueues(builder, queues);
  HelloTable.addSlots(builder, message.slots);
  HelloTable.addCredit(builder, message.credit);
  HelloTable.addVersion(builder, version);
  HelloTable.addProtocolVersion(builder, PROTOCOL_VERSION);
  HelloTable.addHolding(builder, holding);
  return flat.finishEnvelope(builder, Body.WorkerHello, HelloTable.endWorkerHello(builder));
}

function encodeGoodbye(message: WorkerGoodbye): Uint8Array {
  const builder = flat.newBuilder();
  const text = builder.createString(message.message);
  GoodbyeTable.startWorkerGoodbye(builder);
  GoodbyeTable.addMessage(builder, text);
  return flat.finishEnvelope(builder, Body.WorkerGoodbye, GoodbyeTable.endWorkerGoodbye(builder));
}

// ---- from the broker ------------------------------------------------------------------------------

/** Throws BrokenMessage when the frames do not keep the protocol, whatever they hold. */
export function decodeWorkerReply(frames: readonly Uint8Array[]): WorkerReply {
  return flat.readMessage<WorkerReply>(frames, READERS, { kind: "unknown" });
}

function readDispatch(received: flat.Received): Dispatch {
  const body = flat.bodyOf(received, new DispatchTable());
  const queues = flat.listOf(body.queuesLength(), (i) => body.queues(i), String);
  const heads = flat.listOf(
    body.tasksLength(),
    (i) => body.tasks(i),
    (head) => ({
      ...flat.readLease(head),
      timeoutMs: millisecondsOf(head.timeoutNs()),
      queue: flat.present(queues[head.queueIndex()]),
      attempt: head.attempt(),
      maxAttempts: head.maxAttempts(),
      specBytes: head.specBytes(),
    }),
  );
  const specs = unpackBundle(
    received.bundle,
    heads.map((head) => head.specBytes),
  );
  return {
    kind: "dispatch",
    tasks: heads.map(({ specBytes: _, ...head }, index) => ({
      ...head,
      spec: flat.present(specs[index]),
    })),
  };
}

function readCompleted(received: flat.Received): Completed {
  const body = flat.bodyOf(received, new CompletedTable());
  const stale = new Set(flat.listOf(body.staleLength(), (i) => body.stale(i), Number));
  const leases = flat.listOf(body.itemsLength(), (i) => body.items(i), flat.readLease);
  if ([...stale].some((position) => position >= leases.length)) {
    throw new BrokenMessage("a stale item that is not among the items");
  }
  return {
    kind: "completed",
    items: leases.map((lease, index) => ({ ...lease, accepted: !stale.has(index) })),
  };
}

function readStopTasks(received: flat.Received): StopTasks {
  const body = flat.bodyOf(received, new StopTasksTable());
  return {
    kind: "stopTasks",
    tasks: flat.listOf(
      body.tasksLength(),
      (i) => body.tasks(i),
      (stopped) => ({
        ...flat.readLease(stopped),
        cause: flat.present(stopCauses.wordOf(stopped.cause())),
      }),
    ),
  };
}

function readRecall(received: flat.Received): Recall {
  const body = flat.bodyOf(received, new RecallTable());
  return {
    kind: "recall",
    recallNumber: body.recallNumber(),
    tasks: flat.listOf(body.tasksLength(), (i) => body.tasks(i), flat.readLease),
  };
}

function readDrain(received: flat.Received): Drain {
  flat.bodyOf(received, new DrainTable());
  return { kind: "drain" };
}

function readWelcome(received: flat.Received): WorkerWelcome {
  const body = flat.bodyOf(received, new WelcomeTable());
  const beatIntervalMs = millisecondsOf(body.beatIntervalNs());
  const silenceMaxMs = millisecondsOf(body.silenceMaxNs());
  if (beatIntervalMs < 1 || silenceMaxMs <= beatIntervalMs) {
    throw new BrokenMessage("a welcome without a cadence");
  }
  return {
    kind: "workerWelcome",
    helloNumber: flat.numberOf(body.helloNumber()),
    session: body.session(),
    epoch: body.epoch(),
    endpoints: readEndpoints(body.endpoints()),
    limits: readLimits(body.limits()),
    beatIntervalMs,
    silenceMaxMs,
    stale: flat.listOf(body.staleLength(), (i) => body.stale(i), flat.readLease),
    brokerVersion: body.brokerVersion() ?? "",
  };
}

const READERS = new Map<Body, (received: flat.Received) => WorkerReply>([
  [Body.WorkerWelcome, readWelcome],
  [Body.Dispatch, readDispatch],
  [Body.Completed, readCompleted],
  [Body.StopTasks, readStopTasks],
  [Body.Recall, readRecall],
  [Body.Drain, readDrain],
  [Body.Refused, readRefused],
  [Body.BrokerGoodbye, readBrokerGoodbye],
]);

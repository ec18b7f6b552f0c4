// The messages of the client port to the broker, docs/protocol.md, section 6.
import type { Builder, Offset } from "flatbuffers";
import { PROTOCOL_VERSION } from "../limits.js";
import { queueActions, statusTopics, taskStates } from "../words.js";
import { packBundle } from "./bundle.js";
import * as flat from "./flat.js";
import type { ClientMessage, Question, Submit } from "./messages.js";
import { Body } from "./schema/body.js";
import { Cancel as CancelTable } from "./schema/cancel.js";
import { ClientGoodbye as GoodbyeTable } from "./schema/client-goodbye.js";
import { ClientHello as HelloTable } from "./schema/client-hello.js";
import { ControlQueue as ControlQueueTable } from "./schema/control-queue.js";
import { DrainWorker as DrainWorkerTable } from "./schema/drain-worker.js";
import { GetStatus as GetStatusTable } from "./schema/get-status.js";
import { GetTasks as GetTasksTable } from "./schema/get-tasks.js";
import { ListTasks as ListTasksTable } from "./schema/list-tasks.js";
import { Ping as PingTable } from "./schema/ping.js";
import { PurgeDead as PurgeDeadTable } from "./schema/purge-dead.js";
import { RequeueDead as RequeueDeadTable } from "./schema/requeue-dead.js";
import { Submit as SubmitTable } from "./schema/submit.js";
import { Watch as WatchTable } from "./schema/watch.js";

/** The frames of a message. */
export function encodeClientMessage(message: ClientMessage): Uint8Array[] {
  if (message.kind === "submit") return encodeSubmit(message);
  const builder = flat.newBuilder();
  const [type, body] = writeBody(builder, message);
  return [flat.finishEnvelope(builder, type, body, message.request)];
}

function encodeSubmit(message: Submit): Uint8Array[] {
  const builder = flat.newBuilder(4 * message.specs.length + 128);
  const lengths = message.specs.map((spec) => spec.length);
  const specBytes = SubmitTable.createSpecBytesVector(builder, lengths);
  const body = SubmitTable.createSubmit(builder, specBytes, false);
  const control = flat.finishEnvelope(builder, Body.Submit, body, message.request);
  return [control, packBundle(message.specs)];
}

function writeBody(
  builder: Builder,
  message: Exclude<ClientMessage, Submit>,
): [type: Body, body: Offset] {
  switch (message.kind) {
    case "hello":
      HelloTable.startClientHello(builder);
      HelloTable.addClient(builder, flat.writeUuid(builder, message.client));
      HelloTable.addProtocolVersion(builder, PROTOCOL_VERSION);
      return [Body.ClientHello, HelloTable.endClientHello(builder)];
    case "watch":
      return [Body.Watch, WatchTable.createWatch(builder, flat.uuidVector(builder, message.tasks))];
    case "ping":
      return [Body.Ping, PingTable.createPing(builder)];
    case "goodbye":
      return [Body.ClientGoodbye, GoodbyeTable.createClientGoodbye(builder)];
    case "request":
      return writeQuestion(builder, message.question);
  }
}

function writeQuestion(builder: Builder, question: Question): [type: Body, body: Offset] {
  switch (question.kind) {
    case "cancel": {
      const tasks = flat.uuidVector(builder, question.tasks);
      return [Body.Cancel, CancelTable.createCancel(builder, tasks)];
    }
    case "getTasks": {
      const { withPayload, withResult, withAttempts } = question;
      const tasks = flat.uuidVector(builder, question.tasks);
      return [
        Body.GetTasks,
        GetTasksTable.createGetTasks(builder, tasks, withPayload, withResult, withAttempts),
      ];
    }
    case "listTasks": {
      const queue = builder.createString(question.queue);
      const state = question.state === undefined ? 0 : taskStates.numberOf(question.state);
      const { cursor, limit } = question;
      return [
        Body.ListTasks,
        ListTasksTable.createListTasks(builder, queue, state, cursor, limit, false),
      ];
    }
    case "requeueDead": {
      const tasks = flat.uuidVector(builder, question.tasks);
      const queue = builder.createString(question.queue);
      return [Body.RequeueDead, RequeueDeadTable.createRequeueDead(builder, tasks, queue)];
    }
    case "purgeDead": {
      const tasks = flat.uuidVector(builder, question.tasks);
      const queue = builder.createString(question.queue);
      return [Body.PurgeDead, PurgeDeadTable.createPurgeDead(builder, tasks, queue)];
    }
    case "controlQueue": {
      const queue = builder.createString(question.queue);
      const action = queueActions.numberOf(question.action);
      return [Body.ControlQueue, ControlQueueTable.createControlQueue(builder, queue, action)];
    }
    case "drainWorker": {
      const worker = builder.createString(question.worker);
      return [Body.DrainWorker, DrainWorkerTable.createDrainWorker(builder, worker)];
    }
    case "getStatus": {
      const topic = statusTopics.numberOf(question.topic);
      return [Body.GetStatus, GetStatusTable.createGetStatus(builder, topic)];
    }
  }
}

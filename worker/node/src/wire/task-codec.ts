// A task as its author wrote it: the TaskSpec of schemas/task.fbs, and its rules.
import { MillraceError } from "../errors.js";
import {
  ATTEMPTS_MAX,
  BACKOFF_MAX_MS,
  HEADERS_MAX,
  HEADER_KEY_BYTES_MAX,
  NOT_BEFORE_LATEST_MS,
  PRIORITY_HIGHEST,
  TASK_DURATION_MAX_MS,
  TIMEOUT_LEAST_MS,
  DEFAULT_LIMITS,
  type PeerLimits,
} from "../limits.js";
import { durationText, nanosecondsOf } from "../units.js";
import { isTaskId } from "../uuid.js";
import * as flat from "./flat.js";
import { Header as HeaderTable } from "./schema/header.js";
import { TaskSpec as TaskSpecTable } from "./schema/task-spec.js";

export type Headers = readonly (readonly [key: string, value: string])[];

/** All that a TaskSpec says. */
export interface TaskDescription {
  readonly id: string;
  readonly queue: string;
  readonly payload: Uint8Array;
  readonly headers: Headers;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly delayMs: number;
  readonly notBeforeMs: number; // since the Unix epoch; 0: at once
  readonly ttlMs: number;
  readonly timeoutMs: number;
  readonly retentionMs: number; // negative: the broker's default
  readonly backoffInitialMs: number;
  readonly backoffMaxMs: number;
}

// ---- rules ----------------------------------------------------------------------------------------

const QUEUE_NAME = /^[A-Za-z0-9._:/-]+$/;
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

export function isQueueName(name: string, limits: PeerLimits = DEFAULT_LIMITS): boolean {
  return name.length <= limits.queueNameBytesMax && QUEUE_NAME.test(name);
}

export function hasControlCharacters(text: string): boolean {
  return CONTROL_CHARACTER.test(text) || LONE_SURROGATE.test(text);
}

/** Checks every rule that the broker checks. Throws MillraceError `invalid` or `too_large`. */
export function checkTask(task: TaskDescription, limits: PeerLimits): void {
  if (!isTaskId(task.id)) throw invalid(`id '${task.id}' is not a UUID, or is nil`);
  if (!isQueueName(task.queue, limits)) {
    throw invalid(
      `queue must be 1 to ${limits.queueNameBytesMax} characters of A-Z a-z 0-9 . _ : / -`,
    );
  }
  checkWhole("priority", task.priority, 0, PRIORITY_HIGHEST);
  checkWhole("maxAttempts", task.maxAttempts, 1, ATTEMPTS_MAX);
  if (task.payload.length > limits.payloadBytesMax) {
    throw tooLarge(
      `payload is ${task.payload.length} bytes; at most ${limits.payloadBytesMax} are allowed, ` +
        "so store it elsewhere and send a reference",
    );
  }
  checkHeaders(task.headers, limits);
  checkTimes(task);
}

function checkWhole(field: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw invalid(`${field} is ${value}; it must be ${least} to ${most}`);
  }
}

function checkHeaders(headers: Headers, limits: PeerLimits): void {
  if (headers.length > HEADERS_MAX) {
    throw tooLarge(`headers are ${headers.length}; at most ${HEADERS_MAX} are allowed`);
  }
  let total = 0;
  for (const [key, value] of headers) {
    const keyBytes = Buffer.byteLength(key);
    total += keyBytes + Buffer.byteLength(value);
    if (keyBytes < 1 || keyBytes > HEADER_KEY_BYTES_MAX) {
      throw invalid(`header key is ${keyBytes} bytes; it must be 1 to ${HEADER_KEY_BYTES_MAX}`);
    }
    if (hasControlCharacters(key)) {
      throw invalid("header key must be Unicode without control characters");
    }
    if (value.includes("\0") || LONE_SURROGATE.test(value)) {
      throw invalid(`header '${key}' must have a value of Unicode without NUL`);
    }
  }
  if (total > limits.headersBytesMax) {
    throw tooLarge(`headers are ${total} bytes; at most ${limits.headersBytesMax} are allowed`);
  }
}

function checkTimes(task: TaskDescription): void {
  checkDuration("delayMs", task.delayMs, TASK_DURATION_MAX_MS);
  checkDuration("ttlMs", task.ttlMs, TASK_DURATION_MAX_MS);
  checkDuration("timeoutMs", task.timeoutMs, TASK_DURATION_MAX_MS);
  checkDuration("backoffMaxMs", task.backoffMaxMs, BACKOFF_MAX_MS);
  checkDuration("backoffInitialMs", task.backoffInitialMs, task.backoffMaxMs);
  if (task.timeoutMs > 0 && task.timeoutMs < TIMEOUT_LEAST_MS) {
    throw invalid(`timeoutMs must be 0 (the default) or at least ${TIMEOUT_LEAST_MS}`);
  }
  if (!(task.retentionMs <= TASK_DURATION_MAX_MS)) {
    throw invalid(`retentionMs must be at most ${durationText(TASK_DURATION_MAX_MS)}`);
  }
  if (!(task.notBeforeMs >= 0 && task.notBeforeMs <= NOT_BEFORE_LATEST_MS)) {
    throw invalid("notBefore must be between 1970 and 2200");
  }
}

function checkDuration(field: string, valueMs: number, mostMs: number): void {
  if (!(valueMs >= 0 && valueMs <= mostMs)) {
    throw invalid(`${field} is ${valueMs}; it must be 0 to ${mostMs} (${durationText(mostMs)})`);
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError("invalid", message);
}

function tooLarge(message: string): MillraceError {
  return new MillraceError("too_large", message);
}

// ---- bytes ----------------------------------------------------------------------------------------

/** The TaskSpec. Requires checkTask to be content. */
export function encodeTask(task: TaskDescription): Uint8Array {
  const builder = flat.newBuilder(task.payload.length + 256);
  const headerOffsets = task.headers.map(([key, value]) => {
    const keyOffset = builder.createString(key);
    return HeaderTable.createHeader(builder, keyOffset, builder.createString(value));
  });
  const headers = TaskSpecTable.createHeadersVector(builder, headerOffsets);
  const payload = builder.createByteVector(task.payload);
  const queue = builder.createString(task.queue);
  TaskSpecTable.startTaskSpec(builder);
  TaskSpecTable.addId(builder, flat.writeUuid(builder, task.id));
  TaskSpecTable.addQueue(builder, queue);
  TaskSpecTable.addPayload(builder, payload);
  if (headerOffsets.length > 0) TaskSpecTable.addHeaders(builder, headers);
  TaskSpecTable.addPriority(builder, task.priority);
  TaskSpecTable.addMaxAttempts(builder, task.maxAttempts);
  TaskSpecTable.addDelayNs(builder, nanosecondsOf(task.delayMs));
  TaskSpecTable.addNotBeforeNs(builder, nanosecondsOf(task.notBeforeMs));
  TaskSpecTable.addTtlNs(builder, nanosecondsOf(task.ttlMs));
  TaskSpecTable.addTimeoutNs(builder, nanosecondsOf(task.timeoutMs));
  TaskSpecTable.addRetentionNs(
    builder,
    task.retentionMs < 0 ? -1n : nanosecondsOf(task.retentionMs),
  );
  TaskSpecTable.addBackoffInitialNs(builder, nanosecondsOf(task.backoffInitialMs));
  TaskSpecTable.addBackoffMaxNs(builder, nanosecondsOf(task.backoffMaxMs));
  builder.finish(TaskSpecTable.endTaskSpec(builder), "MRT1");
  return builder.asUint8Array();
}

/** Payload (in place) and headers. Throws BrokenMessage when it is no TaskSpec. */
export function readTask(spec: Uint8Array): { payload: Uint8Array; headers: Headers } {
  const table = TaskSpecTable.getRootAsTaskSpec(flat.openBuffer(spec, "TaskSpec", "MRT1"));
  const headers = flat.listOf(
    table.headersLength(),
    (i) => table.headers(i),
    (header) => [header.key() ?? "", header.value() ?? ""] as const,
  );
  return { payload: table.payloadArray() ?? new Uint8Array(), headers };
}

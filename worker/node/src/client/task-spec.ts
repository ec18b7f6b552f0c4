// What a caller submits.
import { MillraceError } from "../errors.js";
import { newTaskId } from "../uuid.js";
import type { Headers, TaskDescription } from "../wire/task-codec.js";

/** What to run: `queue` and `payload` at least. Durations are milliseconds. */
export interface TaskSpec {
  readonly queue: string;
  /** Opaque; a string is sent as UTF-8. */
  readonly payload?: Uint8Array | string;
  /**
   * Names the task everywhere: a UUID. Left out, the client draws one; give your own to make a submit
   * repeatable over restarts of your program.
   */
  readonly id?: string;
  /** 0 to 9, higher first. Default: 4. */
  readonly priority?: number;
  /** That count, the first included. Default: 3. */
  readonly maxAttempts?: number;
  /** From acceptance. */
  readonly delayMs?: number;
  /** By the broker's clock; the later of both waits holds. */
  readonly notBefore?: Date;
  /** From acceptance to the first start, then it expires. Default 0: never. */
  readonly ttlMs?: number;
  /** Of one attempt. Default 0: the broker's default. */
  readonly timeoutMs?: number;
  /** How long the ended task can be asked for. Default: the broker's default. */
  readonly retentionMs?: number;
  /** Wait before the first retry; doubles. Default: 1 s. */
  readonly backoffInitialMs?: number;
  /** At most to this. Default: 5 min. */
  readonly backoffMaxMs?: number;
  /** For the worker. The order is kept, and keys may repeat in the list form. */
  readonly headers?: Headers | Readonly<Record<string, string>>;
}

/** In the terms of the wire, defaults filled in. Throws MillraceError `invalid`. */
export function describe(spec: TaskSpec): TaskDescription {
  return {
    id: (spec.id ?? newTaskId()).toLowerCase(),
    queue: spec.queue,
    payload: bytesOf(spec.payload ?? ""),
    headers: pairsOf(spec.headers ?? []),
    priority: spec.priority ?? 4,
    maxAttempts: spec.maxAttempts ?? 3,
    delayMs: spec.delayMs ?? 0,
    notBeforeMs: spec.notBefore?.getTime() ?? 0,
    ttlMs: spec.ttlMs ?? 0,
    timeoutMs: spec.timeoutMs ?? 0,
    retentionMs: spec.retentionMs ?? -1,
    backoffInitialMs: spec.backoffInitialMs ?? 1_000,
    backoffMaxMs: spec.backoffMaxMs ?? 300_000,
  };
}

function bytesOf(payload: Uint8Array | string): Uint8Array {
  if (typeof payload === "string") return new TextEncoder().encode(payload);
  if (payload instanceof Uint8Array) return payload;
  throw new MillraceError("invalid", "payload must be bytes or a string");
}

function pairsOf(headers: Headers | Readonly<Record<string, string>>): Headers {
  const pairs = Array.isArray(headers) ? (headers as Headers) : Object.entries(headers);
  for (const pair of pairs) {
    if (typeof pair[0] !== "string" || typeof pair[1] !== "string") {
      throw new MillraceError("invalid", "headers must be pairs of strings");
    }
  }
  return pairs;
}

// The attempt that a handler works on.
import type { DispatchedTask } from "../wire/messages.js";
import type { Headers } from "../wire/task-codec.js";

/** One attempt of a task. */
export class Task {
  readonly id: string;
  readonly queue: string;
  /** From 1. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /**
   * Grows with every attempt of this task. Pass it on to what the handler writes to, so that a late
   * attempt cannot overwrite a newer one.
   */
  readonly fence: bigint;
  readonly payload: Buffer;
  /** In the author's order; keys may repeat. */
  readonly headers: Headers;
  /** A longer result fails the task for good. */
  readonly resultBytesMax: number;

  /** @internal */
  constructor(
    dispatched: DispatchedTask,
    payload: Uint8Array,
    headers: Headers,
    resultBytesMax: number,
  ) {
    this.id = dispatched.task;
    this.queue = dispatched.queue;
    this.attempt = dispatched.attempt;
    this.maxAttempts = dispatched.maxAttempts;
    this.fence = dispatched.fence;
    this.payload = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    this.headers = headers;
    this.resultBytesMax = resultBytesMax;
  }
}

/** What a handler can do besides its work. */
export interface HandlerContext {
  /** Aborts once the attempt should end; its reason is a Stopped. */
  readonly signal: AbortSignal;
  /**
   * Shows 1 to 100 percent in the task's status, and runs the attempt's timeout anew, as extend() does.
   */
  progress(percent: number): void;
  /** Runs the attempt's timeout anew for `byMs` from now; 0: for the task's own timeout. */
  extend(byMs?: number): void;
}

/** What a handler returns: bytes as they are, text as UTF-8, nothing as no bytes. */
export type HandlerResult = Uint8Array | string | undefined | void;

/**
 * Runs one attempt. Returning is success; FailForGood is failure for good; any other error is tried
 * again while attempts are left.
 */
export type Handler = (task: Task, context: HandlerContext) => HandlerResult | Promise<HandlerResult>;

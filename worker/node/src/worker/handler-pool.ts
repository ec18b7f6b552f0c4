// Runs handlers, at most so many at once, and says how each ended.
import { BrokenMessage, FailForGood, Retry, Stopped, type StopReason } from "../errors.js";
import type { Completion, DispatchedTask, Extension, HeldLease } from "../wire/messages.js";
import { readTask } from "../wire/task-codec.js";
import type { Outcome } from "../words.js";
import { keyOf, leaseOf } from "./attempts.js";
import { Task, type Handler, type HandlerResult } from "./task.js";

const NO_BYTES = new Uint8Array();

interface Answer {
  readonly outcome: Outcome;
  readonly result: Uint8Array;
  readonly error: string;
}

/** One attempt from its start to its end, whether it runs already or waits for its turn. */
interface Running {
  readonly dispatched: DispatchedTask;
  readonly controller: AbortController;
}

export class HandlerPool {
  resultBytesMax = Number.POSITIVE_INFINITY; // until the broker announces it
  readonly #slots: number;
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #report: (completion: Completion) => void;
  readonly #ask: (extension: Extension) => void;
  readonly #attempts = new Map<string, Running>();
  readonly #queue: Running[] = [];
  #active = 0;
  #idle: (() => void)[] = [];

  /** `report` is told the end of each attempt once, `ask` what handlers wish meanwhile. */
  constructor(
    slots: number,
    handlers: ReadonlyMap<string, Handler>,
    report: (completion: Completion) => void,
    ask: (extension: Extension) => void,
  ) {
    this.#slots = slots;
    this.#handlers = handlers;
    this.#report = report;
    this.#ask = ask;
  }

  start(tasks: readonly DispatchedTask[]): void {
    for (const dispatched of tasks) {
      const running = { dispatched, controller: new AbortController() };
      this.#attempts.set(keyOf(dispatched), running);
      this.#queue.push(running);
    }
    this.#startQueued();
  }

  /** The attempt should end; how it does is still reported. */
  stop(lease: HeldLease, reason: StopReason): void {
    this.#attempts.get(keyOf(lease))?.controller.abort(new Stopped(reason));
  }

  stopAll(reason: StopReason): void {
    for (const { controller } of this.#attempts.values()) controller.abort(new Stopped(reason));
  }

  /** When no attempt is left. */
  async idle(): Promise<void> {
    if (this.#attempts.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #startQueued(): void {
    while (this.#active < this.#slots) {
      const running = this.#queue.shift();
      if (running === undefined) return;
      this.#active += 1;
      void this.#run(running);
    }
  }

  async #run(running: Running): Promise<void> {
    const beganMs = performance.now();
    const answer = await this.#answerOf(running);
    const { dispatched } = running;
    this.#attempts.delete(keyOf(dispatched));
    this.#active -= 1;
    this.#report({ ...leaseOf(dispatched), ...answer, elapsedMs: performance.now() - beganMs });
    this.#startQueued();
    if (this.#attempts.size === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  async #answerOf({ dispatched, controller }: Running): Promise<Answer> {
    try {
      const handler = this.#handlers.get(dispatched.queue);
      if (handler === undefined) {
        throw new FailForGood(`no handler for queue ${dispatched.queue} in this worker`);
      }
      const { payload, headers } = readTask(dispatched.spec);
      const task = new Task(dispatched, payload, headers, this.resultBytesMax);
      const lease = leaseOf(dispatched);
      controller.signal.throwIfAborted();
      const result = await handler(task, {
        signal: controller.signal,
        progress: (percent) => {
          const progressPercent = Math.max(0, Math.min(Math.trunc(percent), 100));
          this.#ask({ ...lease, byMs: 0, progressPercent });
        },
        extend: (byMs = 0) => {
          this.#ask({ ...lease, byMs: Math.max(0, byMs), progressPercent: 0 });
        },
      });
      return { outcome: "succeeded", result: bytesOf(result), error: "" };
    } catch (error) {
      return answerOfError(error);
    }
  }
}

function bytesOf(result: HandlerResult): Uint8Array {
  if (result === undefined) return NO_BYTES;
  if (typeof result === "string") return new TextEncoder().encode(result);
  if (!(result instanceof Uint8Array)) {
    throw new FailForGood("the handler returned neither bytes, text nor nothing");
  }
  // A view into something larger would drag all of that along to the other thread.
  return result.length === result.buffer.byteLength ? result : result.slice();
}

function answerOfError(error: unknown): Answer {
  if (error instanceof FailForGood) {
    return { outcome: "failed_for_good", result: NO_BYTES, error: error.message };
  }
  if (error instanceof BrokenMessage) {
    return { outcome: "failed_for_good", result: NO_BYTES, error: `the task ${error.message}` };
  }
  return { outcome: "failed", result: NO_BYTES, error: textOf(error) };
}

/** The end of the text is kept when it is too long, so the message comes last. */
function textOf(error: unknown): string {
  if (error instanceof Retry || error instanceof Stopped) return error.message;
  if (!(error instanceof Error)) return String(error);
  const where = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [...where.reverse(), `${error.name}: ${error.message}`].join("\n");
}

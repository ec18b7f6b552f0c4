// Calls that take more than one answer: many submits, and waiting for ends.
import { MillraceError } from "../errors.js";
import { durationText, NEVER_MS } from "../units.js";
import type { FinishedTask } from "../wire/messages.js";
import { checkTask, encodeTask } from "../wire/task-codec.js";
import type { SubmitStatus } from "../words.js";
import type { Connection, LinkListener, SubmitListener, WatchListener } from "./connection.js";
import { describe, type TaskSpec } from "./task-spec.js";

// Tasks taken from the caller and not answered; the session sends its share of them.
const UNANSWERED_MAX = 20_000;
const UNANSWERED_BYTES_MAX = 64 * 1024 * 1024;
// After so many the event loop gets its turn.
const CHUNK_TASKS = 250;

/** The final answer to one task: durable when `error` is undefined. */
export interface SubmitResult {
  readonly id: string;
  /** undefined: it is unknown, or the task was not sent. */
  readonly status: SubmitStatus | undefined;
  readonly error: MillraceError | undefined;
}

export function submitError(
  status: SubmitStatus | undefined,
  message: string,
): MillraceError | undefined {
  if (status === "accepted" || status === "duplicate") return undefined;
  if (status === undefined) {
    return new MillraceError("unavailable", "not answered: done or not done is unknown");
  }
  return new MillraceError(status, message || `the broker refused the task: ${status}`);
}

/** Something that wakes one waiter when it changes. */
class Signal {
  #wake: (() => void) | undefined;
  #error: Error | undefined;

  /** All later waits reject. */
  fail(error: Error): void {
    this.#error ??= error;
    this.notify();
  }

  notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  check(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  async wait(): Promise<void> {
    this.check();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.check();
  }
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(`aborted: ${String(reason)}`);
}

/** Ties a call's signal to the two things that end it early. Returns the undoing. */
function endEarly(changed: Signal, connection: Connection, signal?: AbortSignal): () => void {
  const listener: LinkListener = {
    brokerAway(error) {
      changed.fail(error);
    },
    clientClosed(error) {
      changed.fail(error);
    },
  };
  const abort = (): void => {
    if (signal !== undefined) changed.fail(reasonOf(signal));
  };
  connection.addLinkListener(listener);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted === true) abort();
  return () => {
    connection.removeLinkListener(listener);
    signal?.removeEventListener("abort", abort);
  };
}

// ---- submitting -----------------------------------------------------------------------------------

interface Sent {
  readonly position: number;
  readonly bytes: number;
}

/** The tasks of one submitMany: in the order given, and which of them are unanswered. */
class SubmitBatch implements SubmitListener {
  readonly results: SubmitResult[] = [];
  readonly changed = new Signal();
  readonly #connection: Connection;
  readonly #group: number;
  readonly #sent = new Map<string, Sent[]>(); // a caller may give an id twice
  #unanswered = 0;
  #unansweredBytes = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#group = connection.newGroup(this);
  }

  close(): void {
    this.#connection.closeGroup(this.#group);
  }

  get done(): boolean {
    return this.#unanswered === 0;
  }

  get hasRoom(): boolean {
    return this.#unanswered < UNANSWERED_MAX && this.#unansweredBytes < UNANSWERED_BYTES_MAX;
  }

  add(spec: TaskSpec): void {
    let id = spec.id ?? "";
    try {
      const task = describe(spec);
      ({ id } = task);
      checkTask(task, this.#connection.limits);
      this.#send(id, encodeTask(task));
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      this.results.push({ id, status: undefined, error });
    }
  }

  #send(id: string, spec: Uint8Array): void {
    const sent = { position: this.results.length, bytes: spec.length };
    this.results.push({ id, status: undefined, error: submitError(undefined, "") });
    const others = this.#sent.get(id);
    if (others === undefined) this.#sent.set(id, [sent]);
    else others.push(sent);
    this.#unanswered += 1;
    this.#unansweredBytes += spec.length;
    this.#connection.submit({ task: id, spec, group: this.#group, giveUpMs: NEVER_MS });
  }

  submitAnswered(task: string, status: SubmitStatus | undefined, message: string): void {
    const sent = this.#sent.get(task);
    const answered = sent?.shift();
    if (answered === undefined) return;
    if (sent?.length === 0) this.#sent.delete(task);
    this.#unanswered -= 1;
    this.#unansweredBytes -= answered.bytes;
    this.results[answered.position] = { id: task, status, error: submitError(status, message) };
    this.changed.notify();
  }
}

/** Pipelined, with bounded memory: takes the next task only when there is room. */
export async function submitMany(
  connection: Connection,
  tasks: Iterable<TaskSpec> | AsyncIterable<TaskSpec>,
  signal?: AbortSignal,
): Promise<SubmitResult[]> {
  const batch = new SubmitBatch(connection);
  const undo = endEarly(batch.changed, connection, signal);
  try {
    let taken = 0;
    for await (const spec of tasks) {
      while (!batch.hasRoom) await batch.changed.wait();
      batch.changed.check();
      batch.add(spec);
      taken += 1;
      if (taken % CHUNK_TASKS === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    while (!batch.done) await batch.changed.wait();
    return batch.results;
  } finally {
    undo();
    batch.close();
  }
}

// ---- waiting --------------------------------------------------------------------------------------

/** Ends in the order in which they become known. */
export async function* asCompleted(
  connection: Connection,
  ids: Iterable<string>,
  timeoutMs: number,
  signal?: AbortSignal,
): AsyncGenerator<FinishedTask, void, undefined> {
  const awaited = new Set([...ids].map((id) => id.toLowerCase()));
  const finished: FinishedTask[] = [];
  const unknown: string[] = [];
  const changed = new Signal();
  const listener: WatchListener = {
    taskFinished(task) {
      if (awaited.delete(task.id)) finished.push(task);
      changed.notify();
    },
    taskUnknown(task) {
      if (awaited.delete(task)) unknown.push(task);
      changed.notify();
    },
  };
  const undo = endEarly(changed, connection, signal);
  const timer = timerOf(timeoutMs, () => {
    const text = `${named([...awaited])} did not end within ${durationText(timeoutMs)}`;
    changed.fail(new MillraceError("unavailable", text));
  });
  connection.watch([...awaited], listener);
  try {
    while (awaited.size > 0 || finished.length > 0) {
      const task = finished.shift();
      if (task === undefined) await changed.wait();
      else yield task;
    }
  } finally {
    undo();
    clearTimeout(timer);
    connection.unwatch(awaited, listener);
  }
  if (unknown.length > 0) {
    throw new MillraceError(
      "not_found",
      `${named(unknown)} not known to the broker: never accepted there, or forgotten after the ` +
        "retention",
    );
  }
}

function timerOf(timeoutMs: number, act: () => void): NodeJS.Timeout | undefined {
  return timeoutMs < 2 ** 31 ? setTimeout(act, Math.max(0, timeoutMs)) : undefined;
}

function named(tasks: readonly string[]): string {
  const [first] = tasks;
  return tasks.length === 1 ? `task ${first}` : `${tasks.length} tasks, such as ${first},`;
}

// The client: submits tasks, waits for their ends, looks and controls.
import { CLIENT_PORT_DEFAULT, parseAddress } from "../address.js";
import { MillraceError } from "../errors.js";
import { loadKey } from "../key.js";
import type { PeerLimits } from "../limits.js";
import { NEVER_MS } from "../units.js";
import { isTaskId } from "../uuid.js";
import type {
  Answer,
  CancelAnswer,
  FinishedTask,
  Question,
  TaskView,
} from "../wire/messages.js";
import { checkTask, encodeTask } from "../wire/task-codec.js";
import type { QueueAction, StatusTopic, SubmitStatus, TaskState } from "../words.js";
import { asCompleted, submitError, submitMany, type SubmitResult } from "./calls.js";
import { Connection, type LinkListener } from "./connection.js";
import { describe, type TaskSpec } from "./task-spec.js";

// The broker's bound on one GetTasks that asks for stored parts.
const PARTS_ITEMS_MAX = 1_000;
const PAGE_TASKS = 1_000;

export interface ClientOptions {
  /** HOST[:PORT]; without a port 5555. Default: localhost. */
  readonly broker?: string;
  /** A key file made by `millrace keygen`, for a broker with keys. */
  readonly key?: string;
  /** Default: 10 s. */
  readonly connectTimeoutMs?: number;
  /** Of every call that names no other. Default: 10 s. */
  readonly callTimeoutMs?: number;
  /** submitMany, wait and asCompleted outlive an unreachable broker for this long. Default: 1 min. */
  readonly outageMaxMs?: number;
  /** Ends connect(). */
  readonly signal?: AbortSignal;
}

export interface CallOptions {
  /** Default: the client's callTimeoutMs. */
  readonly timeoutMs?: number;
  /** Aborting rejects with its reason; what was asked may or may not be done. */
  readonly signal?: AbortSignal;
}

export interface WaitOptions {
  /** Default: none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Which stored parts a TaskView brings along. */
export interface TaskParts {
  readonly payload?: boolean;
  readonly result?: boolean;
  readonly attempts?: boolean;
}

export interface TaskFilter {
  readonly queue?: string;
  readonly state?: TaskState;
}

/**
 * One connection to one broker; make one and share it. Lost connections, lost answers, a busy broker and
 * its restarts are dealt with inside. A promise that resolves means done, durably. MillraceError
 * `unavailable` means that it is unknown; asking again under the same id is always safe.
 */
export class Client {
  readonly #connection: Connection;
  readonly #callTimeoutMs: number;

  private constructor(connection: Connection, callTimeoutMs: number) {
    this.#connection = connection;
    this.#callTimeoutMs = callTimeoutMs;
  }

  /**
   * Rejects: misconfigured (the address, the key file), unavailable, unsupported (the broker's version),
   * forbidden (the key is not one for clients).
   */
  static async connect(options: ClientOptions = {}): Promise<Client> {
    const broker = parseAddress(options.broker ?? "localhost", CLIENT_PORT_DEFAULT);
    const connection = new Connection(broker, loadKey(options.key), options.outageMaxMs ?? 60_000);
    try {
      await connection.connected(options.connectTimeoutMs ?? 10_000, options.signal);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return new Client(connection, options.callTimeoutMs ?? 10_000);
  }

  /** Says goodbye. Open calls end with `unavailable`. A client that is not closed keeps Node alive. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** What the broker announced. */
  get limits(): PeerLimits {
    return this.#connection.limits;
  }

  get brokerVersion(): string {
    return this.#connection.brokerVersion;
  }

  // ---- submitting ---------------------------------------------------------------------------------

  /** Resolves with the id when the task is durable. Rejects: invalid, too_large, conflict. */
  async submit(spec: TaskSpec, options: CallOptions = {}): Promise<string> {
    const task = describe(spec);
    checkTask(task, this.limits);
    const encoded = encodeTask(task);
    const timeoutMs = options.timeoutMs ?? this.#callTimeoutMs;
    return this.#call<string>(options.signal, (resolve, reject) => {
      const group = this.#connection.newGroup({
        submitAnswered: (_task: string, status: SubmitStatus | undefined, message: string) => {
          const error = submitError(status, message);
          if (status === undefined) reject(this.#connection.noAnswer(timeoutMs));
          else if (error !== undefined) reject(error);
          else resolve(task.id);
        },
      });
      const giveUpMs = performance.now() + timeoutMs;
      this.#connection.submit({ task: task.id, spec: encoded, group, giveUpMs });
      return () => {
        this.#connection.closeGroup(group);
      };
    });
  }

  /**
   * Submits all, pipelined, with bounded memory. The answers are in the order of the tasks; each has its
   * own error. Rejects: unavailable after outageMaxMs without a broker; tasks accepted so far go on.
   */
  async submitMany(
    tasks: Iterable<TaskSpec> | AsyncIterable<TaskSpec>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<SubmitResult[]> {
    return submitMany(this.#connection, tasks, options.signal);
  }

  // ---- waiting ------------------------------------------------------------------------------------

  /** The task's end. Rejects: not_found (never accepted, or forgotten), unavailable. */
  async wait(id: string, options: WaitOptions = {}): Promise<FinishedTask> {
    for await (const task of this.asCompleted([id], options)) return task;
    throw new Error("a task without an end ends with an error");
  }

  /** The ends as they come, each once. Throws as wait(), after those that came. */
  asCompleted(ids: Iterable<string>, options: WaitOptions = {}): AsyncGenerator<FinishedTask> {
    const list = [...ids];
    list.forEach(checkId);
    return asCompleted(this.#connection, list, options.timeoutMs ?? NEVER_MS, options.signal);
  }

  // ---- looking ------------------------------------------------------------------------------------

  /** Rejects: not_found. */
  async get(id: string, parts: TaskParts = {}, options: CallOptions = {}): Promise<TaskView> {
    const [view] = await this.getMany([id], parts, options);
    if (view === undefined) throw new MillraceError("not_found", `no task ${id}`);
    return view;
  }

  /** Those that are known, in the order asked. */
  async getMany(
    ids: Iterable<string>,
    parts: TaskParts = {},
    options: CallOptions = {},
  ): Promise<TaskView[]> {
    const { payload = false, result = false, attempts = false } = parts;
    const detailed = payload || result || attempts;
    const most = Math.min(this.limits.batchItemsMax, detailed ? PARTS_ITEMS_MAX : NEVER_MS);
    const views: TaskView[] = [];
    for (const tasks of slices(ids, most)) {
      const answer = await this.#ask("taskList", options, {
        kind: "getTasks",
        tasks,
        withPayload: payload,
        withResult: result,
        withAttempts: attempts,
      });
      views.push(...answer.tasks);
    }
    return views;
  }

  /** Every task of the filter. Those that come or go meanwhile may be missed. */
  async *tasks(
    filter: TaskFilter = {},
    options: CallOptions = {},
  ): AsyncGenerator<TaskView, void, undefined> {
    let cursor = 0n;
    do {
      const page = await this.#ask("taskList", options, {
        kind: "listTasks",
        queue: filter.queue ?? "",
        state: filter.state,
        cursor,
        limit: PAGE_TASKS,
      });
      yield* page.tasks;
      cursor = page.nextCursor;
    } while (cursor !== 0n);
  }

  /** The document that HTTP serves under /metrics, /workers and /queues. */
  async status(topic: StatusTopic, options: CallOptions = {}): Promise<unknown> {
    const report = await this.#ask("statusReport", options, { kind: "getStatus", topic });
    return JSON.parse(report.json);
  }

  // ---- changing -----------------------------------------------------------------------------------

  async cancel(id: string, options: CallOptions = {}): Promise<CancelAnswer> {
    const [answer] = await this.cancelMany([id], options);
    if (answer === undefined) throw unfit();
    return answer;
  }

  /** One answer a task, in order. */
  async cancelMany(ids: Iterable<string>, options: CallOptions = {}): Promise<CancelAnswer[]> {
    const answers: CancelAnswer[] = [];
    for (const tasks of slices(ids, this.limits.batchItemsMax)) {
      const answer = await this.#ask("cancelled", options, { kind: "cancel", tasks });
      if (answer.items.length !== tasks.length) throw unfit();
      answers.push(...answer.items);
    }
    return answers;
  }

  /** Makes dead tasks pending again, with all attempts. How many. */
  async requeue(ids: Iterable<string>, options: CallOptions = {}): Promise<number> {
    return this.#count(ids, options, (tasks) => ({ kind: "requeueDead", tasks, queue: "" }));
  }

  /** Forgets dead tasks. How many. */
  async purge(ids: Iterable<string>, options: CallOptions = {}): Promise<number> {
    return this.#count(ids, options, (tasks) => ({ kind: "purgeDead", tasks, queue: "" }));
  }

  /** As requeue, for the dead tasks of a queue: at most 10,000, so call it until it says 0. */
  async requeueQueue(queue: string, options: CallOptions = {}): Promise<number> {
    return this.#change({ kind: "requeueDead", tasks: [], queue: named(queue) }, options);
  }

  /** As purge, for the dead tasks of a queue: at most 10,000, so call it until it says 0. */
  async purgeQueue(queue: string, options: CallOptions = {}): Promise<number> {
    return this.#change({ kind: "purgeDead", tasks: [], queue: named(queue) }, options);
  }

  async controlQueue(
    queue: string,
    action: QueueAction,
    options: CallOptions = {},
  ): Promise<number> {
    return this.#change({ kind: "controlQueue", queue, action }, options);
  }

  /** Every worker of that name takes nothing new and ends. Rejects: not_found. */
  async drainWorker(name: string, options: CallOptions = {}): Promise<number> {
    return this.#change({ kind: "drainWorker", worker: name }, options);
  }

  // ---- requests -----------------------------------------------------------------------------------

  async #count(
    ids: Iterable<string>,
    options: CallOptions,
    question: (tasks: readonly string[]) => Question,
  ): Promise<number> {
    let count = 0;
    for (const tasks of slices(ids, this.limits.batchItemsMax)) {
      count += await this.#change(question(tasks), options);
    }
    return count;
  }

  async #change(question: Question, options: CallOptions): Promise<number> {
    return (await this.#ask("changed", options, question)).count;
  }

  async #ask<Kind extends Answer["kind"]>(
    kind: Kind,
    options: CallOptions,
    question: Question,
  ): Promise<Extract<Answer, { readonly kind: Kind }>> {
    const timeoutMs = options.timeoutMs ?? this.#callTimeoutMs;
    const reply = await this.#call<Answer>(options.signal, (resolve, reject) =>
      this.#connection.ask(question, performance.now() + timeoutMs, (answer) => {
        if (answer === undefined) reject(this.#connection.noAnswer(timeoutMs));
        else if (answer.kind === "refused") reject(this.#connection.errorOf(answer));
        else resolve(answer);
      }),
    );
    if (!isOfKind(reply, kind)) throw unfit();
    return reply;
  }

  /** Runs one exchange until it settles, the signal aborts, or the client is closed. */
  async #call<Value>(
    signal: AbortSignal | undefined,
    start: (resolve: (value: Value) => void, reject: (error: Error) => void) => () => void,
  ): Promise<Value> {
    signal?.throwIfAborted();
    let finish: () => void = () => undefined;
    try {
      return await new Promise<Value>((resolve, reject) => {
        const abort = (): void => {
          reject(signal?.reason as Error);
        };
        const listener: LinkListener = {
          brokerAway: () => undefined, // shows as the call's own timeout
          clientClosed: reject,
        };
        signal?.addEventListener("abort", abort);
        this.#connection.addLinkListener(listener);
        const undo = start(resolve, reject);
        finish = () => {
          signal?.removeEventListener("abort", abort);
          this.#connection.removeLinkListener(listener);
          undo();
        };
      });
    } finally {
      finish();
    }
  }
}

function isOfKind<Kind extends Answer["kind"]>(
  answer: Answer,
  kind: Kind,
): answer is Extract<Answer, { readonly kind: Kind }> {
  return answer.kind === kind;
}

function unfit(): MillraceError {
  return new MillraceError(
    "unsupported",
    "the broker's answer does not fit the question; update client or broker",
  );
}

function checkId(id: string): void {
  if (!isTaskId(id)) throw new MillraceError("invalid", `'${id}' is not a task's id`);
}

/** An empty name would mean every queue. */
function named(queue: string): string {
  if (queue === "") throw new MillraceError("invalid", "name a queue");
  return queue;
}

function* slices(ids: Iterable<string>, most: number): Generator<string[]> {
  const list = [...ids];
  list.forEach(checkId);
  for (let from = 0; from < list.length; from += most) yield list.slice(from, from + most);
}

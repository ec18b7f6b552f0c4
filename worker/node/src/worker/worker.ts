// A worker: names queues and handlers, and runs.
import { fork, type ChildProcess } from "node:child_process";
import { availableParallelism, cpus, hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { parseAddress, WORKER_PORT_DEFAULT } from "../address.js";
import { MillraceError } from "../errors.js";
import { loadKey } from "../key.js";
import { DEFAULT_LIMITS, NAME_BYTES_MAX } from "../limits.js";
import { randomId } from "../uuid.js";
import { VERSION } from "../version.js";
import type { Completion } from "../wire/messages.js";
import { hasControlCharacters, isQueueName } from "../wire/task-codec.js";
import type { NoticeLevel, ProcessSettings, ToHandlers, ToSession } from "./channel.js";
import { HandlerPool } from "./handler-pool.js";
import { SESSION_DEFAULTS } from "./session-types.js";
import type { Handler } from "./task.js";

const SESSION_PROCESS = fileURLToPath(new URL("./session-process.js", import.meta.url));
// Tasks that take less are handed over ahead of free slots.
const RUN_AHEAD_MS = 1;

export interface WorkerOptions {
  /** HOST[:PORT]; without a port 5556. Default: localhost. */
  readonly broker?: string;
  /** A key file made by `millrace keygen`, for a broker with keys. */
  readonly key?: string;
  /** Handlers that run at once. Default: one a processor. */
  readonly slots?: number;
  /** What people see; need not be unique. Default: host name and process id. */
  readonly name?: string;
  /** Tasks wanted beyond the slots when they are tiny, at most. Default: 1,000. */
  readonly prefetchMax?: number;
  /** From a request to stop to the hand-back of what still runs. Default: 30 s. */
  readonly drainTimeoutMs?: number;
  /** run() fails if no broker has answered within this. Default 0: it waits. */
  readonly connectTimeoutMs?: number;
  /** SIGTERM and SIGINT become requestStop() while run() lasts. Default: true. */
  readonly handleSignals?: boolean;
  /** Connects, losses and the end. Default: nobody is told. */
  readonly notice?: (level: NoticeLevel, text: string) => void;
}

/**
 * One connection to a broker. A task may run more than once: after a crash, a timeout or a lost
 * connection. Make its effects idempotent, or guard them with `task.fence`, which only grows.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #handlers = new Map<string, Handler>();
  #tell: (message: ToSession) => void = () => undefined;
  #stopRequests = 0;
  #started = false;

  constructor(options: WorkerOptions = {}) {
    this.#options = options;
  }

  /**
   * Gives the tasks of `queue` to `handler`. Before run(). A second one for a queue replaces the first.
   * Throws MillraceError `misconfigured`.
   */
  handle(queue: string, handler: Handler): this {
    if (!isQueueName(queue)) {
      throw misconfigured(`'${queue}' is not a queue's name; use 1 to 128 of A-Z a-z 0-9 . _ : / -`);
    }
    this.#handlers.set(queue, handler);
    return this;
  }

  /**
   * The first call: take nothing new, finish or hand back what runs within drainTimeoutMs, then run()
   * resolves. The second: hand everything back and end at once.
   */
  requestStop(): void {
    this.#stopRequests += 1;
    this.#tell({ kind: "stop" });
  }

  /**
   * Works until told to stop; survives every loss of the broker. Call it once. Rejects with
   * MillraceError: misconfigured; unavailable (no broker within connectTimeoutMs); invalid, too_large,
   * unsupported or forbidden when the broker refuses this worker for good.
   */
  async run(): Promise<void> {
    if (this.#started) throw misconfigured("a worker runs once; make another");
    this.#started = true;
    const settings = this.#settings();
    const session = fork(SESSION_PROCESS, {
      execArgv: [],
      serialization: "advanced", // bytes and big numbers as they are
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#tell = (message) => {
      if (session.connected) session.send(message, () => undefined);
    };
    this.#tell({ kind: "settings", settings });
    for (let request = 0; request < this.#stopRequests; request++) this.#tell({ kind: "stop" });
    const stop = (): void => {
      this.requestStop();
    };
    const signals = this.#options.handleSignals === false ? [] : (["SIGTERM", "SIGINT"] as const);
    for (const signal of signals) process.on(signal, stop);
    try {
      await this.#serve(session, settings.session.slots);
    } finally {
      this.#tell = () => undefined;
      for (const signal of signals) process.off(signal, stop);
      if (session.connected) session.disconnect();
    }
  }

  async #serve(session: ChildProcess, slots: number): Promise<void> {
    const outbox = new Outbox((message) => {
      this.#tell(message);
    });
    const pool = new HandlerPool(
      slots,
      this.#handlers,
      (completion) => {
        outbox.report(completion);
      },
      (extension) => {
        this.#tell({ kind: "extend", extension });
      },
    );
    try {
      await new Promise<void>((resolve, reject) => {
        session.once("error", reject);
        session.once("exit", () => {
          reject(new Error("the process that speaks with the broker ended unasked"));
        });
        session.on("message", (message: ToHandlers) => {
          if (message.kind === "finished") return resolve();
          if (message.kind === "failed") {
            return reject(new MillraceError(message.code, message.message));
          }
          this.#obey(message, pool, outbox);
        });
      });
    } finally {
      pool.stopAll("shutting_down"); // when the session died; otherwise nothing is left
    }
  }

  #obey(
    message: Exclude<ToHandlers, { kind: "finished" | "failed" }>,
    pool: HandlerPool,
    outbox: Outbox,
  ): void {
    switch (message.kind) {
      case "start":
        return pool.start(message.tasks);
      case "stop":
        for (const lease of message.leases) pool.stop(lease, lease.reason);
        return;
      case "limits":
        pool.resultBytesMax = message.resultBytesMax;
        return;
      case "notice":
        this.#options.notice?.(message.level, message.text);
        return;
      case "end":
        pool.stopAll("shutting_down");
        void pool.idle().then(() => {
          outbox.flush();
          this.#tell({ kind: "ended" });
        });
    }
  }

  #settings(): ProcessSettings {
    const options = this.#options;
    if (this.#handlers.size === 0) {
      throw misconfigured("no queue to work on; name at least one with handle()");
    }
    const slots = options.slots ?? processors();
    if (!Number.isInteger(slots) || slots < 1 || slots > DEFAULT_LIMITS.creditMax) {
      throw misconfigured(`slots must be 1 to ${DEFAULT_LIMITS.creditMax}`);
    }
    const name = options.name ?? `${hostname().slice(0, 100)}-${process.pid}`;
    const nameBytes = Buffer.byteLength(name);
    if (nameBytes < 1 || nameBytes > NAME_BYTES_MAX || hasControlCharacters(name)) {
      throw misconfigured(
        `the worker's name must be 1 to ${NAME_BYTES_MAX} bytes without control characters`,
      );
    }
    loadKey(options.key); // here, so that what is wrong with it is thrown here
    return {
      key: options.key,
      broker: parseAddress(options.broker ?? "localhost", WORKER_PORT_DEFAULT),
      session: {
        ...SESSION_DEFAULTS,
        worker: randomId(),
        name,
        queues: [...this.#handlers.keys()],
        slots,
        prefetchMax: options.prefetchMax ?? SESSION_DEFAULTS.prefetchMax,
        version: VERSION,
        runAheadMs: RUN_AHEAD_MS,
      },
      drainTimeoutMs: options.drainTimeoutMs ?? 30_000,
      connectTimeoutMs: options.connectTimeoutMs ?? 0,
    };
  }
}

/** Gathers the ends of one turn of the event loop into one message. */
class Outbox {
  readonly #send: (message: ToSession) => void;
  #completions: Completion[] = [];

  constructor(send: (message: ToSession) => void) {
    this.#send = send;
  }

  report(completion: Completion): void {
    if (this.#completions.length === 0) {
      queueMicrotask(() => {
        this.flush();
      });
    }
    this.#completions.push(completion);
  }

  flush(): void {
    const completions = this.#completions;
    this.#completions = [];
    if (completions.length > 0) this.#send({ kind: "done", completions });
  }
}

function processors(): number {
  // Node 18.14 brought the better of the two.
  return typeof availableParallelism === "function" ? availableParallelism() : cpus().length;
}

function misconfigured(message: string): MillraceError {
  return new MillraceError("misconfigured", message);
}

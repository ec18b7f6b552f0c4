// The messages as plain values. docs/protocol.md says what each means. Ids are UUID texts; fences,
// epochs and session nonces are bigints; durations are milliseconds.
import type { PeerLimits } from "../limits.js";
import type {
  CancelStatus,
  ErrorCode,
  Outcome,
  QueueAction,
  Reason,
  StatusTopic,
  StopCause,
  SubmitStatus,
  TaskState,
} from "../words.js";

export interface HeldLease {
  readonly task: string;
  readonly fence: bigint;
}

/** Ports on the host the peer already talks to; 0: not served. */
export interface Endpoints {
  readonly beatPort: number;
  readonly pulsePort: number;
}

// ---- worker to broker -----------------------------------------------------------------------------

export interface WorkerHello {
  readonly kind: "hello";
  readonly helloNumber: number;
  readonly worker: string;
  readonly name: string;
  readonly queues: readonly string[];
  readonly slots: number;
  readonly credit: number;
  readonly version: string;
  readonly holding: readonly HeldLease[];
}

export interface Completion extends HeldLease {
  readonly outcome: Outcome;
  readonly elapsedMs: number; // in the handler; 0: it did not start
  readonly result: Uint8Array;
  readonly error: string;
}

export interface Complete {
  readonly kind: "complete";
  readonly items: readonly Completion[];
  readonly credit: number;
  readonly answersRecall: bigint;
}

export interface Extension extends HeldLease {
  readonly byMs: number;
  readonly progressPercent: number;
}

export interface Extend {
  readonly kind: "extend";
  readonly items: readonly Extension[];
}

export interface WorkerGoodbye {
  readonly kind: "goodbye";
  readonly message: string;
}

export type WorkerMessage = WorkerHello | Complete | Extend | WorkerGoodbye;

// ---- broker to worker -----------------------------------------------------------------------------

export interface WorkerWelcome {
  readonly kind: "workerWelcome";
  readonly helloNumber: number;
  readonly session: bigint;
  readonly epoch: bigint;
  readonly endpoints: Endpoints;
  readonly limits: PeerLimits;
  readonly beatIntervalMs: number;
  readonly silenceMaxMs: number;
  readonly stale: readonly HeldLease[];
  readonly brokerVersion: string;
}

export interface DispatchedTask extends HeldLease {
  readonly timeoutMs: number;
  readonly queue: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly spec: Uint8Array;
}

export interface Dispatch {
  readonly kind: "dispatch";
  readonly tasks: readonly DispatchedTask[];
}

export interface CompletionAnswer extends HeldLease {
  readonly accepted: boolean;
}

export interface Completed {
  readonly kind: "completed";
  readonly items: readonly CompletionAnswer[];
}

export interface StoppedTask extends HeldLease {
  readonly cause: StopCause;
}

export interface StopTasks {
  readonly kind: "stopTasks";
  readonly tasks: readonly StoppedTask[];
}

export interface Recall {
  readonly kind: "recall";
  readonly recallNumber: bigint;
  readonly tasks: readonly HeldLease[];
}

export interface Drain {
  readonly kind: "drain";
}

// ---- broker to both -------------------------------------------------------------------------------

export interface Refused {
  readonly kind: "refused";
  readonly request: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs: number;
}

export interface BrokerGoodbye {
  readonly kind: "brokerGoodbye";
  readonly message: string;
}

/** A message of a later protocol: ignored. */
export interface Unknown {
  readonly kind: "unknown";
}

export type WorkerReply =
  | WorkerWelcome
  | Dispatch
  | Completed
  | StopTasks
  | Recall
  | Drain
  | Refused
  | BrokerGoodbye
  | Unknown;

// ---- client to broker -----------------------------------------------------------------------------

export interface ClientHello {
  readonly kind: "hello";
  readonly request: number;
  readonly client: string;
}

export interface Submit {
  readonly kind: "submit";
  readonly request: number;
  readonly specs: readonly Uint8Array[];
}

export interface Watch {
  readonly kind: "watch";
  readonly request: number;
  readonly tasks: readonly string[];
}

export interface Ping {
  readonly kind: "ping";
  readonly request: number;
}

export interface ClientGoodbye {
  readonly kind: "goodbye";
  readonly request: 0;
}

/** What a caller asks; the session gives it its request number. */
export type Question =
  | { readonly kind: "cancel"; readonly tasks: readonly string[] }
  | {
      readonly kind: "getTasks";
      readonly tasks: readonly string[];
      readonly withPayload: boolean;
      readonly withResult: boolean;
      readonly withAttempts: boolean;
    }
  | {
      readonly kind: "listTasks";
      readonly queue: string;
      readonly state: TaskState | undefined;
      readonly cursor: bigint;
      readonly limit: number;
    }
  | { readonly kind: "requeueDead"; readonly tasks: readonly string[]; readonly queue: string }
  | { readonly kind: "purgeDead"; readonly tasks: readonly string[]; readonly queue: string }
  | { readonly kind: "controlQueue"; readonly queue: string; readonly action: QueueAction }
  | { readonly kind: "drainWorker"; readonly worker: string }
  | { readonly kind: "getStatus"; readonly topic: StatusTopic };

export interface Request {
  readonly kind: "request";
  readonly request: number;
  readonly question: Question;
}

export type ClientMessage = ClientHello | Submit | Watch | Ping | ClientGoodbye | Request;

// ---- broker to client -----------------------------------------------------------------------------

export interface ClientWelcome {
  readonly kind: "clientWelcome";
  readonly request: number;
  readonly epoch: bigint;
  readonly endpoints: Endpoints;
  readonly limits: PeerLimits;
  readonly brokerVersion: string;
}

export interface Submitted {
  readonly kind: "submitted";
  readonly request: number;
  readonly items: readonly { readonly status: SubmitStatus; readonly message: string }[];
  readonly retryAfterMs: number;
}

export interface Watching {
  readonly kind: "watching";
  readonly request: number;
  readonly unknown: readonly string[];
}

/** A task that has ended. */
export interface FinishedTask {
  readonly id: string;
  readonly state: TaskState;
  readonly reason: Reason;
  readonly attempts: number;
  /** Of the last attempt that did not succeed. */
  readonly error: string;
  /** Of a succeeded task. */
  readonly result: Uint8Array;
}

export interface Finished {
  readonly kind: "finished";
  readonly tasks: readonly FinishedTask[];
}

export interface CancelAnswer {
  readonly status: CancelStatus;
  /** The task's state now; undefined for a task that is not known. */
  readonly state: TaskState | undefined;
}

export interface Cancelled {
  readonly kind: "cancelled";
  readonly request: number;
  readonly items: readonly CancelAnswer[];
}

/** One attempt that did not succeed. */
export interface AttemptRecord {
  readonly attempt: number;
  readonly fence: bigint;
  readonly reason: Reason;
  /** When the lease was granted. */
  readonly started: Date | undefined;
  readonly ended: Date | undefined;
  readonly worker: string;
  readonly error: string;
}

/** All that the broker knows of a task now. */
export interface TaskView {
  readonly id: string;
  /** Order of acceptance. */
  readonly sequence: bigint;
  readonly queue: string;
  readonly state: TaskState;
  /** Why it, or its last attempt, did not succeed. */
  readonly reason: Reason;
  readonly cancelRequested: boolean;
  readonly priority: number;
  readonly attempts: number;
  readonly maxAttempts: number;
  /** The newest; 0 before the first lease. */
  readonly fence: bigint;
  readonly timeoutMs: number;
  readonly accepted: Date | undefined;
  /** Delayed: when it becomes pending. */
  readonly due: Date | undefined;
  /** Waiting with a ttl. */
  readonly expires: Date | undefined;
  readonly ended: Date | undefined;
  /** In progress: its name; may be empty just after a broker restart. */
  readonly worker: string;
  readonly progressPercent: number;
  readonly error: string;
  readonly payloadBytes: number;
  readonly resultBytes: number;
  /** When asked for, and still kept. */
  readonly payload: Uint8Array | undefined;
  /** Come with the payload. */
  readonly headers: readonly (readonly [key: string, value: string])[] | undefined;
  /** When asked for. */
  readonly result: Uint8Array | undefined;
  /** When asked for. */
  readonly attemptRecords: readonly AttemptRecord[];
}

export interface TaskList {
  readonly kind: "taskList";
  readonly request: number;
  readonly tasks: readonly TaskView[];
  readonly unknown: readonly string[];
  readonly nextCursor: bigint;
}

export interface Changed {
  readonly kind: "changed";
  readonly request: number;
  readonly count: number;
}

export interface StatusReport {
  readonly kind: "statusReport";
  readonly request: number;
  readonly json: string;
}

export interface Pong {
  readonly kind: "pong";
  readonly request: number;
  readonly epoch: bigint;
}

export type Answer = Cancelled | TaskList | Changed | StatusReport;
export type ClientReply =
  | ClientWelcome
  | Submitted
  | Watching
  | Finished
  | Answer
  | Pong
  | Refused
  | BrokerGoodbye
  | Unknown;

// ---- heartbeats -----------------------------------------------------------------------------------

export interface Beat {
  readonly worker: string;
  readonly session: bigint;
  readonly number: number;
  readonly running: number;
  readonly queued: number;
}

export interface Pulse {
  readonly epoch: bigint;
}

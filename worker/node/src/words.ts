// The field's words. On the wire they are numbers; here, in JSON and in the documentation they are
// these names.

/** Where a task is in its life. The last four are ends. */
export type TaskState =
  | "delayed"
  | "pending"
  | "in_progress"
  | "succeeded"
  | "dead"
  | "cancelled"
  | "expired";

/** How one attempt ended, as the worker reports it. */
export type Outcome =
  | "succeeded"
  | "failed"
  | "failed_for_good"
  | "timed_out"
  | "crashed"
  | "cancelled"
  | "released";

/** Why an attempt or a task did not succeed. */
export type Reason =
  | "none"
  | "failed"
  | "failed_for_good"
  | "timed_out"
  | "crashed"
  | "lease_lost"
  | "cancelled"
  | "expired";

/** The broker's answer to one task. The first two mean that it is durable. */
export type SubmitStatus =
  | "accepted"
  | "duplicate"
  | "conflict"
  | "invalid"
  | "too_large"
  | "busy"
  | "store_full"
  | "shutting_down";

/** The broker's answer to the wish to cancel one task. */
export type CancelStatus = "cancelled" | "cancelling" | "already_finished" | "not_found";

export type QueueAction = "pause" | "resume" | "purge";
export type StatusTopic = "metrics" | "workers" | "queues";
export type StopCause = "cancelled" | "stale_lease" | "timed_out";

export type ErrorCode =
  | "invalid"
  | "too_large"
  | "not_found"
  | "conflict"
  | "busy"
  | "store_full"
  | "shutting_down"
  | "unsupported"
  | "unknown_session"
  | "stale_lease"
  | "unavailable"
  | "io"
  | "corrupt"
  | "misconfigured"
  | "forbidden";

/** Names and numbers of one enumeration of the schemas. */
export class Words<Word extends string> {
  readonly #words: readonly (Word | undefined)[];
  readonly #numbers: ReadonlyMap<Word, number>;

  /** `words` by their numbers, from `first`. */
  constructor(words: readonly Word[], first = 1) {
    this.#words = [...new Array<undefined>(first).fill(undefined), ...words];
    this.#numbers = new Map(words.map((word, index) => [word, index + first]));
  }

  /** Undefined for a number of a later protocol, and for `unset`. */
  wordOf(number: number): Word | undefined {
    return this.#words[number];
  }

  numberOf(word: Word): number {
    const number = this.#numbers.get(word);
    if (number === undefined) throw new RangeError(`no such word: ${word}`);
    return number;
  }
}

export const taskStates = new Words<TaskState>([
  "delayed",
  "pending",
  "in_progress",
  "succeeded",
  "dead",
  "cancelled",
  "expired",
]);
export const outcomes = new Words<Outcome>([
  "succeeded",
  "failed",
  "failed_for_good",
  "timed_out",
  "crashed",
  "cancelled",
  "released",
]);
export const reasons = new Words<Reason>(
  [
    "none",
    "failed",
    "failed_for_good",
    "timed_out",
    "crashed",
    "lease_lost",
    "cancelled",
    "expired",
  ],
  0,
);
export const submitStatuses = new Words<SubmitStatus>([
  "accepted",
  "duplicate",
  "conflict",
  "invalid",
  "too_large",
  "busy",
  "store_full",
  "shutting_down",
]);
export const cancelStatuses = new Words<CancelStatus>([
  "cancelled",
  "cancelling",
  "already_finished",
  "not_found",
]);
export const queueActions = new Words<QueueAction>(["pause", "resume", "purge"]);
export const statusTopics = new Words<StatusTopic>(["metrics", "workers", "queues"]);
export const stopCauses = new Words<StopCause>(["cancelled", "stale_lease", "timed_out"]);
export const errorCodes = new Words<ErrorCode>([
  "invalid",
  "too_large",
  "not_found",
  "conflict",
  "busy",
  "store_full",
  "shutting_down",
  "unsupported",
  "unknown_session",
  "stale_lease",
  "unavailable",
  "io",
  "corrupt",
  "misconfigured",
  "forbidden",
]);

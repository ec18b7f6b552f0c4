// What goes into a client's session and what comes out of it, as plain values. Times are monotonic
// milliseconds.
import { fullJitterMs, type Randomness } from "../randomness.js";
import { NEVER_MS } from "../units.js";
import type { Answer, ClientMessage, ClientWelcome, FinishedTask, Refused } from "../wire/messages.js";
import type { SubmitStatus } from "../words.js";

export interface SessionSettings {
  readonly client: string; // random
  readonly resendAfterMs: number; // doubles for each further try, four times at most
  readonly pingIntervalMs: number; // while anything is outstanding
  readonly silenceMaxMs: number; // then the connection is made anew
  readonly backoffInitialMs: number; // full jitter, doubling
  readonly backoffMaxMs: number;
  // Ended tasks are told once. Those watched are asked for again when no end was heard for
  // watchAgainAfter, and each of them after watchAgainAtLast whatever else was heard.
  readonly watchAgainAfterMs: number;
  readonly watchAgainAtLastMs: number;
  readonly watchesInFlightMax: number; // unanswered Watch messages
  readonly inFlightTasksMax: number; // submitted and not answered
  readonly inFlightBytesMax: number;
  readonly batchItems: number; // in one message; the broker's limit holds as well
  readonly batchBytes: number; // a larger task travels alone
}

export const SESSION_DEFAULTS = {
  resendAfterMs: 2_000,
  pingIntervalMs: 1_000,
  silenceMaxMs: 3_000,
  backoffInitialMs: 100,
  backoffMaxMs: 1_000,
  watchAgainAfterMs: 2_000,
  watchAgainAtLastMs: 30_000,
  watchesInFlightMax: 10,
  inFlightTasksMax: 10_000,
  inFlightBytesMax: 32 * 1024 * 1024,
  batchItems: 1_000,
  batchBytes: 4 * 1024 * 1024,
} as const;

/** One task to submit. After `giveUpMs` it is reported as unanswered. */
export interface Submission {
  readonly task: string;
  readonly spec: Uint8Array;
  readonly group: number; // the tasks of one call; abandoned together
  readonly giveUpMs: number;
}

export type SessionEvent =
  | { readonly kind: "connected"; readonly welcome: ClientWelcome }
  | { readonly kind: "disconnected"; readonly cause: string }
  // The broker does not want this client. Tried again all the same.
  | { readonly kind: "helloRefused"; readonly refused: Refused }
  // Final. `duplicate` is told only for a task that this session did not submit before.
  | {
      readonly kind: "submitAnswered";
      readonly group: number;
      readonly task: string;
      readonly status: SubmitStatus;
      readonly message: string;
    }
  // Not answered until giveUpMs: done or not done is unknown.
  | { readonly kind: "submitUnanswered"; readonly group: number; readonly task: string }
  | { readonly kind: "finishedTask"; readonly task: FinishedTask }
  // The broker does not know a watched task: never accepted, or forgotten.
  | { readonly kind: "unknownTask"; readonly task: string }
  // The answer to `request`; a Refused is final.
  | { readonly kind: "replied"; readonly request: number; readonly reply: Answer | Refused }
  | { readonly kind: "unanswered"; readonly request: number };

/**
 * What the shell has to do, in this order: make the connection anew when `reconnect`, dropping what was
 * not sent yet; send; tell the events.
 */
export class Actions {
  reconnect = false;
  sends: ClientMessage[] = [];
  events: SessionEvent[] = [];
}

/** Gives each message of a session a number of its own. */
export class RequestCounter {
  #last = 0;

  next(): number {
    this.#last += 1;
    return this.#last;
  }
}

export function jitterMs(
  settings: SessionSettings,
  round: number,
  randomness: Randomness,
): number {
  return fullJitterMs(settings.backoffInitialMs, settings.backoffMaxMs, round, randomness);
}

/** How long to wait for the answer to the `sends`-th sending of one message. */
export function resendWaitMs(settings: SessionSettings, sends: number): number {
  return settings.resendAfterMs * 2 ** Math.min(Math.max(sends - 1, 0), 2);
}

export function earliest(times: Iterable<number>): number {
  let next = NEVER_MS;
  for (const time of times) next = Math.min(next, time);
  return next;
}

// Tasks on their way to the broker, in their order: those that wait, and batches without an answer.
// Pure.
import { DEFAULT_LIMITS, type PeerLimits } from "../limits.js";
import type { Randomness } from "../randomness.js";
import { NEVER_MS } from "../units.js";
import type { Refused, Submitted } from "../wire/messages.js";
import type { ErrorCode, SubmitStatus } from "../words.js";
import {
  earliest,
  jitterMs,
  resendWaitMs,
  type Actions,
  type RequestCounter,
  type SessionSettings,
  type Submission,
} from "./session-types.js";

// A task's share of a message beside its spec.
const ITEM_OVERHEAD_BYTES = 64;
// A broker's wish for a pause is followed up to here.
const HOLD_MAX_MS = 60_000;

const RETRIED_STATUSES: ReadonlySet<SubmitStatus> = new Set([
  "busy",
  "store_full",
  "shutting_down",
]);
const RETRIED_CODES: ReadonlySet<ErrorCode> = new Set([
  "busy",
  "store_full",
  "shutting_down",
  "unknown_session",
]);

interface Item {
  readonly submission: Submission;
  sentBefore: boolean; // in an earlier batch
}

interface Batch {
  readonly items: readonly Item[];
  readonly bytes: number;
  sends: number;
  sendAgainMs: number;
}

export class SubmitBook {
  readonly #settings: SessionSettings;
  #limits: PeerLimits = DEFAULT_LIMITS;
  #waiting: Item[] = [];
  readonly #inFlight = new Map<number, Batch>(); // by request, oldest first
  #inFlightTasks = 0;
  #inFlightBytes = 0;
  #holdUntilMs = 0;
  #holdsInARow = 0;
  #earliestGiveUpMs = NEVER_MS;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  setLimits(limits: PeerLimits): void {
    this.#limits = limits;
  }

  add(submission: Submission): void {
    this.#earliestGiveUpMs = Math.min(this.#earliestGiveUpMs, submission.giveUpMs);
    this.#waiting.push({ submission, sentBefore: false });
  }

  get size(): number {
    return this.#waiting.length + this.#inFlightTasks;
  }

  // ---- sending ------------------------------------------------------------------------------------

  get #maySend(): boolean {
    const [first] = this.#waiting;
    if (first === undefined) return false;
    if (this.#inFlight.size === 0) return true;
    return (
      this.#inFlightTasks < this.#settings.inFlightTasksMax &&
      this.#inFlightBytes + bytesOf(first) <= this.#settings.inFlightBytesMax
    );
  }

  sendDue(nowMs: number, requests: RequestCounter, actions: Actions): void {
    if (nowMs < this.#holdUntilMs) return;
    for (const [request, batch] of this.#inFlight) {
      if (batch.sendAgainMs <= nowMs) this.#send(request, batch, nowMs, actions);
    }
    while (this.#maySend) {
      const request = requests.next();
      const batch = this.#cutBatch();
      this.#inFlight.set(request, batch);
      this.#inFlightTasks += batch.items.length;
      this.#inFlightBytes += batch.bytes;
      this.#send(request, batch, nowMs, actions);
    }
  }

  #cutBatch(): Batch {
    const { inFlightTasksMax, batchItems, batchBytes } = this.#settings;
    const room = Math.max(1, inFlightTasksMax - this.#inFlightTasks);
    const itemsMax = Math.max(1, Math.min(room, batchItems, this.#limits.batchItemsMax));
    const bytesMax = Math.min(batchBytes, this.#limits.frameBytesMax / 2);
    let count = 0;
    let bytes = 0;
    for (const item of this.#waiting) {
      const size = bytesOf(item);
      if (count > 0 && (count >= itemsMax || bytes + size > bytesMax)) break;
      count += 1;
      bytes += size;
    }
    return { items: this.#waiting.splice(0, count), bytes, sends: 0, sendAgainMs: 0 };
  }

  #send(request: number, batch: Batch, nowMs: number, actions: Actions): void {
    batch.sends += 1;
    batch.sendAgainMs = nowMs + resendWaitMs(this.#settings, batch.sends);
    const specs = batch.items.map((item) => item.submission.spec);
    actions.sends.push({ kind: "submit", request, specs });
  }

  #take(request: number): Batch | undefined {
    const batch = this.#inFlight.get(request);
    if (batch === undefined) return undefined;
    this.#inFlight.delete(request);
    this.#inFlightTasks -= batch.items.length;
    this.#inFlightBytes -= batch.bytes;
    return batch;
  }

  #putBack(items: readonly Item[]): void {
    for (const item of items) item.sentBefore = true;
    this.#waiting.unshift(...items);
  }

  #hold(retryAfterMs: number, nowMs: number, randomness: Randomness): void {
    const waitMs = Math.max(0, Math.min(retryAfterMs, HOLD_MAX_MS));
    const untilMs = nowMs + waitMs + jitterMs(this.#settings, this.#holdsInARow, randomness);
    this.#holdsInARow += 1;
    this.#holdUntilMs = Math.max(this.#holdUntilMs, untilMs);
  }

  /** The connection is new: whatever is unanswered waits again, in its old order, ahead of the rest. */
  takeBackUnanswered(): void {
    for (const request of [...this.#inFlight.keys()].reverse()) {
      this.#putBack(this.#take(request)?.items ?? []);
    }
  }

  // ---- answers ------------------------------------------------------------------------------------

  /** Takes the answer when it is to a Submit of this book. Final answers are told as events. */
  answer(submitted: Submitted, nowMs: number, randomness: Randomness, actions: Actions): void {
    const sent = this.#inFlight.get(submitted.request);
    // An answer of another length cannot be matched with its tasks: they are sent again in time.
    if (sent === undefined || submitted.items.length !== sent.items.length) return;
    this.#take(submitted.request);
    const again: Item[] = [];
    for (const [index, item] of sent.items.entries()) {
      const answer = submitted.items[index];
      if (answer === undefined || RETRIED_STATUSES.has(answer.status)) {
        again.push(item);
        continue;
      }
      // A duplicate of an earlier sending of ours is the acceptance that we did not hear.
      const ours = item.sentBefore || sent.sends > 1;
      const status = answer.status === "duplicate" && ours ? "accepted" : answer.status;
      this.#tell(item, status, answer.message, actions);
    }
    if (again.length > 0) {
      this.#putBack(again);
      this.#hold(submitted.retryAfterMs, nowMs, randomness);
    } else {
      this.#holdsInARow = 0;
    }
  }

  /**
   * The broker refused a whole Submit. Passing refusals: its tasks wait and are sent again. False when it
   * was none of this book.
   */
  refuse(refused: Refused, nowMs: number, randomness: Randomness, actions: Actions): boolean {
    const batch = this.#take(refused.request);
    if (batch === undefined) return false;
    if (RETRIED_CODES.has(refused.code)) {
      this.#putBack(batch.items);
      if (refused.code !== "unknown_session") this.#hold(refused.retryAfterMs, nowMs, randomness);
      return true;
    }
    const { code } = refused;
    const status = code === "too_large" || code === "conflict" ? code : "invalid";
    for (const item of batch.items) this.#tell(item, status, refused.message, actions);
    return true;
  }

  #tell(item: Item, status: SubmitStatus, message: string, actions: Actions): void {
    const { group, task } = item.submission;
    actions.events.push({ kind: "submitAnswered", group, task, status, message });
  }

  /** Reports and forgets tasks whose time is up. In a batch under way, when all are. */
  giveUp(nowMs: number, actions: Actions): void {
    if (nowMs < this.#earliestGiveUpMs) return;
    for (const item of this.#drop(({ submission }) => submission.giveUpMs <= nowMs)) {
      const { group, task } = item.submission;
      actions.events.push({ kind: "submitUnanswered", group, task });
    }
    const batches = [...this.#inFlight.values()].flatMap((batch) => batch.items);
    // One whose batch still waits for others is looked at again with them.
    this.#earliestGiveUpMs = earliest(
      [...this.#waiting, ...batches]
        .map((item) => item.submission.giveUpMs)
        .filter((giveUpMs) => giveUpMs > nowMs),
    );
  }

  /** Forgets a call's tasks as far as they are not on their way with others. */
  abandon(group: number): void {
    this.#drop(({ submission }) => submission.group === group);
  }

  #drop(belongs: (item: Item) => boolean): Item[] {
    const dropped = this.#waiting.filter(belongs);
    if (dropped.length > 0) this.#waiting = this.#waiting.filter((item) => !belongs(item));
    for (const [request, batch] of this.#inFlight) {
      if (!batch.items.every(belongs)) continue;
      dropped.push(...batch.items);
      this.#take(request);
    }
    return dropped;
  }

  // ---- time ---------------------------------------------------------------------------------------

  /** When sendDue has something to do, given that there is a connection. */
  get nextSendMs(): number {
    const again = earliest([...this.#inFlight.values()].map((batch) => batch.sendAgainMs));
    if (this.#maySend) return this.#holdUntilMs;
    return again === NEVER_MS ? again : Math.max(again, this.#holdUntilMs);
  }

  get nextGiveUpMs(): number {
    return this.#earliestGiveUpMs;
  }
}

function bytesOf(item: Item): number {
  return item.submission.spec.length + ITEM_OVERHEAD_BYTES;
}

// What this worker has been given and has not ended: tasks that wait for a slot, and attempts that
// occupy one. Pure; keeps its order.
import { NEVER_MS } from "../units.js";
import type { DispatchedTask, Extension, HeldLease } from "../wire/messages.js";

/**
 * A lease as a key. A task may be held under two fences at once: an overdue attempt that has not
 * stopped, and its retry.
 */
export function keyOf(lease: HeldLease): string {
  return `${lease.task}/${lease.fence}`;
}

export function leaseOf({ task, fence }: HeldLease): HeldLease {
  return { task, fence };
}

/** One dispatched attempt. */
export interface Attempt {
  readonly lease: HeldLease;
  readonly timeoutMs: number; // 0: none
  readonly arrivedMs: number;
  dispatched: DispatchedTask | undefined; // let go when it starts
  startedMs: number | undefined; // none while it waits
  deadlineMs: number; // of the running attempt
  extension: Extension | undefined; // asked for, not yet sent
  cancelled: boolean; // running, stopped for a cancel: its end is reported as cancelled
  abandoned: boolean; // running: nobody waits for its end, but it occupies its slot
}

export class Attempts {
  readonly #waiting = new Map<string, Attempt>(); // oldest first
  readonly #running = new Map<string, Attempt>(); // in start order
  #abandoned = 0;
  #earliestDeadlineMs = NEVER_MS; // a lower bound, made exact by overdue()

  /** Adds a waiting attempt. False, and nothing happens, if this lease is held already. */
  add(dispatched: DispatchedTask, arrivedMs: number): boolean {
    const key = keyOf(dispatched);
    if (this.#waiting.has(key) || this.#running.has(key)) return false;
    this.#waiting.set(key, {
      lease: leaseOf(dispatched),
      timeoutMs: dispatched.timeoutMs,
      arrivedMs,
      dispatched,
      startedMs: undefined,
      deadlineMs: NEVER_MS,
      extension: undefined,
      cancelled: false,
      abandoned: false,
    });
    return true;
  }

  find(lease: HeldLease): Attempt | undefined {
    const key = keyOf(lease);
    return this.#running.get(key) ?? this.#waiting.get(key);
  }

  /** The attempt that has waited longest. */
  nextWaiting(): Attempt | undefined {
    return first(this.#waiting.values());
  }

  /** Starts a waiting attempt; what it was dispatched with. */
  start(attempt: Attempt, nowMs: number): DispatchedTask {
    const { dispatched } = attempt;
    if (dispatched === undefined) throw new Error("only a waiting attempt starts");
    this.#waiting.delete(keyOf(attempt.lease));
    this.#running.set(keyOf(attempt.lease), attempt);
    attempt.dispatched = undefined;
    attempt.startedMs = nowMs;
    if (attempt.timeoutMs > 0) this.setDeadline(attempt, nowMs + attempt.timeoutMs);
    return dispatched;
  }

  /** Makes a running attempt one whose end nobody waits for. */
  abandon(attempt: Attempt): void {
    if (attempt.abandoned) return;
    attempt.abandoned = true;
    this.#abandoned += 1;
  }

  setDeadline(attempt: Attempt, deadlineMs: number): void {
    attempt.deadlineMs = deadlineMs;
    this.#earliestDeadlineMs = Math.min(this.#earliestDeadlineMs, deadlineMs);
  }

  /** Forgets an attempt; a running one gives its slot back. */
  erase(lease: HeldLease): void {
    const key = keyOf(lease);
    if (this.#running.get(key)?.abandoned === true) this.#abandoned -= 1;
    if (!this.#running.delete(key)) this.#waiting.delete(key);
    if (this.#running.size === 0) this.#earliestDeadlineMs = NEVER_MS;
  }

  /** Running attempts that somebody waits for, over their deadline, in start order. */
  overdue(nowMs: number): Attempt[] {
    if (nowMs < this.#earliestDeadlineMs) return [];
    const awaited = [...this.#running.values()].filter((attempt) => !attempt.abandoned);
    const ahead = awaited.filter((attempt) => attempt.deadlineMs > nowMs);
    this.#earliestDeadlineMs = Math.min(NEVER_MS, ...ahead.map((attempt) => attempt.deadlineMs));
    return awaited.filter((attempt) => attempt.deadlineMs <= nowMs);
  }

  waitingLeases(): HeldLease[] {
    return [...this.#waiting.values()].map((attempt) => attempt.lease);
  }

  /** Of all running attempts that somebody waits for. */
  runningLeases(): HeldLease[] {
    return [...this.#running.values()]
      .filter((attempt) => !attempt.abandoned)
      .map((attempt) => attempt.lease);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Occupied slots, those of abandoned attempts too. */
  get running(): number {
    return this.#running.size;
  }

  get abandoned(): number {
    return this.#abandoned;
  }

  get earliestDeadlineMs(): number {
    return this.#earliestDeadlineMs;
  }
}

export function first<Value>(values: Iterable<Value>): Value | undefined {
  for (const value of values) return value;
  return undefined;
}

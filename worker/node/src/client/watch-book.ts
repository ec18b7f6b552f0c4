// The tasks whose end is awaited, and when the broker was last asked about each. Pure.
import { DEFAULT_LIMITS, type PeerLimits } from "../limits.js";
import { NEVER_MS } from "../units.js";
import type { Refused, Watching } from "../wire/messages.js";
import {
  earliest,
  type Actions,
  type RequestCounter,
  type SessionSettings,
} from "./session-types.js";

interface WatchQuestion {
  readonly tasks: readonly string[];
  readonly untilMs: number;
}

export class WatchBook {
  readonly #settings: SessionSettings;
  #limits: PeerLimits = DEFAULT_LIMITS;
  readonly #fresh = new Set<string>(); // to be asked about at once, in order
  readonly #asked = new Map<string, number>(); // and when, oldest first
  readonly #questions = new Map<number, WatchQuestion>(); // unanswered
  #heardMs = 0; // the last Finished
  #holdUntilMs = 0;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  setLimits(limits: PeerLimits): void {
    this.#limits = limits;
  }

  /**
   * Awaits these tasks and asks the broker for them, also when it was asked before: a new call wants an
   * answer.
   */
  add(tasks: Iterable<string>): void {
    for (const task of tasks) {
      this.#asked.delete(task);
      this.#fresh.add(task);
    }
  }

  /** False when the task is not awaited (any more). */
  remove(task: string): boolean {
    return this.#fresh.delete(task) || this.#asked.delete(task);
  }

  /** A Finished came. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  /** The unknown tasks are told as events. */
  answer(watching: Watching, actions: Actions): void {
    if (!this.#questions.delete(watching.request)) return;
    for (const task of watching.unknown) {
      if (this.remove(task)) actions.events.push({ kind: "unknownTask", task });
    }
  }

  /** False when it was no Watch of this book. */
  refuse(refused: Refused, nowMs: number): boolean {
    const question = this.#questions.get(refused.request);
    if (question === undefined) return false;
    this.#questions.delete(refused.request);
    // Asked again later as if unheard; a pause keeps a broker that says no from being flooded.
    const pauseMs = Math.max(refused.retryAfterMs, this.#settings.pingIntervalMs);
    this.#holdUntilMs = Math.max(this.#holdUntilMs, nowMs + pauseMs);
    for (const task of question.tasks) {
      if (this.#asked.delete(task)) this.#fresh.add(task);
    }
    return true;
  }

  /** The connection is new: the broker must be asked again about every task. */
  askAllAgain(): void {
    this.#questions.clear();
    this.#holdUntilMs = 0;
    for (const task of this.#asked.keys()) this.#fresh.add(task);
    this.#asked.clear();
  }

  sendDue(nowMs: number, requests: RequestCounter, actions: Actions): void {
    if (nowMs < this.#holdUntilMs) return;
    // An unanswered question is given up; its tasks fall due again by themselves.
    for (const [request, question] of this.#questions) {
      if (question.untilMs <= nowMs) this.#questions.delete(request);
    }
    while (this.#questions.size < this.#settings.watchesInFlightMax) {
      const tasks = this.#takeDue(nowMs);
      if (tasks.length === 0) return;
      const request = requests.next();
      this.#questions.set(request, { tasks, untilMs: nowMs + this.#settings.resendAfterMs });
      actions.sends.push({ kind: "watch", request, tasks });
    }
  }

  #takeDue(nowMs: number): string[] {
    const most = Math.max(1, Math.min(this.#settings.batchItems, this.#limits.batchItemsMax));
    const tasks: string[] = [];
    for (const task of this.#fresh) {
      if (tasks.length >= most) break;
      tasks.push(task);
    }
    if (tasks.length === this.#fresh.size) {
      for (const [task, askedMs] of this.#asked) {
        if (tasks.length >= most || this.#dueMs(askedMs) > nowMs) break;
        tasks.push(task);
      }
    }
    for (const task of tasks) {
      this.remove(task);
      this.#asked.set(task, nowMs);
    }
    return tasks;
  }

  #dueMs(askedMs: number): number {
    const unheardMs = Math.max(askedMs, this.#heardMs) + this.#settings.watchAgainAfterMs;
    return Math.min(unheardMs, askedMs + this.#settings.watchAgainAtLastMs);
  }

  get nextSendMs(): number {
    let next = earliest([...this.#questions.values()].map((question) => question.untilMs));
    if (this.#questions.size < this.#settings.watchesInFlightMax) {
      if (this.#fresh.size > 0) next = 0;
      for (const askedMs of this.#asked.values()) {
        next = Math.min(next, this.#dueMs(askedMs));
        break; // the oldest falls due first
      }
    }
    return next === NEVER_MS ? next : Math.max(next, this.#holdUntilMs);
  }

  get size(): number {
    return this.#fresh.size + this.#asked.size;
  }
}

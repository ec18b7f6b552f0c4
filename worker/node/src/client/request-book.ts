// Requests other than submits and watches, kept until answered. Each is safe to repeat. Pure.
import type { Randomness } from "../randomness.js";
import type { Question, Refused } from "../wire/messages.js";
import {
  earliest,
  jitterMs,
  resendWaitMs,
  type Actions,
  type SessionSettings,
} from "./session-types.js";

interface OpenRequest {
  readonly question: Question;
  readonly giveUpMs: number;
  sendAtMs: number;
  sends: number;
  retries: number;
}

export class RequestBook {
  readonly #settings: SessionSettings;
  readonly #open = new Map<number, OpenRequest>();

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  /** After `giveUpMs` it is reported as unanswered. */
  add(request: number, question: Question, giveUpMs: number): void {
    this.#open.set(request, { question, giveUpMs, sendAtMs: 0, sends: 0, retries: 0 });
  }

  /** True when `request` was open; it is closed then. */
  close(request: number): boolean {
    return this.#open.delete(request);
  }

  /** True when the refusal was to one of these and it will be sent again. */
  retry(refused: Refused, nowMs: number, randomness: Randomness): boolean {
    const found = this.#open.get(refused.request);
    if (found === undefined) return false;
    switch (refused.code) {
      case "unknown_session":
        found.sendAtMs = 0;
        return true;
      case "busy":
      case "store_full":
      case "shutting_down": {
        const waitMs = Math.max(refused.retryAfterMs, 0);
        found.sendAtMs = nowMs + waitMs + jitterMs(this.#settings, found.retries++, randomness);
        return true;
      }
      default:
        return false;
    }
  }

  sendAllAgain(): void {
    for (const found of this.#open.values()) found.sendAtMs = 0;
  }

  sendDue(nowMs: number, actions: Actions): void {
    for (const [request, found] of this.#open) {
      if (found.sendAtMs > nowMs) continue;
      found.sends += 1;
      found.sendAtMs = nowMs + resendWaitMs(this.#settings, found.sends);
      actions.sends.push({ kind: "request", request, question: found.question });
    }
  }

  giveUp(nowMs: number, actions: Actions): void {
    for (const [request, found] of this.#open) {
      if (found.giveUpMs > nowMs) continue;
      this.#open.delete(request);
      actions.events.push({ kind: "unanswered", request });
    }
  }

  get nextSendMs(): number {
    return earliest([...this.#open.values()].map((found) => found.sendAtMs));
  }

  get nextGiveUpMs(): number {
    return earliest([...this.#open.values()].map((found) => found.giveUpMs));
  }

  get size(): number {
    return this.#open.size;
  }
}

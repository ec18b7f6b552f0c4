// The worker's bond with its broker as timers and numbers: when to say hello (again), when to give a
// connection up, when to beat. Pure: no socket, no clock.
import type { Pulse, WorkerWelcome } from "../wire/messages.js";
import { fullJitterMs, type Randomness } from "../randomness.js";
import { NEVER_MS } from "../units.js";

const BACKOFF_FIRST_MS = 100; // of repeated hellos and reconnects,
const BACKOFF_MOST_MS = 1_000; // doubling, with full jitter

export type LinkStep = "nothing" | "say_hello" | "reconnect_and_say_hello";

export class Link {
  readonly #randomness: Randomness;
  readonly #helloTimeoutMs: number;
  #open = false;
  #helloNumber = 0;
  #helloDueMs = 0; // when not open
  #quietSinceMs: number | undefined; // nothing heard at all (open), or on the DEALER (not open)
  #reconnect = false; // the next hello goes on a new socket
  #failures = 0; // since a Welcome
  #epoch: bigint | undefined; // the newest heard of
  #session: bigint | undefined; // the nonce of the beats
  #beatIntervalMs = 1_000;
  #silenceMaxMs = 3_000;
  #beatNumber = 0;
  #beatDueMs = NEVER_MS;

  constructor(randomness: Randomness, helloTimeoutMs: number) {
    this.#randomness = randomness;
    this.#helloTimeoutMs = helloTimeoutMs;
  }

  /** True between the newest Welcome and the loss of that session. */
  get open(): boolean {
    return this.#open;
  }

  /** A Welcome echoes the newest hello exactly if its number is this. */
  get helloNumber(): number {
    return this.#helloNumber;
  }

  get session(): bigint | undefined {
    return this.#session;
  }

  /**
   * Opens, repeats or restores the session where it is time to. A hello that it asks for must carry
   * helloNumber.
   */
  step(nowMs: number): LinkStep {
    this.#quietSinceMs ??= nowMs;
    const silent = nowMs - this.#quietSinceMs > this.#silenceMaxMs;
    if (this.#open && silent) {
      this.#close(nowMs + this.#nextBackoffMs());
      this.#reconnect = true;
    }
    if (this.#open || nowMs < this.#helloDueMs) return "nothing";
    const reconnect = this.#helloNumber > 0 && (this.#reconnect || silent);
    if (reconnect) this.#quietSinceMs = nowMs;
    this.#reconnect = false;
    this.#helloNumber += 1;
    this.#helloDueMs = nowMs + this.#helloTimeoutMs + this.#nextBackoffMs();
    return reconnect ? "reconnect_and_say_hello" : "say_hello";
  }

  welcome(welcome: WorkerWelcome, nowMs: number): void {
    this.#open = true;
    this.#reconnect = false;
    this.#failures = 0;
    this.#epoch = welcome.epoch;
    this.#session = welcome.session;
    this.#beatIntervalMs = welcome.beatIntervalMs;
    this.#silenceMaxMs = welcome.silenceMaxMs;
    this.#quietSinceMs = nowMs;
    this.#beatDueMs = nowMs;
  }

  hearMessage(nowMs: number): void {
    this.#quietSinceMs = nowMs;
  }

  /** Learns of a new epoch, by which the session ends and the next step says hello. */
  hearPulse(pulse: Pulse, nowMs: number): void {
    // A pulse proves life only of a session that is open: a DEALER may be dead while pulses flow.
    if (this.#open) this.#quietSinceMs = nowMs;
    if (this.#epoch === undefined || pulse.epoch === this.#epoch) return;
    this.#epoch = pulse.epoch;
    this.#close(nowMs);
  }

  /** The broker does not know this session. Says hello at once, unless one is under way. */
  sessionUnknown(nowMs: number): void {
    if (this.#open) this.#close(nowMs);
  }

  /** The broker leaves, or refuses a hello for now. */
  retryLater(waitMs: number, nowMs: number): void {
    this.#close(nowMs + Math.max(waitMs, 0) + this.#nextBackoffMs());
  }

  /** The transport lost the connection, or nothing sent on it is answered. */
  connectionLost(nowMs: number): void {
    if (this.#open) this.#close(nowMs + this.#nextBackoffMs());
  }

  /** The number of the beat that is due now, if one is. */
  takeBeat(nowMs: number): number | undefined {
    if (this.#session === undefined || nowMs < this.#beatDueMs) return undefined;
    this.#beatDueMs = nowMs + this.#beatIntervalMs;
    this.#beatNumber += 1;
    return this.#beatNumber;
  }

  get nextDeadlineMs(): number {
    const next = this.#open ? (this.#quietSinceMs ?? 0) + this.#silenceMaxMs + 1 : this.#helloDueMs;
    return Math.min(next, this.#beatDueMs);
  }

  #nextBackoffMs(): number {
    return fullJitterMs(BACKOFF_FIRST_MS, BACKOFF_MOST_MS, this.#failures++, this.#randomness);
  }

  #close(nextHelloMs: number): void {
    this.#open = false;
    this.#helloDueMs = nextHelloMs;
  }
}

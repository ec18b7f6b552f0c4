// Completions from the moment an attempt ends until the broker says that they are durable. A repeat is
// harmless, so what is not acknowledged in time is simply sent again. Pure; keeps its order.
import type { PeerLimits } from "../limits.js";
import { NEVER_MS } from "../units.js";
import type { Completion, HeldLease } from "../wire/messages.js";
import { first, keyOf, leaseOf } from "./attempts.js";

// About what a completion takes in a message beside its result and its error.
const ENTRY_BYTES = 96;

interface Sent {
  readonly completion: Completion;
  readonly sentMs: number;
}

export class Reports {
  #unsent = new Map<string, Completion>();
  readonly #sent = new Map<string, Sent>(); // oldest first

  /** Keeps a completion to be sent. A second one for the same lease is ignored. */
  add(completion: Completion): void {
    if (!this.holds(completion)) this.#unsent.set(keyOf(completion), completion);
  }

  /** The broker has it: nothing is kept. False if there is none for this lease. */
  settle(lease: HeldLease): boolean {
    const key = keyOf(lease);
    return this.#sent.delete(key) || this.#unsent.delete(key);
  }

  holds(lease: HeldLease): boolean {
    const key = keyOf(lease);
    return this.#sent.has(key) || this.#unsent.has(key);
  }

  /**
   * The next completions to send, oldest first: at most `itemsMax`, and of about `bytesMax` in all, but
   * at least one. They count as sent now. Empty when all are sent.
   */
  takeBatch(itemsMax: number, bytesMax: number, nowMs: number): Completion[] {
    const batch: Completion[] = [];
    let bytes = 0;
    for (const completion of this.#unsent.values()) {
      bytes += completion.result.length + Buffer.byteLength(completion.error) + ENTRY_BYTES;
      if (batch.length > 0 && (bytes > bytesMax || batch.length >= itemsMax)) break;
      batch.push(completion);
    }
    for (const completion of batch) {
      this.#unsent.delete(keyOf(completion));
      this.#sent.set(keyOf(completion), { completion, sentMs: nowMs });
    }
    return batch;
  }

  /** Marks all that were sent at `beforeMs` or earlier as to be sent again, first. */
  repeatSentUntil(beforeMs: number): void {
    const again = new Map<string, Completion>();
    for (const [key, { completion, sentMs }] of this.#sent) {
      if (sentMs > beforeMs) break;
      again.set(key, completion);
    }
    if (again.size === 0) return;
    for (const key of again.keys()) this.#sent.delete(key);
    this.#unsent = new Map([...again, ...this.#unsent]);
  }

  get oldestSentMs(): number {
    return first(this.#sent.values())?.sentMs ?? NEVER_MS;
  }

  leases(): HeldLease[] {
    const sent = [...this.#sent.values()].map(({ completion }) => completion);
    return [...sent, ...this.#unsent.values()].map(leaseOf);
  }

  get hasUnsent(): boolean {
    return this.#unsent.size > 0;
  }

  get size(): number {
    return this.#sent.size + this.#unsent.size;
  }
}

/** The completion in the form that the broker takes. */
export function fit(completion: Completion, limits: PeerLimits): Completion {
  if (completion.outcome !== "succeeded") {
    const error = lastBytes(completion.error, limits.errorBytesMax);
    return { ...completion, result: new Uint8Array(), error };
  }
  const size = completion.result.length;
  if (size <= limits.resultBytesMax) return { ...completion, error: "" };
  return {
    ...completion,
    outcome: "failed_for_good",
    result: new Uint8Array(),
    error:
      `result of ${size} bytes is larger than ${limits.resultBytesMax}: ` +
      "store it elsewhere and return where",
  };
}

/** The end of a text, which says most, in at most `most` bytes of UTF-8. */
export function lastBytes(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  let start = bytes.length - most;
  while (((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1; // not within a character
  return bytes.toString("utf8", start);
}

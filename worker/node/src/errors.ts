import type { ErrorCode } from "./words.js";

/** Whatever goes wrong between this program and the broker; `code` is docs/protocol.md's word. */
export class MillraceError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = "MillraceError";
    this.code = code;
  }
}

/** Thrown by a handler: trying again is useless; the task goes straight to the dead-letter queue. */
export class FailForGood extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "FailForGood";
  }
}

/** Thrown by a handler: try again after the task's backoff. Any other error means the same. */
export class Retry extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Retry";
  }
}

/** Why a running attempt should end. */
export type StopReason =
  | "cancelled" // a client asked for it
  | "timed_out" // over the task's timeout; its result is not wanted any more
  | "lease_lost" // given to another worker
  | "shutting_down"; // this worker ends now

/** The reason of a handler's AbortSignal. A handler may let it pass through. */
export class Stopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`the attempt should end: ${reason}`);
    this.name = "AbortError"; // what those who take signals look for
    this.reason = reason;
  }
}

/** A message from the broker that does not keep the protocol. */
export class BrokenMessage extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BrokenMessage";
  }
}

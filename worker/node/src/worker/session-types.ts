// What goes into a worker's session and what comes out of it, as plain values.
import type { PeerLimits } from "../limits.js";
import type {
  Beat,
  DispatchedTask,
  Endpoints,
  StoppedTask,
  WorkerMessage,
} from "../wire/messages.js";
import type { ErrorCode } from "../words.js";

export interface SessionSettings {
  readonly worker: string;
  readonly name: string;
  readonly queues: readonly string[];
  readonly slots: number; // tasks that run at once, from 1
  readonly prefetchMax: number; // tasks wanted beyond the slots, at most
  readonly version: string;
  readonly helloTimeoutMs: number;
  readonly resendAfterMs: number; // a completion without its Completed is repeated
  readonly waitingMaxMs: number; // an unstarted task goes back after this
  readonly lateStartMs: number; // a start this late re-arms the broker's timeout
  readonly settleMaxMs: number; // a drained worker waits this long for answers
  // Tasks so tiny that the hand-over costs more than the work are started ahead of free slots: as many
  // as the slots finish in this time. 0: never more starts than free slots.
  readonly runAheadMs: number;
}

export const SESSION_DEFAULTS = {
  prefetchMax: 1_000,
  helloTimeoutMs: 1_000,
  resendAfterMs: 2_000,
  waitingMaxMs: 1_000,
  lateStartMs: 50,
  settleMaxMs: 5_000,
  runAheadMs: 0,
} as const;

/** A session was opened (again). */
export interface Welcomed {
  readonly epoch: bigint;
  readonly endpoints: Endpoints;
  readonly limits: PeerLimits;
  readonly brokerVersion: string;
}

/** What the shell must do: first reconnect, then starts and stops, then sends and beats in order. */
export class Actions {
  reconnect = false; // close the DEALER, drop what it has not sent, open another
  starts: DispatchedTask[] = []; // run these now
  stops: StoppedTask[] = []; // end these running attempts; each is still reported by finish
  sends: WorkerMessage[] = []; // a hello supersedes what has not left yet
  beats: Beat[] = [];
  welcomed: Welcomed | undefined; // connect the beat PUB and the pulse SUB where not yet done
  lost = ""; // the session just ended, and why; it will be restored
  finished = false; // send what is to be sent, then end
  failure: { readonly code: ErrorCode; readonly message: string } | undefined; // end now
}

/** What has ended since the start. */
export interface SessionTotals {
  succeeded: number;
  unsuccessful: number; // failed, timed out, crashed
  cancelled: number;
  released: number; // handed back
  stale: number; // finished, but the lease had been given on
}

// The worker's side of the protocol as a pure state machine: messages and a time in, actions out. No
// I/O, no clock. The meaning of the messages is in docs/protocol.md; the rules are those of
// worker/cpp/session.h.
//
// The shell's loop: wait until nextDeadlineMs or an input; hand over every input; call tick once; do the
// actions. Starts and stops come with the input that causes them; messages gather and leave in tick, so
// that one Complete carries all that ended since.
import { DEFAULT_LIMITS, type PeerLimits } from "../limits.js";
import type { Randomness } from "../randomness.js";
import { durationText, NEVER_MS } from "../units.js";
import type {
  Completed,
  Completion,
  Dispatch,
  Extension,
  HeldLease,
  Pulse,
  Recall,
  Refused,
  StoppedTask,
  WorkerReply,
  WorkerWelcome,
} from "../wire/messages.js";
import type { Outcome } from "../words.js";
import { Attempts, type Attempt } from "./attempts.js";
import { Link } from "./link.js";
import { Prefetch } from "./prefetch.js";
import { fit, Reports } from "./reports.js";
import type { Actions, SessionSettings, SessionTotals } from "./session-types.js";

const STARTS_AHEAD_MOST = 1_024;
const NO_BYTES = new Uint8Array();

function completionOf(
  { task, fence }: HeldLease,
  outcome: Outcome,
  elapsedMs = 0,
  error = "",
): Completion {
  return { task, fence, outcome, elapsedMs, result: NO_BYTES, error };
}

/** `nowMs` never runs backwards. The first tick says hello: the shell has a DEALER by then. */
export class Session {
  readonly totals: SessionTotals = {
    succeeded: 0,
    unsuccessful: 0,
    cancelled: 0,
    released: 0,
    stale: 0,
  };
  readonly #settings: SessionSettings;
  readonly #link: Link;
  readonly #attempts = new Attempts();
  readonly #reports = new Reports();
  readonly #prefetch: Prefetch;
  #limits: PeerLimits = DEFAULT_LIMITS;
  #extending: HeldLease[] = []; // attempts with an extension to send
  #recalls: bigint[] = []; // to be answered
  #creditTold = 0;
  #heardMs = 0; // the last message on the DEALER
  #wasOpen = false;
  #draining = false;
  #ended = false;
  #settleByMs = NEVER_MS; // drained: go when this has passed

  constructor(settings: SessionSettings, randomness: Randomness) {
    this.#settings = settings;
    this.#link = new Link(randomness, settings.helloTimeoutMs);
    this.#prefetch = new Prefetch(settings.slots, settings.prefetchMax);
  }

  get open(): boolean {
    return this.#link.open;
  }

  get running(): number {
    return this.#attempts.running;
  }

  get waiting(): number {
    return this.#attempts.waiting;
  }

  get unacknowledged(): number {
    return this.#reports.size;
  }

  // ---- messages -----------------------------------------------------------------------------------

  receive(reply: WorkerReply, nowMs: number, actions: Actions): void {
    if (this.#ended) return;
    this.#heardMs = nowMs;
    this.#link.hearMessage(nowMs);
    switch (reply.kind) {
      case "workerWelcome":
        return this.#takeWelcome(reply, nowMs, actions);
      case "dispatch":
        return this.#takeDispatch(reply, nowMs, actions);
      case "completed":
        return this.#takeCompleted(reply);
      case "stopTasks":
        for (const task of reply.tasks) this.#stop(task, actions);
        return this.#startWaiting(nowMs, actions);
      case "recall":
        return this.#takeRecall(reply);
      case "drain":
        return this.drain();
      case "refused":
        return this.#takeRefused(reply, nowMs, actions);
      case "brokerGoodbye":
        this.#link.retryLater(0, nowMs);
        return this.#loseSession("the broker says goodbye", actions);
      case "unknown":
        return;
    }
  }

  #takeWelcome(welcome: WorkerWelcome, nowMs: number, actions: Actions): void {
    if (welcome.helloNumber !== this.#link.helloNumber) return;
    this.#link.welcome(welcome, nowMs);
    this.#limits = welcome.limits;
    this.#wasOpen = true;
    actions.lost = "";
    actions.welcomed = welcome;
    for (const lease of welcome.stale) this.#stop({ ...lease, cause: "stale_lease" }, actions);
    this.#reports.repeatSentUntil(nowMs);
    this.#startWaiting(nowMs, actions);
  }

  #takeDispatch(dispatch: Dispatch, nowMs: number, actions: Actions): void {
    // Sent before the broker knew what this worker holds: the Welcome's reckoning gives it on.
    if (!this.#link.open) return;
    this.#prefetch.refilled();
    for (const task of dispatch.tasks) {
      if (this.#reports.holds(task)) continue;
      if (this.#attempts.add(task, nowMs) && this.#draining) this.#release(task);
    }
    this.#startWaiting(nowMs, actions);
  }

  #takeCompleted(completed: Completed): void {
    for (const answer of completed.items) {
      if (this.#reports.settle(answer) && !answer.accepted) this.totals.stale += 1;
    }
  }

  #takeRecall(recall: Recall): void {
    if (!this.#link.open) return;
    for (const lease of recall.tasks) {
      if (this.#attempts.find(lease)?.startedMs === undefined && this.#attempts.find(lease)) {
        this.#release(lease);
      }
    }
    this.#recalls.push(recall.recallNumber);
  }

  #takeRefused(refused: Refused, nowMs: number, actions: Actions): void {
    switch (refused.code) {
      case "unknown_session":
        this.#link.sessionUnknown(nowMs);
        return this.#loseSession("the broker does not know this session", actions);
      case "invalid":
      case "too_large":
      case "unsupported":
      case "forbidden":
        this.#ended = true;
        actions.failure = {
          code: refused.code,
          message: `the broker refuses this worker: ${refused.message}`,
        };
        return;
      default:
        // What was sent is repeated in its time; a hello waits as long as the broker asks.
        if (this.#link.open && refused.code !== "shutting_down") return;
        this.#link.retryLater(refused.retryAfterMs, nowMs);
        this.#loseSession("the broker takes no work now", actions);
    }
  }

  hearPulse(pulse: Pulse, nowMs: number, actions: Actions): void {
    if (this.#ended) return;
    this.#link.hearPulse(pulse, nowMs);
    this.#loseSession("the broker has restarted", actions);
  }

  /** The transport noticed a disconnect: a hint that saves waiting for silence. */
  connectionLost(nowMs: number, actions: Actions): void {
    if (this.#ended) return;
    this.#link.connectionLost(nowMs);
    this.#loseSession("the connection broke", actions);
  }

  /** Notes the end of a session that was open until now; nothing otherwise. */
  #loseSession(reason: string, actions: Actions): void {
    if (!this.#wasOpen || this.#link.open) return;
    this.#wasOpen = false;
    this.#recalls = [];
    actions.lost = reason;
  }

  // ---- attempts -----------------------------------------------------------------------------------

  #startWaiting(nowMs: number, actions: Actions): void {
    const ahead = this.#prefetch.finishedIn(this.#settings.runAheadMs, STARTS_AHEAD_MOST);
    while (this.#attempts.running < this.#settings.slots + ahead) {
      const attempt = this.#attempts.nextWaiting();
      if (attempt === undefined) return;
      actions.starts.push(this.#attempts.start(attempt, nowMs));
      if (nowMs - attempt.arrivedMs > this.#settings.lateStartMs) this.#askExtension(attempt, 0, 0);
    }
  }

  #stop(stopped: StoppedTask, actions: Actions): void {
    const cancelled = stopped.cause === "cancelled";
    const attempt = this.#attempts.find(stopped);
    if (attempt === undefined || attempt.abandoned) {
      // A completion on its way answers a cancel; any other stop means that nobody wants it.
      if (!cancelled) this.#reports.settle(stopped);
      return;
    }
    if (attempt.startedMs === undefined) {
      this.#attempts.erase(stopped);
      if (cancelled) this.#report(completionOf(stopped, "cancelled"));
      return;
    }
    if (cancelled && attempt.cancelled) return;
    attempt.cancelled = cancelled;
    if (!cancelled) this.#attempts.abandon(attempt);
    actions.stops.push(stopped);
  }

  /** The runner reports the real end of a started attempt, exactly once for each. */
  finish(completion: Completion, nowMs: number, actions: Actions): void {
    const attempt = this.#attempts.find(completion);
    if (attempt?.startedMs === undefined) return;
    this.#attempts.erase(completion);
    if (this.#ended) return;
    if (!attempt.abandoned) {
      this.#prefetch.observe(completion.elapsedMs);
      this.#report(
        attempt.cancelled
          ? completionOf(completion, "cancelled", completion.elapsedMs)
          : completion,
      );
    }
    this.#startWaiting(nowMs, actions);
    if (this.#attempts.waiting === 0 && this.#attempts.running < this.#settings.slots) {
      this.#prefetch.ranEmpty();
    }
  }

  /** Keeps a completion in the form that the broker takes, and counts it. */
  #report(completion: Completion): void {
    const fitting = fit(completion, this.#limits);
    switch (fitting.outcome) {
      case "succeeded":
      case "cancelled":
      case "released":
        this.totals[fitting.outcome] += 1;
        break;
      default:
        this.totals.unsuccessful += 1;
    }
    this.#reports.add(fitting);
  }

  #release(lease: HeldLease): void {
    this.#attempts.erase(lease);
    this.#report(completionOf(lease, "released"));
  }

  #releaseWaiting(): void {
    for (const lease of this.#attempts.waitingLeases()) this.#release(lease);
  }

  /**
   * A running handler asks for more time, or reports progress, which re-arms its timeout too but never
   * shortens it. Ignored for attempts that do not run.
   */
  extend(extension: Extension, nowMs: number): void {
    const attempt = this.#attempts.find(extension);
    if (this.#ended || attempt?.startedMs === undefined || attempt.abandoned) return;
    let { byMs } = extension;
    if (byMs <= 0) {
      // A task without a timeout only reports its progress.
      byMs = attempt.timeoutMs > 0 ? Math.max(attempt.timeoutMs, attempt.deadlineMs - nowMs) : 0;
    }
    if (byMs > 0) this.#attempts.setDeadline(attempt, nowMs + byMs);
    this.#askExtension(attempt, byMs, extension.progressPercent);
  }

  /** The newest wish of an attempt stands until it is sent. */
  #askExtension(attempt: Attempt, byMs: number, progressPercent: number): void {
    if (attempt.extension === undefined) this.#extending.push(attempt.lease);
    attempt.extension = {
      ...attempt.lease,
      byMs,
      progressPercent: progressPercent || (attempt.extension?.progressPercent ?? 0),
    };
  }

  // ---- the end ------------------------------------------------------------------------------------

  /** Take nothing new, hand back what has not started, finish what runs, then say goodbye. */
  drain(): void {
    if (this.#ended || this.#draining) return;
    this.#draining = true;
    this.#releaseWaiting();
  }

  /**
   * Ends now: hands back all that has not ended. The shell must have ended what runs, or end it (`stops`
   * names it) before it sends, because others may start these tasks at once.
   */
  abandon(nowMs: number, actions: Actions): void {
    if (this.#ended) return;
    this.#draining = true;
    this.#releaseWaiting();
    for (const lease of this.#attempts.runningLeases()) {
      actions.stops.push({ ...lease, cause: "stale_lease" });
      const attempt = this.#attempts.find(lease);
      if (attempt !== undefined) this.#attempts.abandon(attempt);
      this.#report(completionOf(lease, "released"));
    }
    this.#sayGoodbye("ended before its tasks did", nowMs, actions);
  }

  /** The program ends with its handlers: every running attempt has crashed. Then as drain. */
  handlersDied(nowMs: number, actions: Actions): void {
    this.drain();
    for (const lease of this.#attempts.runningLeases()) {
      this.finish(completionOf(lease, "crashed", 0, "the worker's process ended"), nowMs, actions);
    }
  }

  #endDrain(nowMs: number, actions: Actions): void {
    if (!this.#draining || this.#attempts.running > this.#attempts.abandoned) return;
    if (this.#settleByMs === NEVER_MS) this.#settleByMs = nowMs + this.#settings.settleMaxMs;
    if (this.#reports.size > 0 && nowMs < this.#settleByMs) return;
    this.#sayGoodbye("drained", nowMs, actions);
  }

  /**
   * A report that was lost must not be lost for good: after the goodbye, its lease would be handed to
   * another as if the task had never run.
   */
  #sayGoodbye(message: string, nowMs: number, actions: Actions): void {
    this.#reports.repeatSentUntil(nowMs);
    this.#sendCompletions(nowMs, actions);
    if (this.#link.open) actions.sends.push({ kind: "goodbye", message });
    actions.finished = true;
    this.#ended = true;
  }

  // ---- time ---------------------------------------------------------------------------------------

  tick(nowMs: number, actions: Actions): void {
    if (this.#ended) return;
    this.#endOverdue(nowMs, actions);
    this.#releaseLongWaiting(nowMs);
    this.#startWaiting(nowMs, actions);
    this.#repeatUnanswered(nowMs);
    this.#loseSession("its completions are not answered", actions);
    this.#stepLink(nowMs, actions);
    this.#sendCompletions(nowMs, actions);
    this.#sendExtensions(actions);
    const number = this.#link.takeBeat(nowMs);
    if (number !== undefined && this.#link.session !== undefined) {
      actions.beats.push({
        worker: this.#settings.worker,
        session: this.#link.session,
        number,
        running: this.#attempts.running,
        queued: this.#attempts.waiting,
      });
    }
    this.#endDrain(nowMs, actions);
  }

  /** When to call tick at the latest; in the past when there is something to send. */
  get nextDeadlineMs(): number {
    if (this.#ended) return NEVER_MS;
    if (this.#completeDue || (this.#link.open && this.#extending.length > 0)) return 0;
    const waiting = this.#attempts.nextWaiting();
    return Math.min(
      this.#link.nextDeadlineMs,
      this.#attempts.earliestDeadlineMs,
      this.#settleByMs,
      waiting === undefined ? NEVER_MS : waiting.arrivedMs + this.#settings.waitingMaxMs,
      this.#link.open ? this.#reports.oldestSentMs + this.#settings.resendAfterMs : NEVER_MS,
    );
  }

  /**
   * The attempt timeout is kept here: the attempt has ended for everybody else, while its slot stays
   * occupied until the runner reports the real end.
   */
  #endOverdue(nowMs: number, actions: Actions): void {
    for (const attempt of this.#attempts.overdue(nowMs)) {
      const startedMs = attempt.startedMs ?? 0;
      const allowed = durationText(attempt.deadlineMs - startedMs);
      const outcome = attempt.cancelled ? "cancelled" : "timed_out";
      this.#attempts.abandon(attempt);
      actions.stops.push({ ...attempt.lease, cause: "timed_out" });
      this.#report(
        completionOf(attempt.lease, outcome, nowMs - startedMs, `timed out after ${allowed}`),
      );
    }
  }

  /** Idle workers elsewhere can start it at once; here it would wait on. */
  #releaseLongWaiting(nowMs: number): void {
    for (;;) {
      const attempt = this.#attempts.nextWaiting();
      if (attempt === undefined) return;
      if (attempt.arrivedMs + this.#settings.waitingMaxMs > nowMs) return;
      this.#prefetch.hold();
      this.#release(attempt.lease);
    }
  }

  #repeatUnanswered(nowMs: number): void {
    const { resendAfterMs } = this.#settings;
    if (!this.#link.open || this.#reports.oldestSentMs + resendAfterMs > nowMs) return;
    // Pulses may flow while the DEALER is dead: then a hello, and if need be a new socket, restores it.
    if (nowMs - this.#heardMs > resendAfterMs * 2) this.#link.connectionLost(nowMs);
    this.#reports.repeatSentUntil(nowMs - resendAfterMs);
  }

  // ---- what it sends ------------------------------------------------------------------------------

  #stepLink(nowMs: number, actions: Actions): void {
    const step = this.#link.step(nowMs);
    this.#loseSession("the broker is silent", actions);
    if (step === "nothing") return;
    if (step === "reconnect_and_say_hello") actions.reconnect = true;
    this.#creditTold = this.#credit;
    actions.sends.push({
      kind: "hello",
      helloNumber: this.#link.helloNumber,
      worker: this.#settings.worker,
      name: this.#settings.name,
      queues: this.#settings.queues,
      slots: this.#settings.slots,
      credit: this.#creditTold,
      version: this.#settings.version,
      holding: [
        ...this.#reports.leases(),
        ...this.#attempts.runningLeases(),
        ...this.#attempts.waitingLeases(),
      ],
    });
  }

  get #credit(): number {
    // With every slot stuck, a prefetched task could only wait.
    const free = this.#settings.slots - this.#attempts.abandoned;
    if (this.#draining || free <= 0) return 0;
    return Math.min(free + this.#prefetch.tasks, this.#limits.creditMax);
  }

  get #completeDue(): boolean {
    return (
      this.#link.open &&
      (this.#reports.hasUnsent || this.#recalls.length > 0 || this.#credit !== this.#creditTold)
    );
  }

  #sendCompletions(nowMs: number, actions: Actions): void {
    if (!this.#completeDue) return;
    this.#creditTold = this.#credit;
    const recalls = this.#recalls;
    this.#recalls = [];
    const { batchItemsMax, frameBytesMax } = this.#limits;
    let done = false;
    while (!done) {
      const items = this.#reports.takeBatch(batchItemsMax, frameBytesMax / 2, nowMs);
      // A recall's answer must not overtake what it hands back.
      const last = !this.#reports.hasUnsent;
      const answersRecall = (last ? recalls.shift() : undefined) ?? 0n;
      actions.sends.push({ kind: "complete", items, credit: this.#creditTold, answersRecall });
      done = last && recalls.length === 0;
    }
  }

  #sendExtensions(actions: Actions): void {
    if (!this.#link.open || this.#extending.length === 0) return;
    const items: Extension[] = [];
    for (const lease of this.#extending) {
      const attempt = this.#attempts.find(lease);
      if (attempt?.extension === undefined || attempt.abandoned) continue;
      items.push(attempt.extension);
      attempt.extension = undefined;
    }
    this.#extending = [];
    const most = this.#limits.batchItemsMax;
    for (let from = 0; from < items.length; from += most) {
      actions.sends.push({ kind: "extend", items: items.slice(from, from + most) });
    }
  }
}

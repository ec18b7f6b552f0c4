// The client's side of the protocol without I/O or clock: messages and the time go in, messages to send
// and events come out. The rules are those of client/cpp/session.h.
//
// What was asked is kept until it is answered, and asked again after silence, after a new connection and
// after a restart of the broker (a new epoch); ids make that safe.
import { DEFAULT_LIMITS, type PeerLimits } from "../limits.js";
import type { Randomness } from "../randomness.js";
import { NEVER_MS } from "../units.js";
import type { ClientReply, ClientWelcome, Pulse, Question, Refused } from "../wire/messages.js";
import { RequestBook } from "./request-book.js";
import {
  jitterMs,
  RequestCounter,
  type Actions,
  type SessionSettings,
  type Submission,
} from "./session-types.js";
import { SubmitBook } from "./submit-book.js";
import { WatchBook } from "./watch-book.js";

// Hellos on one connection before it is made anew.
const HELLOS_MAX = 2;

// stopped: before start and after stop. waiting: until the backoff ends. greeting: hello sent.
type LinkState = "stopped" | "waiting" | "greeting" | "connected";

/** Every input appends to `actions`; perform them before the next input. `nowMs` never goes back. */
export class Session {
  readonly #settings: SessionSettings;
  readonly #randomness: Randomness;
  readonly #counter = new RequestCounter();
  readonly #submits: SubmitBook;
  readonly #watches: WatchBook;
  readonly #requests: RequestBook;
  #limits: PeerLimits = DEFAULT_LIMITS;
  #link: LinkState = "stopped";
  #epoch = 0n;
  #hello = 0; // its request
  #hellos = 0; // since the connection was made
  #failures = 0; // connections lost in a row
  #connectAtMs = 0; // waiting
  #helloAgainMs = 0; // greeting
  #pingAtMs = 0; // connected, something outstanding
  #lastReplyMs = 0; // of this connection
  #lastHeardMs = 0; // a reply or a pulse

  constructor(settings: SessionSettings, randomness: Randomness) {
    this.#settings = settings;
    this.#randomness = randomness;
    this.#submits = new SubmitBook(settings);
    this.#watches = new WatchBook(settings);
    this.#requests = new RequestBook(settings);
  }

  get connected(): boolean {
    return this.#link === "connected";
  }

  get limits(): PeerLimits {
    return this.#limits;
  }

  // ---- the link -----------------------------------------------------------------------------------

  /** The shell has a fresh connection, or is making one. Call once. */
  start(nowMs: number, actions: Actions): void {
    this.#greet(nowMs, actions);
  }

  /** The last words. Whatever is open stays unanswered. */
  stop(actions: Actions): void {
    if (this.connected) actions.sends.push({ kind: "goodbye", request: 0 });
    this.#link = "stopped";
  }

  #greet(nowMs: number, actions: Actions): void {
    this.#link = "greeting";
    this.#hello = this.#counter.next();
    this.#hellos += 1;
    this.#helloAgainMs = nowMs + this.#settings.resendAfterMs;
    actions.sends.push({ kind: "hello", request: this.#hello, client: this.#settings.client });
  }

  /** On the same connection, to a broker that does not know this session (any more). */
  #greetAgain(cause: string, nowMs: number, actions: Actions): void {
    actions.events.push({ kind: "disconnected", cause });
    this.#hellos = 0;
    this.#greet(nowMs, actions);
  }

  #loseConnection(cause: string, waitMs: number, nowMs: number, actions: Actions): void {
    if (this.connected) actions.events.push({ kind: "disconnected", cause });
    this.#link = "waiting";
    const jitter = jitterMs(this.#settings, this.#failures, this.#randomness);
    this.#connectAtMs = nowMs + Math.max(waitMs, 0) + jitter;
    this.#failures += 1;
  }

  get #hasOutstanding(): boolean {
    return this.#submits.size > 0 || this.#watches.size > 0 || this.#requests.size > 0;
  }

  /**
   * Before something is asked. An idle client is not answered by anyone: its silence begins with the next
   * thing it asks.
   */
  #noteOutstanding(nowMs: number): void {
    if (this.#hasOutstanding) return;
    this.#lastReplyMs = Math.max(this.#lastReplyMs, nowMs);
    this.#lastHeardMs = Math.max(this.#lastHeardMs, nowMs);
    this.#pingAtMs = nowMs + this.#settings.pingIntervalMs;
  }

  get #silenceDeadlineMs(): number {
    // Pulses without any reply mean a broken connection to a living broker, once pings go unanswered.
    const most = this.#settings.silenceMaxMs;
    return Math.min(this.#lastHeardMs + most, this.#lastReplyMs + 2 * most);
  }

  #checkSilence(nowMs: number, actions: Actions): void {
    if (!this.#hasOutstanding) return;
    if (this.#silenceDeadlineMs <= nowMs) {
      this.#loseConnection("no word from the broker", 0, nowMs, actions);
    } else if (this.#pingAtMs <= nowMs) {
      this.#pingAtMs = nowMs + this.#settings.pingIntervalMs;
      actions.sends.push({ kind: "ping", request: this.#counter.next() });
    }
  }

  #checkLink(nowMs: number, actions: Actions): void {
    if (this.connected) this.#checkSilence(nowMs, actions);
    if (this.#link === "greeting" && this.#helloAgainMs <= nowMs) {
      if (this.#hellos < HELLOS_MAX) {
        this.#greet(nowMs, actions);
      } else {
        this.#loseConnection("no answer to hello", 0, nowMs, actions);
      }
    }
    if (this.#link === "waiting" && this.#connectAtMs <= nowMs) {
      actions.reconnect = true;
      // What an earlier input of this turn wanted sent belongs to the old connection.
      actions.sends = [];
      this.#hellos = 0;
      this.#greet(nowMs, actions);
    }
  }

  #sendDue(nowMs: number, actions: Actions): void {
    if (!this.connected) return;
    this.#submits.sendDue(nowMs, this.#counter, actions);
    this.#watches.sendDue(nowMs, this.#counter, actions);
    this.#requests.sendDue(nowMs, actions);
  }

  /** Call it at nextDeadlineMs at the latest; harmless at any other time. */
  tick(nowMs: number, actions: Actions): void {
    if (this.#link === "stopped") return;
    this.#submits.giveUp(nowMs, actions);
    this.#requests.giveUp(nowMs, actions);
    this.#checkLink(nowMs, actions);
    this.#sendDue(nowMs, actions);
  }

  get nextDeadlineMs(): number {
    const next = Math.min(this.#submits.nextGiveUpMs, this.#requests.nextGiveUpMs);
    switch (this.#link) {
      case "stopped":
        return NEVER_MS;
      case "waiting":
        return Math.min(next, this.#connectAtMs);
      case "greeting":
        return Math.min(next, this.#helloAgainMs);
      case "connected":
        if (!this.#hasOutstanding) return next;
        return Math.min(
          next,
          this.#pingAtMs,
          this.#silenceDeadlineMs,
          this.#submits.nextSendMs,
          this.#watches.nextSendMs,
          this.#requests.nextSendMs,
        );
    }
  }

  // ---- what the broker says -----------------------------------------------------------------------

  receive(reply: ClientReply, nowMs: number, actions: Actions): void {
    // Late words on a connection that is given up must not revive it.
    if (this.#link === "stopped" || this.#link === "waiting") return;
    this.#lastReplyMs = nowMs;
    this.#lastHeardMs = nowMs;
    this.#take(reply, nowMs, actions);
    this.#sendDue(nowMs, actions);
  }

  #take(reply: ClientReply, nowMs: number, actions: Actions): void {
    switch (reply.kind) {
      case "clientWelcome":
        return this.#takeWelcome(reply, nowMs, actions);
      case "submitted":
        return this.#submits.answer(reply, nowMs, this.#randomness, actions);
      case "watching":
        return this.#watches.answer(reply, actions);
      case "finished":
        this.#watches.heard(nowMs);
        for (const task of reply.tasks) {
          if (this.#watches.remove(task.id)) actions.events.push({ kind: "finishedTask", task });
        }
        return;
      case "pong":
        return this.#takeEpoch(reply.epoch, nowMs, actions);
      case "refused":
        return this.#takeRefused(reply, nowMs, actions);
      case "brokerGoodbye": {
        const cause = `the broker said goodbye: ${reply.message}`;
        return this.#loseConnection(cause, this.#settings.backoffInitialMs, nowMs, actions);
      }
      case "unknown":
        return;
      default:
        if (this.#requests.close(reply.request)) {
          actions.events.push({ kind: "replied", request: reply.request, reply });
        }
    }
  }

  hearPulse(pulse: Pulse, nowMs: number, actions: Actions): void {
    if (!this.connected || pulse.epoch < this.#epoch) return;
    this.#lastHeardMs = nowMs;
    this.#takeEpoch(pulse.epoch, nowMs, actions);
  }

  #takeEpoch(epoch: bigint, nowMs: number, actions: Actions): void {
    if (this.connected && epoch !== this.#epoch) {
      this.#greetAgain("the broker started anew", nowMs, actions);
    }
  }

  #takeWelcome(welcome: ClientWelcome, nowMs: number, actions: Actions): void {
    if (this.#link !== "greeting" || welcome.request !== this.#hello) return;
    this.#link = "connected";
    this.#failures = 0;
    this.#epoch = welcome.epoch;
    this.#limits = welcome.limits;
    this.#pingAtMs = nowMs + this.#settings.pingIntervalMs;
    this.#submits.setLimits(this.#limits);
    this.#submits.takeBackUnanswered();
    this.#watches.setLimits(this.#limits);
    this.#watches.askAllAgain();
    this.#requests.sendAllAgain();
    actions.events.push({ kind: "connected", welcome });
  }

  #takeRefused(refused: Refused, nowMs: number, actions: Actions): void {
    const { request, code } = refused;
    if (this.#link === "greeting" && request === this.#hello) {
      if (code !== "busy" && code !== "shutting_down") {
        actions.events.push({ kind: "helloRefused", refused });
      }
      const cause = "the broker refused the hello";
      this.#loseConnection(cause, refused.retryAfterMs, nowMs, actions);
      return;
    }
    const taken =
      this.#submits.refuse(refused, nowMs, this.#randomness, actions) ||
      this.#watches.refuse(refused, nowMs) ||
      this.#requests.retry(refused, nowMs, this.#randomness);
    if (!taken && this.#requests.close(request)) {
      actions.events.push({ kind: "replied", request, reply: refused });
    }
    if (code === "unknown_session" && this.connected) {
      this.#greetAgain("the broker does not know this session", nowMs, actions);
    }
  }

  // ---- what the caller wants ----------------------------------------------------------------------

  /** Takes the tasks in order. Unbounded: a caller who has many waits for answers. */
  submit(submissions: readonly Submission[], nowMs: number, actions: Actions): void {
    this.#noteOutstanding(nowMs);
    for (const submission of submissions) this.#submits.add(submission);
    this.#sendDue(nowMs, actions);
  }

  /** Tells the end of each (once more, if it was told before), or that it is unknown. */
  watch(tasks: Iterable<string>, nowMs: number, actions: Actions): void {
    this.#noteOutstanding(nowMs);
    this.#watches.add(tasks);
    this.#sendDue(nowMs, actions);
  }

  unwatch(tasks: Iterable<string>): void {
    for (const task of tasks) this.#watches.remove(task);
  }

  /** The request's number; its answer is told as an event. */
  request(question: Question, giveUpMs: number, nowMs: number, actions: Actions): number {
    this.#noteOutstanding(nowMs);
    const request = this.#counter.next();
    this.#requests.add(request, question, giveUpMs);
    this.#sendDue(nowMs, actions);
    return request;
  }

  /** Forgets a call's tasks as far as they are not on their way with others. */
  abandonSubmits(group: number): void {
    this.#submits.abandon(group);
  }

  abandonRequest(request: number): void {
    this.#requests.close(request);
  }
}

// The client's session with its sockets and its clock, and which call hears which event.
import type { HostPort } from "../address.js";
import { BrokenMessage, MillraceError } from "../errors.js";
import type { CurveOptions } from "../key.js";
import type { PeerLimits } from "../limits.js";
import { BrokerSockets } from "../sockets.js";
import { durationText, NEVER_MS } from "../units.js";
import { randomId } from "../uuid.js";
import { encodeClientMessage } from "../wire/client-codec.js";
import { decodeClientReply } from "../wire/client-reply-codec.js";
import type { Answer, ClientWelcome, FinishedTask, Question, Refused } from "../wire/messages.js";
import { decodePulse } from "../wire/shared-codec.js";
import type { SubmitStatus } from "../words.js";
import { Session } from "./session.js";
import { Actions, SESSION_DEFAULTS, type SessionEvent, type Submission } from "./session-types.js";

// Node's timers hold no more.
const WAIT_MOST_MS = 2 ** 31 - 1;

/** What a call is told. Each method ends nothing by itself: the call closes what it opened. */
export interface SubmitListener {
  /** undefined: not answered in time, so done or not done is unknown. */
  submitAnswered(task: string, status: SubmitStatus | undefined, message: string): void;
}

export interface WatchListener {
  taskFinished(task: FinishedTask): void;
  taskUnknown(task: string): void;
}

/** What may befall any call. */
export interface LinkListener {
  /** There has been no broker for outageMaxMs. */
  brokerAway(error: MillraceError): void;
  clientClosed(error: MillraceError): void;
}

export class Connection {
  readonly #broker: HostPort;
  readonly #outageMaxMs: number;
  readonly #session: Session;
  readonly #sockets: BrokerSockets;
  readonly #submitListeners = new Map<number, SubmitListener>();
  readonly #watchListeners = new Map<string, Set<WatchListener>>();
  readonly #requests = new Map<number, (reply: Answer | Refused | undefined) => void>();
  readonly #linkListeners = new Set<LinkListener>();
  readonly #helloListeners = new Set<() => void>();
  #submissions: Submission[] = []; // of this turn of the event loop
  #groups = 0;
  #welcome: ClientWelcome | undefined;
  #refusal: Refused | undefined; // of the newest hello
  #timer: NodeJS.Timeout | undefined;
  #outageTimer: NodeJS.Timeout | undefined;
  #closed = false;

  /** Connects, and goes on trying. */
  constructor(broker: HostPort, key: CurveOptions | undefined, outageMaxMs: number) {
    this.#broker = broker;
    this.#outageMaxMs = outageMaxMs;
    this.#session = new Session({ ...SESSION_DEFAULTS, client: randomId() }, Math.random);
    this.#sockets = new BrokerSockets(broker, key, {
      hearMessage: (frames) => {
        this.#step((nowMs, actions) => {
          this.#session.receive(decodeClientReply(frames), nowMs, actions);
        });
      },
      hearPulse: (frame) => {
        this.#step((nowMs, actions) => {
          this.#session.hearPulse(decodePulse(frame), nowMs, actions);
        });
      },
      connectionLost: () => undefined, // shows as silence, and nothing is lost by that
    });
    this.#sockets.reconnect();
    this.#awaitBroker();
    this.#step((nowMs, actions) => {
      this.#session.start(nowMs, actions);
    });
  }

  get limits(): PeerLimits {
    return this.#session.limits;
  }

  get brokerVersion(): string {
    return this.#welcome?.brokerVersion ?? "";
  }

  /** Resolves with the first Welcome. Rejects: unavailable, or what the broker says to the hello. */
  async connected(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: unknown): void => {
        clearTimeout(timer);
        this.#helloListeners.delete(look);
        signal?.removeEventListener("abort", abort);
        if (error === undefined) resolve();
        else reject(error as Error);
      };
      const look = (): void => {
        if (this.#welcome !== undefined) settle();
        else if (this.#refusal !== undefined) settle(this.errorOf(this.#refusal));
      };
      const abort = (): void => {
        settle(signal?.reason);
      };
      const timer = setTimeout(() => {
        settle(this.noAnswer(timeoutMs));
      }, Math.min(timeoutMs, WAIT_MOST_MS));
      this.#helloListeners.add(look);
      signal?.addEventListener("abort", abort);
      if (signal?.aborted === true) abort();
      look();
    });
  }

  /** Says goodbye. Open calls end with `unavailable`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#step((_, actions) => {
      this.#session.stop(actions);
    });
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#outageTimer);
    const error = new MillraceError("unavailable", "the client was closed");
    for (const listener of [...this.#linkListeners]) listener.clientClosed(error);
    await this.#sockets.close();
  }

  // ---- calls --------------------------------------------------------------------------------------

  newGroup(listener: SubmitListener): number {
    this.#groups += 1;
    this.#submitListeners.set(this.#groups, listener);
    return this.#groups;
  }

  closeGroup(group: number): void {
    if (!this.#submitListeners.delete(group)) return;
    this.#submissions = this.#submissions.filter((submission) => submission.group !== group);
    this.#session.abandonSubmits(group);
  }

  /** Tasks submitted in one turn of the event loop travel together. */
  submit(submission: Submission): void {
    if (this.#submissions.length === 0) {
      setImmediate(() => {
        const submissions = this.#submissions;
        this.#submissions = [];
        this.#step((nowMs, actions) => {
          this.#session.submit(submissions, nowMs, actions);
        });
      });
    }
    this.#submissions.push(submission);
  }

  watch(tasks: readonly string[], listener: WatchListener): void {
    for (const task of tasks) {
      const listeners = this.#watchListeners.get(task);
      if (listeners === undefined) this.#watchListeners.set(task, new Set([listener]));
      else listeners.add(listener);
    }
    this.#step((nowMs, actions) => {
      this.#session.watch(tasks, nowMs, actions);
    });
  }

  unwatch(tasks: Iterable<string>, listener: WatchListener): void {
    for (const task of tasks) {
      const listeners = this.#watchListeners.get(task);
      if (listeners?.delete(listener) !== true || listeners.size > 0) continue;
      this.#watchListeners.delete(task);
      this.#session.unwatch([task]);
    }
  }

  /** `settle` is called once, with undefined when there was no answer in time. Returns its undoing. */
  ask(
    question: Question,
    giveUpMs: number,
    settle: (reply: Answer | Refused | undefined) => void,
  ): () => void {
    let request = 0;
    this.#step((nowMs, actions) => {
      request = this.#session.request(question, giveUpMs, nowMs, actions);
      this.#requests.set(request, settle);
    });
    return () => {
      this.#requests.delete(request);
      this.#session.abandonRequest(request);
    };
  }

  addLinkListener(listener: LinkListener): void {
    this.#linkListeners.add(listener);
  }

  removeLinkListener(listener: LinkListener): void {
    this.#linkListeners.delete(listener);
  }

  // ---- errors -------------------------------------------------------------------------------------

  noAnswer(withinMs: number): MillraceError {
    const { host, port } = this.#broker;
    const said = this.#refusal === undefined ? "" : ` It last said: ${this.#refusal.message}`;
    return new MillraceError(
      "unavailable",
      `no answer from the broker at ${host}:${port} within ${durationText(withinMs)}; ` +
        `is it running?${said}`,
    );
  }

  errorOf(refused: Refused): MillraceError {
    return new MillraceError(refused.code, refused.message);
  }

  // ---- turns --------------------------------------------------------------------------------------

  #step(input: (nowMs: number, actions: Actions) => void): void {
    if (this.#closed) return;
    const nowMs = performance.now();
    const actions = new Actions();
    try {
      input(nowMs, actions);
    } catch (error) {
      // A message that cannot be read is as good as lost: what it was to answer is asked again.
      if (!(error instanceof BrokenMessage)) throw error;
    }
    if (actions.reconnect) this.#sockets.reconnect();
    for (const message of actions.sends) this.#sockets.send(encodeClientMessage(message));
    for (const event of actions.events) this.#tell(event);
    this.#setTimer(nowMs);
  }

  #setTimer(nowMs: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const waitMs = Math.max(0, Math.ceil(this.#session.nextDeadlineMs - nowMs));
    if (waitMs === NEVER_MS) return;
    this.#timer = setTimeout(
      () => {
        // After whatever else there is to hear: nobody is judged late before that.
        setImmediate(() => {
          this.#step((now, actions) => {
            this.#session.tick(now, actions);
          });
        });
      },
      Math.min(waitMs, WAIT_MOST_MS),
    );
  }

  #tell(event: SessionEvent): void {
    switch (event.kind) {
      case "connected":
        return this.#noteConnected(event.welcome);
      case "disconnected":
        return this.#awaitBroker();
      case "helloRefused":
        this.#refusal = event.refused;
        return this.#tellHello();
      case "submitAnswered":
        return this.#submitListeners
          .get(event.group)
          ?.submitAnswered(event.task, event.status, event.message);
      case "submitUnanswered":
        return this.#submitListeners.get(event.group)?.submitAnswered(event.task, undefined, "");
      case "finishedTask":
        return this.#tellWatchers(event.task.id, (listener) => {
          listener.taskFinished(event.task);
        });
      case "unknownTask":
        return this.#tellWatchers(event.task, (listener) => {
          listener.taskUnknown(event.task);
        });
      case "replied":
        return this.#settle(event.request, event.reply);
      case "unanswered":
        return this.#settle(event.request, undefined);
    }
  }

  #tellWatchers(task: string, tell: (listener: WatchListener) => void): void {
    const listeners = this.#watchListeners.get(task) ?? [];
    this.#watchListeners.delete(task);
    for (const listener of listeners) tell(listener);
  }

  #settle(request: number, reply: Answer | Refused | undefined): void {
    const settle = this.#requests.get(request);
    this.#requests.delete(request);
    settle?.(reply);
  }

  #noteConnected(welcome: ClientWelcome): void {
    clearTimeout(this.#outageTimer);
    this.#welcome = welcome;
    this.#refusal = undefined;
    this.#sockets.listen(welcome.endpoints.pulsePort);
    this.#tellHello();
  }

  #tellHello(): void {
    for (const look of [...this.#helloListeners]) look();
  }

  #awaitBroker(): void {
    clearTimeout(this.#outageTimer);
    this.#outageTimer = setTimeout(
      () => {
        const error = this.noAnswer(this.#outageMaxMs);
        for (const listener of [...this.#linkListeners]) listener.brokerAway(error);
      },
      Math.min(this.#outageMaxMs, WAIT_MOST_MS),
    );
  }
}

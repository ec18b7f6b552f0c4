// The process that speaks with the broker: session and sockets, no handler.
//
// JavaScript runs one thing at a time. A handler that computes for seconds stops everything else in its
// process, and a worker that does not beat for three seconds has lost its leases. So the beats come from
// here, together with all that makes up the session: they prove that it works. A thread would do for
// that, but ends with its process; this one outlives the process of the handlers by as long as it takes
// to report that it died.
import { BrokenMessage, type StopReason } from "../errors.js";
import { loadKey } from "../key.js";
import { BrokerSockets } from "../sockets.js";
import { durationText, NEVER_MS } from "../units.js";
import { encodeBeat, decodePulse } from "../wire/shared-codec.js";
import { decodeWorkerReply, encodeWorkerMessage } from "../wire/worker-codec.js";
import type { StopCause } from "../words.js";
import type { ProcessSettings, ToHandlers, ToSession } from "./channel.js";
import { Session } from "./session.js";
import { Actions, type Welcomed } from "./session-types.js";

// After the order to end at once, so that a task that is handed back does not run here any more.
const LAST_MOMENTS_MS = 1_000;
// Node's timers hold no more.
const WAIT_MOST_MS = 2 ** 31 - 1;

const STOP_REASONS: Record<StopCause, StopReason> = {
  cancelled: "cancelled",
  stale_lease: "lease_lost",
  timed_out: "timed_out",
};

class Runner {
  readonly #settings: ProcessSettings;
  readonly #tell: (message: ToHandlers) => void;
  readonly #leave: () => void;
  readonly #session: Session;
  readonly #sockets: BrokerSockets;
  #actions = new Actions();
  #turnDue = false;
  #timer: NodeJS.Timeout | undefined;
  #connectByMs = NEVER_MS;
  #drainByMs = NEVER_MS;
  #stopRequests = 0;
  #connectedBefore = false;
  #ended = false;
  #handlersAlive = true;
  #handlersEnded: () => void = () => undefined;

  /** `leave`: all is said and done. */
  constructor(settings: ProcessSettings, tell: (message: ToHandlers) => void, leave: () => void) {
    this.#settings = settings;
    this.#tell = tell;
    this.#leave = leave;
    this.#session = new Session(settings.session, Math.random);
    this.#sockets = new BrokerSockets(settings.broker, loadKey(settings.key), {
      hearMessage: (frames) => {
        this.#hear(() => {
          this.#session.receive(decodeWorkerReply(frames), performance.now(), this.#actions);
        });
      },
      hearPulse: (frame) => {
        this.#hear(() => {
          this.#session.hearPulse(decodePulse(frame), performance.now(), this.#actions);
        });
      },
      connectionLost: () => {
        this.#hear(() => {
          this.#session.connectionLost(performance.now(), this.#actions);
        });
      },
    });
  }

  start(): void {
    this.#sockets.reconnect();
    if (this.#settings.connectTimeoutMs > 0) {
      this.#connectByMs = performance.now() + this.#settings.connectTimeoutMs;
    }
    this.#takeTurn();
  }

  // ---- what comes in ------------------------------------------------------------------------------

  #hear(take: () => void): void {
    if (this.#ended) return;
    try {
      take();
    } catch (error) {
      if (!(error instanceof BrokenMessage)) throw error;
      this.#notice("warning", `dropped a broken message from the broker: ${error.message}`);
    }
    this.#takeTurnSoon();
  }

  take(message: ToSession): void {
    switch (message.kind) {
      case "done":
        return this.#hear(() => {
          for (const completion of message.completions) {
            this.#session.finish(completion, performance.now(), this.#actions);
          }
        });
      case "extend":
        return this.#hear(() => {
          this.#session.extend(message.extension, performance.now());
        });
      case "stop":
        this.#stopRequests += 1;
        return this.#takeTurnSoon();
      case "ended":
        return this.#handlersEnded();
      case "settings":
        return;
    }
  }

  /** The process of the handlers is gone. Reports what ran as crashed, and ends. */
  loseHandlers(): void {
    this.#handlersAlive = false;
    this.#handlersEnded();
    this.#stopRequests = Math.max(1, this.#stopRequests);
    this.#hear(() => {
      this.#session.handlersDied(performance.now(), this.#actions);
    });
  }

  // ---- turns --------------------------------------------------------------------------------------

  /** After whatever else there is to hear: nobody is judged late before that. */
  #takeTurnSoon(): void {
    if (this.#turnDue || this.#ended) return;
    this.#turnDue = true;
    setImmediate(() => {
      this.#takeTurn();
    });
  }

  #takeTurn(): void {
    this.#turnDue = false;
    if (this.#ended) return;
    const nowMs = performance.now();
    this.#obeyStopRequests(nowMs);
    this.#session.tick(nowMs, this.#actions);
    const actions = this.#actions;
    this.#actions = new Actions();
    this.#perform(actions);
    if (this.#ended) return;
    if (nowMs >= this.#connectByMs) {
      const { host, port } = this.#settings.broker;
      void this.#fail(
        "unavailable",
        `no broker answered at ${host}:${port} within ` +
          `${durationText(this.#settings.connectTimeoutMs)}; is it running, and is that its ` +
          "worker port?",
      );
      return;
    }
    const wakeMs = Math.min(this.#session.nextDeadlineMs, this.#drainByMs, this.#connectByMs);
    clearTimeout(this.#timer);
    const waitMs = Math.min(Math.max(0, Math.ceil(wakeMs - nowMs)), WAIT_MOST_MS);
    this.#timer = setTimeout(() => {
      this.#takeTurnSoon();
    }, waitMs);
  }

  #obeyStopRequests(nowMs: number): void {
    if (this.#stopRequests === 0) return;
    if (this.#drainByMs === NEVER_MS) {
      this.#drainByMs = nowMs + this.#settings.drainTimeoutMs;
      this.#session.drain();
      this.#notice("info", `stopping: taking nothing new; ${this.#session.running} running`);
    }
    if (this.#stopRequests > 1 || nowMs >= this.#drainByMs) {
      this.#session.abandon(nowMs, this.#actions);
    }
  }

  // ---- what goes out ------------------------------------------------------------------------------

  #perform(actions: Actions): void {
    if (actions.failure !== undefined) {
      void this.#fail(actions.failure.code, actions.failure.message);
      return;
    }
    if (actions.lost !== "") {
      this.#notice("warning", `lost the broker: ${actions.lost}; running tasks go on`);
    }
    if (actions.reconnect) this.#sockets.reconnect();
    if (actions.welcomed !== undefined) this.#follow(actions.welcomed);
    if (actions.starts.length > 0) this.#tell({ kind: "start", tasks: actions.starts });
    if (actions.finished) {
      void this.#finish(actions);
      return;
    }
    if (actions.stops.length > 0) {
      const leases = actions.stops.map(({ task, fence, cause }) => {
        return { task, fence, reason: STOP_REASONS[cause] };
      });
      this.#tell({ kind: "stop", leases });
    }
    this.#send(actions);
  }

  #send(actions: Actions): void {
    for (const message of actions.sends) {
      this.#sockets.send(encodeWorkerMessage(message), message.kind === "hello");
    }
    for (const beat of actions.beats) this.#sockets.sendBeat(encodeBeat(beat));
  }

  #follow(welcomed: Welcomed): void {
    const how = this.#connectedBefore ? "reconnected" : "connected";
    this.#notice("info", `${how} to broker ${welcomed.brokerVersion}, epoch ${welcomed.epoch}`);
    this.#connectedBefore = true;
    this.#connectByMs = NEVER_MS;
    this.#sockets.beatTo(welcomed.endpoints.beatPort);
    this.#sockets.listen(welcomed.endpoints.pulsePort);
    this.#tell({ kind: "limits", resultBytesMax: welcomed.limits.resultBytesMax });
  }

  // ---- the end ------------------------------------------------------------------------------------

  /** Everything that still runs is told to end, and gets a moment to do so. */
  async #endHandlers(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    if (!this.#handlersAlive) return;
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, LAST_MOMENTS_MS);
      this.#handlersEnded = () => {
        clearTimeout(patience);
        resolve();
      };
      this.#tell({ kind: "end" });
    });
  }

  async #finish(actions: Actions): Promise<void> {
    await this.#endHandlers();
    this.#send(actions);
    await this.#sockets.close();
    const { succeeded, unsuccessful, cancelled, released, stale } = this.#session.totals;
    this.#notice(
      "info",
      `ended: ${succeeded} succeeded, ${unsuccessful} failed, ${cancelled} cancelled, ` +
        `${released} handed back, ${stale} too late`,
    );
    this.#tell({ kind: "finished" });
    this.#leave();
  }

  async #fail(code: ToFailure["code"], message: string): Promise<void> {
    await this.#endHandlers();
    await this.#sockets.close();
    this.#tell({ kind: "failed", code, message });
    this.#leave();
  }

  #notice(level: "info" | "warning", text: string): void {
    this.#tell({ kind: "notice", level, text });
  }
}

type ToFailure = Extract<ToHandlers, { kind: "failed" }>;

// Those who stop the process of the handlers stop this one through it, in good order.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

let runner: Runner | undefined;

function tell(message: ToHandlers): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

process.on("message", (message: ToSession) => {
  if (message.kind === "settings") {
    runner = new Runner(message.settings, tell, () => {
      if (process.connected) process.disconnect();
    });
    runner.start();
  } else {
    runner?.take(message);
  }
});
process.on("disconnect", () => {
  runner?.loseHandlers();
});

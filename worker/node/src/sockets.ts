// The sockets of a client or a worker, with the options that docs/protocol.md asks for.
import { Dealer, Publisher, Subscriber } from "zeromq";
import { endpointOf, type HostPort } from "./address.js";
import type { CurveOptions } from "./key.js";
import { DEFAULT_LIMITS } from "./limits.js";

// Messages that may wait here while the broker is away or slow; all that matters is said again.
const WAITING_MAX = 4_096;
// A last message, such as a goodbye, has so long to leave.
const FAREWELL_MS = 1_000;

const CONNECTION_OPTIONS = {
  linger: 0,
  heartbeatInterval: 1_000,
  heartbeatTimeout: 3_000,
  reconnectInterval: 100,
  reconnectMaxInterval: 1_000,
  maxMessageSize: DEFAULT_LIMITS.frameBytesMax,
} as const;

export interface SocketListener {
  hearMessage(frames: readonly Uint8Array[]): void;
  hearPulse(frame: Uint8Array): void;
  /** The transport lost the connection: a hint, without which it shows as silence. */
  connectionLost(): void;
}

/** A DEALER that is made anew when it is lost, and the two heartbeat channels. */
export class BrokerSockets {
  readonly #broker: HostPort;
  readonly #options: typeof CONNECTION_OPTIONS & Partial<CurveOptions>;
  readonly #listener: SocketListener;
  #dealer: Dealer | undefined;
  #beats: Publisher | undefined;
  #pulses: Subscriber | undefined;
  #beatPort = 0;
  #pulsePort = 0;
  #waiting: Uint8Array[][] = [];
  #sending: Promise<void> | undefined;

  constructor(broker: HostPort, key: CurveOptions | undefined, listener: SocketListener) {
    this.#broker = broker;
    this.#options = { ...CONNECTION_OPTIONS, ...key };
    this.#listener = listener;
  }

  /** A fresh DEALER; what was not sent yet is dropped. */
  reconnect(): void {
    this.#waiting = [];
    this.#sending = undefined;
    this.#dealer?.close();
    const dealer = new Dealer({ ...this.#options, immediate: true });
    this.#dealer = dealer;
    dealer.events.on("disconnect", () => {
      if (dealer === this.#dealer) this.#listener.connectionLost();
    });
    dealer.connect(endpointOf(this.#broker.host, this.#broker.port));
    void this.#receive(dealer);
  }

  async #receive(dealer: Dealer): Promise<void> {
    for await (const frames of dealer) {
      if (dealer !== this.#dealer) return;
      this.#listener.hearMessage(frames);
    }
  }

  /** Hears the broker's pulse. 0: it has none. */
  listen(pulsePort: number): void {
    if (pulsePort === this.#pulsePort || pulsePort === 0) return;
    this.#pulses?.close();
    this.#pulsePort = pulsePort;
    const pulses = new Subscriber({ ...this.#options, receiveHighWaterMark: 64 });
    this.#pulses = pulses;
    pulses.subscribe();
    pulses.connect(endpointOf(this.#broker.host, pulsePort));
    void this.#receivePulses(pulses);
  }

  async #receivePulses(pulses: Subscriber): Promise<void> {
    for await (const frames of pulses) {
      const [frame, more] = frames;
      if (frame !== undefined && more === undefined) this.#listener.hearPulse(frame);
    }
  }

  /** Where beats go. 0: nowhere. */
  beatTo(beatPort: number): void {
    if (beatPort === this.#beatPort || beatPort === 0) return;
    this.#beats?.close();
    this.#beatPort = beatPort;
    this.#beats = new Publisher({ ...this.#options, sendHighWaterMark: 16 });
    this.#beats.connect(endpointOf(this.#broker.host, beatPort));
  }

  /** Beats may be lost; the next one says the same. */
  sendBeat(frame: Uint8Array): void {
    this.#beats?.send(frame).catch(() => undefined);
  }

  /** Sends, or keeps until it can be sent. `supersedes` drops what has waited until now. */
  send(frames: Uint8Array[], supersedes = false): void {
    if (supersedes) this.#waiting = [];
    if (this.#dealer === undefined || this.#waiting.length >= WAITING_MAX) return;
    this.#waiting.push(frames);
    this.#sending ??= this.#sendWaiting(this.#dealer);
  }

  async #sendWaiting(dealer: Dealer): Promise<void> {
    try {
      while (dealer === this.#dealer) {
        const frames = this.#waiting.shift();
        if (frames === undefined) break;
        await dealer.send(frames);
      }
    } catch {
      // Closed meanwhile: what was not sent is said again on the next connection.
    }
    if (dealer === this.#dealer) this.#sending = undefined;
  }

  /** Gives a last message a moment to leave. */
  async close(): Promise<void> {
    const dealer = this.#dealer;
    if (this.#sending !== undefined) {
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, FAREWELL_MS);
      });
      await Promise.race([this.#sending, patience]);
      clearTimeout(timer);
    }
    this.#dealer = undefined;
    if (dealer !== undefined) {
      dealer.linger = FAREWELL_MS;
      dealer.close();
    }
    this.#beats?.close();
    this.#pulses?.close();
  }
}

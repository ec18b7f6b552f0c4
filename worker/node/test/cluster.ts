// A broker and workers as processes, on free ports and in a folder of their own. Conditions are waited
// for, with a generous deadline.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "../src/index.js";

export const BINARIES = process.env.MILLRACE_BINARIES;
export const DEADLINE_MS = 60_000;
const KINDS = ["client", "worker", "beat", "pulse", "http"] as const;
type Kind = (typeof KINDS)[number];

/** The first value of `look` that is neither undefined nor false. */
export async function waitFor<Value>(
  look: () => Value | Promise<Value>,
  what: string,
): Promise<Exclude<Value, undefined | false>> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value as Exclude<Value, undefined | false>;
    assert.ok(performance.now() < deadline, `not within ${DEADLINE_MS} ms: ${what}`);
    await sleep(20);
  }
}

export class Cluster {
  readonly folder = mkdtempSync(join(tmpdir(), "millrace-node-"));
  readonly #processes: ChildProcess[] = [];
  readonly #ports = new Map<Kind, number>();
  #broker: ChildProcess | undefined;

  addressOf(kind: Kind): string {
    return `127.0.0.1:${this.#ports.get(kind)}`;
  }

  async startBroker(...flags: readonly string[]): Promise<void> {
    const ports = KINDS.flatMap((kind) => [`--${kind}-port`, String(this.#ports.get(kind) ?? 0)]);
    const broker = spawn(
      join(BINARIES ?? "", "millrace-broker"),
      ["--data", join(this.folder, "data"), "--log-level", "error", ...ports, ...flags],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#processes.push(broker);
    this.#broker = broker;
    let text = "";
    for await (const piece of broker.stdout) {
      text += String(piece);
      if (text.includes("\n")) break;
    }
    const ready = JSON.parse(text) as Record<Kind, string>;
    for (const kind of KINDS) this.#ports.set(kind, Number(ready[kind].split(":").at(-1)));
  }

  async killBroker(): Promise<void> {
    this.#broker?.kill("SIGKILL");
    if (this.#broker !== undefined) await exitOf(this.#broker);
  }

  /** The handlers of test/handlers.ts in a process. */
  startWorker(name: string, slots = 4): ChildProcess {
    const script = fileURLToPath(new URL("./handlers.js", import.meta.url));
    const worker = spawn(
      process.execPath,
      [script, this.addressOf("worker"), name, String(slots), this.folder],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    this.#processes.push(worker);
    return worker;
  }

  async connect(): Promise<Client> {
    return Client.connect({ broker: this.addressOf("client"), connectTimeoutMs: DEADLINE_MS });
  }

  /** The lines that handlers wrote under this name. */
  marks(name: string): string[] {
    try {
      return readFileSync(join(this.folder, name), "utf8").split("\n").filter(Boolean);
    } catch {
      return [];
    }
  }

  async metric(name: string): Promise<number> {
    const response = await fetch(`http://${this.addressOf("http")}/metrics`);
    return ((await response.json()) as Record<string, number>)[name] ?? Number.NaN;
  }

  async close(): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await exitOf(child);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The exit code; null when a signal ended it. */
export async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

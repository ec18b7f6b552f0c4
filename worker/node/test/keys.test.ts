// A broker with keys: what a key opens, and what happens without one.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client, Worker } from "../src/index.js";
import { BINARIES, Cluster, DEADLINE_MS } from "./cluster.js";

const skip = BINARIES === undefined && "MILLRACE_BINARIES names no programs";

describe("keys", { skip }, () => {
  const cluster = new Cluster();
  const keys = join(cluster.folder, "keys");
  const keyOf = (name: string) => join(keys, `${name}.key`);

  before(async () => {
    execFileSync(join(BINARIES ?? "", "millrace"), ["keygen", keys]);
    await cluster.startBroker("--keys", keys);
  });
  after(async () => {
    await cluster.close();
  });

  test("a worker's and a client's key open the broker to them", async () => {
    const worker = new Worker({
      broker: cluster.addressOf("worker"),
      key: keyOf("worker"),
      handleSignals: false,
    });
    worker.handle("greet", (task) => `hello ${Buffer.from(task.payload).toString()}`);
    const running = worker.run();
    const client = await Client.connect({
      broker: cluster.addressOf("client"),
      key: keyOf("client"),
      connectTimeoutMs: DEADLINE_MS,
    });
    const id = await client.submit({ queue: "greet", payload: "you" });
    const end = await client.wait(id, { timeoutMs: DEADLINE_MS });
    assert.equal(Buffer.from(end.result).toString(), "hello you");
    await assert.rejects(client.controlQueue("greet", "pause"), { code: "forbidden" });
    await client.close();
    worker.requestStop();
    await running;
  });

  test("the wrong kind of key is told so, and no key hears nothing", async () => {
    const broker = cluster.addressOf("client");
    await assert.rejects(Client.connect({ broker, key: keyOf("worker") }), { code: "forbidden" });
    await assert.rejects(Client.connect({ broker, connectTimeoutMs: 300 }), { code: "unavailable" });
  });

  test("a key file that others may read, or that is none, is refused", async () => {
    const path = join(cluster.folder, "open.key");
    writeFileSync(path, "{}");
    chmodSync(path, 0o644);
    await assert.rejects(Client.connect({ key: path }), { message: /chmod 600/ });
    chmodSync(path, 0o600);
    await assert.rejects(Client.connect({ key: path }), { code: "misconfigured" });
    await assert.rejects(Client.connect({ key: `${path}.none` }), { code: "misconfigured" });
  });
});

// Workers and clients against the real broker: how handlers end, and what dies on the way.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { newTaskId, type Client, type TaskSpec } from "../src/index.js";
import { BINARIES, Cluster, DEADLINE_MS, exitOf, waitFor } from "./cluster.js";

const skip = BINARIES === undefined && "MILLRACE_BINARIES names no programs";
const timeoutMs = DEADLINE_MS;

async function wait(client: Client, id: string) {
  return client.wait(id, { timeoutMs });
}

describe("handlers", { skip }, () => {
  const cluster = new Cluster();
  let client: Client;

  before(async () => {
    await cluster.startBroker();
    cluster.startWorker("node", 6);
    client = await cluster.connect();
  });
  after(async () => {
    await client.close();
    await cluster.close();
  });

  async function run(spec: TaskSpec) {
    return wait(client, await client.submit({ backoffInitialMs: 10, ...spec }));
  }

  async function start(queue: string, payload: string, spec: Partial<TaskSpec> = {}) {
    const id = await client.submit({ queue, payload, ...spec });
    await waitFor(() => cluster.marks("started").includes(id), "a start");
    return id;
  }

  test("see their attempt", async () => {
    const headers = [
      ["k", "1"],
      ["k", "ü"],
    ] as const;
    const end = await run({ queue: "describe", payload: "pä", maxAttempts: 7, headers });
    assert.equal(end.state, "succeeded");
    assert.deepEqual(JSON.parse(Buffer.from(end.result).toString()), {
      id: end.id,
      queue: "describe",
      attempt: 1,
      maxAttempts: 7,
      fence: "1",
      headers,
      payload: "pä",
    });
  });

  test("an error is retried, and kept with its place and its message", async () => {
    const end = await run({ queue: "second" });
    assert.equal(end.state, "succeeded");
    assert.equal(Buffer.from(end.result).toString(), "attempt 2");
    const { attemptRecords } = await client.get(end.id, { attempts: true });
    assert.equal(attemptRecords.length, 1);
    assert.equal(attemptRecords[0]?.reason, "failed");
    assert.equal(attemptRecords[0]?.worker, "node");
    assert.match(attemptRecords[0]?.error ?? "", /handlers\.js[^]*TypeError: not yet$/);
  });

  test("attempts are used up, and failing for good is final", async () => {
    const again = await run({ queue: "again", maxAttempts: 2 });
    assert.deepEqual(
      [again.state, again.attempts, again.reason, again.error],
      ["dead", 2, "failed", "try later"],
    );
    const good = await run({ queue: "good" });
    assert.deepEqual(
      [good.state, good.attempts, good.reason, good.error],
      ["dead", 1, "failed_for_good", "no use"],
    );
  });

  test("a cancel and a timeout reach them through the signal", async () => {
    const cancelled = await start("wait", "60000");
    assert.equal((await client.cancel(cancelled)).status, "cancelling");
    assert.equal((await wait(client, cancelled)).state, "cancelled");
    const late = await start("wait", "60000", { timeoutMs: 300, maxAttempts: 1 });
    const end = await wait(client, late);
    assert.deepEqual([end.state, end.reason], ["dead", "timed_out"]);
    await waitFor(() => cluster.marks("stopped").length >= 2, "both handlers' ends");
    assert.deepEqual(
      new Set(cluster.marks("stopped")),
      new Set([`${cancelled}:cancelled`, `${late}:timed_out`]),
    );
  });

  test("progress is shown", async () => {
    const id = await client.submit({ queue: "shown", payload: "60000" });
    await waitFor(async () => (await client.get(id)).progressPercent === 42, "42 percent");
    await client.cancel(id);
  });

  test("an extension lengthens the attempt", async () => {
    const end = await run({ queue: "long", timeoutMs: 1_500 });
    assert.deepEqual([end.state, end.attempts], ["succeeded", 1]);
  });
});

describe("failures", { skip }, () => {
  let cluster: Cluster;
  let client: Client;

  beforeEach(async () => {
    cluster = new Cluster();
    await cluster.startBroker();
    client = await cluster.connect();
  });
  afterEach(async () => {
    await client.close();
    await cluster.close();
  });

  async function submit(count: number, spec: TaskSpec): Promise<string[]> {
    const results = await client.submitMany(new Array<TaskSpec>(count).fill(spec));
    for (const { error } of results) assert.equal(error, undefined);
    return results.map(({ id }) => id);
  }

  test("a handler that computes for longer than the lease loses nothing", async () => {
    cluster.startWorker("node", 2);
    const [id = ""] = await submit(1, { queue: "spin", payload: "4500" }); // the lease is 3 s
    const end = await wait(client, id);
    assert.deepEqual([end.state, end.attempts], ["succeeded", 1]);
    assert.equal(await cluster.metric("lease_losses_total"), 0);
  });

  test("a process that dies has its task tried again at once, and reported as crashed", async () => {
    const dying = cluster.startWorker("dying", 1);
    const [id = ""] = await submit(1, { queue: "die", backoffInitialMs: 10 });
    assert.equal(await exitOf(dying), 9);
    cluster.startWorker("next", 1);
    const end = await wait(client, id);
    assert.deepEqual([end.state, end.attempts], ["succeeded", 2]);
    const { attemptRecords } = await client.get(id, { attempts: true });
    assert.equal(attemptRecords[0]?.reason, "crashed");
  });

  test("a broker killed midway takes no task from the worker, and calls go on", async () => {
    cluster.startWorker("node", 4);
    const held = await submit(2, { queue: "wait", payload: "2500" });
    await waitFor(() => cluster.marks("started").length === 2, "two starts");
    const more = client.submitMany(
      Array.from({ length: 500 }, () => ({ queue: "describe", id: newTaskId() })),
    );
    await cluster.killBroker();
    const waiting = client.wait(held[0] ?? "", { timeoutMs });
    await cluster.startBroker();
    assert.equal((await waiting).state, "succeeded");
    const results = await more;
    const ids = results.map(({ id, error }) => {
      assert.equal(error, undefined);
      return id;
    });
    assert.equal(new Set(ids).size, 500);
    let ends = 0;
    for await (const end of client.asCompleted([...held, ...ids], { timeoutMs })) {
      assert.deepEqual([end.state, end.attempts], ["succeeded", 1]);
      ends += 1;
    }
    assert.equal(ends, 502);
    assert.equal(cluster.marks("started").length, 2);
  });

  test("SIGTERM finishes what runs, hands back the rest, and exits with 0", async () => {
    const worker = cluster.startWorker("leaving", 1);
    const [first = "", second = ""] = await submit(2, { queue: "wait", payload: "1000" });
    await waitFor(() => cluster.marks("started").length === 1, "a start");
    worker.kill("SIGTERM");
    assert.equal(await exitOf(worker), 0);
    assert.deepEqual(cluster.marks("exits"), ["leaving"]);
    assert.equal((await wait(client, first)).attempts, 1);
    cluster.startWorker("staying", 1);
    assert.equal((await wait(client, second)).attempts, 1);
  });

  test("an id is one task, and other content under it a conflict", async () => {
    const id = newTaskId();
    assert.equal(await client.submit({ queue: "q", payload: "a", id }), id);
    assert.equal(await client.submit({ queue: "q", payload: "a", id }), id);
    await assert.rejects(client.submit({ queue: "q", payload: "b", id }), { code: "conflict" });
    await assert.rejects(client.wait(newTaskId(), { timeoutMs }), { code: "not_found" });
    await assert.rejects(client.get(newTaskId()), { code: "not_found" });
    assert.equal((await client.cancel(id)).status, "cancelled");
    assert.equal((await client.cancel(newTaskId())).status, "not_found");
    const views: string[] = [];
    for await (const view of client.tasks({ state: "cancelled" })) views.push(view.id);
    assert.deepEqual(views, [id]);
  });

  test("an aborted call rejects with its reason; a closed client ends its calls", async () => {
    const id = await client.submit({ queue: "nobody" });
    const aborted = client.wait(id, { signal: AbortSignal.timeout(50) });
    await assert.rejects(aborted, { name: "TimeoutError" });
    const open = client.wait(id);
    const outcome = assert.rejects(open, { code: "unavailable", message: "the client was closed" });
    await client.close();
    await outcome;
  });

  test("without a broker a call ends in its time, and says what to do", async () => {
    await cluster.killBroker();
    const call = client.submit({ queue: "q" }, { timeoutMs: 200 });
    await assert.rejects(call, { code: "unavailable", message: /is it running/ });
  });
});

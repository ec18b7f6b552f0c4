// A Node client: what echo_client.py does. usage: echo_client.mjs PACKAGE BROKER SECONDS BATCH-TASKS
import { pathToFileURL } from "node:url";

const [packageFolder, broker, seconds, batch] = process.argv.slice(2);
const { Client } = await import(pathToFileURL(`${packageFolder}/dist/src/index.js`).href);
const client = await Client.connect({ broker });
const payload = Buffer.alloc(100, "x");
const now = () => performance.now() / 1e3;

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function runBatch() {
  const specs = Array.from({ length: Number(batch) }, () => ({ queue: "echo", payload }));
  const results = await client.submitMany(specs);
  let succeeded = 0;
  for await (const end of client.asCompleted(results.map(({ id }) => id))) {
    succeeded += Number(end.state === "succeeded");
  }
  if (succeeded !== Number(batch)) throw new Error("not every task has succeeded");
}

await runBatch();
let tasks = 0;
const began = now();
const cpuBefore = cpuSeconds();
while (now() < began + Number(seconds)) {
  await runBatch();
  tasks += Number(batch);
}
const took = now() - began;
const cpu = cpuSeconds() - cpuBefore;

const trips = [];
const until = now() + Number(seconds);
while (now() < until) {
  const start = now();
  await client.wait(await client.submit({ queue: "echo", payload }), { timeoutMs: 60_000 });
  trips.push((now() - start) * 1e3);
}
trips.sort((one, other) => one - other);
await client.close();
console.log(JSON.stringify({
  tasks, seconds: took, cpu_seconds: cpu, ping_ms: trips[Math.floor(trips.length / 2)],
}));

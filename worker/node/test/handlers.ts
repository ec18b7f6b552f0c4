// A worker with handlers for all that a test may want: BROKER NAME SLOTS FOLDER.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FailForGood, Retry, Stopped, Worker } from "../src/index.js";

const [broker = "", name = "", slots = "1", folder = "."] = process.argv.slice(2);

function mark(file: string, text: string): void {
  appendFileSync(join(folder, file), `${text}\n`);
}

const worker = new Worker({ broker, name, slots: Number(slots) });

worker.handle("describe", (task) =>
  JSON.stringify({
    id: task.id,
    queue: task.queue,
    attempt: task.attempt,
    maxAttempts: task.maxAttempts,
    fence: String(task.fence),
    headers: task.headers,
    payload: task.payload.toString(),
  }),
);

worker.handle("second", (task) => {
  if (task.attempt === 1) throw new TypeError("not yet");
  return `attempt ${task.attempt}`;
});

worker.handle("again", () => {
  throw new Retry("try later");
});

worker.handle("good", () => {
  throw new FailForGood("no use");
});

// Sleeps for the milliseconds in the payload, as long as it may.
worker.handle("wait", async (task, { signal }) => {
  mark("started", task.id);
  try {
    await sleep(Number(task.payload), undefined, { signal });
  } catch {
    mark("stopped", `${task.id}:${(signal.reason as Stopped).reason}`);
    throw signal.reason;
  }
  mark("ended", task.id);
});

worker.handle("shown", async (task, { signal, progress }) => {
  progress(42);
  await sleep(Number(task.payload), undefined, { signal });
});

// Longer than its timeout, but never silent for so long.
worker.handle("long", async (_, { extend }) => {
  for (let step = 0; step < 20; step++) {
    await sleep(100);
    extend();
  }
  return "done";
});

// Computes for the milliseconds in the payload: nothing else happens in this process meanwhile.
worker.handle("spin", (task) => {
  const end = performance.now() + Number(task.payload);
  while (performance.now() < end);
  return "spun";
});

worker.handle("die", (task) => {
  if (task.attempt > 1) return `attempt ${task.attempt}`;
  process.exit(9);
});

await worker.run();
mark("exits", name);

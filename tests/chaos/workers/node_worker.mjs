// A worker of the Node package in a campaign: echo and sleep, as `millrace-worker --builtin` has them.
// usage: node_worker.mjs PACKAGE BROKER NAME LEDGER SLOTS
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const [packageFolder, broker, name, ledger, slots] = process.argv.slice(2);
const { Worker } = await import(pathToFileURL(`${packageFolder}/dist/src/index.js`).href);

function note(what, { id, attempt, fence }) {
  const now = process.hrtime.bigint();
  appendFileSync(ledger, `${what} ${id} ${attempt} ${fence} ${name} ${now}\n`);
}

function noted(handle) {
  return async (task, context) => {
    note("start", task);
    try {
      return await handle(task, context);
    } finally {
      note("end", task);
    }
  };
}

const worker = new Worker({ broker, slots: Number(slots), name });
worker.handle("echo", noted((task) => task.payload));
worker.handle("sleep", noted(async (task, { signal }) => {
  await sleep(Number(task.payload.toString()), undefined, { signal });
}));
await worker.run();

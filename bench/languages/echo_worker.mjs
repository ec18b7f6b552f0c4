// A Node worker that returns the payload. usage: echo_worker.mjs PACKAGE BROKER SLOTS
import { pathToFileURL } from "node:url";

const [packageFolder, broker, slots] = process.argv.slice(2);
const { Worker } = await import(pathToFileURL(`${packageFolder}/dist/src/index.js`).href);
const worker = new Worker({ broker, slots: Number(slots), name: "node" });
worker.handle("echo", (task) => task.payload);
await worker.run();

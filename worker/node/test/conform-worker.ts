// The worker that the conformance kit judges: BROKER QUEUE SLOTS. tests/conform/README.md has what its
// handler must do.
import { FailForGood, Retry, Worker, type Handler } from "../src/index.js";

async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", abort);
    if (signal?.aborted === true) abort();
  });
}

function padded(bytes: number): string {
  return bytes < 2 ? "Z".repeat(bytes) : `A${"x".repeat(bytes - 2)}Z`;
}

const handler: Handler = async (task, { signal, progress }) => {
  const text = task.payload.toString();
  const space = text.indexOf(" ");
  const word = space < 0 ? text : text.slice(0, space);
  const rest = space < 0 ? "" : text.slice(space + 1);
  switch (word) {
    case "sleep":
      return sleep(Number(rest), signal);
    case "stuck":
      return sleep(Number(rest));
    case "fail":
      throw new Retry(rest);
    case "fail_for_good":
      throw new FailForGood(rest);
    case "result":
      return new Uint8Array(Number(rest));
    case "error":
      throw new Retry(padded(Number(rest)));
    case "progress": {
      const [percent, milliseconds] = rest.split(" ").map(Number);
      progress(percent ?? 0);
      return sleep(milliseconds ?? 0, signal);
    }
    default:
      return task.payload;
  }
};

const [broker = "", queue = "", slots = "1"] = process.argv.slice(2);
const worker = new Worker({
  broker,
  slots: Number(slots),
  notice: (level, text) => {
    console.error(`${level}: ${text}`);
  },
});
worker.handle(queue, handler);
try {
  await worker.run();
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
}

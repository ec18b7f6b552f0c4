// The client that the conformance kit judges: BROKER submit QUEUE COUNT | wait ID | cancel ID.
// tests/conform/README.md has the orders.
import { Client, type FinishedTask } from "../src/index.js";

const OUTAGE_MAX_MS = 60_000;

/** Whether it succeeded. */
function tell({ id, state }: FinishedTask): boolean {
  console.log(JSON.stringify({ id, state }));
  return state === "succeeded";
}

async function submit(client: Client, queue: string, count: number): Promise<boolean> {
  const tasks = Array.from({ length: count }, (_, number) => ({ queue, payload: `task ${number}` }));
  const results = await client.submitMany(tasks);
  const accepted = results.filter(({ error }) => error === undefined).map(({ id }) => id);
  let succeeded = 0;
  for await (const end of client.asCompleted(accepted)) succeeded += Number(tell(end));
  return succeeded === count;
}

async function cancel(client: Client, id: string): Promise<boolean> {
  const { status } = await client.cancel(id);
  return status === "cancelled" || status === "cancelling";
}

async function follow(client: Client, order: string, words: string[]): Promise<boolean> {
  const [first = "", second = ""] = words;
  if (order === "submit") return submit(client, first, Number(second));
  if (order === "wait") return tell(await client.wait(first));
  if (order === "cancel") return cancel(client, first);
  throw new Error(`no order ${order}`);
}

const [broker = "", order = "", ...words] = process.argv.slice(2);
try {
  const client = await Client.connect({
    broker,
    connectTimeoutMs: OUTAGE_MAX_MS,
    callTimeoutMs: OUTAGE_MAX_MS,
    outageMaxMs: OUTAGE_MAX_MS,
  });
  process.exitCode = (await follow(client, order, words)) ? 0 : 1;
  await client.close();
} catch (error) {
  console.error(String(error));
  process.exit(1);
}

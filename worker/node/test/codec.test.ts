// Frames in both directions against the golden fixtures, and frames that lie.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { BrokenMessage, MillraceError } from "../src/errors.js";
import { DEFAULT_LIMITS } from "../src/limits.js";
import { packBundle, splitTexts, unpackBundle } from "../src/wire/bundle.js";
import { decodeClientReply } from "../src/wire/client-reply-codec.js";
import { decodePulse } from "../src/wire/shared-codec.js";
import { checkTask, encodeTask, readTask } from "../src/wire/task-codec.js";
import { decodeWorkerReply } from "../src/wire/worker-codec.js";
import { verify } from "../src/wire/verifier.js";
import { describe as describeTask } from "../src/client/task-spec.js";

const FIXTURES =
  process.env.MILLRACE_FIXTURES ??
  fileURLToPath(new URL("../../../../tests/golden/fixtures", import.meta.url));

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

interface Fixture {
  readonly name: string;
  readonly root: string;
  readonly identifier: string;
  readonly fields: JsonObject;
  readonly frames: Uint8Array[];
  readonly bundle: readonly string[];
}

function fixtureOf(name: string): Fixture {
  const json = JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), "utf8")) as JsonObject;
  const frames = [`${name}.bin`, `${name}.bundle.bin`]
    .filter((file) => files.has(file))
    .map((file) => new Uint8Array(readFileSync(join(FIXTURES, file))));
  return {
    name,
    root: json.root as string,
    identifier: json.identifier as string,
    fields: json.fields as JsonObject,
    frames,
    bundle: (json.bundle ?? []) as readonly string[],
  };
}

const files = new Set(readdirSync(FIXTURES));
const fixtures = [...files].filter((f) => f.endsWith(".json")).map((f) => fixtureOf(f.slice(0, -5)));

function decoded(fixture: Fixture): JsonObject {
  const type = fixture.fields.body_type as string;
  const ofWorker = ["WorkerWelcome", "Dispatch", "Completed", "StopTasks", "Recall", "Drain"];
  const decode = ofWorker.includes(type) ? decodeWorkerReply : decodeClientReply;
  return decode(fixture.frames) as unknown as JsonObject;
}

const FROM_BROKER = new Set([
  ...["ClientWelcome", "Submitted", "Watching", "Finished", "Cancelled", "TaskList", "Changed"],
  ...["StatusReport", "Pong", "Refused", "BrokerGoodbye", "WorkerWelcome", "Dispatch", "Completed"],
  ...["StopTasks", "Recall", "Drain"],
]);

/** "a_name" as "aName". */
function camel(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Whether a decoded value says what the fixture says: times and durations in other units. */
function assertSame(actual: unknown, expected: Json, name: string): void {
  if (actual instanceof Date) {
    assert.equal(actual.getTime(), Math.floor(Number(expected) / 1e6), name);
  } else if (name.endsWith("_ns")) {
    assert.equal(actual, Number(expected) / 1e6, name);
  } else if (typeof actual === "bigint") {
    assert.equal(actual, BigInt(expected as string), name);
  } else if (typeof actual === "number") {
    assert.equal(actual, Number(expected), name);
  } else {
    assert.deepEqual(actual, expected, name);
  }
}

/** Compares the fields that both have under the same name; how many. */
function compare(actual: Record<string, unknown>, expected: JsonObject): number {
  let compared = 0;
  for (const [name, value] of Object.entries(expected)) {
    const key = name.endsWith("_ns") ? `${camel(name.slice(0, -3))}Ms` : camel(name);
    const found = key in actual ? actual[key] : undefined;
    if (found === undefined || typeof value === "object") continue;
    assertSame(found, value, name);
    compared += 1;
  }
  return compared;
}

test("every message of the broker is read as the fixtures say", async (context) => {
  const read = fixtures.filter(({ fields }) => FROM_BROKER.has(String(fields.body_type)));
  assert.ok(read.length > 25);
  for (const fixture of read) {
    await context.test(fixture.name, () => {
      const actual = decoded(fixture) as Record<string, unknown>;
      const body = fixture.fields.body as JsonObject;
      compare(actual, body);
      for (const list of ["tasks", "items", "stale"]) {
        const items = body[list];
        const found = actual[list];
        if (!Array.isArray(items) || !Array.isArray(found)) continue;
        if (list === "stale" && typeof items[0] !== "object") continue;
        assert.equal(found.length, items.length, list);
        items.forEach((item: JsonObject, index) => {
          const element = found[index] as Record<string, unknown>;
          assert.ok(compare(element, item) > 0, `${list}[${index}]`);
        });
      }
    });
  }
});

test("a dispatch brings its specs, a finished task its result and its error", () => {
  const dispatch = decodeWorkerReply(fixtureOf("dispatch").frames);
  assert.equal(dispatch.kind, "dispatch");
  if (dispatch.kind !== "dispatch") return;
  assert.deepEqual(
    dispatch.tasks.map((task) => Buffer.from(task.spec).toString("base64")),
    fixtureOf("dispatch").bundle,
  );
  assert.deepEqual(
    dispatch.tasks.map((task) => task.queue),
    ["resize", "encode", "resize"],
  );
  const finished = decodeClientReply(fixtureOf("finished").frames);
  assert.equal(finished.kind, "finished");
  if (finished.kind !== "finished") return;
  const results = finished.tasks.map((task) => Buffer.from(task.result).toString("base64"));
  assert.deepEqual(results, fixtureOf("finished").bundle);
  assert.equal(Buffer.byteLength(finished.tasks[1]?.error ?? ""), 15);
});

test("every fixture verifies; cut anywhere it is refused, or lacks nothing but padding", () => {
  for (const fixture of fixtures) {
    const { name, root, identifier, frames } = fixture;
    const [control = new Uint8Array(), ...rest] = frames;
    verify(control, root, identifier);
    const step = Math.ceil(control.length / 256);
    for (let size = 0; size < control.length; size += step) {
      const cut = { ...fixture, frames: [control.subarray(0, size), ...rest] };
      try {
        verify(cut.frames[0] ?? control, root, identifier);
      } catch (error) {
        assert.ok(error instanceof BrokenMessage, String(error));
        continue;
      }
      if (!FROM_BROKER.has(String(fixture.fields.body_type))) continue;
      assert.deepEqual(decoded(cut), decoded(fixture), `${name} cut to ${size} of ${control.length}`);
    }
  }
});

test("damaged frames are refused or read as something else", () => {
  let seed = 1;
  const next = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % below;
  };
  let refused = 0;
  for (const fixture of fixtures) {
    for (let round = 0; round < 30; round++) {
      const [control = new Uint8Array(), ...rest] = fixture.frames;
      const damaged = control.slice();
      for (let changes = 1 + next(3); changes > 0; changes--) {
        damaged[next(damaged.length)] = next(256);
      }
      for (const decode of [decodeWorkerReply, decodeClientReply]) {
        try {
          decode([damaged, ...rest]);
        } catch (error) {
          assert.ok(error instanceof BrokenMessage, `${fixture.name}: ${String(error)}`);
          refused += 1;
        }
      }
    }
  }
  assert.ok(refused > 0);
});

test("a vector of structs off its alignment is refused", () => {
  const [control = new Uint8Array()] = fixtureOf("completed").frames;
  // Every count of bytes in front moves all that follows; only multiples of 8 leave it aligned.
  const moved = new Uint8Array(control.length + 4);
  moved.set(control.subarray(0, 8));
  moved.set(control.subarray(8), 12);
  new DataView(moved.buffer).setUint32(0, new DataView(control.buffer).getUint32(0, true) + 4, true);
  assert.throws(() => verify(moved, "Envelope", "MRC1"), BrokenMessage);
});

test("pulses: the version, the size and the kind matter", () => {
  assert.equal(decodePulse(fixtureOf("pulse").frames[0] ?? new Uint8Array()).epoch, 7n);
  const [pulse = new Uint8Array()] = fixtureOf("pulse").frames;
  assert.throws(() => decodePulse(new Uint8Array([...pulse, ...new Uint8Array(300)])), BrokenMessage);
  assert.throws(() => decodePulse(fixtureOf("beat").frames[0] ?? pulse), BrokenMessage);
});

const BROKEN = join(FIXTURES, "..", "broken");
const BROKEN_READERS: Readonly<Record<string, (frames: Uint8Array[]) => unknown>> = {
  worker_reply: decodeWorkerReply,
  client_reply: decodeClientReply,
  pulse: ([frame = new Uint8Array()]) => decodePulse(frame),
};

test("every broken message is refused", () => {
  const present = new Set(readdirSync(BROKEN));
  let refused = 0;
  for (const file of present) {
    if (!file.endsWith(".json")) continue;
    const name = file.slice(0, -5);
    const told = JSON.parse(readFileSync(join(BROKEN, file), "utf8")) as { reader: string; about: string };
    const read = BROKEN_READERS[told.reader];
    // One of unknown kind may be of a later version.
    if (read === undefined || name === "other_side") continue;
    const frames = [".bin", ".bundle.bin", ".third.bin"]
      .map((suffix) => name + suffix)
      .filter((part) => present.has(part))
      .map((part) => new Uint8Array(readFileSync(join(BROKEN, part))));
    assert.throws(() => read(frames), BrokenMessage, `${name}: ${told.about}`);
    refused += 1;
  }
  assert.ok(refused > 15, `only ${refused} refused`);
});

test("bundles: strings stand on multiples of eight, and another length is broken", () => {
  const strings = ["abc", "", "12345678", "x"].map((text) => Buffer.from(text));
  const frame = packBundle(strings);
  assert.equal(Buffer.from(frame).toString(), "abc\0\0\0\0\x0012345678x");
  assert.deepEqual(unpackBundle(frame, [3, 0, 8, 1]).map(String), strings.map((s) => String(new Uint8Array(s))));
  assert.equal(packBundle([new Uint8Array()]).length, 0);
  for (const lengths of [[2], [4], [], [3, 1]]) {
    assert.throws(() => unpackBundle(Buffer.from("abc"), lengths), BrokenMessage);
  }
  assert.deepEqual(splitTexts(Buffer.from("ab\xffc", "latin1"), [1, 2, 1]), ["a", "b\ufffd", "c"]);
  assert.throws(() => splitTexts(Buffer.from("abc"), [2]), BrokenMessage);
});

test("a task is written as it is read", () => {
  const task = describeTask({
    queue: "resize",
    payload: "pä",
    id: "00112233-4455-6677-8899-AABBCCDDEEFF",
    headers: [
      ["k", "1"],
      ["k", "ü"],
    ],
  });
  checkTask(task, DEFAULT_LIMITS);
  const { payload, headers } = readTask(encodeTask(task));
  assert.equal(Buffer.from(payload).toString(), "pä");
  assert.deepEqual(headers, [
    ["k", "1"],
    ["k", "ü"],
  ]);
  assert.deepEqual(
    fixtures
      .filter(({ root }) => root === "TaskSpec")
      .map(({ frames, fields }) => {
        const read = readTask(frames[0] ?? new Uint8Array());
        return Buffer.from(read.payload).toString("base64") === (fields.payload as string);
      }),
    fixtures.filter(({ root }) => root === "TaskSpec").map(() => true),
  );
});

test("a task that breaks a rule is named before it is sent", () => {
  const broken: [Parameters<typeof describeTask>[0], string, RegExp][] = [
    [{ queue: "" }, "invalid", /queue/],
    [{ queue: "a b" }, "invalid", /queue/],
    [{ queue: "q", id: "x" }, "invalid", /id/],
    [{ queue: "q", id: "00000000-0000-0000-0000-000000000000" }, "invalid", /id/],
    [{ queue: "q", priority: 10 }, "invalid", /priority/],
    [{ queue: "q", maxAttempts: 0 }, "invalid", /maxAttempts/],
    [{ queue: "q", maxAttempts: 1.5 }, "invalid", /maxAttempts/],
    [{ queue: "q", timeoutMs: 50 }, "invalid", /timeout/],
    [{ queue: "q", delayMs: -1 }, "invalid", /delay/],
    [{ queue: "q", delayMs: Number.NaN }, "invalid", /delay/],
    [{ queue: "q", backoffInitialMs: 2, backoffMaxMs: 1 }, "invalid", /backoff/],
    [{ queue: "q", notBefore: new Date(-1) }, "invalid", /notBefore/],
    [{ queue: "q", headers: { "": "x" } }, "invalid", /header/],
    [{ queue: "q", headers: { a: "\0" } }, "invalid", /header/],
    [{ queue: "q", headers: { a: "\ud800" } }, "invalid", /header/],
    [{ queue: "q", headers: { a: "x".repeat(20_000) } }, "too_large", /headers/],
    [{ queue: "q", payload: new Uint8Array(17 << 20) }, "too_large", /payload/],
  ];
  for (const [spec, code, message] of broken) {
    assert.throws(
      () => {
        checkTask(describeTask(spec), DEFAULT_LIMITS);
      },
      (error) => error instanceof MillraceError && error.code === code && message.test(error.message),
      String(message),
    );
  }
});

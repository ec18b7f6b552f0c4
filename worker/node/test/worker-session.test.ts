// The worker's session without socket or clock: docs/protocol.md, sections 7 to 10.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { DEFAULT_LIMITS } from "../src/limits.js";
import type {
  Complete,
  Completion,
  Extend,
  StopTasks,
  WorkerHello,
  WorkerMessage,
  WorkerReply,
} from "../src/wire/messages.js";
import type { Outcome, StopCause } from "../src/words.js";
import { Session } from "../src/worker/session.js";
import { Actions, SESSION_DEFAULTS } from "../src/worker/session-types.js";

const NO_BYTES = new Uint8Array();

function idOf(number: number): string {
  return `00000000-0000-0000-0000-${String(number).padStart(12, "0")}`;
}

function numberOf(id: string): number {
  return Number(id.slice(-12));
}

class Scene {
  nowMs = 1_000;
  actions = new Actions();
  readonly session = new Session(
    {
      ...SESSION_DEFAULTS,
      worker: idOf(99),
      name: "tested",
      queues: ["q"],
      slots: 2,
      version: "1",
    },
    () => 0,
  );

  receive(reply: WorkerReply): void {
    this.session.receive(reply, this.nowMs, this.actions);
  }

  tick(afterMs = 0): Actions {
    this.nowMs += afterMs;
    this.session.tick(this.nowMs, this.actions);
    const done = this.actions;
    this.actions = new Actions();
    return done;
  }

  welcome(helloNumber: number, changes: object = {}): void {
    this.receive({
      kind: "workerWelcome",
      helloNumber,
      session: 7n,
      epoch: 1n,
      endpoints: { beatPort: 1, pulsePort: 2 },
      limits: DEFAULT_LIMITS,
      beatIntervalMs: 1_000,
      silenceMaxMs: 3_000,
      stale: [],
      brokerVersion: "1",
      ...changes,
    });
  }

  open(): void {
    const [hello] = sent(this.tick(), "hello");
    this.welcome(hello?.helloNumber ?? 0);
    this.tick();
  }

  dispatch(tasks: number[], fence = 1n, timeoutMs = 0): void {
    this.receive({
      kind: "dispatch",
      tasks: tasks.map((task) => ({
        task: idOf(task),
        fence,
        timeoutMs,
        queue: "q",
        attempt: 1,
        maxAttempts: 3,
        spec: NO_BYTES,
      })),
    });
  }

  finish(task: number, outcome: Outcome = "succeeded", changes: Partial<Completion> = {}): void {
    const completion = {
      task: idOf(task),
      fence: 1n,
      outcome,
      elapsedMs: 200,
      result: NO_BYTES,
      error: "",
      ...changes,
    };
    this.session.finish(completion, this.nowMs, this.actions);
  }

  stop(task: number, cause: StopCause, fence = 1n): void {
    const message: StopTasks = { kind: "stopTasks", tasks: [{ task: idOf(task), fence, cause }] };
    this.receive(message);
  }

  acknowledge(task: number, accepted = true): void {
    this.receive({ kind: "completed", items: [{ task: idOf(task), fence: 1n, accepted }] });
  }
}

function sent<Kind extends WorkerMessage["kind"]>(
  actions: Actions,
  kind: Kind,
): Extract<WorkerMessage, { kind: Kind }>[] {
  return actions.sends.filter(
    (message): message is Extract<WorkerMessage, { kind: Kind }> => message.kind === kind,
  );
}

function started(actions: Actions): number[] {
  return actions.starts.map((task) => numberOf(task.task));
}

function completions(actions: Actions): [number, Outcome][] {
  return sent(actions, "complete").flatMap((complete: Complete) =>
    complete.items.map((item): [number, Outcome] => [numberOf(item.task), item.outcome]),
  );
}

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});

describe("hello", () => {
  test("is repeated with a higher number, and only the newest Welcome opens", () => {
    const [first] = sent(scene.tick(), "hello");
    const [second] = sent(scene.tick(1_001), "hello");
    assert.ok((second as WorkerHello).helloNumber > (first as WorkerHello).helloNumber);
    scene.welcome((first as WorkerHello).helloNumber);
    assert.equal(scene.session.open, false);
    scene.welcome((second as WorkerHello).helloNumber);
    assert.equal(scene.session.open, true);
  });

  test("before its Welcome dispatches are discarded", () => {
    const [hello] = sent(scene.tick(), "hello");
    scene.dispatch([1]);
    scene.welcome(hello?.helloNumber ?? 0);
    assert.deepEqual(started(scene.tick()), []);
  });

  test("again on an unknown session, a new epoch and silence, with all that is held", () => {
    scene.open();
    scene.dispatch([1, 2, 3]);
    scene.tick();
    scene.finish(1);
    const refusal = { request: 0, message: "", retryAfterMs: 0 } as const;
    scene.receive({ kind: "refused", code: "unknown_session", ...refusal });
    const held = sent(scene.tick(), "hello")[0]?.holding.map(({ task }) => numberOf(task));
    assert.deepEqual(held?.sort(), [1, 2, 3]);

    scene = new Scene();
    scene.open();
    scene.session.hearPulse({ epoch: 2n }, scene.nowMs, scene.actions);
    const restarted = scene.tick();
    assert.equal(restarted.reconnect, false);
    assert.equal(sent(restarted, "hello").length, 1);

    scene = new Scene();
    scene.open();
    const silent = scene.tick(3_001);
    assert.equal(silent.reconnect, true);
    assert.equal(sent(silent, "hello").length, 1);
  });

  test("a broker that refuses for good ends the worker", () => {
    scene.tick();
    scene.receive({
      kind: "refused",
      request: 0,
      code: "invalid",
      message: "no such name",
      retryAfterMs: 0,
    });
    assert.match(scene.tick().failure?.message ?? "", /no such name/);
  });
});

describe("work", () => {
  beforeEach(() => {
    scene.open();
  });

  test("starts in order and never more than its slots", () => {
    scene.dispatch([1, 2, 3]);
    assert.deepEqual(started(scene.tick()), [1, 2]);
    scene.finish(1);
    assert.deepEqual(started(scene.tick()), [3]);
  });

  test("a repeated dispatch of a held lease is ignored, also when only its report is left", () => {
    scene.dispatch([1]);
    scene.dispatch([1]);
    assert.deepEqual(started(scene.tick()), [1]);
    scene.finish(1);
    scene.tick();
    scene.dispatch([1]);
    assert.deepEqual(started(scene.tick()), []);
  });

  test("a completion is repeated until it is acknowledged", () => {
    scene.dispatch([1]);
    scene.tick();
    scene.finish(1);
    assert.deepEqual(completions(scene.tick()), [[1, "succeeded"]]);
    assert.deepEqual(completions(scene.tick(1_000)), []);
    assert.deepEqual(completions(scene.tick(1_000)), [[1, "succeeded"]]);
    scene.acknowledge(1);
    assert.equal(scene.session.unacknowledged, 0);
    assert.deepEqual(completions(scene.tick(2_000)), []);
  });

  test("a stale answer is counted and not repeated", () => {
    scene.dispatch([1]);
    scene.tick();
    scene.finish(1);
    scene.tick();
    scene.acknowledge(1, false);
    assert.equal(scene.session.totals.stale, 1);
    assert.deepEqual(completions(scene.tick(2_500)), []);
  });

  test("a recall hands back only what has not started, and is always answered", () => {
    scene.dispatch([1, 2, 3]);
    scene.tick();
    const tasks = [2, 3, 4].map((task) => ({ task: idOf(task), fence: 1n }));
    scene.receive({ kind: "recall", recallNumber: 9n, tasks });
    scene.receive({ kind: "recall", recallNumber: 10n, tasks: [] });
    const answers = sent(scene.tick(), "complete");
    assert.deepEqual(
      answers.map(({ answersRecall, items }) => [answersRecall, items.map((i) => i.outcome)]),
      [
        [9n, ["released"]],
        [10n, []],
      ],
    );
  });

  test("a cancel beats a success that comes after it, and is reported at the real end", () => {
    scene.dispatch([1]);
    scene.tick();
    scene.stop(1, "cancelled");
    scene.stop(1, "cancelled");
    const actions = scene.tick();
    assert.equal(actions.stops.length, 1);
    assert.deepEqual(completions(actions), []);
    scene.finish(1, "succeeded", { result: Buffer.from("late") });
    assert.deepEqual(completions(scene.tick()), [[1, "cancelled"]]);
  });

  test("a stale task ends in silence, and its slot counts until then", () => {
    scene.dispatch([1, 2, 3]);
    scene.tick();
    scene.stop(1, "stale_lease");
    assert.deepEqual(started(scene.tick()), []);
    scene.finish(1);
    const actions = scene.tick();
    assert.deepEqual(started(actions), [3]);
    assert.deepEqual(completions(actions), []);
  });

  test("a timeout is reported at once, while the slot stays occupied", () => {
    scene.dispatch([1, 2], 1n, 1_000);
    scene.tick();
    scene.nowMs += 1_000;
    scene.dispatch([3]);
    const actions = scene.tick();
    assert.deepEqual(completions(actions), [
      [1, "timed_out"],
      [2, "timed_out"],
    ]);
    assert.deepEqual(started(actions), []);
    assert.equal(sent(actions, "complete")[0]?.credit, 0);
    scene.finish(1);
    assert.deepEqual(started(scene.tick()), [3]);
  });

  test("an extension moves the deadline, and progress never shortens it", () => {
    scene.dispatch([1], 1n, 1_000);
    scene.tick();
    const lease = { task: idOf(1), fence: 1n };
    scene.session.extend({ ...lease, byMs: 2_000, progressPercent: 0 }, scene.nowMs);
    scene.session.extend({ ...lease, byMs: 0, progressPercent: 40 }, scene.nowMs);
    const [extend] = sent(scene.tick(), "extend");
    assert.deepEqual((extend as Extend).items, [{ ...lease, byMs: 2_000, progressPercent: 40 }]);
    assert.deepEqual(completions(scene.tick(1_000)), []);
    assert.deepEqual(completions(scene.tick(1_000)), [[1, "timed_out"]]);
  });

  test("a result that is too long fails for good", () => {
    scene.dispatch([1]);
    scene.tick();
    scene.finish(1, "succeeded", { result: new Uint8Array(DEFAULT_LIMITS.resultBytesMax + 1) });
    assert.deepEqual(completions(scene.tick()), [[1, "failed_for_good"]]);
  });

  test("a task that waited a second goes back", () => {
    scene.dispatch([1, 2, 3]);
    scene.tick();
    assert.deepEqual(completions(scene.tick(1_000)), [[3, "released"]]);
  });

  test("what ran has crashed when the process of the handlers is gone", () => {
    scene.dispatch([1, 2, 3]);
    scene.tick();
    scene.session.handlersDied(scene.nowMs, scene.actions);
    assert.deepEqual(completions(scene.tick()), [
      [3, "released"],
      [1, "crashed"],
      [2, "crashed"],
    ]);
  });

  test("beats as often as the broker asks, also without a session", () => {
    assert.equal(scene.tick().beats.length, 0);
    assert.equal(scene.tick(1_000).beats.length, 1);
    scene.session.connectionLost(scene.nowMs, scene.actions);
    assert.equal(scene.tick(1_000).beats.length, 1);
  });
});

describe("the end", () => {
  beforeEach(() => {
    scene.open();
    scene.dispatch([1, 2, 3]);
    scene.tick();
  });

  test("a drain hands back what waits, finishes what runs, and says goodbye when all is answered", () => {
    scene.session.drain();
    let actions = scene.tick();
    assert.deepEqual(completions(actions), [[3, "released"]]);
    assert.equal(sent(actions, "complete")[0]?.credit, 0);
    scene.acknowledge(3);
    scene.finish(1);
    scene.finish(2);
    actions = scene.tick();
    assert.equal(actions.finished, false);
    scene.acknowledge(1);
    scene.acknowledge(2);
    actions = scene.tick();
    assert.equal(actions.finished, true);
    assert.equal(sent(actions, "goodbye").length, 1);
  });

  test("a drain does not wait for ever, and says the last reports again before the goodbye", () => {
    scene.session.drain();
    scene.finish(1);
    scene.finish(2);
    let actions = scene.tick();
    for (let second = 0; second < 5; second++) {
      scene.receive({ kind: "unknown" }); // the broker lives, and does not answer
      actions = scene.tick(1_000);
    }
    assert.equal(actions.finished, true);
    assert.deepEqual(
      actions.sends.map((message) => message.kind),
      ["complete", "goodbye"],
    );
    assert.deepEqual(
      completions(actions)
        .map(([task]) => task)
        .sort(),
      [1, 2, 3],
    );
  });

  test("an abandoned worker stops and hands back everything", () => {
    scene.session.abandon(scene.nowMs, scene.actions);
    const actions = scene.tick();
    assert.equal(actions.stops.length, 2);
    assert.deepEqual(new Set(completions(actions).map(([, outcome]) => outcome)), new Set(["released"]));
    assert.equal(actions.finished, true);
  });
});

// The page of everything at a glance.
import { ask, change, fetchJson } from "./api.js";
import { drawChart, sparkline } from "./charts.js";
import { ago, bar, button, byId, bytes, cell, count, duration, element, numberCell, short, showRows,
         taskLink } from "./format.js";

const kHourMilliseconds = 3_600_000;
const kShortestMilliseconds = 120_000;  // that a chart shows, however young the broker is
const kLivePoints = 600;  // of this page's own, a second apart, behind those of the broker's history
const kListed = 20;
const kListMilliseconds = 2000;

let past = [];  // samples of the last hour, oldest first
const live = [];  // what events brought since

const pointOf = (metrics) => ({
  taken_at: metrics.taken_at, completed_tasks: metrics.completed_tasks,
  waiting_tasks: metrics.pending_tasks + metrics.delayed_tasks,
  oldest_pending_seconds: Math.max(0, ...metrics.queues.map((queue) => queue.oldest_pending_seconds)),
  queues: Object.fromEntries(metrics.queues.map((queue) => [
    queue.name, { waiting: queue.pending + queue.delayed }])),
});

/** Values of `read` over the last hour; `null` where the broker was away. */
function series(read) {
  const samples = [...past, ...live];
  const points = [];
  for (let i = 0; i < samples.length; i += 1) {
    const time = Date.parse(samples[i].taken_at);
    const before = i > 0 ? Date.parse(samples[i - 1].taken_at) : time;
    if (time <= before && i > 0) continue;
    if (time - before > 60_000) points.push({ time: before + 1, value: null });
    const value = read(samples[i], samples[i - 1], (time - before) / 1000);
    if (value !== undefined) points.push({ time, value });
  }
  return points;
}

/** A second between two events is too short for a rate that can be read: the mean of some. */
function completedPerSecond(points) {
  return points.map((point, i) => {
    const near = points.slice(Math.max(0, i - 2), i + 1).filter(({ value }) => value !== null);
    return point.value === null ? point
      : { time: point.time, value: near.reduce((sum, { value }) => sum + value, 0) / near.length };
  });
}

function drawCharts() {
  const to = Date.parse(live.at(-1).taken_at);
  const first = Date.parse((past[0] ?? live[0]).taken_at);
  const from = Math.max(to - kHourMilliseconds, Math.min(first, to - kShortestMilliseconds));
  const curves = [
    ["throughput", completedPerSecond(series((now, before, seconds) => (
      before && seconds > 0 ? Math.max(0, now.completed_tasks - before.completed_tasks) / seconds : undefined))),
     (value) => `${short(value)}/s`],
    ["waiting", series((now) => now.waiting_tasks), short],
    ["oldest", series((now) => now.oldest_pending_seconds), duration],
  ];
  for (const [id, points, words] of curves) {
    drawChart(byId(id), points.filter(({ time }) => time >= from), from, to, words);
    const last = points.findLast(({ value }) => value !== null);
    byId(`${id}-now`).textContent = last === undefined ? "–" : words(last.value);
  }
}

function remember(metrics) {
  const point = pointOf(metrics);
  if (live.at(-1)?.taken_at === point.taken_at) return;
  live.push(point);
  if (live.length > kLivePoints) past = [...past, live.shift()].slice(-kHourMilliseconds / 1000);
}

/** Of the broker's own history, which began before this page. */
export async function readPast() {
  past = (await fetchJson("/history")).samples;
}

function tile(label, value, className = "", title = "") {
  const node = element("div", "tile", element("b", className, value), element("span", "", label));
  if (title) node.title = title;
  return node;
}

function showFigures(metrics) {
  const wait = metrics.latencies.queue_wait;
  const run = metrics.latencies.run_time;
  byId("figures").replaceChildren(
    tile("waiting", count(metrics.pending_tasks + metrics.delayed_tasks)),
    tile("running", count(metrics.in_progress_tasks)),
    tile("completed", count(metrics.completed_tasks)),
    tile("dead letters", count(metrics.dead_tasks), metrics.dead_tasks > 0 ? "bad" : ""),
    tile("retries", count(metrics.total_retries)),
    tile("workers", count(metrics.connected_workers), metrics.connected_workers === 0 ? "busy" : "",
         `${count(metrics.idle_workers)} idle`),
    tile("busy slots", `${count(metrics.busy_slots)} / ${count(metrics.slots)}`),
    tile("wait p50 · p99", `${duration(wait.p50_seconds)} · ${duration(wait.p99_seconds)}`),
    tile("run p50 · p99", `${duration(run.p50_seconds)} · ${duration(run.p99_seconds)}`),
    tile("commit p99", duration(metrics.latencies.commit.p99_seconds)),
    tile("store", `${(metrics.store.used_ratio * 100).toFixed(0)} %`, metrics.store_accepting ? "" : "bad",
         bytes(metrics.store.used_bytes)));
  byId("about").textContent = `${metrics.version} · up ${duration(metrics.uptime_seconds)}`;
}

// ---- queues ---------------------------------------------------------------------------------------

const control = (queue, action, done) => change("POST", "/v1/queues", { queue, action }, done);

async function purge(queue) {
  const yes = await ask(`Purge ${queue.name}?`,
    `Its ${count(queue.pending + queue.delayed)} waiting tasks are cancelled. What runs goes on.`, "Purge");
  if (!yes) return;
  let changed = 0;
  for (;;) {
    const answer = await control(queue.name, "purge", (step) => `${count(changed + step.changed)} cancelled`);
    if (answer === null || answer.changed === 0) return;
    changed += answer.changed;
  }
}

function queueRow(queue, samples) {
  const name = cell(queue.name, "name");
  if (queue.paused) name.append(" ", element("span", "pill busy", "paused"));
  const [verb, action] = queue.paused ? ["Resume", "resume"] : ["Pause", "pause"];
  return element("tr", "", name, cell(sparkline(samples.map((sample) => sample.queues[queue.name]?.waiting ?? 0))),
    numberCell(count(queue.pending)), numberCell(count(queue.delayed)), numberCell(count(queue.in_progress)),
    numberCell(count(queue.dead)), numberCell(duration(queue.oldest_pending_seconds)),
    cell(count(queue.workers), `number ${queue.workers === 0 && queue.pending > 0 ? "bad" : ""}`),
    element("td", "actions",
      button(verb, `${verb} ${queue.name}`, () => control(queue.name, action, `${queue.name}: ${action}d`)),
      button("Purge", `Purge ${queue.name}`, () => purge(queue))));
}

function showQueues(queues) {
  const step = Math.max(1, Math.floor(past.length / 60));
  const samples = [...past.filter((_, i) => i % step === 0), ...live.slice(-1)];
  showRows("queues", queues.map((queue) => [queue.name, queueRow(queue, samples)]), 9,
    "No queue yet: the first submit makes one.");
}

// ---- workers --------------------------------------------------------------------------------------

const kStateClass = { idle: "good", busy: "busy", draining: "quiet", unreachable: "bad" };

function workerRow(name, worker) {
  const drain = () => change("POST", "/v1/workers", { worker: name, action: "drain" },
    `${name} finishes what it runs, and takes nothing more`);
  return element("tr", "", cell(name, "name"), cell(worker.status, kStateClass[worker.status] ?? ""),
    cell(bar(worker.slots === 0 ? 0 : worker.running / worker.slots, `${worker.running} / ${worker.slots}`)),
    cell(bar(worker.utilisation, `${(worker.utilisation * 100).toFixed(0)} %`)),
    numberCell(count(worker.tasks_completed)), numberCell(count(worker.tasks_failed)),
    numberCell(duration(worker.last_heartbeat_age_seconds)), cell(worker.queues.join(", ")),
    element("td", "actions", button("Drain", `Drain ${name}`, drain)));
}

function showWorkers(workers, connected) {
  const rows = Object.entries(workers);
  byId("workers-count").textContent = rows.length < connected ? `${rows.length} of ${count(connected)} shown` : "";
  showRows("workers", rows.map(([name, worker]) => [name, workerRow(name, worker)]), 9,
    "No worker is connected.");
}

// ---- tasks ----------------------------------------------------------------------------------------

export const cancel = (id) => change("DELETE", `/v1/tasks/${id}`, undefined, (answer) => `${id}: ${answer.status}`);
export const requeue = (id) => change("POST", "/v1/requeue", { task: id },
  (answer) => (answer.changed === 1 ? `${id} is pending again` : `${id} was not dead any more`));

function runningRow(task) {
  return element("tr", "", cell(taskLink(task.id)), cell(task.queue), cell(task.worker || "–"),
    numberCell(`${task.attempts} / ${task.max_attempts}`),
    cell(task.progress_percent > 0 ? bar(task.progress_percent / 100, `${task.progress_percent} %`) : "–"),
    numberCell(ago(task.accepted_at)),
    element("td", "actions", button("Cancel", `Cancel ${task.id}`, () => cancel(task.id))));
}

function deadRow(task) {
  const error = cell(task.error, "error");
  error.title = task.error;
  return element("tr", "", cell(taskLink(task.id)), cell(task.queue), cell(task.reason.replaceAll("_", " ")),
    numberCell(`${task.attempts} / ${task.max_attempts}`), numberCell(ago(task.ended_at)), error,
    element("td", "actions", button("Requeue", `Requeue ${task.id}`, () => requeue(task.id))));
}

async function listTasks() {
  const lists = [["running", "/tasks?state=in_progress&", runningRow, "Nothing runs."],
                 ["dead-letters", "/dlq?", deadRow, "None."]];
  for (const [id, path, row, none] of lists) {
    const { tasks } = await fetchJson(`${path}limit=${kListed}`);
    showRows(id, tasks.map((task) => [task.id, row(task)]), 7, none);
  }
}

/** Lists tasks as long as `wanted()`. */
export async function keepListing(wanted) {
  try {
    if (wanted() && !document.hidden) await listTasks();
  } catch {
    // The health pill says what is wrong.
  }
  setTimeout(() => keepListing(wanted), kListMilliseconds);
}

export function showStatus({ metrics, workers }, visible) {
  remember(metrics);
  showFigures(metrics);
  byId("dead-count").textContent = metrics.dead_tasks > kListed ? `${kListed} of ${count(metrics.dead_tasks)} shown` : "";
  if (!visible) return;
  drawCharts();
  showQueues(metrics.queues);
  showWorkers(workers, metrics.connected_workers + metrics.unreachable_workers);
}

// Polls the broker's own JSON once a second and shows it. Text from the broker is only ever set as
// text, never as markup.
"use strict";

const kPollMilliseconds = 1000;
const kHistoryPoints = 120;
const kDeadLettersShown = 20;

const history = { throughput: [], depth: [] };
let previous = null;  // {completed, uptime} of the last answer, for the rate

const byId = (id) => document.getElementById(id);
const count = (value) => value.toLocaleString("en");

function duration(seconds) {
  if (seconds === 0) return "0";
  if (seconds < 0.001) return `${(seconds * 1e6).toFixed(0)} µs`;
  if (seconds < 1) return `${(seconds * 1e3).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(0)} min`;
  if (seconds < 172800) return `${(seconds / 3600).toFixed(0)} h`;
  return `${(seconds / 86400).toFixed(0)} d`;
}

function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit + 1 < units.length) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

const cell = (text) => element("td", "", String(text));
const numberCell = (text) => element("td", "number", String(text));

function showRows(id, rows, columns, textWhenNone) {
  if (rows.length === 0) {
    const none = element("td", "none", textWhenNone);
    none.colSpan = columns;
    rows = [element("tr", "", none)];
  }
  byId(id).replaceChildren(...rows);
}

function drawCurve(id, values) {
  const top = Math.max(1, ...values);
  const step = 240 / (kHistoryPoints - 1);
  const start = 240 - step * (values.length - 1);
  const points = values.map((value, i) => {
    const x = (start + i * step).toFixed(1);
    const y = (58 - (value / top) * 56).toFixed(1);
    return `${x} ${y}`;
  });
  const path = (className, data) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", "path");
    node.setAttribute("class", className);
    node.setAttribute("d", data);
    return node;
  };
  const line = `M${points.join("L")}`;
  byId(id).replaceChildren(
    path("area", `${line}L240 60L${start.toFixed(1)} 60Z`), path("curve", line));
}

function remember(series, value) {
  series.push(value);
  if (series.length > kHistoryPoints) series.shift();
}

function tile(label, value, className) {
  return element("div", "tile", element("b", className || "", value), element("span", "", label));
}

function completedPerSecond(metrics) {
  const now = { completed: metrics.completed_tasks, uptime: metrics.uptime_seconds };
  const before = previous;
  // The broker's own clock: a late answer does not look like a dip. A restart begins anew.
  if (before === null || now.uptime < before.uptime) previous = now;
  if (before === null || now.uptime <= before.uptime) return null;
  previous = now;
  return Math.max(0, now.completed - before.completed) / (now.uptime - before.uptime);
}

function showMetrics(metrics) {
  const rate = completedPerSecond(metrics);
  if (rate !== null) {
    remember(history.throughput, rate);
    remember(history.depth, metrics.pending_tasks + metrics.delayed_tasks);
    drawCurve("throughput", history.throughput);
    drawCurve("depth", history.depth);
    byId("throughput-now").textContent = count(Math.round(rate));
  }
  byId("depth-now").textContent = count(metrics.pending_tasks + metrics.delayed_tasks);
  byId("figures").replaceChildren(
    tile("pending", count(metrics.pending_tasks)),
    tile("in progress", count(metrics.in_progress_tasks)),
    tile("completed", count(metrics.completed_tasks)),
    tile("retries", count(metrics.total_retries)),
    tile("dead letters", count(metrics.dead_tasks), metrics.dead_tasks > 0 ? "bad" : ""),
    tile("workers (idle)", `${count(metrics.connected_workers)} (${count(metrics.idle_workers)})`),
    tile("busy slots", `${count(metrics.busy_slots)} / ${count(metrics.slots)}`),
    tile("queue wait p50 / p99", `${duration(metrics.latencies.queue_wait.p50_seconds)} / ` +
      duration(metrics.latencies.queue_wait.p99_seconds)),
    tile("commit p99", duration(metrics.latencies.commit.p99_seconds)),
    tile("store", `${(metrics.store.used_ratio * 100).toFixed(1)} %`,
      metrics.store_accepting ? "" : "bad"));
  byId("about").textContent = `${metrics.version} · up ${duration(metrics.uptime_seconds)} · ` +
    `store ${bytes(metrics.store.used_bytes)}`;
}

function showQueues(document) {
  showRows("queues", document.queues.map((queue) => {
    const name = cell(queue.name);
    if (queue.paused) name.append(" ", element("span", "pill busy", "paused"));
    return element("tr", "", name, numberCell(count(queue.pending)),
      numberCell(count(queue.delayed)), numberCell(count(queue.in_progress)),
      numberCell(count(queue.dead)), numberCell(duration(queue.oldest_pending_seconds)),
      numberCell(count(queue.workers)));
  }), 7, "No queue yet: the first submit makes one.");
}

const kStatusClass = { idle: "good", busy: "busy", draining: "quiet", unreachable: "bad" };

function showWorkers(workers) {
  showRows("workers", Object.entries(workers).map(([name, worker]) => {
    const bar = element("progress");
    bar.max = 1;
    bar.value = worker.utilisation;
    return element("tr", "", cell(name),
      element("td", kStatusClass[worker.status] || "", worker.status),
      element("td", "", bar, `${(worker.utilisation * 100).toFixed(0)} %`),
      numberCell(`${count(worker.running)} / ${count(worker.slots)}`),
      numberCell(count(worker.tasks_completed)), numberCell(count(worker.tasks_failed)),
      numberCell(duration(worker.last_heartbeat_age_seconds)), cell(worker.queues.join(", ")));
  }), 8, "No worker is connected.");
}

function showDeadLetters(list) {
  showRows("dead-letters", list.tasks.map((task) => {
    const link = element("a", "", task.id);
    link.href = `/tasks/${task.id}`;
    const error = element("td", "error", task.error);
    error.title = task.error;
    return element("tr", "", element("td", "", link), cell(task.queue), cell(task.reason),
      numberCell(`${task.attempts} / ${task.max_attempts}`),
      cell((task.ended_at || "").replace("T", " ").slice(0, 19)), error);
  }), 6, "None.");
}

function showHealth(text, className) {
  const pill = byId("health");
  pill.textContent = text;
  pill.className = `pill ${className}`;
}

async function fetchJson(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  const document = await response.json();
  if (!response.ok) throw new Error(document.error.message);
  return document;
}

async function poll() {
  const sections = [
    ["/metrics", showMetrics],
    ["/workers", showWorkers],
    ["/queues", showQueues],
    [`/dlq?limit=${kDeadLettersShown}`, showDeadLetters],
  ];
  const shown = sections.map(async ([path, show]) => show(await fetchJson(path)));
  const outcomes = await Promise.allSettled([...shown, fetchJson("/readyz")]);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed === undefined) {
    showHealth("ready", "good");
  } else if (failed.reason instanceof TypeError) {
    showHealth("broker unreachable", "bad");
  } else {
    showHealth(failed.reason.message, "bad");
  }
  setTimeout(poll, kPollMilliseconds);
}

poll();

// What the page asks of the broker: documents, the stream of events, and changes under the token.
import { byId } from "./format.js";

const kTokenKey = "millrace-token";
const kRetryMilliseconds = 2000;

function withToken(headers = {}) {
  const token = sessionStorage.getItem(kTokenKey);
  return token ? { ...headers, Authorization: `Bearer ${token}` } : headers;
}

async function request(path, options) {
  const response = await fetch(path, { ...options, headers: withToken(options.headers) });
  if (response.ok) return response;
  const document = await response.json().catch(() => null);
  const error = new Error(document?.error?.message ?? `the broker answered ${response.status}`);
  error.status = response.status;
  throw error;
}

export async function fetchJson(path, options = {}) {
  const text = await (await request(path, options)).text();
  return text === "" ? null : JSON.parse(text);
}

/** Reads a stream of server-sent events to its end. EventSource would not show the token. */
async function readEvents(show) {
  const response = await request("/events", {});
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data: ")) show(JSON.parse(line.slice(6)));
  }
}

async function askOnce(show) {
  const [metrics, workers] = await Promise.all([fetchJson("/metrics"), fetchJson("/workers")]);
  show({ metrics, workers });
}

/**
 * Calls `show` with each status, and `tell` with what is wrong. Where the broker gives no stream (all are
 * taken, or something between does not pass it) it asks every other second.
 */
export async function followStatus(show, tell) {
  for (;;) {
    try {
      await readEvents(show).catch((error) => { if (error.status !== 503) throw error; });
      await askOnce(show);
    } catch (error) {
      tell(error instanceof TypeError ? "broker unreachable" : error.status === 401 ? "token needed" : error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, kRetryMilliseconds));
  }
}

// ---- changes --------------------------------------------------------------------------------------

export function askForToken() {
  const dialog = byId("token-dialog");
  const field = byId("token");
  field.value = sessionStorage.getItem(kTokenKey) ?? "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      if (dialog.returnValue === "forget") sessionStorage.removeItem(kTokenKey);
      if (dialog.returnValue === "keep") sessionStorage.setItem(kTokenKey, field.value.trim());
      resolve(dialog.returnValue === "keep");
    }, { once: true });
  });
}

export function ask(title, text, yes) {
  const dialog = byId("question-dialog");
  byId("question").textContent = title;
  byId("question-text").textContent = text;
  byId("question-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

let noticeTimer;
export function notice(text, className = "") {
  const node = byId("notice");
  node.textContent = text;
  node.className = className;
  node.hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { node.hidden = true; }, 6000);
}

function send(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  return fetchJson(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

/** Changes something, and says how it went; asks for the token where it takes one. The answer, or null. */
export async function change(method, path, body, done) {
  try {
    const answer = await send(method, path, body);
    notice(typeof done === "function" ? done(answer) : done);
    return answer ?? {};
  } catch (error) {
    const needsToken = error.status === 401 || error.status === 403;
    if (needsToken && await askForToken()) return change(method, path, body, done);
    notice(error instanceof TypeError ? "The broker cannot be reached." : error.message, "bad");
    return null;
  }
}

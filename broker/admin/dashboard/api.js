// What the page asks of the broker: documents, the stream of events, and changes under the token.
import { byId } from "./format.js";

const kTokenKey = "millrace-token";
const kRetryMilliseconds = 2000;

export async function fetchJson(path, options = {}) {
  const response = await fetch(path, options);
  const text = await response.text();
  const document = text === "" ? null : JSON.parse(text);
  if (!response.ok) {
    const error = new Error(document?.error?.message ?? `the broker answered ${response.status}`);
    error.status = response.status;
    throw error;
  }
  return document;
}

/**
 * Calls `show` with each event, and `tell` with what is wrong, or null. Where the broker gives no stream
 * (all are taken, or something between does not pass it), it asks every other second.
 */
export function followStatus(show, tell) {
  const source = new EventSource("/events");
  source.onmessage = (message) => {
    tell(null);
    show(JSON.parse(message.data));
  };
  source.onerror = () => {
    source.close();
    askOnce(show, tell).finally(() => setTimeout(() => followStatus(show, tell), kRetryMilliseconds));
  };
}

async function askOnce(show, tell) {
  try {
    const [metrics, workers] = await Promise.all([fetchJson("/metrics"), fetchJson("/workers")]);
    tell(null);
    show({ metrics, workers });
  } catch (error) {
    tell(error instanceof TypeError ? "broker unreachable" : error.message);
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

async function send(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const token = sessionStorage.getItem(kTokenKey);
  if (token) headers.Authorization = `Bearer ${token}`;
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

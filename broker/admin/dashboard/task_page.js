// The page of one task: what it is, why it stands where it stands, and all that happened to it.
import { fetchJson } from "./api.js";
import { ago, button, byId, bytes, clock, duration, element } from "./format.js";
import { cancel, requeue } from "./overview.js";

const kEnded = ["succeeded", "dead", "cancelled", "expired"];
const kStateClass = { succeeded: "good", dead: "bad", in_progress: "busy", cancelled: "quiet", expired: "quiet" };

function facts(task) {
  const list = element("dl", "facts");
  const add = (name, value) => list.append(element("div", "", element("dt", "", name), element("dd", "", value)));
  add("Queue", task.queue);
  add("Priority", String(task.priority));
  add("Attempts", `${task.attempts} of ${task.max_attempts}`);
  if (task.worker) add("Worker", task.worker);
  if (task.progress_percent > 0) add("Progress", `${task.progress_percent} %`);
  add("Accepted", ago(task.accepted_at));
  if (task.state === "delayed") add("Due", clock(task.due_at));
  if (task.ended_at) add("Ended", ago(task.ended_at));
  if (task.expires_at && !task.ended_at) add("Expires", clock(task.expires_at));
  add("Timeout", duration(task.timeout_seconds));
  add("Payload", bytes(task.payload_bytes));
  if (task.result_bytes > 0) add("Result", bytes(task.result_bytes));
  return list;
}

function timeline(entries) {
  const list = element("ol", "timeline");
  for (const entry of entries) {
    const about = [entry.attempt && `attempt ${entry.attempt}`, entry.worker && `on ${entry.worker}`]
      .filter(Boolean).join(" ");
    list.append(element("li", entry.event, element("time", "quiet", clock(entry.at)),
      element("b", "", entry.event.replaceAll("_", " ")), element("span", "", about),
      element("p", "error", entry.detail ?? "")));
  }
  return list;
}

function bytesOf(task) {
  if (task.result !== undefined) return task.result;
  return task.result_base64 === undefined ? "" : `${task.result_base64} (base64)`;
}

function show(id, task, explanation, history) {
  const actions = element("p", "buttons");
  if (!kEnded.includes(task.state)) actions.append(button("Cancel", `Cancel ${id}`, () => cancel(id)));
  if (task.state === "dead") actions.append(button("Requeue", `Requeue ${id}`, () => requeue(id)));
  const back = element("a", "", "← Overview");
  back.href = "#/";
  const children = [element("p", "", back),
    element("h1", "", element("span", "id", id), " ",
            element("span", `pill ${kStateClass[task.state] ?? ""}`, task.state.replaceAll("_", " "))),
    element("p", "explanation", explanation.text), actions, facts(task),
    element("h2", "", "History"), timeline(history.history)];
  if (task.result_bytes > 0) children.push(element("h2", "", "Result"), element("pre", "", bytesOf(task)));
  const page = byId("task");
  // What has the focus keeps it: the page is drawn anew each time something has changed.
  const focused = page.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  page.replaceChildren(...children);
  if (focused) page.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
}

/** Shows the task, and again what has changed, as long as `wanted(id)`. */
export async function followTask(id, wanted) {
  let shown = "";
  while (wanted(id)) {
    try {
      const path = `/tasks/${encodeURIComponent(id)}`;
      const documents = await Promise.all([fetchJson(`${path}?result=true`), fetchJson(`${path}/explain`),
                                           fetchJson(`${path}/history`)]);
      const now = JSON.stringify(documents);
      if (wanted(id) && now !== shown) show(id, ...documents);
      shown = now;
    } catch (error) {
      const back = element("a", "", "← Overview");
      back.href = "#/";
      if (wanted(id)) byId("task").replaceChildren(element("p", "", back), element("p", "explanation", error.message));
      shown = "";
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

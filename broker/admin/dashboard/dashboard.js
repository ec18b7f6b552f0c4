// Which page is shown, and what feeds it. #/ is everything, #/tasks/ID one task.
import { askForToken, followStatus } from "./api.js";
import { byId } from "./format.js";
import { keepListing, readPast, showStatus } from "./overview.js";
import { followTask } from "./task_page.js";

const taskShown = () => /^#\/tasks\/(.+)$/.exec(location.hash)?.[1];

function showPage() {
  const id = taskShown();
  byId("overview").hidden = id !== undefined;
  byId("task").hidden = id === undefined;
  document.title = id === undefined ? "Millrace" : `${id} · Millrace`;
  if (id === undefined) return;
  byId("task").replaceChildren();
  followTask(decodeURIComponent(id), (still) => taskShown() !== undefined
    && decodeURIComponent(taskShown()) === still);
}

function showHealth(trouble, metrics) {
  const pill = byId("health");
  let [text, className] = ["ready", "good"];
  if (trouble) [text, className] = [trouble, "bad"];
  else if (metrics?.stopping) [text, className] = ["stopping", "busy"];
  else if (metrics && !metrics.store_accepting) [text, className] = ["store full", "bad"];
  if (pill.textContent === text) return;
  pill.textContent = text;
  pill.className = `pill ${className}`;
}

byId("token-button").addEventListener("click", askForToken);
byId("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = byId("find-id").value.trim();
  if (id) location.hash = `#/tasks/${encodeURIComponent(id)}`;
});
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  byId("find-id").focus();
});
window.addEventListener("hashchange", () => {
  showPage();
  byId("content").focus();
});

showPage();
readPast().catch(() => undefined).finally(() => {
  followStatus((status) => {
    showHealth(null, status.metrics);
    showStatus(status, taskShown() === undefined);
  }, showHealth);
  keepListing(() => taskShown() === undefined);
});

// Figures for people, and elements made of text: what the broker says is never taken for markup.

export const byId = (id) => document.getElementById(id);
export const count = (value) => value.toLocaleString("en");

export function short(value) {
  if (value < 10_000) return count(Math.round(value));
  if (value < 1e6) return `${(value / 1e3).toFixed(value < 1e5 ? 1 : 0)}k`;
  return `${(value / 1e6).toFixed(value < 1e8 ? 1 : 0)}M`;
}

export function duration(seconds) {
  if (seconds === 0) return "0";
  if (seconds < 0.001) return `${(seconds * 1e6).toFixed(0)} µs`;
  if (seconds < 1) return `${(seconds * 1e3).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(0)} min`;
  if (seconds < 172800) return `${(seconds / 3600).toFixed(0)} h`;
  return `${(seconds / 86400).toFixed(0)} d`;
}

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit + 1 < units.length) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

/** A moment as "12 s ago", with the moment itself on a closer look. */
export function ago(moment) {
  if (!moment) return document.createTextNode("–");
  const time = element("time", "", `${duration(Math.max(0, (Date.now() - Date.parse(moment)) / 1000))} ago`);
  time.dateTime = moment;
  time.title = moment;
  return time;
}

export function clock(moment) {
  return moment ? moment.replace("T", " ").slice(0, 23) : "–";
}

export function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

export function cell(content, className = "") {
  return element("td", className, content instanceof Node ? content : String(content));
}

export const numberCell = (content) => cell(content, "number");

export function button(text, label, act) {
  const node = element("button", "small", text);
  node.type = "button";
  node.setAttribute("aria-label", label);
  node.addEventListener("click", act);
  return node;
}

/** A bar of `share` in 0..1 with its words beside it. */
export function bar(share, words) {
  const meter = element("meter", "");
  meter.value = share;
  return element("span", "bar", meter, words);
}

export function taskLink(id) {
  const link = element("a", "id", id);
  link.href = `#/tasks/${id}`;
  return link;
}

/**
 * Puts `rows` ([key, element]) into a table, or `textWhenNone`. What has the focus keeps it: the same button
 * of the same row, or the row's first where that one is gone.
 */
export function showRows(id, rows, columns, textWhenNone) {
  const body = byId(id);
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.closest("tr").dataset.key;
  const label = focused?.getAttribute("aria-label");
  for (const [name, row] of rows) row.dataset.key = name;
  const shown = rows.map(([, row]) => row);
  if (shown.length === 0) {
    const none = element("td", "none", textWhenNone);
    none.colSpan = columns;
    shown.push(element("tr", "", none));
  }
  body.replaceChildren(...shown);
  if (focused === null) return;
  const stands = [...(shown.find((row) => row.dataset.key === key)?.querySelectorAll("a, button") ?? [])];
  (stands.find((one) => one.getAttribute("aria-label") === label) ?? stands[0])?.focus();
}

// Curves over time as SVG, drawn anew for each new value.
import { duration, element } from "./format.js";

const kNamespace = "http://www.w3.org/2000/svg";
const kWidth = 600;
const kHeight = 120;

function shape(name, attributes) {
  const node = document.createElementNS(kNamespace, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** The smallest of 1, 2 or 5 times a power of ten that is not below `value`. */
export function roundUp(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

function path(points, x, y) {
  let data = "";
  let pen = false;
  for (const point of points) {
    if (point.value === null) {
      pen = false;
      continue;
    }
    data += `${pen ? "L" : "M"}${x(point.time).toFixed(1)} ${y(point.value).toFixed(1)}`;
    pen = true;
  }
  return data;
}

/**
 * Draws `points` ({time in ms, value or null}) into `box`, from `from` to `to` in ms; `words` turns a value
 * into text. A pointer over it tells the value there.
 */
export function drawChart(box, points, from, to, words) {
  const known = points.filter((point) => point.value !== null);
  const top = roundUp(Math.max(...known.map((point) => point.value), 0));
  const x = (time) => ((time - from) / (to - from)) * kWidth;
  const y = (value) => kHeight - 2 - (value / top) * (kHeight - 6);
  const svg = shape("svg", { viewBox: `0 0 ${kWidth} ${kHeight}`, preserveAspectRatio: "none", role: "img" });
  const last = known.at(-1);
  svg.setAttribute("aria-label", last === undefined ? "no figures yet" : `now ${words(last.value)}, at most ${
    words(Math.max(...known.map((point) => point.value)))} in the time shown`);
  svg.append(shape("line", { class: "grid", x1: 0, x2: kWidth, y1: y(top / 2), y2: y(top / 2) }));
  const line = path(points, x, y);
  if (known.length > 1) {
    const first = known[0];
    const area = `${line}L${x(last.time).toFixed(1)} ${kHeight}L${x(first.time).toFixed(1)} ${kHeight}Z`;
    if (known.length === points.length) svg.append(shape("path", { class: "area", d: area }));
    svg.append(shape("path", { class: "curve", d: line }));
  }
  const told = element("span", "told");
  svg.addEventListener("pointermove", (event) => {
    const frame = svg.getBoundingClientRect();
    const time = from + ((event.clientX - frame.left) / frame.width) * (to - from);
    const nearest = known.reduce((best, point) => (
      Math.abs(point.time - time) < Math.abs(best.time - time) ? point : best), known[0]);
    if (nearest) told.textContent = `${words(nearest.value)} at ${new Date(nearest.time).toLocaleTimeString()}`;
  });
  svg.addEventListener("pointerleave", () => { told.textContent = ""; });
  box.replaceChildren(svg, element("span", "top", words(top)), told,
                      element("span", "from", `${duration((to - from) / 1000)} ago`), element("span", "to", "now"));
}

/** A small curve without words. */
export function sparkline(values) {
  const top = Math.max(...values, 1);
  const svg = shape("svg", { viewBox: "0 0 100 20", preserveAspectRatio: "none", class: "spark" });
  svg.setAttribute("aria-hidden", "true");
  if (values.length > 1) {
    const step = 100 / (values.length - 1);
    const data = values.map((value, i) => `${(i * step).toFixed(1)} ${(19 - (value / top) * 18).toFixed(1)}`);
    svg.append(shape("path", { class: "curve", d: `M${data.join("L")}` }));
  }
  return svg;
}

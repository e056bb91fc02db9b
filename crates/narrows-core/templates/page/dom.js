/* Elements of the page. Texts become text nodes, never markup, so that no value of the data can be anything else. */

const SVG = "http://www.w3.org/2000/svg";

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") Object.entries(value).forEach(([event, run]) => node.addEventListener(event, run));
    else if (name === "style") Object.entries(value).forEach(([key, text]) => node.style.setProperty(key, text));
    else if (name === "value" || name === "checked" || name === "disabled" || name === "hidden") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return node;
}

/* An HTML element: `element("p", { class: "more" }, "text", child)`. */
export const element = (tag, properties = {}, ...children) => fill(document.createElement(tag), properties, children);

/* An SVG element. */
export const drawn = (tag, properties = {}, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

/* A value of the data, isolated from the direction of the text around it and cut to a readable length. */
export function value(text, most = 80) {
  const full = String(text);
  const letters = Array.from(full);
  const isLong = letters.length > most;
  return element("bdi", { title: isLong ? full.slice(0, 2000) : null }, isLong ? letters.slice(0, most - 1).join("") + "…" : full);
}

/* A sentence of ours in which names stand between backticks, as they do in messages. */
export const prose = (text, most = 400) => Array.from(text).slice(0, most).join("").split("`")
  .map((part, i) => (i % 2 ? element("code", {}, value(part)) : part));

/* A button that runs something. */
export const button = (text, run, properties = {}) =>
  element("button", { type: "button", on: { click: run }, ...properties }, text);

let ids = 0;
/* A new id for elements that name each other. */
export const newId = name => `explorer-${name}-${ids += 1}`;

/* The colours of the page as they are now, for canvases: `colour("--blue")`. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  return name => style.getPropertyValue(name).trim();
}

/* Runs `draw` now, on every change of the width of `node`, and when light turns dark or dark light. */
export function redrawn(node, draw) {
  let width = -1;
  new ResizeObserver(() => {
    if (node.clientWidth === width || node.clientWidth === 0) return;
    width = node.clientWidth;
    draw();
  }).observe(node);
  matchMedia("(prefers-color-scheme:dark)").addEventListener("change", draw);
}

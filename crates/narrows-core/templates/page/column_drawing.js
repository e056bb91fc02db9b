/* A small drawing of a column in the training rows, with marks for what a row has and what was expected of it. */

import { drawn } from "./dom.js";
import { cellNumber, levelShare, standing } from "./column_shape.js";
import { number, percent } from "./numbers.js";

const WIDTH = 200, HEIGHT = 46, BASE = 38, TOP = 6;
const MOST_LEVELS = 8;

/* The drawing, or null if the distribution is unknown. `got` and `expected` are cells as text, or null. */
export function columnDrawing(column, got, expected) {
  if (column.counts?.length && column.edges?.length === column.counts.length + 1) return numbersDrawing(column, got, expected);
  if (column.levels?.length) return levelsDrawing(column, got, expected);
  return null;
}

function numbersDrawing(column, got, expected) {
  const { edges, counts } = column;
  const [low, high] = [edges[0], edges[edges.length - 1]];
  /* Bins may differ in width: areas are shares of rows. */
  const density = counts.map((k, i) => k / Math.max(edges[i + 1] - edges[i], (high - low) * 1e-6 || 1));
  const highest = Math.max(...density) || 1;
  const x = value => 8 + standing(column, value).share * (WIDTH - 16);
  const parts = counts.map((k, i) => {
    const [a, b] = [x(edges[i]), x(edges[i + 1])], height = Math.max(k > 0 ? 1 : 0, (BASE - TOP) * density[i] / highest);
    return drawn("rect", { class: "bin", x: a, y: BASE - height, width: Math.max(0.5, b - a), height });
  });
  parts.push(drawn("path", { class: "axis", d: `M8 ${BASE}H${WIDTH - 8}` }));
  const says = [`training rows from ${number(low)} to ${number(high)}`];
  const mark = (text, style, name) => {
    const value = cellNumber(text);
    if (!Number.isFinite(value)) return;
    const { share, isOutside } = standing(column, value);
    const at = x(value), way = share === 0 ? -1 : 1;
    says.push(`${name} ${number(value)}${isOutside ? ", outside of it" : ""}`);
    parts.push(isOutside
      ? drawn("path", { class: `${style} outside`, d: `M${at + 6 * way} ${BASE - 12}l${-5 * way} -5v10z` })
      : drawn("path", { class: style, d: `M${at} ${TOP - 4}V${BASE + 3}` }));
  };
  mark(expected, "expected", "expected");
  mark(got, "got", "got");
  return figure(parts, says);
}

function levelsDrawing(column, got, expected) {
  const shown = column.levels.map(([name]) => String(name)).slice(0, MOST_LEVELS);
  for (const level of [expected, got]) {
    if (level !== null && level !== undefined && level !== "" && !shown.includes(level)) shown.push(level);
  }
  const highest = Math.max(...shown.map(level => levelShare(column, level))) || 1;
  const step = (WIDTH - 16) / shown.length;
  const says = [`${column.levels.length + (column.others ? " or more" : "")} levels in training`];
  const parts = [];
  shown.forEach((level, i) => {
    const share = levelShare(column, level), x = 8 + i * step, width = Math.max(1, step - 3);
    const height = Math.max(share > 0 ? 1 : 0, (BASE - TOP) * share / highest);
    parts.push(drawn("rect", { class: "bin", x, y: BASE - height, width, height }, drawn("title", {}, `${level.slice(0, 60)}: ${percent(share)}`)));
    if (level === expected) {
      parts.push(drawn("path", { class: "expected", d: `M${x} ${BASE + 3}h${width}` }));
      says.push(`expected ${level.slice(0, 60)}, ${percent(share)} of training rows`);
    }
    if (level === got) {
      parts.push(drawn("path", { class: "got", d: `M${x} ${BASE + (got === expected ? 6 : 3)}h${width}` }));
      says.push(`got ${level.slice(0, 60)}, ${share > 0 ? percent(share) : "none"} of training rows`);
    }
  });
  parts.push(drawn("path", { class: "axis", d: `M8 ${BASE}H${WIDTH - 8}` }));
  return figure(parts, says);
}

const figure = (parts, says) => drawn("svg", {
  class: "live column-drawing", role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-label": says.join("; "),
}, parts);

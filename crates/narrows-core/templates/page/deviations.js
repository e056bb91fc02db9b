/* What stood out in a row: its reasons, and for each column what was expected and what it had. */

import { element, value } from "./dom.js";
import { columnDrawing } from "./column_drawing.js";
import { percent } from "./numbers.js";

const FIRST = 30;

/* The reasons as a list with bars of their shares. */
export function reasonList(reasons) {
  if (reasons.length === 0) return element("p", { class: "none" }, "No column dominates: all are a little unusual together.");
  return element("div", { class: "reasons" }, reasons.map(reason => {
    const isBroken = reason.direction === "broken";
    const about = reason.direction === "above" || reason.direction === "below" ? "about " : "";
    return element("div", {},
      isBroken ? element("span", {}) : element("span", { class: "bar", style: { "--w": `${(100 * reason.share).toFixed(1)}%` } }),
      element("p", {}, element("code", {}, value(reason.column)), isBroken ? ": " : `: expected ${about}`, element("b", {}, value(reason.expected)),
        ", got ", element("b", { class: "got" }, value(reason.got)), isBroken ? null : element("small", {}, ` (share ${percent(reason.share)})`)));
  }));
}

/* A table of all columns; those among the reasons first. `got` and `expected` are cells by the place of the column. */
export function deviationTable(columns, got, expected, reasons) {
  const rank = new Map(reasons.map((reason, at) => [reason.column, at]));
  const order = columns.map((_, i) => i).sort((a, b) => (rank.get(columns[a].name) ?? Infinity) - (rank.get(columns[b].name) ?? Infinity) || a - b);
  const body = element("tbody", {});
  const line = i => {
    const column = columns[i], isReason = rank.has(column.name);
    const cell = (text, style) => element("td", { class: style }, text === null || text === undefined || text === "" ? element("span", { class: "none" }, "missing") : value(text, 60));
    return element("tr", { class: isReason ? "reason" : null }, element("th", { scope: "row" }, element("code", {}, value(column.name, 60))),
      cell(got[i], "got"), expected ? cell(expected[i], "expected") : null, element("td", { class: "drawing" }, columnDrawing(column, got[i], expected?.[i] ?? null) ?? element("span", { class: "none" }, "–")));
  };
  body.append(...order.slice(0, FIRST).map(line));
  const table = element("table", { class: "deviations" }, element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "column"), element("th", { scope: "col" }, "got"),
    expected ? element("th", { scope: "col" }, "expected") : null, element("th", { scope: "col" }, "training rows"))), body);
  const rest = order.slice(FIRST);
  const more = rest.length === 0 ? null : element("button", {
    type: "button", class: "quiet", on: { click: () => { body.append(...rest.map(line)); more.remove(); } },
  }, `Show ${rest.length} more columns`);
  return element("div", {}, element("ul", { class: "legend" }, element("li", {}, element("i", { class: "bin" }), "training rows"),
    element("li", {}, element("i", { class: "line-got" }), "got"), expected ? element("li", {}, element("i", { class: "line-expected" }), "expected") : null), table, more);
}

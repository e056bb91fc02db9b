/* What paper gets of the table: its first rows as they are sorted and filtered at that moment. */

import { count, number, probability } from "./numbers.js";
import { element, value } from "./dom.js";

const PRINTED = 40;

/* Fills `place` before each printing. */
export function printed({ rows, store, noun }, place) {
  addEventListener("beforeprint", () => {
    if (!place.isConnected) return;
    const { visible, threshold } = store.state;
    place.replaceChildren(
      element(
        "h3",
        {},
        `The first ${count(Math.min(PRINTED, visible.length))} of ${count(visible.length)} ${noun.many}, threshold ${number(threshold)}`,
      ),
      element(
        "table",
        { class: "top-rows" },
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            rows.columns.map(column =>
              element("th", { scope: "col", class: column.kind === "number" ? "n" : null }, column.name),
            ),
          ),
        ),
        element(
          "tbody",
          {},
          [...visible.slice(0, PRINTED)].map(i =>
            element(
              "tr",
              { class: rows.isFlagged(i, threshold) ? "anomaly" : null },
              rows.columns.map(column => cell(rows, column, i)),
            ),
          ),
        ),
      ),
    );
  });
}

function cell(rows, column, i) {
  const found = rows.value(column.key, i);
  if (column.key === "score") return element("td", { class: "n score" }, Number.isNaN(found) ? "–" : number(found));
  if (column.key === "p_value") return element("td", { class: "n" }, Number.isNaN(found) ? "–" : probability(found));
  return element(
    "td",
    { class: column.kind === "number" ? "n" : null },
    column.kind === "number" ? count(found) : value(found, 200),
  );
}

/* The columns of a drift report as a table, those that moved first. */

import { button, element, value } from "./dom.js";
import { count, number, percent, places, probability } from "./numbers.js";
import { dataTable } from "./data_table.js";

/* By custom, less is no change, and more is a great one; the scale of the bars. */
const LEAST_PSI = 0.1;
const GREAT_PSI = 0.5;
const FIRST = 15;

const NOTE = `PSI is the population stability index: below ${LEAST_PSI} by custom no change. Values are medians with
  quartiles, or the level that changed most with its share.`;

export function driftColumns(list) {
  const order = [...list].sort((a, b) => b.has_drifted - a.has_drifted || (b.psi ?? 0) - (a.psi ?? 0));
  const body = element("tbody", {}, order.slice(0, FIRST).map(line));
  const heads = ["column", "PSI", "corrected p", "training rows", "new rows", "missing"];
  const rest = order.slice(FIRST);
  const unfold = () => {
    body.append(...rest.map(line));
    more.remove();
  };
  const more = rest.length > 0 ? button(`Show ${rest.length} more columns`, unfold, { class: "quiet" }) : null;
  return element(
    "div",
    {},
    dataTable("Drift by column", "drift-columns", heads, [2, 5], body),
    more,
    element("p", { class: "more" }, NOTE),
  );
}

function line(column) {
  const { missing, level } = column;
  const unseen = column.unseen ? element("small", {}, ` ${count(column.unseen)} unseen`) : null;
  return element(
    "tr",
    { class: column.has_drifted || missing.has_drifted ? "drifted" : null },
    element("th", { scope: "row" }, element("code", {}, value(column.column, 50))),
    element("td", { class: "psi" }, psiBar(column.psi ?? null)),
    element("td", { class: "n" }, column.corrected === null ? "–" : probability(column.corrected)),
    element("td", {}, values(level, level?.share_was, column.quartiles_were)),
    element("td", {}, values(level, level?.share, column.quartiles), unseen),
    element("td", { class: "n" }, `${percent(missing.share_was)} → ${percent(missing.share)}`),
  );
}

function psiBar(psi) {
  if (psi === null) return element("span", { class: "none" }, "–");
  const width = `${Math.min(100, (100 * psi) / GREAT_PSI).toFixed(1)}%`;
  const bar = element("span", { class: psi >= LEAST_PSI ? "bar weak" : "bar", style: { "--w": width } });
  return [bar, " ", element("span", {}, places(psi, 3))];
}

/* A level with its share, or a median with its quartiles. */
function values(level, share, quartiles) {
  if (level) return [value(level.level, 30), ` ${percent(share)}`];
  if (!quartiles) return "–";
  const [low, median, high] = quartiles.map(x => number(x, 3));
  return `${median} (${low} to ${high})`;
}

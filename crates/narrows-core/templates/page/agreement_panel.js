/* How far several models flag the same rows, in words and as a table of pairs. */

import { agreement, overlap } from "./agreement.js";
import { count, counted, percent } from "./numbers.js";
import { dataTable } from "./data_table.js";
import { element, value } from "./dom.js";

const MOST_ROWS = 20;

/* `scored`: names of models with their ScoredData of one file. */
export function agreementOf(scored) {
  const flags = scored.map(({ data }) => flaggedRows(data));
  const names = scored.map(({ name }) => name);
  const { noun } = scored[0].data;
  const { by, flaggedBy } = agreement(flags);
  const title = element("h3", {}, "Agreement");
  if (by.size === 0) return [title, element("p", {}, `No model flags a ${noun.one}.`)];
  return [
    title,
    element("p", {}, `${counted(by.size, noun)} flagged: ${shares(flaggedBy)}.`),
    pairs(names, flags),
    element(
      "p",
      { class: "more" },
      `${capital(noun.many)} that both flag, and their share of those that either flags.`,
    ),
    element("details", {}, element("summary", {}, `${capital(noun.many)} that most models flag`), top(names, by, noun)),
  ];
}

const flaggedRows = ({ rows, threshold }) =>
  new Set(rows.row.filter((_, i) => rows.score[i] !== null && rows.score[i] > threshold));

/* "3 by both, 4 by one model". */
function shares(flaggedBy) {
  const all = flaggedBy.length - 1;
  const by = k => (k === all ? (k === 2 ? "both" : `all ${k}`) : k === 1 ? "one model" : `${k} models`);
  const told = flaggedBy.map((n, k) => (k > 0 && n > 0 ? `${count(n)} by ${by(k)}` : null));
  return told.filter(Boolean).reverse().join(", ");
}

function pairs(names, flags) {
  const cell = (a, b) => {
    if (a === b) return element("td", { class: "n" }, count(flags[a].size));
    const { both, share } = overlap(flags[a], flags[b]);
    const percentage = Number.isNaN(share) ? "" : ` ${percent(share)}`;
    return element("td", { class: "n" }, count(both), element("small", {}, percentage));
  };
  const line = (name, a) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, value(name, 24)),
      names.map((_, b) => cell(a, b)),
    );
  const heads = ["", ...names.map(name => value(name, 24))];
  return dataTable("Agreement", "similarities agreement", heads, [...heads.keys()], names.map(line));
}

function top(names, by, noun) {
  const rows = [...by.entries()].sort((a, b) => b[1].length - a[1].length || a[0] - b[0]).slice(0, MOST_ROWS);
  const line = ([row, models]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row", class: "n" }, count(row)),
      element("td", {}, models.map(i => names[i].slice(0, 40)).join(", ")),
    );
  return dataTable(`${noun.many} that most models flag`, "", [noun.one, "flagged by"], [0], rows.map(line));
}

const capital = text => text.charAt(0).toUpperCase() + text.slice(1);

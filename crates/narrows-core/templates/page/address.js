/* The state of the explorer in the page's address, so that a link shows the same rows: `#explore:t=3.2&q=acme`. */

import { NO_FILTER } from "./row_list.js";
import { exact } from "./numbers.js";

const START = "#explore:";

/* The fragment for a state; empty if nothing differs from `standard`. */
export function fragment({ threshold, sort, filter }, standard) {
  const parts = new URLSearchParams();
  if (threshold !== standard.threshold) parts.set("t", exact(threshold));
  if (sort.key !== standard.sort.key || sort.isDescending !== standard.sort.isDescending) {
    parts.set("sort", (sort.isDescending ? "-" : "") + sort.key);
  }
  if (filter.text) parts.set("q", filter.text);
  if (filter.onlyFlagged) parts.set("flagged", "1");
  if (filter.low !== null) parts.set("from", exact(filter.low));
  if (filter.high !== null) parts.set("to", exact(filter.high));
  if (filter.label !== "all") parts.set("label", filter.label);
  const text = parts.toString();
  return text ? START + text : "";
}

/* The part of a state that a fragment tells; what it tells wrongly is left out. */
export function fromFragment(text, keys) {
  if (!text.startsWith(START)) return {};
  const parts = new URLSearchParams(text.slice(START.length));
  const finite = name => {
    const x = parts.has(name) && parts.get(name).trim() !== "" ? Number(parts.get(name)) : NaN;
    return Number.isFinite(x) ? x : null;
  };
  const found = { filter: { ...NO_FILTER } };
  if (finite("t") !== null) found.threshold = finite("t");
  const sort = parts.get("sort") ?? "";
  const key = sort.replace(/^-/, "");
  if (keys.includes(key)) found.sort = { key, isDescending: sort.startsWith("-") };
  found.filter.text = parts.get("q") ?? "";
  found.filter.onlyFlagged = parts.get("flagged") === "1";
  found.filter.low = finite("from");
  found.filter.high = finite("to");
  if (["anomalous", "normal"].includes(parts.get("label"))) found.filter.label = parts.get("label");
  return found;
}

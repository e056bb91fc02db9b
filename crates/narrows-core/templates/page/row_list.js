/* The scored rows by column: sorted by each of them, and filtered. Rows are numbered by their place in the document. */

import { numberAbove } from "./calibration.js";

/* Texts compare by these: without regard to case, and numbers in them by their size. */
const sortKey = text => text.toLowerCase().replace(/\d+/g, digits => digits.padStart(12, "0"));

export class RowList {
  constructor(data) {
    const { rows, details } = data;
    this.n = rows.row.length;
    this.noun = data.noun ?? { one: "row", many: "rows" };
    this.row = rows.row;
    this.score = numbers(rows.score);
    this.pValue = numbers(rows.p_value ?? []);
    this.flag = rows.flag?.some(Boolean) ? rows.flag : null;
    this.label = rows.label?.some(label => label !== null) ? rows.label : null;
    this.ids = rows.ids ?? [];
    this.x = rows.x ? numbers(rows.x) : null;
    this.y = rows.y ? numbers(rows.y) : null;
    /* Place among the detailed rows, or -1. */
    this.detail = new Int32Array(this.n).fill(-1);
    this.reasons = details?.reasons ?? [];
    (details?.of ?? []).forEach((i, at) => {
      this.detail[i] = at;
    });
    this.orders = new Map();
    this.ascending = Float64Array.from(this.score)
      .filter(x => !Number.isNaN(x))
      .sort();
  }

  /* Columns of the table: key, heading and kind. */
  get columns() {
    const found = [
      { key: "row", name: this.noun.one === "image" ? "no." : this.noun.one, kind: "number" },
      { key: "score", name: "score", kind: "number" },
      { key: "p_value", name: "p-value", kind: "number" },
    ];
    if (this.label) found.push({ key: "label", name: "label", kind: "text" });
    if (this.flag) found.push({ key: "flag", name: "note", kind: "text" });
    this.ids.forEach((id, at) => found.push({ key: `id:${at}`, name: id.name, kind: "text" }));
    if (this.reasons.length > 0) found.push({ key: "reasons", name: "reasons", kind: "text" });
    return found;
  }

  /* The value that a column sorts by: a number, or a text; missing ones are NaN and "". */
  value(key, i) {
    switch (key) {
      case "row":
        return this.row[i];
      case "score":
        return this.score[i];
      case "p_value":
        return this.pValue[i];
      case "label":
        return this.label[i] === null ? "" : this.labelName(i);
      case "flag":
        return this.flag[i] ?? "";
      case "reasons":
        return this.reasonText(i);
      default:
        return this.ids[Number(key.slice(3))].values[i] ?? "";
    }
  }

  /* The place of a row of the file, or null if it is not listed. */
  placeOf(row) {
    if (!this.byRow) this.byRow = new Map(Array.from(this.row, (found, i) => [found, i]));
    return this.byRow.get(row) ?? null;
  }

  labelName(i) {
    const label = this.label?.[i];
    return label === 1 ? "anomalous" : label === 0 ? "normal" : "";
  }

  reasonsOf(i) {
    return this.detail[i] < 0 ? null : this.reasons[this.detail[i]];
  }

  /* The reasons of a row as one text. */
  reasonText(i) {
    const reasons = this.reasonsOf(i);
    return reasons ? reasons.map(r => `${r.column}: got ${r.got}, expected ${r.expected}`).join("; ") : "";
  }

  /* All rows in the order of a column. */
  order(key, isDescending) {
    const name = `${key} ${isDescending}`;
    if (!this.orders.has(name)) this.orders.set(name, this.sorted(key, isDescending));
    return this.orders.get(name);
  }

  sorted(key, isDescending) {
    const sign = isDescending ? -1 : 1;
    const present = [],
      missing = [];
    const isNumber = ["row", "score", "p_value"].includes(key);
    let values = Array.from({ length: this.n }, (_, i) => this.value(key, i));
    /* Rows without a value come last in both directions. */
    const isMissing = isNumber ? Number.isNaN : text => text === "";
    values.forEach((value, i) => (isMissing(value) ? missing : present).push(i));
    if (isNumber || present.every(i => isPlainNumber(values[i]))) {
      values = Float64Array.from(values, Number);
      present.sort((a, b) => sign * (values[a] - values[b]));
    } else {
      values = values.map(sortKey);
      present.sort((a, b) => (values[a] < values[b] ? -sign : values[a] > values[b] ? sign : 0));
    }
    return Uint32Array.from(present.concat(missing));
  }

  /* What the text filter looks in, in lower case. */
  searched(i) {
    this.haystacks ??= new Array(this.n);
    if (this.haystacks[i] === undefined) {
      const parts = [String(this.row[i]), this.reasonText(i), this.flag?.[i] ?? ""];
      this.ids.forEach(id => parts.push(id.values[i] ?? ""));
      this.haystacks[i] = parts.join("\n").toLowerCase();
    }
    return this.haystacks[i];
  }

  isFlagged(i, threshold) {
    return this.score[i] > threshold;
  }

  flaggedCount(threshold) {
    return numberAbove(this.ascending, threshold);
  }

  /* The rows that pass all filters, in order. */
  visible({ threshold, sort, filter }) {
    const { text, onlyFlagged, low, high, label, picked } = filter;
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [];
    for (const i of this.order(sort.key, sort.isDescending)) {
      const score = this.score[i];
      if (onlyFlagged && !(score > threshold)) continue;
      if (low !== null && !(score >= low)) continue;
      if (high !== null && !(score <= high)) continue;
      if (label !== "all" && this.labelName(i) !== label) continue;
      if (picked && !picked.rows.has(i)) continue;
      if (words.length > 0) {
        const searched = this.searched(i);
        if (!words.every(word => searched.includes(word))) continue;
      }
      found.push(i);
    }
    return Uint32Array.from(found);
  }
}

export const NO_FILTER = Object.freeze({
  text: "",
  onlyFlagged: false,
  low: null,
  high: null,
  label: "all",
  picked: null,
});

export const isFiltered = filter => Object.keys(NO_FILTER).some(key => filter[key] !== NO_FILTER[key]);

/* Numbers of a document, where null stands for what is not finite. */
export const numbers = list => Float64Array.from(list, x => (x === null ? NaN : x));

const isPlainNumber = text => text.trim() !== "" && Number.isFinite(Number(text));

/* Saves the rows of the table as CSV: the selected ones, or all that pass the filter, in the order shown. */

import { button, element } from "./dom.js";
import { count } from "./numbers.js";
import { csvText, looksLikeFormula } from "./csv.js";
import { exact } from "./numbers.js";

const MOST_REASONS = 3;

export class SaveBar {
  constructor(context) {
    this.context = context;
    const { store } = context;
    this.save = button("", () => this.download());
    this.said = element("small", { role: "status" });
    this.node = element("p", { class: "controls save-bar" }, this.save, this.said);
    store.on(["visible", "selected"], () => this.show());
    this.show();
  }

  /* The rows to be saved. */
  chosen() {
    const { visible, selected } = this.context.store.state;
    return selected.size > 0 ? [...visible].filter(i => selected.has(i)) : [...visible];
  }

  show() {
    const { noun, store } = this.context;
    const n = this.chosen().length;
    this.save.textContent = `Save ${count(n)} ${store.state.selected.size > 0 ? "selected " : ""}${n === 1 ? noun.one : noun.many} as CSV`;
    this.save.disabled = n === 0;
    this.said.textContent = "";
  }

  table() {
    const { rows, store } = this.context;
    const { threshold } = store.state;
    const header = ["row", ...rows.ids.map(id => id.name), "score", "p_value", "is_anomaly"];
    if (rows.label) header.push("label");
    if (rows.flag) header.push("note");
    for (let k = 1; k <= MOST_REASONS; k += 1) header.push(`reason_${k}`);
    const finite = x => (Number.isFinite(x) ? exact(x) : "");
    const lines = this.chosen().map(i => {
      const line = [rows.row[i], ...rows.ids.map(id => id.values[i] ?? ""), finite(rows.score[i]), finite(rows.pValue[i]), rows.isFlagged(i, threshold)];
      if (rows.label) line.push(rows.labelName(i));
      if (rows.flag) line.push(rows.flag[i] ?? "");
      const reasons = rows.reasonsOf(i) ?? [];
      for (let k = 0; k < MOST_REASONS; k += 1) line.push(reasons[k] ? sentence(reasons[k]) : "");
      return line;
    });
    return { header, lines };
  }

  download() {
    const { header, lines } = this.table();
    const blob = new Blob([csvText(header, lines)], { type: "text/csv" });
    const link = element("a", { href: URL.createObjectURL(blob), download: `${this.context.data.source.split(/[\\/]/).pop().replace(/\.\w+$/, "") || "rows"}-scores.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    const guarded = [header, ...lines].flat().filter(cell => looksLikeFormula(String(cell))).length;
    this.said.textContent = guarded === 0 ? "saved" : `saved; ${count(guarded)} cells that a spreadsheet would run as a formula begin with an apostrophe`;
  }
}

const sentence = reason => reason.direction === "broken"
  ? `${reason.column}: ${reason.expected}, got ${reason.got}`
  : `${reason.column}: expected ${reason.expected}, got ${reason.got} (share ${Math.round(100 * reason.share)} %)`;

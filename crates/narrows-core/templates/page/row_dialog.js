/* One row in full, in a drawer at the side: its score in words, its reasons, and every column. */

import { button, element, value } from "./dom.js";
import { CopyText } from "./copy_button.js";
import { count, number, probability } from "./numbers.js";
import { deviationTable, reasonList } from "./deviations.js";
import { explaining } from "./command.js";

const NEIGHBOURS = 50;

export class RowDialog {
  /* `closed(i)` is called with the row that was shown last; `links(i)` gives further buttons for a row. */
  constructor(context, closed, links) {
    Object.assign(this, { context, links });
    this.title = element("h3", { tabindex: "-1", id: "explorer-row-title" });
    this.content = element("div", { class: "row-content" });
    this.earlier = button("↑", () => this.move(-1), { "aria-label": "previous in the table" });
    this.later = button("↓", () => this.move(1), { "aria-label": "next in the table" });
    this.node = element("dialog", { class: "row-dialog", "aria-labelledby": "explorer-row-title" },
      element("div", { class: "row-head" }, this.title, element("div", { class: "controls" }, this.earlier, this.later, button("Close", () => this.node.close()))),
      this.content);
    this.node.addEventListener("close", () => closed(this.i));
    /* A click beside the drawer closes it. */
    this.node.addEventListener("click", event => { if (event.target === this.node) this.node.close(); });
    this.node.addEventListener("keydown", event => {
      const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (way && event.altKey) { event.preventDefault(); this.move(way); }
    });
  }

  open(i) {
    this.show(i);
    if (!this.node.open) this.node.showModal();
    this.title.focus();
  }

  move(way) {
    const { visible } = this.context.store.state;
    const next = visible[visible.indexOf(this.i) + way];
    if (next !== undefined) this.show(next);
  }

  show(i) {
    this.i = i;
    const { rows, data, noun, store } = this.context;
    const { visible, threshold } = store.state;
    const at = visible.indexOf(i);
    this.earlier.disabled = at <= 0;
    this.later.disabled = at < 0 || at + 1 >= visible.length;
    this.title.textContent = `${noun.one[0].toUpperCase()}${noun.one.slice(1)} ${count(rows.row[i])}`;
    const fact = (name, ...content) => element("div", {}, element("dt", {}, name), element("dd", {}, content));
    const facts = element("dl", { class: "facts" }, rows.ids.map(id => fact(value(id.name, 40), value(id.values[i] ?? "", 200))),
      rows.label ? fact("label", rows.labelName(i) || "none") : null, rows.flag?.[i] ? fact("note", value(rows.flag[i])) : null);
    this.content.replaceChildren(...[
      element("p", { class: `fit-verdict${rows.isFlagged(i, threshold) ? " check" : ""}` }, this.sentence(i)),
      facts.children.length > 0 ? facts : null, ...this.details(i, data), this.more(i),
    ].filter(Boolean));
    this.node.scrollTop = 0;
  }

  sentence(i) {
    const { rows, noun, store } = this.context;
    const { threshold } = store.state, score = rows.score[i];
    if (Number.isNaN(score)) return `This ${noun.one} has no score.`;
    const p = rows.pValue[i];
    const rare = Number.isNaN(p) ? "" : ` Of normal ${noun.many}, a share of ${probability(p)} scores so high or higher${p < 0.5 ? `: one in ${count(1 / p)}` : ""}.`;
    return `Score ${number(score)}, ${rows.isFlagged(i, threshold) ? "above" : "not above"} the threshold of ${number(threshold)}.${rare}`;
  }

  details(i, data) {
    const { rows, noun } = this.context;
    const at = rows.detail[i];
    if (at < 0) {
      const command = explaining(data.command, rows.row[i]);
      const copy = new CopyText("command that explains it");
      if (command) copy.text = command;
      return [element("p", {}, `Reasons are kept for the ${count(rows.reasons.length)} highest scores. ${command ? `This command explains this ${noun.one}:` : `narrows explain tells those of this ${noun.one}.`}`), command ? copy.node : null];
    }
    const { details } = data, found = [element("h3", {}, "Reasons"), reasonList(details.reasons[at])];
    const got = details.got?.[at], expected = details.expected?.[at] ?? null;
    if (got) found.push(element("h3", {}, "All columns"), deviationTable(data.columns, got, expected, details.reasons[at]));
    return found;
  }

  /* Buttons that lead from this row to others. */
  more(i) {
    const { store, places, noun } = this.context;
    const found = this.links(i, () => this.node.close());
    if (places && Number.isFinite(places.xs[i])) {
      found.push(button(`Show the ${NEIGHBOURS} nearest on the code map`, () => {
        const picked = { name: `nearest to ${noun.one} ${count(this.context.rows.row[i])}`, rows: new Set(places.neighbours(i, NEIGHBOURS)) };
        store.set({ filter: { ...store.state.filter, picked } });
        this.node.close();
      }, { class: "quiet" }));
    }
    return found.length > 0 ? element("p", { class: "controls" }, found) : null;
  }
}

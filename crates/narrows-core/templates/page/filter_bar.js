/* What narrows the table down: a text, flagged rows only, a range of scores, the label, rows picked on a drawing. */

import { button, element, newId } from "./dom.js";
import { NO_FILTER, isFiltered } from "./row_list.js";
import { count } from "./numbers.js";

export class FilterBar {
  constructor(context) {
    this.context = context;
    const { store, rows, noun } = context;
    this.text = element("input", {
      type: "search",
      placeholder: "number, id or reason",
      on: { input: () => this.set({ text: this.text.value }) },
    });
    this.onlyFlagged = element("input", {
      type: "checkbox",
      on: { change: () => this.set({ onlyFlagged: this.onlyFlagged.checked }) },
    });
    const end = (name, key) =>
      element("input", {
        type: "number",
        step: "any",
        "aria-label": name,
        on: { input: event => this.set({ [key]: finite(event.target.valueAsNumber) }) },
      });
    this.low = end("lowest score", "low");
    this.high = end("highest score", "high");
    this.label = rows.label
      ? element(
          "select",
          { on: { change: () => this.set({ label: this.label.value }) } },
          ["all", "anomalous", "normal"].map(name => element("option", { value: name }, name)),
        )
      : null;
    this.picked = element("span", { class: "chip", hidden: true });
    this.clear = button(
      "Clear",
      () => {
        store.set({ filter: NO_FILTER });
        this.text.focus();
      },
      { class: "quiet", "aria-label": "clear all filters" },
    );
    this.said = element("p", { class: "more filter-count" });
    this.node = element(
      "div",
      { class: "filter-bar", role: "search", "aria-label": `filter ${noun.many}` },
      field("Find", this.text),
      element("label", { class: "check" }, this.onlyFlagged, " flagged only"),
      element(
        "span",
        { class: "field", role: "group", "aria-label": "range of scores" },
        element("span", {}, "Score"),
        this.low,
        "to",
        this.high,
      ),
      this.label ? field("Label", this.label) : null,
      this.picked,
      this.clear,
    );
    store.on(["filter", "visible", "selected"], () => this.show());
    this.show();
  }

  set(patch) {
    const { store } = this.context;
    store.set({ filter: { ...store.state.filter, ...patch } });
  }

  show() {
    const { store, rows, noun, announcer, data } = this.context;
    const { filter, visible, selected } = store.state;
    const keep = (input, text) => {
      if (document.activeElement !== input) input.value = text;
    };
    keep(this.text, filter.text);
    keep(this.low, filter.low ?? "");
    keep(this.high, filter.high ?? "");
    this.onlyFlagged.checked = filter.onlyFlagged;
    if (this.label) this.label.value = filter.label;
    this.picked.hidden = !filter.picked;
    if (filter.picked) {
      this.picked.replaceChildren(
        `${filter.picked.name}: ${count(filter.picked.rows.size)} `,
        button("×", () => this.set({ picked: null }), { "aria-label": `remove the filter ${filter.picked.name}` }),
      );
    }
    this.clear.disabled = !isFiltered(filter);
    const of =
      visible.length === rows.n
        ? `${rows.n < data.scored ? `The ${count(rows.n)} highest of ${count(data.scored)}` : `All ${count(rows.n)}`} ${noun.many}`
        : `${count(visible.length)} of ${rows.n < data.scored ? `the ${count(rows.n)} highest` : count(rows.n)} ${noun.many}`;
    const text = selected.size > 0 ? `${of}; ${count(selected.size)} selected.` : `${of}.`;
    if (this.said.textContent !== text) {
      if (this.said.textContent) announcer.say(text);
      this.said.textContent = text;
    }
  }
}

const finite = x => (Number.isFinite(x) ? x : null);

function field(name, input) {
  input.id ||= newId("field");
  return element("span", { class: "field" }, element("label", { for: input.id }, name), input);
}

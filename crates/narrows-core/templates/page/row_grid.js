/* The table of scored rows. Only rows near the visible ones are in the document, so that 100,000 of them stay fluid. It is
   an ARIA grid: arrow keys move over cells, Enter opens a row, Space selects it. */

import { element, value } from "./dom.js";
import { count, number, probability } from "./numbers.js";

/* Rows kept beyond both ends of the visible ones. */
const BEYOND = 8;
const WIDE_REM = 2.25,
  NARROW_REM = 4.9;

const WIDTHS = {
  row: "4rem",
  score: "5.6rem",
  p_value: "4.2rem",
  label: "5.2rem",
  flag: "4.5rem",
  reasons: "minmax(20rem,1fr)",
};

export class RowGrid {
  /* `open(i)` is called for the row to be shown in full. */
  constructor(context, open) {
    this.context = context;
    this.open = open;
    this.columns = context.rows.columns;
    this.shown = new Map();
    this.at = 0;
    this.column = 1;
    this.narrow = matchMedia("(max-width:40rem)");
    this.all = element("input", {
      type: "checkbox",
      "aria-label": `select all ${context.noun.many} shown`,
      on: { change: () => this.selectAll(this.all.checked) },
    });
    this.heads = this.columns.map(column => this.head(column));
    this.header = element(
      "div",
      { role: "rowgroup", class: "grid-head" },
      element(
        "div",
        { role: "row", "aria-rowindex": 1, class: "grid-row" },
        element("div", { role: "columnheader", class: "pick" }, this.all),
        this.heads,
      ),
    );
    this.body = element("div", { role: "rowgroup", class: "grid-body" });
    this.empty = element("p", { class: "empty grid-empty", hidden: true });
    this.node = element(
      "div",
      {
        role: "grid",
        class: "row-grid",
        "aria-label": `scored ${context.noun.many}`,
        "aria-multiselectable": "true",
        "aria-colcount": this.columns.length + 1,
        style: {
          "--columns": ["1.9rem", ...this.columns.map(column => WIDTHS[column.key] ?? this.width(column))].join(" "),
        },
        on: {
          scroll: () => this.later(),
          keydown: event => this.key(event),
          click: event => this.click(event),
          focusin: event => this.focused(event),
        },
      },
      this.header,
      this.body,
    );
    this.frame = element("div", {}, this.node, this.empty);
    const { store } = context;
    store.on(["visible"], () => this.rebuild());
    store.on(["threshold", "selected"], () => this.refresh());
    store.on(["sort"], () => this.sorted());
    this.narrow.addEventListener("change", () => this.rebuild());
    new ResizeObserver(() => this.later()).observe(this.node);
    this.sorted();
    this.rebuild();
  }

  get visible() {
    return this.context.store.state.visible;
  }

  get rowHeight() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    return Math.round((this.narrow.matches ? NARROW_REM : WIDE_REM) * rem);
  }

  head(column) {
    const sign = element("span", { class: "sort-sign", "aria-hidden": "true" });
    return element(
      "div",
      { role: "columnheader", class: column.kind === "number" ? "n" : "", "data-key": column.key },
      element("button", { type: "button", on: { click: () => this.sortBy(column) } }, value(column.name, 30), sign),
    );
  }

  /* The width of a column of ids: that of its longest value among the first ones, within bounds. */
  width(column) {
    let longest = column.name.length + 2;
    for (let i = 0; i < Math.min(500, this.context.rows.n); i += 1)
      longest = Math.max(longest, this.context.rows.value(column.key, i).length);
    const size = `${Math.min(22, Math.max(6, longest * 0.95))}ch`;
    return this.columns.length > 4 ? size : `minmax(${size},1fr)`;
  }

  /* Sorts by a column: numbers and reasons that mean much come first, then the other way round. */
  sortBy(column) {
    const { store } = this.context;
    const { sort } = store.state;
    const isDescending = sort.key === column.key ? !sort.isDescending : column.key === "score";
    store.set({ sort: { key: column.key, isDescending } });
  }

  sorted() {
    const { sort } = this.context.store.state;
    for (const head of this.heads) {
      const isSorted = head.dataset.key === sort.key;
      head.setAttribute("aria-sort", isSorted ? (sort.isDescending ? "descending" : "ascending") : "none");
      head.querySelector(".sort-sign").textContent = isSorted ? (sort.isDescending ? " ↓" : " ↑") : "";
    }
  }

  /* Builds the rows anew after sorting and filtering. */
  rebuild() {
    this.height = this.rowHeight;
    this.node.setAttribute("aria-rowcount", this.visible.length + 1);
    this.body.style.height = `${this.visible.length * this.height}px`;
    this.body.replaceChildren();
    this.shown.clear();
    this.at = Math.min(this.at, Math.max(0, this.visible.length - 1));
    this.empty.hidden = this.visible.length > 0;
    this.empty.textContent =
      this.context.rows.n === 0
        ? `There is no scored ${this.context.noun.one}.`
        : `No ${this.context.noun.one} passes the filter.`;
    this.render();
    this.refresh();
  }

  later() {
    this.pending ??= requestAnimationFrame(() => {
      this.pending = undefined;
      this.render();
    });
  }

  /* Puts the rows near the visible part into the document and takes the others out; the one with the focus stays. */
  render() {
    const top = this.node.scrollTop,
      height = this.node.clientHeight || 480;
    const first = Math.max(0, Math.floor(top / this.height) - BEYOND);
    const last = Math.min(this.visible.length - 1, Math.ceil((top + height) / this.height) + BEYOND);
    for (const [position, row] of this.shown) {
      if ((position < first || position > last) && position !== this.at) {
        row.remove();
        this.shown.delete(position);
      }
    }
    for (let position = first; position <= last; position += 1) this.ensure(position);
    if (this.visible.length > 0) this.ensure(this.at);
  }

  ensure(position) {
    if (this.shown.has(position)) return this.shown.get(position);
    const row = this.build(position);
    this.shown.set(position, row);
    /* In the order of the rows, for screen readers. */
    const next = [...this.body.children].find(other => Number(other.dataset.position) > position);
    this.body.insertBefore(row, next ?? null);
    return row;
  }

  build(position) {
    const i = this.visible[position];
    const { rows, noun } = this.context;
    const cells = this.columns.map((column, at) =>
      element(
        "div",
        {
          role: column.key === "row" ? "rowheader" : "gridcell",
          "aria-colindex": at + 2,
          tabindex: "-1",
          class: [column.kind === "number" ? "n" : "", `cell-${column.key.split(":")[0]}`].join(" ").trim(),
          /* Narrow windows show names, but not of nothing. */
          "data-name": rows.value(column.key, i) === "" ? null : column.name,
        },
        this.content(column, i),
      ),
    );
    const pick = element("input", {
      type: "checkbox",
      tabindex: "-1",
      "aria-label": `select ${noun.one} ${rows.row[i]}`,
    });
    const row = element(
      "div",
      {
        role: "row",
        class: "grid-row",
        "aria-rowindex": position + 2,
        "data-position": position,
        style: { transform: `translateY(${position * this.height}px)`, height: `${this.height}px` },
      },
      element("div", { role: "gridcell", class: "pick", "aria-colindex": 1, tabindex: "-1" }, pick),
      cells,
    );
    this.mark(row, i);
    if (position === this.at) row.children[this.column].tabIndex = 0;
    return row;
  }

  content(column, i) {
    const { rows } = this.context;
    switch (column.key) {
      case "row":
        return count(rows.row[i]);
      case "score":
        return Number.isNaN(rows.score[i])
          ? element("span", { class: "none" }, "no score")
          : [
              number(rows.score[i]),
              element(
                "span",
                { class: "flag" },
                element("span", { "aria-hidden": "true" }, " ▲"),
                element("span", { class: "visually-hidden" }, " above the threshold"),
              ),
            ];
      case "p_value":
        return Number.isNaN(rows.pValue[i]) ? "–" : probability(rows.pValue[i]);
      case "reasons":
        return this.reasons(i);
      default:
        return value(rows.value(column.key, i), 60);
    }
  }

  reasons(i) {
    const reasons = this.context.rows.reasonsOf(i);
    if (!reasons) return element("span", { class: "none", title: "reasons come with the highest scores" }, "–");
    if (reasons.length === 0) return element("span", { class: "none" }, "no dominant column");
    return reasons
      .slice(0, 3)
      .map((reason, at) =>
        element(
          "span",
          { class: "reason" },
          at > 0 ? " · " : "",
          element("code", {}, value(reason.column, 40)),
          " ",
          element("b", { class: "got" }, value(reason.got, 30)),
          element("small", {}, " expected ", value(reason.expected, 30)),
        ),
      );
  }

  mark(row, i) {
    const { rows, store } = this.context;
    const isSelected = store.state.selected.has(i);
    row.classList.toggle("anomaly", rows.isFlagged(i, store.state.threshold));
    row.classList.toggle("selected", isSelected);
    row.setAttribute("aria-selected", isSelected);
    row.querySelector("input").checked = isSelected;
  }

  refresh() {
    for (const [position, row] of this.shown) this.mark(row, this.visible[position]);
    const { selected } = this.context.store.state;
    let n = 0;
    if (selected.size > 0) for (const i of this.visible) n += selected.has(i) ? 1 : 0;
    this.all.checked = n > 0 && n === this.visible.length;
    this.all.indeterminate = n > 0 && n < this.visible.length;
  }

  selectAll(isOn) {
    const selected = new Set(this.context.store.state.selected);
    for (const i of this.visible) isOn ? selected.add(i) : selected.delete(i);
    this.context.store.set({ selected });
  }

  toggle(position) {
    const selected = new Set(this.context.store.state.selected);
    const i = this.visible[position];
    if (!selected.delete(i)) selected.add(i);
    this.context.store.set({ selected });
  }

  positionOf(target) {
    const row = target.closest?.(".grid-body .grid-row");
    return row ? Number(row.dataset.position) : -1;
  }

  click(event) {
    const position = this.positionOf(event.target);
    if (position < 0) return;
    if (event.target.closest(".pick")) {
      event.preventDefault();
      /* The box follows the selection, once the click is over. */
      setTimeout(() => this.toggle(position));
    } else if (getSelection().isCollapsed) {
      this.go(position, this.column);
      this.open(this.visible[position]);
    }
  }

  focused(event) {
    const position = this.positionOf(event.target);
    const cell = event.target.closest("[aria-colindex]");
    if (position < 0 || !cell) return;
    this.activate(position, Number(cell.getAttribute("aria-colindex")) - 1);
  }

  /* Makes a cell the one that Tab comes to. */
  activate(position, column) {
    const before = this.shown.get(this.at)?.children[this.column];
    if (before) before.tabIndex = -1;
    [this.at, this.column] = [position, column];
    const cell = this.ensure(position).children[column];
    cell.tabIndex = 0;
    return cell;
  }

  /* Moves the focus to a cell and scrolls it into view. */
  go(position, column) {
    if (this.visible.length === 0) return;
    position = Math.min(this.visible.length - 1, Math.max(0, position));
    column = Math.min(this.columns.length, Math.max(0, column));
    const cell = this.activate(position, column);
    const head = this.header.offsetHeight,
      top = position * this.height;
    if (top < this.node.scrollTop) this.node.scrollTop = top;
    else if (top + this.height > this.node.scrollTop + this.node.clientHeight - head) {
      this.node.scrollTop = top + this.height - this.node.clientHeight + head;
    }
    cell.focus({ preventScroll: true });
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.render();
  }

  /* Moves the focus to a row by its place in the document, if it is shown. */
  goTo(i) {
    const position = this.visible.indexOf(i);
    if (position >= 0) this.go(position, this.column);
  }

  key(event) {
    if (this.positionOf(event.target) < 0) return;
    const page = Math.max(1, Math.floor(this.node.clientHeight / this.height) - 1);
    const [at, column] = [this.at, this.column];
    const isFar = event.ctrlKey || event.metaKey;
    const moves = {
      ArrowDown: () => this.go(at + 1, column),
      ArrowUp: () => this.go(at - 1, column),
      ArrowRight: () => this.go(at, column + 1),
      ArrowLeft: () => this.go(at, column - 1),
      PageDown: () => this.go(at + page, column),
      PageUp: () => this.go(at - page, column),
      Home: () => (isFar ? this.go(0, column) : this.go(at, 0)),
      End: () => (isFar ? this.go(this.visible.length - 1, column) : this.go(at, this.columns.length)),
      Enter: () => this.open(this.visible[at]),
      " ": () => this.toggle(at),
    };
    let run = moves[event.key];
    if (event.key === "a" && isFar) run = () => this.selectAll(true);
    if (!run) return;
    event.preventDefault();
    run();
  }
}

/* A form for one row, made from the columns of the model and filled with typical values; the server answers with its score
   and what was expected. */

import { button, element, newId, value } from "./dom.js";
import { CopyText } from "./copy_button.js";
import { Trouble } from "./trouble.js";
import { curl } from "./command.js";
import { deviationTable, reasonList } from "./deviations.js";
import { explainPath, explained } from "./service.js";
import { number, probability } from "./numbers.js";
import { rowsJson } from "./typed_row.js";
import { typical } from "./column_shape.js";

const FIRST = 24;

export class RowForm {
  constructor(model, columns) {
    Object.assign(this, { model, columns });
    this.fields = columns.map(column => this.field(column));
    this.trouble = new Trouble();
    this.answer = element("div", { class: "answer", "aria-live": "polite" });
    this.command = new CopyText("request as a command");
    const rest = this.fields.slice(FIRST).map(field => field.node);
    this.node = element(
      "section",
      { class: "explorer-section", id: "one-row", "aria-labelledby": "one-row-title" },
      element(
        "header",
        {},
        element("h2", { id: "one-row-title" }, "One row"),
        element(
          "p",
          {},
          "Filled with typical values of the training rows. Change some, and see what the model says. An empty field is a missing cell.",
        ),
      ),
      element(
        "div",
        { class: "body" },
        element(
          "form",
          {
            class: "row-form",
            on: {
              submit: event => {
                event.preventDefault();
                this.send();
              },
              input: () => this.show(),
            },
          },
          element(
            "div",
            { class: "fields" },
            this.fields.slice(0, FIRST).map(field => field.node),
          ),
          rest.length > 0
            ? element(
                "details",
                {},
                element("summary", {}, `${rest.length} more columns`),
                element("div", { class: "fields" }, rest),
              )
            : null,
          element(
            "div",
            { class: "controls" },
            button("Score this row", () => {}, { type: "submit", class: "main" }),
            button("Typical values", () => this.reset(), { class: "quiet" }),
          ),
        ),
        this.trouble.node,
        this.answer,
        element("h3", {}, "The same request"),
        this.command.node,
      ),
    );
    this.show();
  }

  field(column) {
    const id = newId("value"),
      hintId = newId("hint"),
      start = typical(column);
    let input,
      list = null,
      hint = "";
    if (column.kind === "number") {
      input = element("input", { type: "text", inputmode: "decimal" });
      if (column.range) hint = `${number(column.range[0])} to ${number(column.range[1])}`;
      if (column.always !== undefined) hint = "always the same";
    } else if (column.kind === "date") {
      input = element("input", { type: "datetime-local", step: "1" });
      hint = "date and time";
    } else {
      const levels = (column.levels ?? []).map(([name]) => String(name));
      input = element("input", { type: "text", list: levels.length > 0 ? `${id}-levels` : null });
      if (levels.length > 0)
        list = element(
          "datalist",
          { id: `${id}-levels` },
          levels.slice(0, 200).map(level => element("option", { value: level })),
        );
      if (levels.length > 0)
        hint =
          levels.length === 1 && !column.others
            ? "always the same"
            : `${levels.length}${column.others ? " or more" : ""} levels`;
    }
    Object.entries({ id, "aria-describedby": hint ? hintId : null, autocomplete: "off" }).forEach(
      ([name, text]) => text && input.setAttribute(name, text),
    );
    input.value = start;
    return {
      input,
      start,
      node: element(
        "div",
        { class: "form-field" },
        element("label", { for: id }, value(column.name, 40)),
        input,
        list,
        hint ? element("small", { id: hintId }, hint) : null,
      ),
    };
  }

  get texts() {
    return this.fields.map(field => field.input.value);
  }

  reset() {
    this.fields.forEach(field => {
      field.input.value = field.start;
    });
    this.show();
  }

  show() {
    const path = explainPath(this.model, this.reasons);
    this.command.text = curl(location.origin + path, rowsJson(this.columns, this.texts));
  }

  get reasons() {
    return Math.min(1000, Math.max(1, this.columns.length));
  }

  async send() {
    this.trouble.clear();
    this.answer.setAttribute("aria-busy", "true");
    const texts = this.texts;
    try {
      this.tell(await explained(this.model, rowsJson(this.columns, texts), this.reasons), texts);
    } catch (error) {
      this.answer.replaceChildren();
      this.trouble.show(error);
    } finally {
      this.answer.removeAttribute("aria-busy");
    }
  }

  tell({ rows, warnings }, texts) {
    const row = rows[0];
    const verdict =
      row.score === null
        ? "This row has no score."
        : `${row.is_anomaly ? "An anomaly" : "Not an anomaly"}: score ${number(row.score)}, p-value ${probability(row.p_value)}.`;
    const reasons = row.reasons ?? [];
    /* All reasons were asked for: a column that is none is as expected. */
    const told = new Map(reasons.map(reason => [reason.column, reason.expected]));
    const expected = this.columns.map((column, i) => told.get(column.name) ?? (texts[i].trim() || null));
    this.answer.replaceChildren(
      element("p", { class: `fit-verdict${row.is_anomaly ? " check" : ""}` }, verdict),
      ...(warnings?.length
        ? [
            element(
              "ul",
              { class: "notes" },
              warnings.map(warning => element("li", {}, value(warning, 400))),
            ),
          ]
        : []),
      element("h3", {}, "Reasons"),
      reasonList(reasons.slice(0, 5)),
      element("h3", {}, "All columns"),
      deviationTable(
        this.columns,
        texts.map(text => text.trim() || null),
        expected,
        reasons,
      ),
    );
  }
}

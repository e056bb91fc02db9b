/* Drift: whether new data are still like those of the fit, for the file that is shown and for what a server has scored. */

import { Trouble } from "./trouble.js";
import { button, element, prose } from "./dom.js";
import { count, number, percent, places, probability } from "./numbers.js";
import { driftColumns } from "./drift_columns.js";
import { driftOf } from "./service.js";
import { driftTrends } from "./drift_trends.js";

const ABOUT = `Whether new data are still like those of the fit: the scores, each column, and the promise of the threshold.`;

export class DriftPanel {
  /* `own`: the DriftReport of the scored file, or null. `model`: its name on the server; null without a server. */
  constructor(own, model) {
    Object.assign(this, { own, model, seen: null });
    this.trouble = new Trouble();
    this.body = element("div", { class: "body" }, element("p", { class: "empty" }, "Asking the server …"));
    this.node = element(
      "section",
      { class: "explorer-section", id: "drift", "aria-labelledby": "drift-title" },
      element("header", {}, element("h2", { id: "drift-title" }, "Drift"), element("p", {}, ABOUT)),
      this.body,
    );
    if (this.isServed) this.ask();
    else this.show();
  }

  get isServed() {
    return this.model !== null;
  }

  /* Takes the report of another file. */
  set report(report) {
    this.own = report ?? null;
    if (this.isServed) this.ask();
    else this.show();
  }

  async ask() {
    this.trouble.clear();
    this.body.setAttribute("aria-busy", "true");
    try {
      this.seen = await driftOf(this.model);
    } catch (error) {
      this.trouble.show(error);
    } finally {
      this.body.removeAttribute("aria-busy");
      this.show();
    }
  }

  show() {
    const { current, previous, history } = this.seen ?? {};
    const parts = [this.trouble.node];
    if (this.own) parts.push(element("h3", {}, "The scored file"), ...told(this.own));
    if (previous)
      parts.push(element("h3", {}, `The last full window: ${count(previous.rows)} rows`), ...told(previous));
    if (current?.rows > 0) parts.push(...this.since(current, previous));
    if (history?.length > 1) parts.push(driftTrends(history));
    if (parts.length === 1) parts.push(element("p", { class: "empty" }, "Nothing has been scored yet."));
    if (this.isServed)
      parts.push(
        element(
          "p",
          { class: "controls" },
          button("Ask again", () => this.ask()),
        ),
      );
    this.body.replaceChildren(...parts);
  }

  /* The window that is not full; folded away if something says more. */
  since(current, previous) {
    const name = `Scored by the server since: ${count(current.rows)} rows`;
    if (!this.own && !previous) return [element("h3", {}, name), ...told(current)];
    return [element("details", {}, element("summary", {}, name), told(current))];
  }
}

/* A report: what has changed, what the scores say, and the columns. */
function told(drift) {
  const { has_drifted, findings, score, threshold } = drift;
  const verdict = has_drifted ? "The data have changed since the fit." : "No change since the fit is seen.";
  const parts = [element("p", { class: has_drifted ? "fit-verdict check" : "fit-verdict" }, verdict)];
  if (findings.length > 0) {
    parts.push(
      element(
        "ul",
        { class: "notes" },
        findings.map(finding => element("li", {}, prose(finding))),
      ),
    );
  }
  if (score.median !== null) {
    const scores = `Scores: median ${number(score.median_was)} in calibration, ${number(score.median)} now; distance
      ${places(score.distance, 3)}, corrected p-value ${probability(score.corrected)}.`;
    const above = `Above the threshold: ${percent(threshold.share)} of the rows, ${percent(threshold.share_was)} in
      calibration; the promise ${threshold.stands ? "stands" : "no longer stands"}.`;
    parts.push(element("p", { class: "more" }, `${scores} ${above}`));
  }
  if (drift.columns.length > 0) parts.push(driftColumns(drift.columns));
  return parts;
}

/* With labels: how well the threshold finds the labelled anomalies, and how well any threshold could. */

import { drawn, element, redrawn } from "./dom.js";
import { count, percent, places } from "./numbers.js";
import { stepped, thinnedCurve } from "./ranking.js";
import { tile } from "./tile.js";

const HEIGHT = 220,
  LEFT = 34,
  BOTTOM = 190,
  TOP = 10;

export class LabelPanel {
  constructor(context) {
    this.context = context;
    const { ranking, store, data } = context;
    this.tiles = element("dl", { class: "tiles label-tiles" });
    this.table = element("tbody", {});
    const metrics = data.metrics;
    const area = (estimate, own) => (estimate && Number.isFinite(estimate.value) ? estimate.value : own);
    this.roc = new Curve(
      "ROC curve",
      `area ${places(area(metrics?.auc_roc, ranking.aucRoc()), 3)}`,
      "false alarms",
      "recall",
      thinnedCurve(ranking.roc()),
    );
    this.pr = new Curve(
      "Precision and recall",
      `average precision ${places(area(metrics?.auc_pr, ranking.averagePrecision()), 3)}`,
      "recall",
      "precision",
      stepped(thinnedCurve(ranking.precisionRecall())),
    );
    this.node = element(
      "div",
      { class: "label-panel" },
      element("h3", {}, "Against the labels"),
      this.tiles,
      element(
        "table",
        { class: "similarities confusion", "aria-label": "confusion matrix" },
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            element("td", {}),
            element("th", { scope: "col", class: "n" }, "flagged"),
            element("th", { scope: "col", class: "n" }, "not flagged"),
          ),
        ),
        this.table,
      ),
      element("div", { class: "curves" }, this.roc.node, this.pr.node),
      this.baselines(),
    );
    store.on(["threshold"], () => this.show());
    this.show();
  }

  /* The areas of the baselines beside the model's, as the report has them. */
  baselines() {
    const found = this.context.data.metrics?.baselines ?? [];
    return found.length === 0
      ? null
      : element(
          "p",
          { class: "more" },
          "Baselines on the same rows: ",
          found
            .map(b => `${b.name} ${places(b.auc_roc, 3)} (ROC), ${places(b.auc_pr, 3)} (average precision)`)
            .join("; "),
          ".",
        );
  }

  show() {
    const { ranking, store } = this.context;
    const at = ranking.at(store.state.threshold);
    this.tiles.replaceChildren(
      tile(
        "precision",
        Number.isNaN(at.precision) ? "–" : percent(at.precision),
        Number.isNaN(at.precision) ? "nothing is flagged" : "of those flagged are anomalous",
      ),
      tile("recall", percent(at.recall), `of ${count(ranking.nAnomalies)} anomalous are flagged`),
      tile("F1", places(at.f1, 3), "their harmonic mean"),
      tile("false alarms", percent(at.falseAlarmRate), `of ${count(ranking.n - ranking.nAnomalies)} labelled normal`),
    );
    const line = (name, ...numbers) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, name),
        numbers.map(n => element("td", { class: "n" }, count(n))),
      );
    this.table.replaceChildren(
      line("labelled anomalous", at.truePositives, at.falseNegatives),
      line("labelled normal", at.falsePositives, at.trueNegatives),
    );
    this.roc.mark(at.falseAlarmRate, at.recall);
    this.pr.mark(at.recall, at.precision);
  }
}

/* A curve in the unit square with the point of the threshold. */
class Curve {
  constructor(name, area, xName, yName, points) {
    Object.assign(this, { name, area, xName, yName, points, at: null });
    this.drawing = drawn("svg", { class: "live", role: "img" });
    this.node = element(
      "figure",
      {},
      element("figcaption", {}, `${name} `, element("span", {}, area)),
      this.drawing,
      element("p", { class: "axis-name" }, `${xName} →, ${yName} ↑`),
    );
    redrawn(this.node, () => this.draw());
  }

  mark(x, y) {
    this.at = { x, y };
    this.draw();
  }

  draw() {
    const width = Math.max(160, this.node.clientWidth);
    const x = share => LEFT + share * (width - LEFT - 8),
      y = share => BOTTOM - share * (BOTTOM - TOP);
    const parts = [];
    for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
      parts.push(drawn("path", { class: "grid", d: `M${x(0)} ${y(tick)}H${x(1)}` }));
      parts.push(
        drawn(
          "text",
          { class: "soft", x: LEFT - 5, y: y(tick) + 4, "text-anchor": "end" },
          places(tick, tick % 0.5 ? 2 : 1),
        ),
      );
      parts.push(
        drawn(
          "text",
          { class: "soft", x: x(tick), y: BOTTOM + 16, "text-anchor": "middle" },
          places(tick, tick % 0.5 ? 2 : 1),
        ),
      );
    }
    parts.push(drawn("path", { class: "axis", d: `M${x(0)} ${TOP}V${BOTTOM}H${x(1)}` }));
    parts.push(
      drawn("path", {
        class: "validation",
        d: this.points.map((p, i) => `${i ? "L" : "M"}${x(p.x).toFixed(1)} ${y(p.y).toFixed(1)}`).join(""),
      }),
    );
    if (this.at && Number.isFinite(this.at.x) && Number.isFinite(this.at.y)) {
      parts.push(drawn("circle", { class: "at", cx: x(this.at.x), cy: y(this.at.y), r: 5 }));
    }
    const here =
      this.at && Number.isFinite(this.at.y)
        ? `; at the threshold ${this.xName} ${percent(this.at.x)}, ${this.yName} ${percent(this.at.y)}`
        : "";
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.drawing.setAttribute("aria-label", `${this.name}, ${this.area}${here}`);
    this.drawing.replaceChildren(...parts);
  }
}

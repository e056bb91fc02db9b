/* The front page of a server: its models, and one file scored by several of them side by side. */

import { DropZone } from "./drop_zone.js";
import { agreementOf } from "./agreement_panel.js";
import { count, number, percent } from "./numbers.js";
import { dataTable } from "./data_table.js";
import { element, value } from "./dom.js";
import { scoredFile } from "./service.js";
import { smallHistogram } from "./small_histogram.js";

const AT_ONCE = 2;

export class ModelsPage {
  /* `models`: those that the page was made with. */
  constructor(place, models) {
    this.list = element("div", {});
    this.results = element("div", { class: "side-by-side", "aria-live": "polite" });
    const asks = "See one file scored by the chosen models: drop it here, or choose it:";
    this.zone = new DropZone(null, asks, (file, _, signal) => this.score(file, signal));
    place.replaceChildren(this.list, this.zone.node, this.results);
    this.show(models);
    document.getElementById("models-static")?.setAttribute("hidden", "");
  }

  show(models) {
    this.models = models;
    this.zone.node.hidden = models.length === 0;
    if (models.length === 0) {
      const says = "No model is served. Put a *.narrows file into the folder of the server.";
      this.list.replaceChildren(element("p", { class: "empty" }, says));
      return;
    }
    this.boxes = models.map(model => {
      /* Models without a threshold, such as restorers of images, score nothing. */
      const hasScores = model.threshold !== null;
      const name = `compare ${model.name}`;
      return element("input", { type: "checkbox", checked: hasScores, disabled: !hasScores, "aria-label": name });
    });
    const line = (model, i) =>
      element(
        "tr",
        {},
        element("td", {}, this.boxes[i]),
        element("th", { scope: "row" }, model.has_page ? linkTo(model.name) : value(model.name, 60)),
        element("td", {}, model.kind),
        element("td", {}, value(model.source, 60)),
        element("td", { class: "n" }, model.threshold === null ? "–" : number(model.threshold)),
        element("td", { class: "n" }, promised(model)),
      );
    const heads = ["compare", "model", "data", "fitted to", "threshold", "promised"];
    this.list.replaceChildren(dataTable("Models", "models", heads, [4, 5], models.map(line)));
  }

  /* Scores a file by all chosen models, two at a time; those that refuse it say why. */
  async score(file, signal) {
    const chosen = this.models.filter((_, i) => this.boxes[i].checked);
    if (chosen.length === 0) throw new Error("choose at least one model to compare");
    const found = new Array(chosen.length);
    let next = 0;
    const work = async () => {
      while (next < chosen.length) {
        const at = next;
        next += 1;
        const { name } = chosen[at];
        try {
          found[at] = { name, data: await scoredFile(name, file, {}, signal) };
        } catch (error) {
          if (error.name === "AbortError") throw error;
          found[at] = { name, error };
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    this.compare(file, found);
  }

  compare(file, found) {
    const scored = found.filter(({ data }) => data);
    const line = ({ name, data, error }) =>
      element("tr", {}, element("th", { scope: "row" }, linkTo(name)), data ? scores(data) : refusal(error));
    const heads = ["model", "scores", "flagged", "share", "threshold", "promised"];
    this.results.replaceChildren(
      element("h3", {}, value(file.name, 80)),
      dataTable("Scores by model", "compared", heads, [2, 3, 4, 5], found.map(line)),
      ...(scored.length > 1 ? agreementOf(scored) : []),
    );
  }
}

const linkTo = name => element("a", { href: `/models/${encodeURIComponent(name)}` }, value(name, 60));

const promised = ({ promised_rate }) => (promised_rate === null ? "–" : `≤ ${percent(promised_rate)}`);

const scores = data => [
  element("td", { class: "small-histogram" }, smallHistogram(data)),
  element("td", { class: "n" }, count(data.anomalies)),
  element("td", { class: "n" }, percent(data.anomalies / Math.max(1, data.scored))),
  element("td", { class: "n" }, number(data.threshold)),
  element("td", { class: "n" }, promised(data)),
];

const refusal = error => element("td", { colspan: 5, class: "refused" }, value(error.message, 300));

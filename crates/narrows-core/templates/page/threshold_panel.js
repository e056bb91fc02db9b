/* The threshold as a slider under the histogram, on the same axis, with what follows from it: how many are flagged, what is
   promised about normal rows, and the command that uses it. */

import { button, element, newId } from "./dom.js";
import { CopyText } from "./copy_button.js";
import { ScoreHistogram } from "./score_histogram.js";
import { count, counted, number, percent } from "./numbers.js";
import { tile } from "./tile.js";
import { ruleText, withThreshold } from "./command.js";

const STEPS = 1000;

export class ThresholdPanel {
  constructor(context) {
    this.context = context;
    const { data, store, noun, calibration } = context;
    const id = newId("threshold");
    this.slider = element("input", {
      type: "range",
      min: 0,
      max: STEPS,
      step: 1,
      id,
      class: "threshold-slider",
      on: { input: () => this.choose(context.axis.score(this.slider.valueAsNumber / STEPS)) },
    });
    this.exactly = element("input", {
      type: "number",
      step: "any",
      "aria-label": "threshold, as a number",
      on: {
        change: () => Number.isFinite(this.exactly.valueAsNumber) && this.choose(this.exactly.valueAsNumber, true),
      },
    });
    this.back = button("Model's threshold", () => this.choose(data.threshold, true), { class: "quiet" });
    const controls = element(
      "div",
      { class: "controls" },
      element("label", { for: id }, "Threshold"),
      this.exactly,
      button("−", () => this.step(-1), {
        "aria-label": `flag one ${noun.one} fewer`,
        title: `flag one ${noun.one} fewer`,
      }),
      button("+", () => this.step(1), {
        "aria-label": `flag one ${noun.one} more`,
        title: `flag one ${noun.one} more`,
      }),
      this.back,
    );
    this.tiles = element("dl", { class: "tiles threshold-tiles" });
    this.says = element("p", { class: "more" });
    this.command = new CopyText("command with this threshold");
    const legend = element(
      "ul",
      { class: "legend" },
      calibration.isEmpty ? null : element("li", {}, element("i", { class: "bin" }), `calibration ${noun.many}`),
      element("li", {}, element("i", { class: "bin-anomaly" }), `new ${noun.many}`),
      element("li", {}, element("i", { class: "line-threshold" }), "threshold"),
    );
    this.node = element(
      "div",
      { class: "threshold-panel" },
      element("h3", {}, "Scores and threshold"),
      legend,
      new ScoreHistogram(context).node,
      element("div", { class: "slider-line" }, this.slider),
      controls,
      this.tiles,
      this.says,
      this.command.node,
    );
    store.on(["threshold"], () => {
      this.show();
      this.announce();
    });
    this.show();
  }

  /* Sets the threshold; values from the slider are rounded to four digits, given ones are kept. */
  choose(threshold, isExact = false) {
    this.context.store.set({ threshold: isExact ? threshold : Number(threshold.toPrecision(4)) });
  }

  /* Moves the threshold by one row, or by several if their scores are equal. */
  step(more) {
    const { rows, store } = this.context;
    const { ascending } = rows,
      flagged = rows.flaggedCount(store.state.threshold);
    const n = ascending.length;
    if (more > 0) {
      if (flagged === n) return;
      const next = ascending[n - 1 - flagged];
      const below = ascending[n - 1 - rows.flaggedCount(previous(next))];
      this.choose(below ?? previous(next), true);
    } else if (flagged > 0) this.choose(ascending[n - flagged], true);
  }

  show() {
    const { data, rows, axis, store, calibration, noun, shareOf } = this.context;
    const { threshold } = store.state;
    const flagged = rows.flaggedCount(threshold);
    this.slider.value = Math.round(axis.share(threshold) * STEPS);
    this.slider.setAttribute("aria-valuetext", `${number(threshold)}, ${counted(flagged, noun)} flagged`);
    this.exactly.value = String(Number(threshold.toPrecision(6)));
    const isModels = threshold === data.threshold;
    this.back.disabled = isModels;
    const promise =
      isModels && data.promised_rate !== null && data.promised_rate !== undefined
        ? data.promised_rate
        : calibration.promise(threshold);
    const about = calibration.isThinned && !isModels ? "about " : "";
    /* Of very many rows only the highest are here: below the lowest of them, others are flagged, too. */
    const isPart = rows.n < shareOf && flagged === rows.n;
    const least = isPart ? "≥ " : "";
    this.tiles.replaceChildren(
      tile("flagged", least + count(flagged), `of ${counted(shareOf, noun)}`),
      tile("share", least + percent(flagged / Math.max(1, shareOf)), `of the new ${noun.many}`),
      ...(calibration.isEmpty
        ? []
        : [
            tile("false alarms", `≤ ${percent(promise)}`, `${about}of normal ${noun.many}, on average`),
            tile("calibration", percent(calibration.shareAbove(threshold)), `of ${counted(calibration.n, noun)} above`),
          ]),
    );
    this.says.textContent = isModels
      ? `This is the threshold of the model (rule ${ruleText(data.rule)}).`
      : `Moved: the threshold of the model is ${number(data.threshold)} (rule ${ruleText(data.rule)}). Nothing is refitted.`;
    this.command.node.hidden = !data.command;
    if (data.command) this.command.text = isModels ? data.command : withThreshold(data.command, threshold);
  }

  announce() {
    const { rows, store, noun, announcer } = this.context;
    const { threshold } = store.state;
    announcer.say(`threshold ${number(threshold)}: ${counted(rows.flaggedCount(threshold), noun)} flagged`);
  }
}

/* A number just below `x`. */
const previous = x => x - Math.abs(x) * Number.EPSILON - Number.MIN_VALUE;

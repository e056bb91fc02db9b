/* The front page of a server: its models, and one file scored by several of them side by side. */

import { ScoreAxis } from "./score_axis.js";
import { DropZone } from "./drop_zone.js";
import { agreement, overlap } from "./agreement.js";
import { binCount, binShares } from "./bins.js";
import { count, counted, number, percent } from "./numbers.js";
import { drawn, element, value } from "./dom.js";
import { scoredFile } from "./service.js";

const AT_ONCE = 2,
  MOST_ROWS = 20;

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
    this.zone.node.hidden = models.length === 0;
    if (models.length === 0) {
      this.list.replaceChildren(
        element("p", { class: "empty" }, "No model is served. Put a *.narrows file into the folder of the server."),
      );
      return;
    }
    /* Models without a threshold, such as restorers of images, score nothing. */
    const hasScores = model => model.threshold !== null;
    this.boxes = models.map(model =>
      element("input", {
        type: "checkbox",
        checked: hasScores(model),
        disabled: !hasScores(model),
        "aria-label": `compare ${model.name}`,
      }),
    );
    this.models = models;
    const names = ["compare", "model", "data", "fitted to", "threshold", "promised"];
    const line = (model, i) =>
      element(
        "tr",
        {},
        element("td", {}, this.boxes[i]),
        element("th", { scope: "row" }, model.has_page ? linkTo(model.name) : value(model.name, 60)),
        element("td", {}, model.kind),
        element("td", {}, value(model.source, 60)),
        element("td", { class: "n" }, model.threshold === null ? "–" : number(model.threshold)),
        element("td", { class: "n" }, model.promised_rate === null ? "–" : `≤ ${percent(model.promised_rate)}`),
      );
    this.list.replaceChildren(
      element(
        "div",
        { class: "scroll", role: "region", "aria-label": "Models", tabindex: "0" },
        element(
          "table",
          { class: "models" },
          element(
            "thead",
            {},
            element(
              "tr",
              {},
              names.map((name, i) => element("th", { scope: "col", class: i > 3 ? "n" : null }, name)),
            ),
          ),
          element("tbody", {}, models.map(line)),
        ),
      ),
    );
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
        try {
          found[at] = { name: chosen[at].name, data: await scoredFile(chosen[at].name, file, {}, signal) };
        } catch (error) {
          if (error.name === "AbortError") throw error;
          found[at] = { name: chosen[at].name, error };
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    this.compare(file, found);
  }

  compare(file, found) {
    const scored = found.filter(({ data }) => data);
    const parts = [
      element("h3", {}, value(file.name, 80)),
      element(
        "table",
        { class: "compared" },
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            ["model", "scores", "flagged", "share", "threshold", "promised"].map((name, i) =>
              element("th", { scope: "col", class: i > 1 ? "n" : null }, name),
            ),
          ),
        ),
        element(
          "tbody",
          {},
          found.map(({ name, data, error }) =>
            data
              ? element(
                  "tr",
                  {},
                  element("th", { scope: "row" }, linkTo(name)),
                  element("td", { class: "small-histogram" }, smallHistogram(data)),
                  element("td", { class: "n" }, count(data.anomalies)),
                  element("td", { class: "n" }, percent(data.anomalies / Math.max(1, data.scored))),
                  element("td", { class: "n" }, number(data.threshold)),
                  element("td", { class: "n" }, data.promised_rate === null ? "–" : `≤ ${percent(data.promised_rate)}`),
                )
              : element(
                  "tr",
                  {},
                  element("th", { scope: "row" }, linkTo(name)),
                  element("td", { colspan: 5, class: "refused" }, value(error.message, 300)),
                ),
          ),
        ),
      ),
    ];
    if (scored.length > 1) parts.push(...agreeing(scored));
    this.results.replaceChildren(...parts);
  }
}

const linkTo = name => element("a", { href: `/models/${encodeURIComponent(name)}` }, value(name, 60));

/* Calibration beside new scores, small. */
function smallHistogram(data) {
  const { rows, calibration } = data,
    [width, height] = [200, 40];
  const axis = new ScoreAxis([...rows.score, ...calibration.scores, data.threshold]);
  const n = Math.min(24, binCount(rows.score.length, calibration.scores.length));
  const known = binShares(axis, calibration.scores, n),
    fresh = binShares(axis, rows.score, n);
  const highest = Math.max(...known.shares, ...fresh.shares, 1e-9),
    y = share => height - 1 - (share / highest) * (height - 6);
  const step = width / n;
  const outline = fresh.shares.map((share, i) => `${i ? "" : `M0 ${y(share)}`}V${y(share)}H${(i + 1) * step}`).join("");
  const at = axis.share(data.threshold) * width;
  return drawn(
    "svg",
    {
      class: "live",
      role: "img",
      viewBox: `0 0 ${width} ${height}`,
      "aria-label": `scores from ${number(axis.score(0))} to ${number(axis.score(1))}, ${counted(data.anomalies, data.noun)} above the threshold`,
    },
    known.shares.map((share, i) =>
      drawn("rect", { class: "bin", x: i * step, y: y(share), width: step, height: height - 1 - y(share) }),
    ),
    drawn("path", { class: "outline", d: outline }),
    drawn("path", { class: "threshold", d: `M${at} 0V${height}` }),
  );
}

/* How far the models flag the same rows. */
function agreeing(scored) {
  const flags = scored.map(
    ({ data }) =>
      new Set(data.rows.row.filter((_, i) => data.rows.score[i] !== null && data.rows.score[i] > data.threshold)),
  );
  const { by, flaggedBy } = agreement(flags),
    noun = scored[0].data.noun;
  const names = scored.map(({ name }) => name);
  const pairs = element(
    "table",
    { class: "similarities agreement" },
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("td", {}),
        names.map(name => element("th", { scope: "col", class: "n" }, value(name, 24))),
      ),
    ),
    element(
      "tbody",
      {},
      names.map((name, a) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, value(name, 24)),
          names.map((_, b) => {
            if (a === b) return element("td", { class: "n" }, count(flags[a].size));
            const { both, share } = overlap(flags[a], flags[b]);
            return element(
              "td",
              { class: "n" },
              count(both),
              element("small", {}, Number.isNaN(share) ? "" : ` ${percent(share)}`),
            );
          }),
        ),
      ),
    ),
  );
  const top = [...by.entries()].sort((a, b) => b[1].length - a[1].length || a[0] - b[0]).slice(0, MOST_ROWS);
  const sentence = flaggedBy
    .map((n, k) =>
      k > 0 && n > 0
        ? `${count(n)} by ${k === names.length ? (k === 2 ? "both" : `all ${k}`) : k === 1 ? "one model" : `${k} models`}`
        : "",
    )
    .filter(Boolean)
    .reverse()
    .join(", ");
  return [
    element("h3", {}, "Agreement"),
    element(
      "p",
      {},
      by.size === 0 ? `No model flags a ${noun.one}.` : `${counted(by.size, noun)} flagged: ${sentence}.`,
    ),
    element("div", { class: "scroll", role: "region", "aria-label": "Agreement", tabindex: "0" }, pairs),
    element(
      "p",
      { class: "more" },
      `${capital(noun.many)} that both flag, and their share of those that either flags.`,
    ),
    by.size === 0
      ? null
      : element(
          "details",
          {},
          element("summary", {}, `${capital(noun.many)} that most models flag`),
          element(
            "table",
            {},
            element(
              "thead",
              {},
              element(
                "tr",
                {},
                element("th", { scope: "col", class: "n" }, noun.one),
                element("th", { scope: "col" }, "flagged by"),
              ),
            ),
            element(
              "tbody",
              {},
              top.map(([row, models]) =>
                element(
                  "tr",
                  {},
                  element("th", { scope: "row", class: "n" }, count(row)),
                  element("td", {}, models.map(i => names[i].slice(0, 40)).join(", ")),
                ),
              ),
            ),
          ),
        ),
  ].filter(Boolean);
}

const capital = text => text.charAt(0).toUpperCase() + text.slice(1);

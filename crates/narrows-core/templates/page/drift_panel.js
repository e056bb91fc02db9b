/* Drift: whether new data are still like those of the fit, in words, by column, and over the windows that a server has seen. */

import { button, drawn, element, prose, value } from "./dom.js";
import { Trouble } from "./trouble.js";
import { count, number, percent, places, probability } from "./numbers.js";
import { driftOf } from "./service.js";

/* By custom, less is no change, and more is a great one; the scale of the bars. */
const LEAST_PSI = 0.1,
  GREAT_PSI = 0.5;
const FIRST = 15;

export class DriftPanel {
  /* `own`: the DriftReport of the scored file, or null. `model`: its name on the server; null without a server. */
  constructor(own, model) {
    Object.assign(this, { own, model });
    this.body = element("div", { class: "body" });
    this.node = element(
      "section",
      { class: "explorer-section", id: "drift", "aria-labelledby": "drift-title" },
      element(
        "header",
        {},
        element("h2", { id: "drift-title" }, "Drift"),
        element(
          "p",
          {},
          "Whether new data are still like those of the fit: the scores, each column, and the promise of the threshold.",
        ),
      ),
      this.body,
    );
    this.trouble = new Trouble();
    if (model !== null) this.ask();
    else this.show(null);
  }

  set report(report) {
    this.own = report;
    this.show(this.seen ?? null);
  }

  async ask() {
    this.trouble.clear();
    this.body.setAttribute("aria-busy", "true");
    if (!this.body.hasChildNodes()) this.body.append(element("p", { class: "empty" }, "Asking the server …"));
    try {
      this.seen = await driftOf(this.model);
      this.show(this.seen);
    } catch (error) {
      this.show(null);
      this.trouble.show(error);
    } finally {
      this.body.removeAttribute("aria-busy");
    }
  }

  show(seen) {
    const parts = [this.trouble.node];
    if (this.own) parts.push(element("h3", {}, "The scored file"), ...report(this.own));
    const { current, previous, history } = seen ?? {};
    if (previous)
      parts.push(element("h3", {}, `The last full window: ${count(previous.rows)} rows`), ...report(previous));
    if (current && current.rows > 0) {
      const name = `Scored by the server since: ${count(current.rows)} rows`;
      parts.push(
        ...(this.own || previous
          ? [element("details", {}, element("summary", {}, name), report(current))]
          : [element("h3", {}, name), ...report(current)]),
      );
    }
    if (history?.length > 1) parts.push(this.history(history));
    if (parts.length === 1)
      parts.push(
        element(
          "p",
          { class: "empty" },
          this.model !== null ? "The server has not scored anything yet." : "Not compared.",
        ),
      );
    if (this.model !== null)
      parts.push(
        element(
          "p",
          { class: "controls" },
          button("Ask again", () => this.ask()),
        ),
      );
    this.body.replaceChildren(...parts);
  }

  /* Small lines over the windows: the share of flagged rows, and the PSI of the columns that moved most. */
  history(history) {
    const columns = new Set(history.flatMap(window => Object.keys(window.psi ?? {})));
    const highest = name => Math.max(...history.map(window => window.psi?.[name] ?? 0));
    const top = [...columns].sort((a, b) => highest(b) - highest(a)).slice(0, 8);
    const lines = [
      ["share of flagged rows", history.map(w => w.flagged_share), percent],
      ["p-value of the scores", history.map(w => w.score_p), probability],
      ...top.map(name => [`PSI of ${name}`, history.map(w => w.psi?.[name]), x => places(x, 3)]),
    ];
    return element(
      "div",
      {},
      element("h3", {}, `Over ${count(history.length)} windows`),
      element(
        "div",
        { class: "windows" },
        lines.map(([name, values, write]) => trend(name, values, write, history)),
      ),
    );
  }
}

function report(drift) {
  const verdict = drift.has_drifted ? "The data have changed since the fit." : "No change since the fit is seen.";
  const parts = [element("p", { class: `fit-verdict${drift.has_drifted ? " check" : ""}` }, verdict)];
  if (drift.findings.length > 0)
    parts.push(
      element(
        "ul",
        { class: "notes" },
        drift.findings.map(finding => element("li", {}, prose(finding))),
      ),
    );
  const { score, threshold } = drift;
  if (score && score.median !== null) {
    parts.push(
      element(
        "p",
        { class: "more" },
        `Scores: median ${number(score.median_was)} in calibration, ${number(score.median)} now; distance ${places(score.distance, 3)}, corrected p-value ${probability(score.corrected)}. `,
        `Above the threshold: ${percent(threshold.share)} of the rows, ${percent(threshold.share_was)} in calibration; the promise ${threshold.stands ? "stands" : "no longer stands"}.`,
      ),
    );
  }
  if (drift.columns.length > 0) parts.push(columns(drift.columns));
  return parts;
}

function columns(list) {
  const order = [...list].sort((a, b) => b.has_drifted - a.has_drifted || (b.psi ?? 0) - (a.psi ?? 0));
  const body = element("tbody", {}, order.slice(0, FIRST).map(line));
  const table = element(
    "table",
    { class: "drift-columns" },
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ["column", "PSI", "corrected p", "training rows", "new rows", "missing"].map((name, i) =>
          element("th", { scope: "col", class: i === 2 || i === 5 ? "n" : null }, name),
        ),
      ),
    ),
    body,
  );
  const rest = order.slice(FIRST);
  const more =
    rest.length > 0
      ? button(
          `Show ${rest.length} more columns`,
          () => {
            body.append(...rest.map(line));
            more.remove();
          },
          { class: "quiet" },
        )
      : null;
  return element(
    "div",
    {},
    element("div", { class: "scroll", role: "region", "aria-label": "Drift by column", tabindex: "0" }, table),
    more,
    element(
      "p",
      { class: "more" },
      `PSI is the population stability index: below ${LEAST_PSI} by custom no change. Values are medians with quartiles, or the level that changed most with its share.`,
    ),
  );
}

function line(column) {
  const psi = column.psi;
  const shares = column.level;
  const quartiles = q => (q ? `${number(q[1], 3)} (${number(q[0], 3)} to ${number(q[2], 3)})` : "–");
  const cell = (share, q) => (shares ? [value(shares.level, 30), ` ${percent(share)}`] : quartiles(q));
  return element(
    "tr",
    { class: column.has_drifted || column.missing.has_drifted ? "drifted" : null },
    element("th", { scope: "row" }, element("code", {}, value(column.column, 50))),
    element(
      "td",
      { class: "psi" },
      psi === null || psi === undefined
        ? element("span", { class: "none" }, "–")
        : [
            element("span", {
              class: `bar${psi >= LEAST_PSI ? " weak" : ""}`,
              style: { "--w": `${Math.min(100, (100 * psi) / GREAT_PSI).toFixed(1)}%` },
            }),
            " ",
            element("span", {}, places(psi, 3)),
          ],
    ),
    element("td", { class: "n" }, probability(column.corrected)),
    element("td", {}, cell(shares?.share_was, column.quartiles_were)),
    element(
      "td",
      {},
      cell(shares?.share, column.quartiles),
      column.unseen ? element("small", {}, ` ${count(column.unseen)} unseen`) : null,
    ),
    element("td", { class: "n" }, `${percent(column.missing.share_was)} → ${percent(column.missing.share)}`),
  );
}

/* One small line over the windows. */
function trend(name, values, write, history) {
  const known = values.filter(x => Number.isFinite(x));
  if (known.length === 0) return null;
  const [width, height] = [180, 48],
    high = Math.max(...known, 1e-12);
  const x = i => 4 + (i * (width - 8)) / Math.max(1, values.length - 1),
    y = v => height - 4 - (v / high) * (height - 10);
  const last = known[known.length - 1];
  const points = values
    .map((v, i) => (Number.isFinite(v) ? `${x(i).toFixed(1)} ${y(v).toFixed(1)}` : null))
    .filter(Boolean);
  return element(
    "figure",
    {},
    element("figcaption", {}, value(name, 40), " ", element("b", {}, write(last))),
    drawn(
      "svg",
      {
        class: "live",
        role: "img",
        viewBox: `0 0 ${width} ${height}`,
        "aria-label": `${name} over ${values.length} windows: from ${write(known[0])} to ${write(last)}, at most ${write(high)}`,
      },
      drawn("path", { class: "axis", d: `M4 ${height - 4}H${width - 4}` }),
      drawn("path", { class: "validation", d: `M${points.join("L")}` }),
      values.map((v, i) =>
        Number.isFinite(v) && history[i].has_drifted
          ? drawn("circle", { class: "drifted-window", cx: x(i), cy: y(v), r: 3 })
          : null,
      ),
    ),
  );
}

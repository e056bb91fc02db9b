/* The histogram of scores, calibration beside new, with the threshold; dragging over it filters the table by a range. */

import { binCount, binShares } from "./bins.js";
import { drawn, element, redrawn } from "./dom.js";
import { counted, number, percent } from "./numbers.js";
import { linearTicks } from "./score_axis.js";

const HEIGHT = 210,
  TOP = 30,
  BOTTOM = 186;
/* A shorter drag is a click, which takes the range away. */
const LEAST_DRAG = 4;

export class ScoreHistogram {
  constructor(context) {
    this.context = context;
    const { axis, rows, calibration, store } = context;
    const n = binCount(axis, rows.score, calibration.scores);
    this.n = n;
    this.fresh = binShares(axis, rows.score, n);
    this.known = binShares(axis, calibration.scores, n);
    this.drawing = drawn("svg", { class: "live histogram", role: "img" });
    this.node = element("figure", { class: "score-histogram" }, this.drawing);
    this.drag = null;
    this.listen();
    redrawn(this.node, () => this.draw());
    store.on(["threshold", "filter"], () => this.draw());
  }

  get width() {
    return Math.max(200, this.node.clientWidth);
  }

  draw() {
    const { axis, store } = this.context;
    const { threshold, filter } = store.state;
    const width = this.width;
    const x = score => axis.share(score) * width;
    const highest = Math.max(...this.fresh.shares, ...this.known.shares, 1e-9) * 1.06;
    const y = share => BOTTOM - ((BOTTOM - TOP) * share) / highest;
    this.brush = band("brush", 0, 0);
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.drawing.setAttribute("aria-label", this.description(threshold));
    this.drawing.replaceChildren(
      HATCH.cloneNode(true),
      band("beyond", x(threshold), width),
      ...this.groups(y, width),
      ...labels(axis, x, y, width, highest),
      ...this.range(filter, x, width),
      ...thresholdLine(threshold, x(threshold), width),
      this.brush,
    );
  }

  groups(y, width) {
    const { noun } = this.context;
    const named = kind => ({ one: `${kind} ${noun.one}`, many: `${kind} ${noun.many}` });
    return [
      ...this.bars(this.known, "bin", y, width, named("calibration")),
      ...this.bars(this.fresh, "bin-anomaly", y, width, named("new")),
      drawn("path", { class: "outline", d: this.outline(y, width) }),
    ];
  }

  /* The range that the table is filtered by. */
  range({ low, high }, x, width) {
    if (low === null && high === null) return [];
    const from = low === null ? 0 : x(low);
    return [band("range", from, Math.max(from + 1, high === null ? width : x(high)))];
  }

  bars({ counts, shares }, style, y, width, noun) {
    const { axis } = this.context;
    const step = width / this.n;
    return shares.flatMap((share, i) =>
      share === 0
        ? []
        : [
            drawn(
              "rect",
              {
                class: style,
                x: i * step,
                y: y(share),
                width: step,
                height: BOTTOM - y(share),
              },
              drawn(
                "title",
                {},
                `${number(axis.score(i / this.n))} to ${number(axis.score((i + 1) / this.n))}: ${counted(counts[i], noun)}, ${percent(share)}`,
              ),
            ),
          ],
    );
  }

  /* The outline of the new rows' bars, which makes them distinguishable without colour. */
  outline(y, width) {
    const step = width / this.n;
    let path = "",
      isOpen = false;
    this.fresh.shares.forEach((share, i) => {
      if (share > 0)
        path += isOpen ? `V${y(share)}H${(i + 1) * step}` : `M${i * step} ${BOTTOM}V${y(share)}H${(i + 1) * step}`;
      else if (isOpen) path += `V${BOTTOM}`;
      isOpen = share > 0;
    });
    return isOpen ? `${path}V${BOTTOM}` : path;
  }

  description(threshold) {
    const { rows, calibration, noun } = this.context;
    const known = calibration.isEmpty
      ? ""
      : `${percent(calibration.shareAbove(threshold))} of the calibration ${noun.many} and `;
    return `Histogram of scores: ${known}${counted(rows.flaggedCount(threshold), noun)} of ${counted(rows.ascending.length, { one: `new ${noun.one}`, many: `new ${noun.many}` })} are above the threshold.`;
  }

  listen() {
    const { axis, store, announcer } = this.context;
    const at = event => {
      const box = this.drawing.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    };
    const show = (a, b) => {
      this.brush.setAttribute("x", Math.min(a, b) * this.width);
      this.brush.setAttribute("width", Math.abs(a - b) * this.width);
    };
    this.drawing.addEventListener("pointerdown", event => {
      if (event.button !== 0) return;
      this.drag = at(event);
      this.drawing.setPointerCapture(event.pointerId);
    });
    this.drawing.addEventListener("pointermove", event => {
      if (this.drag !== null) show(this.drag, at(event));
    });
    this.drawing.addEventListener("pointerup", event => {
      if (this.drag === null) return;
      const [low, high] = [Math.min(this.drag, at(event)), Math.max(this.drag, at(event))];
      this.drag = null;
      show(0, 0);
      const isRange = (high - low) * this.width >= LEAST_DRAG;
      const ends = isRange
        ? { low: low === 0 ? null : round(axis.score(low)), high: high === 1 ? null : round(axis.score(high)) }
        : { low: null, high: null };
      store.set({ filter: { ...store.state.filter, ...ends } });
      if (isRange) announcer.say(`scores from ${number(axis.score(low))} to ${number(axis.score(high))}`);
    });
    this.drawing.addEventListener("pointercancel", () => {
      this.drag = null;
      show(0, 0);
    });
  }
}

const round = x => Number(x.toPrecision(4));

const HATCH = drawn(
  "defs",
  {},
  drawn(
    "pattern",
    { id: "explorer-hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    drawn("path", { class: "hatch", d: "M0 0V5" }),
  ),
);

/* A rectangle over the height of the plot. */
const band = (style, from, to) =>
  drawn("rect", { class: style, x: from, y: TOP - 6, width: Math.max(0, to - from), height: BOTTOM - TOP + 6 });

/* Both axes with their labels. */
function labels(axis, x, y, width, highest) {
  const parts = [drawn("path", { class: "axis", d: `M0 ${BOTTOM}H${width}` })];
  for (const tick of linearTicks(0, highest, 4).filter(share => share > 0)) {
    parts.push(drawn("path", { class: "grid", d: `M0 ${y(tick)}H${width}` }));
    parts.push(drawn("text", { class: "soft halo", x: 2, y: y(tick) - 4 }, percent(tick)));
  }
  for (const tick of axis.ticks(Math.max(3, Math.floor(width / 90)))) {
    const at = x(tick);
    const anchor = at < 14 ? "start" : at > width - 14 ? "end" : "middle";
    parts.push(drawn("path", { class: "axis", d: `M${at} ${BOTTOM}v4` }));
    parts.push(drawn("text", { class: "soft", x: at, y: BOTTOM + 17, "text-anchor": anchor }, number(tick)));
  }
  return parts;
}

function thresholdLine(threshold, at, width) {
  const isRight = at > width / 2;
  const place = { x: at + (isRight ? -6 : 6), y: TOP - 14, "text-anchor": isRight ? "end" : "start" };
  return [
    drawn("path", { class: "threshold", d: `M${at} ${TOP - 12}V${BOTTOM}` }),
    drawn("text", { class: "threshold halo", ...place }, `threshold ${number(threshold)}`),
  ];
}

/* Calibration scores beside new ones, small, with the threshold: a cell of a table. */

import { ScoreAxis } from "./score_axis.js";
import { binCount, binShares } from "./bins.js";
import { counted, number } from "./numbers.js";
import { drawn } from "./dom.js";
import { numbers } from "./row_list.js";

const WIDTH = 200;
const HEIGHT = 40;
const MOST_BINS = 24;

export function smallHistogram(data) {
  const fresh = numbers(data.rows.score);
  const known = data.calibration.scores;
  const axis = new ScoreAxis([...fresh, ...known, data.threshold]);
  const n = Math.min(MOST_BINS, binCount(axis, fresh, known));
  const [a, b] = [binShares(axis, known, n).shares, binShares(axis, fresh, n).shares];
  const highest = Math.max(...a, ...b, 1e-9);
  const y = share => HEIGHT - 1 - (share / highest) * (HEIGHT - 6);
  const step = WIDTH / n;
  const bar = (share, i) =>
    drawn("rect", { class: "bin", x: i * step, y: y(share), width: step, height: HEIGHT - 1 - y(share) });
  const outline = b.map((share, i) => `${i ? "" : `M0 ${y(share)}`}V${y(share)}H${(i + 1) * step}`).join("");
  const range = `scores from ${number(axis.score(0))} to ${number(axis.score(1))}`;
  return drawn(
    "svg",
    {
      class: "live",
      role: "img",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      "aria-label": `${range}, ${counted(data.anomalies, data.noun)} above the threshold`,
    },
    a.map(bar),
    drawn("path", { class: "outline", d: outline }),
    drawn("path", { class: "threshold", d: `M${axis.share(data.threshold) * WIDTH} 0V${HEIGHT}` }),
  );
}

/* Drift over the windows that a server has seen, as small lines: flagged rows, scores, and the columns that moved most. */

import { count, percent, places, probability } from "./numbers.js";
import { drawn, element, value } from "./dom.js";

const COLUMNS = 8;
const WIDTH = 180;
const HEIGHT = 48;

/* `history`: the windows, oldest first. */
export function driftTrends(history) {
  const columns = new Set(history.flatMap(window => Object.keys(window.psi ?? {})));
  const highest = name => Math.max(...history.map(window => window.psi?.[name] ?? 0));
  const top = [...columns].sort((a, b) => highest(b) - highest(a)).slice(0, COLUMNS);
  const drifted = history.map(window => window.has_drifted);
  const line = (name, of, write) => trend(name, history.map(of), write, drifted);
  return element(
    "div",
    {},
    element("h3", {}, `Over ${count(history.length)} windows`),
    element(
      "div",
      { class: "windows" },
      line("share of flagged rows", window => window.flagged_share, percent),
      line("p-value of the scores", window => window.score_p, probability),
      top.map(name =>
        line(
          `PSI of ${name}`,
          window => window.psi?.[name],
          psi => places(psi, 3),
        ),
      ),
    ),
  );
}

/* One line; windows that drifted have a dot. */
function trend(name, values, write, drifted) {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return null;
  const high = Math.max(...known, 1e-12);
  const [first, last] = [known[0], known[known.length - 1]];
  const points = values.flatMap((v, i) => {
    if (!Number.isFinite(v)) return [];
    const x = 4 + (i * (WIDTH - 8)) / Math.max(1, values.length - 1);
    return [{ x: x.toFixed(1), y: (HEIGHT - 4 - (v / high) * (HEIGHT - 10)).toFixed(1), hasDrifted: drifted[i] }];
  });
  const says = `${name} over ${values.length} windows: from ${write(first)} to ${write(last)}, at most ${write(high)}`;
  return element(
    "figure",
    {},
    element("figcaption", {}, value(name, 40), " ", element("b", {}, write(last))),
    drawn(
      "svg",
      { class: "live", role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-label": says },
      drawn("path", { class: "axis", d: `M4 ${HEIGHT - 4}H${WIDTH - 4}` }),
      drawn("path", { class: "validation", d: `M${points.map(p => `${p.x} ${p.y}`).join("L")}` }),
      points.filter(p => p.hasDrifted).map(p => drawn("circle", { class: "drifted-window", cx: p.x, cy: p.y, r: 3 })),
    ),
  );
}

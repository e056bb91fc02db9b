/* Histograms of scores on an axis: equal widths on the axis, so log-spaced where it is logarithmic. */

/* Share of the finite `scores` in each of `n` bins. */
export function binShares(axis, scores, n) {
  const counts = new Array(n).fill(0);
  let total = 0;
  for (const x of scores) {
    if (!Number.isFinite(x)) continue;
    counts[Math.min(n - 1, Math.floor(axis.share(x) * n))] += 1;
    total += 1;
  }
  return { counts, total, shares: counts.map(k => (total > 0 ? k / total : 0)) };
}

/* A number of bins on an axis that suits several groups of scores: of the width of Freedman and Diaconis (1981), which
   follows the middle half of a group, so that a few scores far away do not widen the bins; the widest of the groups'. */
export function binCount(axis, ...groups) {
  const widths = groups.map(scores => binWidth(axis, scores)).filter(width => width > 0);
  if (widths.length === 0) return LEAST_BINS;
  return Math.min(MOST_BINS, Math.max(LEAST_BINS, Math.round(1 / Math.max(...widths))));
}

const LEAST_BINS = 12;
const MOST_BINS = 72;

/* As a share of the axis. */
function binWidth(axis, scores) {
  const places = Float64Array.from(scores)
    .filter(Number.isFinite)
    .map(x => axis.share(x))
    .sort();
  const at = q => places[Math.floor(q * (places.length - 1))];
  return places.length === 0 ? 0 : (2 * (at(0.75) - at(0.25))) / Math.cbrt(places.length);
}

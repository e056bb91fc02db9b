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

/* A number of bins that suits both numbers of scores. */
export const binCount = (a, b) => Math.min(48, Math.max(12, Math.round(4 * Math.cbrt(Math.max(1, Math.max(a, b))))));

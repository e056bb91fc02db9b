/* Runs of points above the threshold, and points thinned for drawing. */

/* Runs of scores above `threshold`, highest peak first. */
export function stretches(scores, threshold) {
  const found = [];
  let open = null;
  scores.forEach((score, i) => {
    if (score !== null && score > threshold) {
      if (!open) found.push(open = { first: i, last: i, peak: score, peakAt: i });
      open.last = i;
      if (score > open.peak) [open.peak, open.peakAt] = [score, i];
    } else open = null;
  });
  return found.sort((a, b) => b.peak - a.peak);
}

/* The range of points that shows a stretch with its surroundings, within `n` points. */
export function around({ first, last }, n) {
  const margin = Math.max(20, 2 * (last - first + 1));
  return { from: Math.max(0, first - margin), to: Math.min(n - 1, last + margin) };
}

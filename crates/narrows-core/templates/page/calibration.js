/* The calibration scores, which are of rows that did not train: what a threshold promises about normal rows. */

/* Number of `ascending` values that are greater than `x`. */
export function numberAbove(ascending, x) {
  let low = 0, high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] > x) high = middle;
    else low = middle + 1;
  }
  return ascending.length - low;
}

export class Calibration {
  /* `scores` ascending: all `n`, or evenly spaced ones of them. `blocks`: independent ones among them, if fewer. */
  constructor({ n, blocks, scores }) {
    this.scores = Float64Array.from(scores);
    this.n = n;
    this.blocks = blocks ?? n;
    this.isThinned = this.scores.length < n;
  }

  get isEmpty() {
    return this.scores.length === 0;
  }

  /* Share of the calibration scores above `threshold`. */
  shareAbove(threshold) {
    return this.isEmpty ? NaN : numberAbove(this.scores, threshold) / this.scores.length;
  }

  /* The greatest share of normal rows above `threshold`, on average over calibration samples: of n + 1 exchangeable rows
     each is equally likely to be the new one (split conformal prediction). With fewer blocks than scores, n is the
     number of blocks. */
  promise(threshold) {
    if (this.isEmpty) return NaN;
    return Math.min(1, (1 + this.shareAbove(threshold) * this.blocks) / (this.blocks + 1));
  }
}

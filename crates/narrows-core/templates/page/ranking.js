/* Labelled rows ranked by their score: confusion counts at a threshold, the ROC and precision-recall curves and the areas
   under them, defined as scikit-learn defines them. A row is flagged if its score is greater than the threshold. */

export class Ranking {
  /* `labels`: 1 for anomalous, 0 for normal, anything else for rows that are left out, as are rows without a score.
     `all`: numbers of labelled rows and anomalies if `scores` are only the highest of them. */
  constructor(scores, labels, all = null) {
    const order = [];
    for (let i = 0; i < scores.length; i += 1) {
      if ((labels[i] === 0 || labels[i] === 1) && Number.isFinite(scores[i])) order.push(i);
    }
    order.sort((a, b) => scores[b] - scores[a]);
    /* Distinct scores, descending, with the rows at or above them. */
    this.levels = [];
    this.anomaliesFrom = [];
    this.rowsFrom = [];
    let anomalies = 0;
    order.forEach((i, at) => {
      anomalies += labels[i];
      if (at + 1 < order.length && scores[order[at + 1]] === scores[i]) return;
      this.levels.push(scores[i]);
      this.anomaliesFrom.push(anomalies);
      this.rowsFrom.push(at + 1);
    });
    this.n = all ? all.n : order.length;
    this.nAnomalies = all ? all.nAnomalies : anomalies;
    this.isComplete = this.n === order.length;
  }

  get hasBoth() {
    return this.nAnomalies > 0 && this.nAnomalies < this.n;
  }

  /* Number of levels above `threshold`. */
  levelsAbove(threshold) {
    let low = 0,
      high = this.levels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.levels[middle] > threshold) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /* Confusion counts and what follows from them; `NaN` where nothing is to be divided by. */
  at(threshold) {
    const above = this.levelsAbove(threshold);
    const flagged = above > 0 ? this.rowsFrom[above - 1] : 0;
    const truePositives = above > 0 ? this.anomaliesFrom[above - 1] : 0;
    const falsePositives = flagged - truePositives;
    const falseNegatives = this.nAnomalies - truePositives;
    const trueNegatives = this.n - this.nAnomalies - falsePositives;
    return {
      truePositives,
      falsePositives,
      falseNegatives,
      trueNegatives,
      precision: flagged > 0 ? truePositives / flagged : NaN,
      recall: truePositives / this.nAnomalies,
      f1: (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives),
      falseAlarmRate: falsePositives / (this.n - this.nAnomalies),
    };
  }

  /* Points of the ROC curve from (0, 0), one for each distinct score. */
  roc() {
    const points = [{ x: 0, y: 0 }];
    this.levels.forEach((_, i) =>
      points.push({
        x: (this.rowsFrom[i] - this.anomaliesFrom[i]) / (this.n - this.nAnomalies),
        y: this.anomaliesFrom[i] / this.nAnomalies,
      }),
    );
    return points;
  }

  /* Points of the precision-recall curve: recall and precision, one for each distinct score, highest first. */
  precisionRecall() {
    return this.levels.map((_, i) => ({
      x: this.anomaliesFrom[i] / this.nAnomalies,
      y: this.anomaliesFrom[i] / this.rowsFrom[i],
    }));
  }

  /* Area under the ROC curve by trapezia; `NaN` if a class has no row. */
  aucRoc() {
    if (!this.hasBoth || !this.isComplete) return NaN;
    let area = 0;
    const points = this.roc();
    for (let i = 1; i < points.length; i += 1) {
      area += ((points[i].x - points[i - 1].x) * (points[i].y + points[i - 1].y)) / 2;
    }
    return area;
  }

  /* Average precision: the mean of precision over the steps of recall. */
  averagePrecision() {
    if (this.nAnomalies === 0 || !this.isComplete) return NaN;
    let sum = 0,
      before = 0;
    for (const { x, y } of this.precisionRecall()) {
      sum += (x - before) * y;
      before = x;
    }
    return sum;
  }
}

/* At most `most` of the points of a curve, both ends among them. */
export function thinnedCurve(points, most = 400) {
  if (points.length <= most) return points;
  const kept = [];
  for (let i = 0; i < most; i += 1) kept.push(points[Math.round((i * (points.length - 1)) / (most - 1))]);
  return kept;
}

/* Points of the precision-recall curve as steps: a precision holds for the recall that it adds, as in average precision. */
export function stepped(points) {
  let before = 0;
  return points.flatMap(({ x, y }) => {
    const step = [
      { x: before, y },
      { x, y },
    ];
    before = x;
    return step;
  });
}

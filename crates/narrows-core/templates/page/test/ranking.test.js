/* Confusion counts, curves and areas are those of scikit-learn (golden_metrics.py). */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { Ranking, stepped, thinnedCurve } from "../ranking.js";

const cases = JSON.parse(readFileSync(new URL("golden_metrics.json", import.meta.url)));
/* Sums of at most 150 terms in doubles, in another order. */
const TOLERANCE = 1e-12;
const near = (a, b, what) => assert.ok(Math.abs(a - b) <= TOLERANCE, `${what}: ${a}, scikit-learn has ${b}`);

for (const golden of cases) {
  test(`metrics of ${golden.name} are those of scikit-learn`, () => {
    const ranking = new Ranking(golden.scores, golden.labels);
    near(ranking.aucRoc(), golden.auc_roc, "AUC-ROC");
    near(ranking.averagePrecision(), golden.average_precision, "average precision");
    for (const at of golden.at) {
      const found = ranking.at(at.threshold);
      assert.deepEqual(
        [found.truePositives, found.falsePositives, found.falseNegatives, found.trueNegatives],
        at.confusion,
        `at ${at.threshold}`,
      );
      if (at.precision === null) assert.ok(Number.isNaN(found.precision));
      else near(found.precision, at.precision, "precision");
      near(found.recall, at.recall, "recall");
      near(found.f1, at.f1, "F1");
    }
    const roc = ranking.roc();
    assert.equal(roc.length, golden.roc.x.length);
    roc.forEach((p, i) => {
      near(p.x, golden.roc.x[i], "false alarms");
      near(p.y, golden.roc.y[i], "recall");
    });
    const curve = ranking.precisionRecall().slice(0, golden.precision_recall.x.length);
    curve.forEach((p, i) => {
      near(p.x, golden.precision_recall.x[i], "recall");
      near(p.y, golden.precision_recall.y[i], "precision");
    });
  });
}

test("rows without label or score are left out", () => {
  const ranking = new Ranking([3, NaN, 2, 1], [1, 1, null, 0]);
  assert.deepEqual([ranking.n, ranking.nAnomalies], [2, 1]);
  assert.equal(ranking.at(2).truePositives, 1);
});

test("of the highest rows alone, counts are those of all", () => {
  const ranking = new Ranking([9, 8], [1, 0], { n: 100, nAnomalies: 5 });
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = ranking.at(7);
  assert.deepEqual([truePositives, falsePositives, falseNegatives, trueNegatives], [1, 1, 4, 94]);
  assert.ok(Number.isNaN(ranking.aucRoc()));
});

test("one class has no area", () => {
  assert.ok(Number.isNaN(new Ranking([1, 2], [0, 0]).aucRoc()));
  assert.ok(Number.isNaN(new Ranking([1, 2], [0, 0]).averagePrecision()));
});

test("a thinned curve keeps its ends", () => {
  const points = Array.from({ length: 5000 }, (_, i) => ({ x: i, y: i }));
  const thin = thinnedCurve(points, 100);
  assert.deepEqual([thin.length, thin[0].x, thin[99].x], [100, 0, 4999]);
});

test("the area under the steps is the average precision", () => {
  const { scores, labels, average_precision } = cases[0];
  const steps = stepped(new Ranking(scores, labels).precisionRecall());
  let area = 0;
  for (let i = 1; i < steps.length; i += 1) area += (steps[i].x - steps[i - 1].x) * steps[i].y;
  near(area, average_precision, "area");
});

/* The axis of scores, bins on it, what calibration promises, and numbers as text. */

import assert from "node:assert/strict";
import test from "node:test";

import { Calibration, numberAbove } from "../calibration.js";
import { ScoreAxis, linearTicks } from "../score_axis.js";
import { binCount, binShares } from "../bins.js";
import { count, counted, number, percent, probability } from "../numbers.js";

test("positive scores have a logarithmic axis that is its own inverse", () => {
  const axis = new ScoreAxis([0.5, 1, 40, NaN, Infinity]);
  assert.ok(axis.isLog);
  for (const x of [0.5, 1, 7, 40]) assert.ok(Math.abs(axis.score(axis.share(x)) - x) < 1e-9);
  assert.equal(axis.share(1e9), 1);
  assert.equal(axis.share(0), 0);
  assert.deepEqual(axis.ticks(8), [0.5, 1, 2, 5, 10, 20]);
});

test("negative scores have a linear axis, zeros stand at the low end", () => {
  assert.equal(new ScoreAxis([-1, 3]).isLog, false);
  const axis = new ScoreAxis([0, 1, 2]);
  assert.ok(axis.isLog && axis.share(0) === 0 && axis.share(1) > 0.3);
});

test("no scores, equal scores and huge ranges have an axis too", () => {
  for (const values of [[], [NaN], [3, 3], [0, 0], [1e-9, 1e12]]) {
    const axis = new ScoreAxis(values);
    assert.ok(Number.isFinite(axis.score(0.5)) && axis.to > axis.from, String(values));
    assert.ok(axis.ticks(6).length <= 6 && axis.ticks(6).length > 0, String(values));
  }
});

test("ticks are round", () => {
  assert.deepEqual(linearTicks(0, 0.107, 4), [0, 0.05, 0.1]);
  assert.deepEqual(linearTicks(-2.2, 2.2, 4), [-2, 0, 2]);
});

test("shares of bins add up to one, whatever is not finite is left out", () => {
  const scores = [1, 2, 4, 8, NaN];
  const { counts, total, shares } = binShares(new ScoreAxis(scores), scores, 4);
  assert.deepEqual([counts, total], [[1, 1, 1, 1], 4]);
  assert.equal(
    shares.reduce((a, b) => a + b),
    1,
  );
  assert.equal(binShares(new ScoreAxis([]), [], 4).total, 0);
  const many = Array.from({ length: 4000 }, (_, i) => 1 + i / 4000);
  const axis = new ScoreAxis([...many, 1000]);
  assert.ok(binCount(axis, many.filter((_, i) => i % 200 === 0), many) < binCount(axis, many, many));
  assert.equal(binCount(axis, [], []), 12);
  assert.equal(binCount(axis, [2, 2, 2], [2]), 12);
});

test("a threshold counts what is greater, not what is equal", () => {
  assert.deepEqual(
    [0, 1, 2, 2.5, 3].map(t => numberAbove([1, 2, 2, 3], t)),
    [4, 3, 1, 1, 0],
  );
});

test("the promise of a threshold is that of split conformal prediction", () => {
  const scores = Array.from({ length: 999 }, (_, i) => i + 1);
  const calibration = new Calibration({ n: 999, blocks: null, scores });
  /* The 990th of 999 scores is the threshold of a rate of 1 %. */
  assert.equal(calibration.promise(990), 10 / 1000);
  assert.equal(calibration.promise(5000), 1 / 1000);
  assert.equal(calibration.promise(0), 1);
  const few = new Calibration({ n: 999, blocks: 9, scores });
  assert.ok(Math.abs(few.promise(990) - (1 + (9 / 999) * 9) / 10) < 1e-15);
  assert.ok(Number.isNaN(new Calibration({ n: 0, scores: [] }).promise(1)));
  assert.equal(new Calibration({ n: 1e6, scores }).isThinned, true);
});

test("numbers read as the rest of the page writes them", () => {
  assert.deepEqual(
    [3.40951, 1234.9, 0, -0.5, 2.5e-7, NaN, Infinity, null].map(x => number(x)),
    ["3.41", "1,235", "0", "−0.5", "2.5e−7", "n/a", "∞", "n/a"],
  );
  assert.deepEqual(
    [0.71, 0.0125, 0.997, 0.00001, 0, 1].map(percent),
    ["71 %", "1.3 %", "99.7 %", "below 0.01 %", "0 %", "100 %"].map(t => t.replace(" %", "\u00a0%")),
  );
  assert.deepEqual([0.005, 0.314, 2e-6, 1].map(probability), ["0.0050", "0.31", "2.0e−6", "1"]);
  assert.equal(count(1234567), "1,234,567");
  assert.equal(counted(1, { one: "row", many: "rows" }), "1\u00a0row");
});

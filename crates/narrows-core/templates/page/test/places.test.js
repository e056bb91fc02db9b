/* Points inside a drawn line, nearest points, runs above the threshold, lines for pixels, shapes of columns, agreement. */

import assert from "node:assert/strict";
import test from "node:test";

import { PlaceIndex } from "../place_index.js";
import { Store } from "../store.js";
import { agreement, overlap } from "../agreement.js";
import { around, stretches } from "../stretches.js";
import { cellNumber, levelShare, standing, typical } from "../column_shape.js";
import { corners, extent } from "../panel_pen.js";
import { isInside, pointsInside } from "../polygon.js";

const path = text => text.split(" ").map(p => ({ x: Number(p.split(",")[0]), y: Number(p.split(",")[1]) }));

test("points inside a line, also a concave one", () => {
  const notched = path("0,0 10,0 10,10 5,5 0,10");
  assert.deepEqual(
    [isInside(notched, 1, 1), isInside(notched, 5, 8), isInside(notched, 9, 8), isInside(notched, 11, 1)],
    [true, false, true, false],
  );
  assert.deepEqual(pointsInside(notched, [1, 5, NaN, 9, 20], [1, 8, 1, 8, 20]), [0, 3]);
  assert.deepEqual(pointsInside(path("0,0 1,1"), [0.5], [0.5]), []);
});

test("the nearest point is that of a look at all points", () => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const xs = Array.from({ length: 3000 }, () => random() * 50),
    ys = Array.from({ length: 3000 }, () => random() - 3);
  xs[10] = NaN;
  const index = new PlaceIndex(xs, ys);
  for (let k = 0; k < 200; k += 1) {
    const [x, y] = [random() * 60 - 5, random() * 1.2 - 3.1],
      reach = [2, 0.05];
    let best = -1,
      least = 1;
    xs.forEach((_, i) => {
      const d = ((xs[i] - x) / reach[0]) ** 2 + ((ys[i] - y) / reach[1]) ** 2;
      if (d <= least) [best, least] = [i, d];
    });
    assert.equal(index.nearest(x, y, ...reach), best);
  }
  assert.equal(index.nearest(1000, 0, 1, 1), -1);
  const near = index.neighbours(42, 5);
  assert.deepEqual([near.length, near[0]], [5, 42]);
  assert.equal(new PlaceIndex([], []).nearest(0, 0, 1, 1), -1);
});

test("events are runs above the threshold, highest peak first", () => {
  assert.deepEqual(stretches([1, 5, 4, null, 9, 3, 3.1], 3), [
    { first: 4, last: 4, peak: 9, peakAt: 4 },
    { first: 1, last: 2, peak: 5, peakAt: 1 },
    { first: 6, last: 6, peak: 3.1, peakAt: 6 },
  ]);
  assert.deepEqual(stretches([], 1), []);
  assert.deepEqual(around({ first: 5, last: 10 }, 1000), { from: 0, to: 30 });
});

test("a line for pixels keeps every extreme", () => {
  const values = Float64Array.from({ length: 10000 }, (_, i) => (i === 4321 ? 50 : Math.sin(i)));
  const line = corners(values, 0, 9999, 300);
  assert.ok(line.length <= 600);
  assert.equal(Math.max(...line.map(p => p.y)), 50);
  assert.deepEqual(corners(Float64Array.from([1, NaN, 3]), 0, 2, 100), [{ x: 0, y: 1 }, null, { x: 100, y: 3 }]);
  assert.deepEqual(extent([3, NaN, -1]), { low: -1, high: 3 });
});

test("typical values of columns", () => {
  assert.equal(typical({ kind: "number", edges: [0, 10, 20, 30], counts: [1, 2, 1] }), "15");
  assert.equal(typical({ kind: "number", edges: [0, 0.5, 1], counts: [3, 1] }), "0.33");
  assert.equal(
    typical({
      kind: "category",
      levels: [
        ["a", 3],
        ["b", 9],
      ],
    }),
    "b",
  );
  assert.match(typical({ kind: "date" }), /^\d{4}-\d\d-\d\dT12:00:00$/);
  assert.equal(typical({ kind: "number", always: "7" }), "7");
  assert.equal(typical({ kind: "number", edges: [5, 5], counts: [10] }), "5");
});

test("where a value stands in its column", () => {
  const column = { edges: [0, 5, 10], counts: [1, 1] };
  assert.deepEqual(standing(column, 5), { share: 0.5, isOutside: false });
  assert.deepEqual(standing(column, 11), { share: 1, isOutside: true });
  assert.deepEqual(standing(column, -1), { share: 0, isOutside: true });
  assert.deepEqual([cellNumber(" 1.5 "), cellNumber("−2"), cellNumber(null), cellNumber("x")], [1.5, -2, NaN, NaN]);
  assert.equal(levelShare({ levels: [["a", 3]], others: 1 }, "a"), 0.75);
  assert.equal(levelShare({ levels: [["a", 3]] }, "b"), 0);
});

test("agreement of models", () => {
  const flags = [new Set([1, 2, 3]), new Set([2, 3, 9]), new Set([3])];
  const { by, flaggedBy } = agreement(flags);
  assert.deepEqual(flaggedBy, [0, 2, 1, 1]);
  assert.deepEqual(by.get(3), [0, 1, 2]);
  assert.deepEqual(overlap(flags[0], flags[1]), { both: 2, share: 0.5 });
  assert.ok(Number.isNaN(overlap(new Set(), new Set()).share));
});

test("listeners are told once of several changes", async () => {
  const store = new Store({ a: 1, b: 2 }),
    told = [];
  store.on(["a"], (state, changed) => told.push([state.a, [...changed].sort()]));
  store.set({ a: 5 });
  store.set({ b: 6, a: 7 });
  store.set({ a: 7 });
  await Promise.resolve();
  assert.deepEqual(told, [[7, ["a", "b"]]]);
  store.set({ b: 8 });
  await Promise.resolve();
  assert.equal(told.length, 1);
});

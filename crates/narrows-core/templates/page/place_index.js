/* Points of the plane by place, so that the nearest to a pointer is found without looking at all of them. */

const CELLS = 64;

export class PlaceIndex {
  /* `xs`, `ys` in any unit; points without a place are `NaN`. */
  constructor(xs, ys) {
    this.xs = xs;
    this.ys = ys;
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < xs.length; i += 1) {
      if (!Number.isFinite(xs[i]) || !Number.isFinite(ys[i])) continue;
      left = Math.min(left, xs[i]); right = Math.max(right, xs[i]);
      low = Math.min(low, ys[i]); high = Math.max(high, ys[i]);
    }
    this.left = left; this.low = low;
    this.width = (right - left) / CELLS || 1;
    this.height = (high - low) / CELLS || 1;
    this.cells = new Map();
    for (let i = 0; i < xs.length; i += 1) {
      if (!Number.isFinite(xs[i]) || !Number.isFinite(ys[i])) continue;
      const key = this.key(this.column(xs[i]), this.line(ys[i]));
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push(i);
    }
  }

  column(x) { return Math.min(CELLS - 1, Math.floor((x - this.left) / this.width)); }
  line(y) { return Math.min(CELLS - 1, Math.floor((y - this.low) / this.height)); }
  key(column, line) { return line * CELLS + column; }

  /* The nearest point within `reachX` and `reachY` of a place, distances measured in these; -1 if there is none. */
  nearest(x, y, reachX, reachY) {
    let best = -1, least = 1;
    const [c0, c1] = [this.column(x - reachX), this.column(x + reachX)];
    const [l0, l1] = [this.line(y - reachY), this.line(y + reachY)];
    for (let line = Math.max(0, l0); line <= l1; line += 1) {
      for (let column = Math.max(0, c0); column <= c1; column += 1) {
        for (const i of this.cells.get(this.key(column, line)) ?? []) {
          const distance = ((this.xs[i] - x) / reachX) ** 2 + ((this.ys[i] - y) / reachY) ** 2;
          if (distance <= least) [best, least] = [i, distance];
        }
      }
    }
    return best;
  }

  /* The `k` points nearest to point `i`, itself first. */
  neighbours(i, k) {
    const found = [];
    for (const cell of this.cells.values()) found.push(...cell);
    const distance = j => (this.xs[j] - this.xs[i]) ** 2 + (this.ys[j] - this.ys[i]) ** 2;
    const far = new Map(found.map(j => [j, j === i ? -1 : distance(j)]));
    return found.sort((a, b) => far.get(a) - far.get(b)).slice(0, k);
  }
}

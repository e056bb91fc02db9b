/* A closed line drawn around points of the plane. */

/* Whether a point lies inside, by the even-odd rule; `corners` are `{x, y}`. */
export function isInside(corners, x, y) {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i, i += 1) {
    const a = corners[i], b = corners[j];
    if (a.y > y !== b.y > y && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}

/* Indices of the points inside; `NaN` is nowhere. */
export function pointsInside(corners, xs, ys) {
  if (corners.length < 3) return [];
  const found = [];
  const [left, right] = [Math.min(...corners.map(c => c.x)), Math.max(...corners.map(c => c.x))];
  const [top, bottom] = [Math.min(...corners.map(c => c.y)), Math.max(...corners.map(c => c.y))];
  for (let i = 0; i < xs.length; i += 1) {
    const x = xs[i], y = ys[i];
    if (x >= left && x <= right && y >= top && y <= bottom && isInside(corners, x, y)) found.push(i);
  }
  return found;
}

/* Draws lines of a timeline's panel on a canvas. However many points there are, a pixel column costs one stroke from the
   lowest to the highest of its points. */

/* Lowest and highest of the finite values from point `from` to point `to`. */
export function extent(values, from = 0, to = values.length - 1) {
  let low = Infinity,
    high = -Infinity;
  for (let i = Math.max(0, Math.floor(from)); i <= Math.min(values.length - 1, Math.ceil(to)); i += 1) {
    const v = values[i];
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return { low, high };
}

/* The corners of a line through `values` between points `from` and `to`, `width` pixels wide; null where it breaks. */
export function corners(values, from, to, width) {
  const found = [],
    per = (to - from) / width;
  const last = Math.min(values.length - 1, Math.ceil(to));
  if (per <= 2) {
    for (let i = Math.max(0, Math.floor(from)); i <= last; i += 1) {
      found.push(Number.isNaN(values[i]) ? null : { x: (i - from) / per, y: values[i] });
    }
    return found;
  }
  for (let pixel = 0; pixel < width; pixel += 1) {
    const start = Math.max(0, Math.ceil(from + pixel * per)),
      end = Math.min(last, Math.ceil(from + (pixel + 1) * per) - 1);
    const { low, high } = extent(values, start, end);
    if (low > high) found.push(null);
    else if (low === high) found.push({ x: pixel, y: low });
    else {
      /* In the order that joins the column before with the least way. */
      const before = found[found.length - 1];
      const isUp = !before || Math.abs(before.y - low) <= Math.abs(before.y - high);
      found.push({ x: pixel, y: isUp ? low : high }, { x: pixel, y: isUp ? high : low });
    }
  }
  return found;
}

/* Strokes a line; `place` turns a value into a pixel row. */
export function strokeLine(pen, line, left, place) {
  let isOpen = false;
  pen.beginPath();
  for (const corner of line) {
    if (corner === null) isOpen = false;
    else if (isOpen) pen.lineTo(left + corner.x, place(corner.y));
    else {
      pen.moveTo(left + corner.x, place(corner.y));
      pen.lineTo(left + corner.x + 0.5, place(corner.y));
      isOpen = true;
    }
  }
  pen.stroke();
}

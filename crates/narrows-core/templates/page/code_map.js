/* The code map: training points and new rows in the plane of the codes' first two principal components. Pointing at a row
   tells of it, a click opens it, a line drawn around rows filters the table. */

import { PlaceIndex } from "./place_index.js";
import { button, colours, element, redrawn } from "./dom.js";
import { count, number } from "./numbers.js";
import { pointsInside } from "./polygon.js";

const MARGIN = 14,
  REACH = 12;
/* More rows than these are drawn smaller. */
const MANY = 20000;
/* A shorter line is a click. */
const LEAST_LINE = 6;

export class CodeMap {
  constructor(context, open) {
    Object.assign(this, { context, open, line: null, hovered: -1, isNear: false });
    const { rows, data, store, noun } = context;
    context.places = new PlaceIndex(rows.x, rows.y);
    this.training = data.training_map ?? [];
    this.canvas = element("canvas", { role: "img" });
    this.tip = element("div", { class: "tip", hidden: true });
    this.frame = element("div", { class: "map-frame" }, this.canvas, this.tip);
    this.selected = button(
      `Show the selected ${noun.many} alone`,
      () => {
        const picked = { name: "selected", rows: new Set(store.state.selected) };
        store.set({ filter: { ...store.state.filter, picked } });
      },
      { class: "quiet" },
    );
    this.near = element("input", { type: "checkbox", on: { change: () => this.zoom(this.near.checked) } });
    const near = element(
      "label",
      { class: "check" },
      this.near,
      " near the training rows alone; others stand at the edge",
    );
    this.node = element(
      "div",
      { class: "code-map" },
      element("h3", {}, "Code map"),
      element(
        "ul",
        { class: "legend" },
        element("li", {}, element("i", { class: "dot-training" }), "training rows"),
        element("li", {}, element("i", { class: "dot-new" }), `new ${noun.many}`),
        element("li", {}, element("i", { class: "diamond" }), "above the threshold"),
        element("li", {}, element("i", { class: "dot-selected" }), "selected"),
      ),
      element(
        "figure",
        {},
        this.frame,
        element(
          "figcaption",
          {},
          `Codes on the first two principal components of the training codes; ${noun.many} near each other are alike to the model. Draw a line around some to filter the table by them.`,
        ),
      ),
      element("p", { class: "controls" }, this.training.length > 0 ? near : null, this.selected),
    );
    this.measure();
    redrawn(this.frame, () => this.draw());
    store.on(["threshold", "visible", "selected"], () => this.later());
    store.on(["selected"], () => {
      this.selected.disabled = store.state.selected.size === 0;
    });
    this.selected.disabled = true;
    this.listen();
  }

  /* The part of the plane that is shown: all points, or the middle of the training points; then what lies outside stands at
     the edge. */
  measure() {
    const { rows } = this.context;
    const [xs, ys] = [this.training.map(p => p.x), this.training.map(p => p.y)];
    const [x, y] = this.isNear ? [middle(xs), middle(ys)] : [range(xs, rows.x), range(ys, rows.y)];
    this.box = { left: x.low, low: y.low, width: x.high - x.low || 1, height: y.high - y.low || 1 };
    const held = (values, { low, high }) => values.map(v => Math.min(high, Math.max(low, v)));
    this.xs = held(rows.x, x);
    this.ys = held(rows.y, y);
    this.index = new PlaceIndex(this.xs, this.ys);
    this.drawnFor = null;
  }

  zoom(isNear) {
    this.isNear = isNear;
    this.measure();
    this.later();
  }

  get size() {
    const width = this.frame.clientWidth || 600;
    return { width, height: Math.round(Math.min(420, Math.max(260, width * 0.55))) };
  }

  toScreen() {
    const { width, height } = this.size,
      { left, low } = this.box;
    const [sx, sy] = [(width - 2 * MARGIN) / this.box.width, (height - 2 * MARGIN) / this.box.height];
    return {
      x: v => MARGIN + (v - left) * sx,
      y: v => height - MARGIN - (v - low) * sy,
      sx,
      sy,
      backX: px => left + (px - MARGIN) / sx,
      backY: py => low + (height - MARGIN - py) / sy,
    };
  }

  later() {
    this.pending ??= requestAnimationFrame(() => {
      this.pending = undefined;
      this.draw();
    });
  }

  draw() {
    const { rows, store, noun } = this.context;
    const { threshold, selected } = store.state;
    const { height } = this.size,
      scale = devicePixelRatio || 1;
    const at = this.toScreen(),
      colour = colours();
    if (this.isStale(scale)) this.drawPoints(scale, at, colour);
    if (this.canvas.width !== this.points.width || this.canvas.height !== this.points.height) {
      this.canvas.width = this.points.width;
      this.canvas.height = this.points.height;
      this.canvas.style.height = `${height}px`;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.drawImage(this.points, 0, 0);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.drawFlagged(pen, at, colour);
    pen.globalAlpha = 1;
    pen.strokeStyle = colour("--ink");
    pen.lineWidth = 1.5;
    for (const i of selected) ring(pen, at.x(this.xs[i]), at.y(this.ys[i]), 6.5);
    if (this.hovered >= 0) ring(pen, at.x(this.xs[this.hovered]), at.y(this.ys[this.hovered]), 8);
    if (this.line) this.drawLine(pen, colour);
    this.canvas.setAttribute(
      "aria-label",
      `Map of the codes of ${count(this.training.length)} training rows and ${count(rows.n)} new ${noun.many}, ${count(rows.flaggedCount(threshold))} of them above the threshold. The table has the same ${noun.many}; a ${noun.one} opened there leads to its nearest on this map.`,
    );
  }

  /* Whether the layer of points has to be drawn anew: after a filter, in another size or in other colours. */
  isStale(scale) {
    const { filter, threshold } = this.context.store.state;
    const key = [filter, filter.onlyFlagged ? threshold : null, this.size.width, scale, colours()("--blue")];
    if (this.drawnFor?.every((part, i) => part === key[i])) return false;
    this.drawnFor = key;
    return true;
  }

  /* Training points and new rows, on a layer of their own: the threshold moves often, they seldom. */
  drawPoints(scale, at, colour) {
    const { rows, store } = this.context;
    const { visible } = store.state;
    const { width, height } = this.size;
    this.points = document.createElement("canvas");
    this.points.width = Math.round(width * scale);
    this.points.height = Math.round(height * scale);
    const pen = this.points.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.fillStyle = colour("--grey");
    pen.globalAlpha = 0.45;
    for (const p of this.training) pen.fillRect(at.x(p.x) - 1.25, at.y(p.y) - 1.25, 2.5, 2.5);
    /* Rows that the filter takes out fade. */
    this.shown = visible.length === rows.n ? null : new Uint8Array(rows.n);
    if (this.shown) for (const i of visible) this.shown[i] = 1;
    const side = rows.n > MANY ? 2 : 3.4;
    pen.fillStyle = colour("--blue");
    const squares = (isShown, alpha) => {
      pen.globalAlpha = alpha;
      for (let i = 0; i < rows.n; i += 1) {
        if ((this.shown === null || this.shown[i] === 1) === isShown)
          pen.fillRect(at.x(this.xs[i]) - side / 2, at.y(this.ys[i]) - side / 2, side, side);
      }
    };
    if (this.shown) squares(false, 0.1);
    squares(true, rows.n > MANY ? 0.5 : 0.75);
  }

  /* Flagged rows: diamonds, or squares where there are too many of them. */
  drawFlagged(pen, at, colour) {
    const { rows, store } = this.context;
    const { threshold } = store.state;
    pen.fillStyle = colour("--orange-mid");
    pen.strokeStyle = colour("--card");
    pen.lineWidth = 1;
    const isCrowded = rows.flaggedCount(threshold) > MANY / 4;
    /* Highest last, so that they lie on top. */
    const order = rows.order("score", true),
      n = rows.flaggedCount(threshold);
    for (let k = n - 1; k >= 0; k -= 1) {
      const i = order[k],
        x = at.x(this.xs[i]);
      if (!Number.isFinite(x)) continue;
      pen.globalAlpha = this.shown === null || this.shown[i] ? 1 : 0.15;
      if (isCrowded) pen.fillRect(x - 1, at.y(this.ys[i]) - 1, 2, 2);
      else diamond(pen, x, at.y(this.ys[i]), 5);
    }
  }

  drawLine(pen, colour) {
    pen.beginPath();
    this.line.forEach((p, i) => (i ? pen.lineTo(p.x, p.y) : pen.moveTo(p.x, p.y)));
    pen.closePath();
    pen.fillStyle = colour("--blue-mid");
    pen.globalAlpha = 0.18;
    pen.fill();
    pen.globalAlpha = 1;
    pen.strokeStyle = colour("--blue");
    pen.setLineDash([5, 3]);
    pen.stroke();
    pen.setLineDash([]);
  }

  rowAt(point) {
    const at = this.toScreen();
    return this.index.nearest(at.backX(point.x), at.backY(point.y), REACH / at.sx, REACH / at.sy);
  }

  listen() {
    const point = event => {
      const box = this.canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    this.canvas.addEventListener("pointerdown", event => {
      if (event.button !== 0) return;
      this.line = [point(event)];
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", event => {
      const p = point(event);
      if (this.line) {
        this.line.push(p);
        this.later();
      } else this.hover(this.rowAt(p), p);
    });
    this.canvas.addEventListener("pointerleave", () => this.hover(-1));
    this.canvas.addEventListener("pointerup", () => {
      if (!this.line) return;
      const line = this.line;
      this.line = null;
      this.later();
      const reach = Math.max(...line.map(p => Math.hypot(p.x - line[0].x, p.y - line[0].y)));
      if (reach >= LEAST_LINE) this.pick(line);
      else if (this.rowAt(line[0]) >= 0) this.open(this.rowAt(line[0]));
    });
    this.canvas.addEventListener("pointercancel", () => {
      this.line = null;
      this.later();
    });
  }

  hover(i, p) {
    if (i === this.hovered && i < 0) return;
    const { rows, noun } = this.context;
    this.hovered = i;
    this.tip.hidden = i < 0;
    if (i >= 0) {
      this.tip.textContent = [
        `${noun.one} ${count(rows.row[i])}`,
        ...rows.ids.slice(0, 2).map(id => String(id.values[i] ?? "").slice(0, 60)),
        `score ${number(rows.score[i])}`,
      ].join(" · ");
      const isRight = p.x > this.size.width / 2;
      Object.assign(this.tip.style, {
        top: `${p.y + 14}px`,
        left: isRight ? "auto" : `${p.x + 10}px`,
        right: isRight ? `${this.size.width - p.x + 10}px` : "auto",
      });
    }
    this.canvas.style.cursor = i >= 0 ? "pointer" : "crosshair";
    this.later();
  }

  pick(line) {
    const { store } = this.context;
    const at = this.toScreen();
    const corners = line.map(p => ({ x: at.backX(p.x), y: at.backY(p.y) }));
    const found = pointsInside(corners, this.xs, this.ys);
    const picked = { name: "drawn around", rows: new Set(found) };
    store.set({ filter: { ...store.state.filter, picked } });
  }
}

/* Lowest and highest of finite values. */
function range(...lists) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (const v of list) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  return low > high ? { low: 0, high: 1 } : { low, high };
}

/* The range of all values but the outermost hundredths, a quarter wider. */
function middle(values) {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort();
  const at = q => sorted[Math.round(q * (sorted.length - 1))];
  const margin = 0.25 * (at(0.99) - at(0.01));
  return { low: at(0.01) - margin, high: at(0.99) + margin };
}

function diamond(pen, x, y, r) {
  pen.beginPath();
  pen.moveTo(x, y - r);
  pen.lineTo(x + r, y);
  pen.lineTo(x, y + r);
  pen.lineTo(x - r, y);
  pen.closePath();
  pen.fill();
  pen.stroke();
}

function ring(pen, x, y, r) {
  if (!Number.isFinite(x)) return;
  pen.beginPath();
  pen.arc(x, y, r, 0, 2 * Math.PI);
  pen.stroke();
}

/* The code map: training points and new rows in the plane of the codes' first two principal components. Pointing at a row
   tells of it, a click opens it, a line drawn around rows filters the table. */

import { PlaceIndex } from "./place_index.js";
import { button, colours, element, redrawn } from "./dom.js";
import { count, number } from "./numbers.js";
import { pointsInside } from "./polygon.js";

const MARGIN = 14, REACH = 12;
/* A shorter line is a click. */
const LEAST_LINE = 6;

export class CodeMap {
  constructor(context, open) {
    Object.assign(this, { context, open, line: null, hovered: -1 });
    const { rows, data, store, noun } = context;
    context.places = new PlaceIndex(rows.x, rows.y);
    this.training = data.training_map ?? [];
    this.canvas = element("canvas", { role: "img" });
    this.tip = element("div", { class: "tip", hidden: true });
    this.frame = element("div", { class: "map-frame" }, this.canvas, this.tip);
    this.selected = button(`Show the selected ${noun.many} alone`, () => {
      const picked = { name: "selected", rows: new Set(store.state.selected) };
      store.set({ filter: { ...store.state.filter, picked } });
    }, { class: "quiet" });
    this.node = element("div", { class: "code-map" }, element("h3", {}, "Code map"),
      element("ul", { class: "legend" }, element("li", {}, element("i", { class: "dot-training" }), "training rows"), element("li", {}, element("i", { class: "dot-new" }), `new ${noun.many}`),
        element("li", {}, element("i", { class: "diamond" }), "above the threshold"), element("li", {}, element("i", { class: "dot-selected" }), "selected")),
      element("figure", {}, this.frame, element("figcaption", {}, `Codes on the first two principal components of the training codes; ${noun.many} near each other are alike to the model. Draw a line around some to filter the table by them.`)),
      element("p", { class: "controls" }, this.selected));
    this.measure();
    redrawn(this.frame, () => this.draw());
    store.on(["threshold", "visible", "selected"], () => this.later());
    store.on(["selected"], () => { this.selected.disabled = store.state.selected.size === 0; });
    this.selected.disabled = true;
    this.listen();
  }

  measure() {
    const { rows } = this.context;
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    const take = (x, y) => {
      if (!Number.isFinite(x) || !Number.isFinite(y)) return;
      left = Math.min(left, x); right = Math.max(right, x); low = Math.min(low, y); high = Math.max(high, y);
    };
    this.training.forEach(p => take(p.x, p.y));
    for (let i = 0; i < rows.n; i += 1) take(rows.x[i], rows.y[i]);
    this.box = { left, low, width: right - left || 1, height: high - low || 1 };
  }

  get size() {
    const width = this.frame.clientWidth || 600;
    return { width, height: Math.round(Math.min(420, Math.max(260, width * 0.55))) };
  }

  toScreen() {
    const { width, height } = this.size, { left, low } = this.box;
    const [sx, sy] = [(width - 2 * MARGIN) / this.box.width, (height - 2 * MARGIN) / this.box.height];
    return { x: v => MARGIN + (v - left) * sx, y: v => height - MARGIN - (v - low) * sy, sx, sy,
      backX: px => left + (px - MARGIN) / sx, backY: py => low + (height - MARGIN - py) / sy };
  }

  later() {
    this.pending ??= requestAnimationFrame(() => {
      this.pending = undefined;
      this.draw();
    });
  }

  draw() {
    const { rows, store, noun } = this.context;
    const { threshold, selected, visible } = store.state;
    const { width, height } = this.size, scale = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
      this.canvas.style.height = `${height}px`;
    }
    const pen = this.canvas.getContext("2d"), colour = colours(), at = this.toScreen();
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = colour("--grey");
    pen.globalAlpha = 0.45;
    for (const p of this.training) pen.fillRect(at.x(p.x) - 1.25, at.y(p.y) - 1.25, 2.5, 2.5);
    /* Rows that the filter takes out fade. */
    const isAll = visible.length === rows.n;
    const shown = isAll ? null : new Uint8Array(rows.n);
    if (shown) for (const i of visible) shown[i] = 1;
    const side = rows.n > 20000 ? 2 : 3.4;
    const ordinary = (faded, alpha) => {
      pen.globalAlpha = alpha;
      pen.fillStyle = colour("--blue");
      for (let i = 0; i < rows.n; i += 1) {
        if (rows.isFlagged(i, threshold) || (shown !== null && !shown[i]) !== faded) continue;
        pen.fillRect(at.x(rows.x[i]) - side / 2, at.y(rows.y[i]) - side / 2, side, side);
      }
    };
    if (shown) ordinary(true, 0.1);
    ordinary(false, rows.n > 20000 ? 0.5 : 0.75);
    pen.fillStyle = colour("--orange-mid");
    pen.strokeStyle = colour("--card");
    pen.lineWidth = 1;
    for (let i = 0; i < rows.n; i += 1) {
      if (!rows.isFlagged(i, threshold) || !Number.isFinite(rows.x[i])) continue;
      pen.globalAlpha = shown === null || shown[i] ? 1 : 0.15;
      diamond(pen, at.x(rows.x[i]), at.y(rows.y[i]), 5);
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = colour("--ink");
    pen.lineWidth = 1.5;
    for (const i of selected) ring(pen, at.x(rows.x[i]), at.y(rows.y[i]), 6.5);
    if (this.hovered >= 0) ring(pen, at.x(rows.x[this.hovered]), at.y(rows.y[this.hovered]), 8);
    if (this.line) this.drawLine(pen, colour);
    this.canvas.setAttribute("aria-label", `Map of the codes of ${count(this.training.length)} training rows and ${count(rows.n)} new ${noun.many}, ${count(rows.flaggedCount(threshold))} of them above the threshold. The table has the same ${noun.many}; a ${noun.one} opened there leads to its nearest on this map.`);
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
    return this.context.places.nearest(at.backX(point.x), at.backY(point.y), REACH / at.sx, REACH / at.sy);
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
    this.canvas.addEventListener("pointercancel", () => { this.line = null; this.later(); });
  }

  hover(i, p) {
    if (i === this.hovered && i < 0) return;
    const { rows, noun } = this.context;
    this.hovered = i;
    this.tip.hidden = i < 0;
    if (i >= 0) {
      this.tip.textContent = [`${noun.one} ${count(rows.row[i])}`, ...rows.ids.slice(0, 2).map(id => String(id.values[i] ?? "").slice(0, 60)), `score ${number(rows.score[i])}`].join(" · ");
      const isRight = p.x > this.size.width / 2;
      Object.assign(this.tip.style, { top: `${p.y + 14}px`, left: isRight ? "auto" : `${p.x + 10}px`, right: isRight ? `${this.size.width - p.x + 10}px` : "auto" });
    }
    this.canvas.style.cursor = i >= 0 ? "pointer" : "crosshair";
    this.later();
  }

  pick(line) {
    const { rows, store } = this.context, at = this.toScreen();
    const corners = line.map(p => ({ x: at.backX(p.x), y: at.backY(p.y) }));
    const found = pointsInside(corners, rows.x, rows.y);
    const picked = { name: "drawn around", rows: new Set(found) };
    store.set({ filter: { ...store.state.filter, picked } });
  }
}

function diamond(pen, x, y, r) {
  pen.beginPath();
  pen.moveTo(x, y - r); pen.lineTo(x + r, y); pen.lineTo(x, y + r); pen.lineTo(x - r, y);
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

/* The timeline of a series: its channels with their reconstruction, and the score with the threshold; events as bands.
   Buttons, keys, dragging and events of the list zoom it. */

import { button, colours, element, redrawn } from "./dom.js";
import { corners, extent, strokeLine } from "./panel_pen.js";
import { number } from "./numbers.js";
import { linearTicks } from "./score_axis.js";

const LEFT = 48,
  RIGHT = 6,
  CHANNEL = 84,
  SCORE = 104,
  GAP = 20,
  AXIS = 26;
const LEAST_POINTS = 16,
  LEAST_DRAG = 5;

export class Timeline {
  /* `open(point)` is called for a point that is clicked. */
  constructor(context, open) {
    Object.assign(this, { context, open, series: null, events: [], panels: [], drag: null });
    this.canvas = element("canvas", { role: "img" });
    this.cursor = element("div", { class: "time-cursor", hidden: true });
    this.tip = element("div", { class: "tip", hidden: true });
    this.brush = element("div", { class: "time-brush", hidden: true });
    const does = (text, name, run) => button(text, run, name ? { "aria-label": name } : {});
    this.buttons = {
      in: does("+", "zoom in", () => this.closer(2)),
      out: does("−", "zoom out", () => this.closer(0.5)),
      left: does("←", "earlier", () => this.pan(-0.5)),
      right: does("→", "later", () => this.pan(0.5)),
      all: does("whole series", null, () => this.show(0, this.last)),
    };
    this.frame = element(
      "div",
      {
        class: "time-frame",
        tabindex: "0",
        role: "group",
        "aria-label": "timeline: plus and minus zoom, arrow keys move, 0 shows the whole series",
        on: { keydown: event => this.key(event) },
      },
      this.canvas,
      this.brush,
      this.cursor,
      this.tip,
    );
    this.node = element(
      "figure",
      { class: "time" },
      element("div", { class: "zoom" }, Object.values(this.buttons), element("small", {}, "or drag over a range")),
      this.frame,
    );
    redrawn(this.frame, () => this.draw());
    context.store.on(["threshold"], () => this.later());
    this.listen();
  }

  get last() {
    return this.series.score.length - 1;
  }

  /* Shows a series with some of its channels. */
  load(series, channels) {
    this.series = series;
    this.panels = [...channels.map(channel => ({ channel, height: CHANNEL })), { channel: null, height: SCORE }];
    this.show(0, this.last);
  }

  /* Bands: `{first, last}` in points. */
  mark(events) {
    this.events = events;
    this.later();
  }

  /* Shows the points from `from` to `to`. */
  show(from, to) {
    const least = Math.min(this.last, LEAST_POINTS);
    let span = Math.min(this.last, Math.max(least, to - from));
    this.from = Math.min(this.last - span, Math.max(0, from));
    this.to = this.from + span;
    this.buttons.in.disabled = span <= least;
    this.buttons.out.disabled = this.buttons.all.disabled = span >= this.last;
    this.buttons.left.disabled = this.from <= 0;
    this.buttons.right.disabled = this.to >= this.last;
    this.later();
  }

  /* Zooms around the point at `share` of the width. */
  closer(factor, share = 0.5) {
    const span = this.to - this.from,
      wanted = Math.min(this.last, Math.max(Math.min(this.last, LEAST_POINTS), span / factor));
    const start = this.from + share * (span - wanted);
    this.show(start, start + wanted);
  }

  pan(part) {
    const span = this.to - this.from,
      start = Math.min(this.last - span, Math.max(0, this.from + part * span));
    this.show(start, start + span);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const run = {
      "+": () => this.closer(2),
      "=": () => this.closer(2),
      "-": () => this.closer(0.5),
      ArrowLeft: () => this.pan(-0.25),
      ArrowRight: () => this.pan(0.25),
      Home: () => this.pan(-1e9),
      End: () => this.pan(1e9),
      0: () => this.show(0, this.last),
    }[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }

  later() {
    this.pending ??= requestAnimationFrame(() => {
      this.pending = undefined;
      this.draw();
    });
  }

  get inner() {
    return Math.max(100, (this.frame.clientWidth || 600) - LEFT - RIGHT);
  }

  draw() {
    if (!this.series) return;
    const width = this.inner + LEFT + RIGHT,
      scale = devicePixelRatio || 1;
    const height = this.panels.reduce((sum, panel) => sum + GAP + panel.height, 0) + AXIS;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.height = `${height}px`;
    const pen = this.canvas.getContext("2d"),
      colour = colours();
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.font = `11.5px ${colour("--sans")}`;
    pen.lineJoin = "round";
    let top = 0;
    this.panels.forEach(panel => {
      top += GAP;
      panel.top = top;
      this.bands(pen, colour, panel);
      if (panel.channel) this.drawChannel(pen, colour, panel);
      else this.drawScore(pen, colour, panel);
      top += panel.height;
    });
    this.times(pen, colour, top);
    this.canvas.setAttribute(
      "aria-label",
      `${this.series.name || "Series"} from ${this.timeOf(this.from)} to ${this.timeOf(this.to)}: ${this.panels
        .filter(p => p.channel)
        .map(p => p.channel.name)
        .join(", ")} with reconstruction, and the score; ${this.events.length} events are marked and listed below.`,
    );
  }

  x(point) {
    return LEFT + ((point - this.from) / (this.to - this.from)) * this.inner;
  }

  bands(pen, colour, { top, height }) {
    pen.fillStyle = colour("--orange-band");
    for (const { first, last } of this.events) {
      if (last < this.from || first > this.to) continue;
      const a = Math.max(LEFT, this.x(first - 0.5)),
        b = Math.min(LEFT + this.inner, this.x(last + 0.5));
      pen.fillRect(a, top, Math.max(2, b - a), height);
    }
  }

  axes(pen, colour, { top, height }, name, ticks, place) {
    pen.fillStyle = colour("--ink");
    pen.textAlign = "left";
    pen.fillText(name.length > 60 ? `${name.slice(0, 59)}…` : name, LEFT, top - 6);
    pen.lineWidth = 1;
    for (const tick of ticks) {
      pen.strokeStyle = colour("--grid");
      line(pen, LEFT, place(tick), LEFT + this.inner, place(tick));
      pen.fillStyle = colour("--soft");
      pen.textAlign = "right";
      pen.fillText(number(tick, 3), LEFT - 6, place(tick) + 4);
    }
    pen.strokeStyle = colour("--grey");
    line(pen, LEFT, top + height, LEFT + this.inner, top + height);
  }

  drawChannel(pen, colour, panel) {
    const { signal, reconstruction, name } = panel.channel;
    const [a, b] = [extent(signal, this.from, this.to), extent(reconstruction, this.from, this.to)];
    let [low, high] = [Math.min(a.low, b.low), Math.max(a.high, b.high)];
    if (!(high > low)) [low, high] = Number.isFinite(low) ? [low - 1, high + 1] : [0, 1];
    const place = v => panel.top + panel.height - 3 - ((v - low) / (high - low)) * (panel.height - 6);
    this.axes(pen, colour, panel, name, linearTicks(low, high, 3), place);
    this.clip(pen, panel, () => {
      this.stroke(pen, reconstruction, colour("--blue-mid"), 3.5, place);
      this.stroke(pen, signal, colour("--ink"), 1, place);
    });
  }

  drawScore(pen, colour, panel) {
    const { threshold } = this.context.store.state,
      { score } = this.series;
    const { low, high } = extent(score, this.from, this.to);
    const isLog = low > 0 && threshold > 0;
    const measure = v => (isLog ? Math.log(v) : v);
    let [from, to] = [measure(Math.min(low, threshold)), measure(Math.max(high, threshold))];
    if (!(to > from)) [from, to] = Number.isFinite(from) ? [from - 1, to + 1] : [0, 1];
    const place = v => panel.top + panel.height - 4 - ((measure(v) - from) / (to - from)) * (panel.height - 8);
    const ticks = isLog ? logTicks(Math.exp(from), Math.exp(to)) : linearTicks(from, to, 3);
    this.axes(pen, colour, panel, "score", ticks, place);
    this.clip(pen, panel, () => {
      this.stroke(pen, score, colour("--blue"), 1.2, place);
      pen.strokeStyle = colour("--orange");
      pen.lineWidth = 1.75;
      pen.setLineDash([5, 3]);
      line(pen, LEFT, place(threshold), LEFT + this.inner, place(threshold));
      pen.setLineDash([]);
    });
  }

  clip(pen, { top, height }, run) {
    pen.save();
    pen.beginPath();
    pen.rect(LEFT, top - 2, this.inner, height + 4);
    pen.clip();
    run();
    pen.restore();
  }

  stroke(pen, values, colour, width, place) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    strokeLine(pen, corners(values, this.from, this.to, this.inner), LEFT, place);
  }

  /* Times under the last panel; what a label shares with the one before is left out. */
  times(pen, colour, top) {
    const n = Math.max(2, Math.floor(this.inner / 130));
    pen.fillStyle = colour("--soft");
    pen.strokeStyle = colour("--grey");
    let before = "";
    for (let k = 0; k < n; k += 1) {
      const point = Math.round(this.from + ((k + 0.5) / n) * (this.to - this.from)),
        at = this.x(point);
      const text = this.timeOf(point),
        [day, clock] = text.split(/[T ]/);
      pen.textAlign = "center";
      pen.fillText(clock && day === before ? clock : text, at, top + 18);
      line(pen, at, top, at, top + 4);
      before = day;
    }
  }

  timeOf(point) {
    const i = Math.min(this.last, Math.max(0, Math.round(point)));
    return shortTime(this.series.times?.[i] ?? String(i * (this.series.step ?? 1)));
  }

  pointAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left - LEFT) / this.inner));
    return this.from + share * (this.to - this.from);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", event => {
      if (event.button !== 0) return;
      this.drag = { point: this.pointAt(event), x: event.clientX };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", event => {
      if (this.drag) this.select(this.drag.point, this.pointAt(event));
      else this.hover(event);
    });
    canvas.addEventListener("pointerup", event => {
      if (!this.drag) return;
      const { point, x } = this.drag,
        end = this.pointAt(event);
      this.stop();
      if (Math.abs(event.clientX - x) >= LEAST_DRAG) this.show(Math.min(point, end), Math.max(point, end));
      else this.open(Math.round(end));
    });
    canvas.addEventListener("pointercancel", () => this.stop());
    canvas.addEventListener("pointerleave", () => {
      this.cursor.hidden = this.tip.hidden = true;
    });
    /* A vertical wheel scrolls the page, a horizontal wheel pans, Ctrl + wheel zooms. */
    canvas.addEventListener(
      "wheel",
      event => {
        const share = (this.pointAt(event) - this.from) / (this.to - this.from);
        if (event.ctrlKey || event.metaKey) this.closer(Math.pow(2, -event.deltaY / 200), share);
        else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX / 600);
        else return;
        event.preventDefault();
      },
      { passive: false },
    );
  }

  select(a, b) {
    const [from, to] = [this.x(Math.min(a, b)), this.x(Math.max(a, b))];
    this.brush.hidden = false;
    Object.assign(this.brush.style, { left: `${from}px`, width: `${to - from}px` });
    this.cursor.hidden = this.tip.hidden = true;
  }

  stop() {
    this.drag = null;
    this.brush.hidden = true;
  }

  hover(event) {
    const point = Math.round(this.pointAt(event)),
      at = this.x(point);
    const said = [this.timeOf(point), `score ${number(this.series.score[point])}`];
    for (const { channel } of this.panels.slice(0, 4)) {
      if (channel)
        said.push(
          `${channel.name.slice(0, 30)} ${number(channel.signal[point])} (${number(channel.reconstruction[point])})`,
        );
    }
    this.cursor.hidden = this.tip.hidden = false;
    this.cursor.style.left = `${at}px`;
    this.tip.textContent = said.join(" · ");
    const isRight = at > LEFT + this.inner / 2;
    Object.assign(this.tip.style, {
      top: "2px",
      left: isRight ? "auto" : `${at + 8}px`,
      right: isRight ? `${this.inner + LEFT + RIGHT - at + 8}px` : "auto",
    });
  }
}

/* A time without the letters and zeros that all times have: `2024-03-01T00:10:00Z` is `2024-03-01 00:10`. */
export const shortTime = text => text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::00(?:\.0+)?)?Z$/, "$1 $2");

function line(pen, x0, y0, x1, y1) {
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
}

/* A few round numbers on a logarithmic axis. */
function logTicks(low, high) {
  const found = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e += 1) {
    for (const digit of [1, 3]) {
      const x = Number(`${digit}e${e}`);
      if (x >= low && x <= high) found.push(x);
    }
  }
  const every = Math.ceil(found.length / 4);
  return found.filter((_, i) => i % every === 0);
}

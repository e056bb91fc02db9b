/* Zooms the timelines. The inner drawing of a panel uses point positions as coordinates, so zooming changes its viewBox;
   marks and labels carry their position in data-at and are moved. */
for (const figure of document.querySelectorAll("figure.timeline")) {
  const bar = figure.querySelector(".zoom");
  if (!bar) continue;
  const drawing = figure.querySelector("svg[role=img]");
  const panels = [...drawing.querySelectorAll("svg")];
  const moving = [...drawing.querySelectorAll("[data-at]")];
  const axes = [...drawing.querySelectorAll("[data-zoom]")];
  const brush = drawing.querySelector(".brush");
  const button = name => bar.querySelector(`[data-do=${name}]`);
  const number = (element, name) => Number(element.getAttribute(name));
  const left = number(panels[0], "x"),
    width = number(panels[0], "width");
  const top = number(panels[0], "y"),
    last = panels[panels.length - 1];
  const n = number(drawing, "data-points"),
    least = Math.max(16, n / 48);
  let from = -0.5,
    span = n;

  const show = (start, length) => {
    span = Math.min(n, Math.max(least, length));
    from = Math.min(n - 0.5 - span, Math.max(-0.5, start));
    for (const panel of panels) {
      const view = panel.viewBox.baseVal;
      panel.setAttribute("viewBox", `${from} ${view.y} ${span} ${view.height}`);
    }
    for (const mark of moving) {
      const share = (number(mark, "data-at") - from) / span;
      mark.setAttribute("transform", `translate(${left + share * width})`);
      mark.style.visibility = share < 0 || share > 1 ? "hidden" : "";
    }
    const fitting = axes.filter(axis => number(axis, "data-zoom") <= (1.001 * n) / span).pop();
    for (const axis of axes) axis.setAttribute("display", axis === fitting ? "inline" : "none");
    button("in").disabled = span <= least;
    for (const name of ["out", "all"]) button(name).disabled = span >= n;
    button("left").disabled = from <= -0.5;
    button("right").disabled = from + span >= n - 0.5;
  };
  /* Zooms by `factor` around the position at `share` of the width. */
  const closer = (factor, share) => {
    const length = Math.min(n, Math.max(least, span / factor));
    show(from + share * (span - length), length);
  };
  const does = {
    in: () => closer(2, 0.5),
    out: () => closer(0.5, 0.5),
    left: () => show(from - span / 2, span),
    right: () => show(from + span / 2, span),
    all: () => show(-0.5, n),
  };
  for (const name in does) button(name).addEventListener("click", does[name]);

  /* The pointer's position as a share of the panels' width. */
  const share = event => {
    const box = drawing.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * drawing.viewBox.baseVal.width;
    return Math.min(1, Math.max(0, (x - left) / width));
  };
  let start = null;
  const mark = (a, b) => {
    brush.setAttribute("y", top);
    brush.setAttribute("x", left + Math.min(a, b) * width);
    brush.setAttribute("width", Math.abs(a - b) * width);
    brush.setAttribute("height", number(last, "y") + number(last, "height") - top);
  };
  drawing.addEventListener("pointerdown", event => {
    if (event.button !== 0) return;
    start = share(event);
    drawing.setPointerCapture(event.pointerId);
  });
  drawing.addEventListener("pointermove", event => {
    if (start !== null) mark(start, share(event));
  });
  drawing.addEventListener("pointerup", event => {
    if (start === null) return;
    const end = share(event),
      low = Math.min(start, end),
      high = Math.max(start, end);
    start = null;
    mark(0, 0);
    if (high - low > 0.01) show(from + low * span, (high - low) * span);
  });
  drawing.addEventListener("pointercancel", () => {
    start = null;
    mark(0, 0);
  });
  drawing.addEventListener("dblclick", does.all);
  /* A vertical wheel scrolls the page, a horizontal wheel pans, Ctrl + wheel zooms. */
  drawing.addEventListener(
    "wheel",
    event => {
      if (event.ctrlKey || event.metaKey) closer(Math.pow(2, -event.deltaY / 200), share(event));
      else if (span < n && Math.abs(event.deltaX) > Math.abs(event.deltaY))
        show(from + (event.deltaX / 600) * span, span);
      else return;
      event.preventDefault();
    },
    { passive: false },
  );
  bar.hidden = false;
  does.all();
}

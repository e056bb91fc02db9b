/* The living part of the section on new data: verdict, threshold, table, map, and what the kind of data adds. */

import { Announcer } from "./announcer.js";
import { Calibration } from "./calibration.js";
import { CodeMap } from "./code_map.js";
import { FilterBar } from "./filter_bar.js";
import { ImagePanel } from "./image_panel.js";
import { LabelPanel } from "./label_panel.js";
import { NO_FILTER, RowList } from "./row_list.js";
import { Ranking } from "./ranking.js";
import { RowDialog } from "./row_dialog.js";
import { RowGrid } from "./row_grid.js";
import { SaveBar } from "./save_bar.js";
import { ScoreAxis } from "./score_axis.js";
import { SeriesPanel } from "./series_panel.js";
import { Store } from "./store.js";
import { ThresholdPanel } from "./threshold_panel.js";
import { count, number } from "./numbers.js";
import { element, prose } from "./dom.js";
import { fragment, fromFragment } from "./address.js";
import { printed } from "./print_table.js";

/* Fills `place` with what `data` (a ScoredData document) tells. */
export function explore(place, data) {
  const rows = new RowList(data);
  const calibration = new Calibration(data.calibration ?? { n: 0, scores: [] });
  const noun = data.noun ?? { one: "row", many: "rows" };
  const axis = new ScoreAxis([...calibration.scores, ...rows.ascending, data.threshold]);
  const standard = { threshold: data.threshold, sort: { key: "score", isDescending: true } };
  const asked = fromFragment(
    location.hash,
    rows.columns.map(column => column.key),
  );
  const state = { ...standard, filter: NO_FILTER, selected: new Set(), ...asked };
  state.visible = rows.visible(state);
  const store = new Store(state);
  const announcer = new Announcer();
  const context = { data, rows, calibration, noun, axis, store, announcer, places: null, shareOf: data.scored };

  store.on(["filter", "sort", "threshold"], (now, changed) => {
    if (changed.has("filter") || changed.has("sort") || now.filter.onlyFlagged)
      store.set({ visible: rows.visible(now) });
    keepAddress(fragment(now, standard));
  });

  const links = [];
  const dialog = new RowDialog(
    context,
    i => grid.goTo(i),
    (i, close) => links.flatMap(link => link(i, close)),
  );
  const grid = new RowGrid(context, i => dialog.open(i));
  const filters = new FilterBar(context);
  const parts = [
    announcer.node,
    element("p", { class: `fit-verdict${data.is_far_above ? " check" : ""}` }, data.verdict),
    notes(data.notes ?? []),
    new ThresholdPanel(context).node,
  ];
  if (rows.label) {
    const all = data.metrics ? { n: data.metrics.n, nAnomalies: data.metrics.n_anomalies } : null;
    context.ranking = new Ranking(rows.score, rows.label, rows.n < data.scored ? all : null);
    if (context.ranking.n > 0) parts.push(new LabelPanel(context).node);
  }
  if (data.series?.length) {
    const series = new SeriesPanel(context, i => dialog.open(i));
    links.push((i, close) => series.link(i, close));
    parts.push(series.node);
  }
  if (data.images?.length) {
    const images = new ImagePanel(context);
    links.push((i, close) => images.link(i, close));
    parts.push(images.node);
  }
  parts.push(
    element(
      "div",
      { class: "rows-panel" },
      element("h3", {}, `Scored ${noun.many}`),
      filters.node,
      filters.said,
      grid.frame,
      limits(context),
      new SaveBar(context).node,
    ),
  );
  if (rows.x && rows.x.some(Number.isFinite)) parts.push(new CodeMap(context, i => dialog.open(i)).node);
  const paper = element("div", { class: "paper" });
  printed(context, paper);
  parts.push(paper, dialog.node);
  place.replaceChildren(...parts.filter(Boolean));
  return context;
}

function notes(list) {
  return list.length === 0
    ? null
    : element(
        "ul",
        { class: "notes" },
        list.map(note => element("li", {}, prose(note))),
      );
}

/* What the table does not hold, in words. */
function limits({ rows, data, noun }) {
  const said = [
    data.layout === "images" ? "" : "Numbers start at 0 after the header.",
    "▲ above the threshold. Arrow keys move, Enter opens, Space selects.",
  ];
  if (rows.n < data.scored) {
    const least = rows.ascending[0];
    said.push(
      `Listed are the ${count(rows.n)} highest scores of ${count(data.scored)}; counts are exact for thresholds from ${number(least)}.`,
    );
  }
  if (rows.reasons.length > 0 && rows.reasons.length < rows.n)
    said.push(`Reasons are kept for the ${count(rows.reasons.length)} highest scores.`);
  return element("p", { class: "more" }, said.join(" ").trim());
}

/* Keeps the state in the address; where the browser refuses, the page works without. */
function keepAddress(text) {
  try {
    if (text) history.replaceState(null, "", text);
    else if (location.hash.startsWith("#explore:")) history.replaceState(null, "", location.pathname + location.search);
  } catch {
    /* Some browsers refuse for files. */
  }
}

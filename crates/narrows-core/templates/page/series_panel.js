/* The series that were scored: one of them on a timeline, with the list of its events. */

import { Timeline } from "./timeline.js";
import { around, stretches } from "./stretches.js";
import { button, element, newId, value } from "./dom.js";
import { count, counted, number } from "./numbers.js";
import { numbers } from "./row_list.js";

const FIRST_CHANNELS = 4,
  MOST_EVENTS = 12;

export class SeriesPanel {
  /* `open(i)` is called for the row of a point that is clicked. */
  constructor(context, open) {
    const { data, store, noun } = context;
    this.context = context;
    this.all = data.series.map(series => ({
      ...series,
      score: numbers(series.score),
      channels: series.channels.map(channel => ({
        name: channel.name,
        signal: numbers(channel.signal),
        reconstruction: numbers(channel.reconstruction),
      })),
    }));
    this.order = this.all.map((_, at) => at).sort((a, b) => peak(this.all[b]) - peak(this.all[a]));
    this.timeline = new Timeline(context, point => {
      const i = this.rowOf(point);
      if (i !== null) open(i);
    });
    const id = newId("series");
    this.choice = element("select", { id, on: { change: () => this.load(Number(this.choice.value)) } });
    this.channels = button(
      "",
      () => {
        this.isFull = !this.isFull;
        this.load(this.at);
      },
      { class: "quiet" },
    );
    this.events = element("tbody", {});
    this.more = button(
      "",
      () => {
        this.isLong = true;
        this.list();
      },
      { class: "quiet" },
    );
    this.says = element("p", { class: "more" });
    this.node = element(
      "div",
      { class: "series-panel" },
      element("h3", {}, this.all.length > 1 ? "Series" : value(this.all[0].name || "Series")),
      element(
        "p",
        { class: "controls" },
        this.all.length > 1 ? [element("label", { for: id }, "Series"), this.choice] : null,
        this.channels,
      ),
      element(
        "ul",
        { class: "legend" },
        [
          ["line-signal", "signal"],
          ["line-reconstruction", "reconstruction"],
          ["line-score", "score"],
          ["line-threshold", "threshold"],
          ["event", "event"],
        ].map(([style, name]) => element("li", {}, element("i", { class: style }), name)),
      ),
      this.timeline.node,
      this.says,
      element(
        "div",
        { class: "scroll", role: "region", "aria-label": "Events", tabindex: "0" },
        element(
          "table",
          { class: "events" },
          element(
            "thead",
            {},
            element(
              "tr",
              {},
              element("th", { scope: "col" }, "event"),
              element("th", { scope: "col" }, "from"),
              element("th", { scope: "col" }, "to"),
              element("th", { scope: "col", class: "n" }, noun.many),
              element("th", { scope: "col", class: "n" }, "highest score"),
              element("th", { scope: "col" }, "channels"),
            ),
          ),
          this.events,
        ),
      ),
      this.more,
    );
    store.on(["threshold"], () => this.later());
    this.load(this.order[0]);
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.choose();
      this.list();
    }, 60);
  }

  load(at) {
    this.at = at;
    this.isLong = false;
    const series = (this.series = this.all[at]);
    this.choose();
    const top = new Set((series.events ?? []).flatMap(event => event.channels ?? []));
    const ranked = [...series.channels].sort((a, b) => top.has(b.name) - top.has(a.name));
    this.channels.hidden = ranked.length <= FIRST_CHANNELS;
    this.channels.textContent = this.isFull ? `Show ${FIRST_CHANNELS} channels` : `Show all ${ranked.length} channels`;
    this.timeline.load(series, this.isFull ? ranked : ranked.slice(0, FIRST_CHANNELS));
    this.list();
  }

  /* The series to choose from, highest peak first, with their numbers of events. */
  choose() {
    this.choice.replaceChildren(
      ...this.order.map(at => {
        const n = this.eventsOf(this.all[at]).length;
        return element(
          "option",
          { value: at },
          `${String(this.all[at].name || `series ${at + 1}`).slice(0, 60)} (${n === 1 ? "1 event" : `${count(n)} events`})`,
        );
      }),
    );
    this.choice.value = String(this.at);
  }

  /* The events of the model, or, at another threshold, the runs of points above it. */
  eventsOf(series) {
    const { store, data } = this.context,
      { threshold } = store.state;
    if (threshold !== data.threshold) return stretches(series.score, threshold);
    const peakOf = event => extremum(series.score, event.first, event.last);
    return (series.events ?? []).map(event => ({ ...event, peak: peakOf(event) })).sort((a, b) => b.peak - a.peak);
  }

  list() {
    const { noun, store, data } = this.context;
    const events = this.eventsOf(this.series),
      shown = this.isLong ? events : events.slice(0, MOST_EVENTS);
    const step = this.series.step ?? 1;
    this.timeline.mark(events);
    this.events.replaceChildren(
      ...shown.map((event, at) =>
        element(
          "tr",
          {},
          element(
            "th",
            { scope: "row" },
            button(`Event ${at + 1}`, () => this.zoom(event), {
              class: "quiet",
              "aria-label": `zoom to event ${at + 1}`,
            }),
          ),
          element("td", {}, this.timeline.timeOf(event.first)),
          element("td", {}, this.timeline.timeOf(event.last)),
          element("td", { class: "n" }, count((event.last - event.first + 1) * step)),
          element("td", { class: "n" }, number(event.peak)),
          element(
            "td",
            {},
            event.channels?.length
              ? event.channels.map((name, k) => [k ? ", " : "", element("code", {}, value(name, 40))])
              : element("span", { class: "none" }, "–"),
          ),
        ),
      ),
    );
    this.more.hidden = shown.length === events.length;
    this.more.textContent = `Show all ${count(events.length)} events`;
    const thinned = step > 1 ? ` Every ${count(step)}th of ${count(this.series.of)} ${noun.many} is drawn.` : "";
    const moved =
      store.state.threshold === data.threshold ? "" : " At a moved threshold, events are runs of points above it.";
    this.says.textContent = `${events.length === 0 ? "No event" : events.length === 1 ? "1 event" : `${count(events.length)} events`} in ${counted(this.series.of ?? this.series.score.length, noun)}.${moved}${thinned}`;
  }

  zoom(event) {
    const { from, to } = around(event, this.series.score.length);
    this.timeline.show(from, to);
    this.timeline.node.scrollIntoView({ block: "nearest" });
  }

  /* The place among the listed rows of a point of the series shown, or null if it has none. */
  rowOf(point) {
    const row = this.series.rows?.[point] ?? null;
    return row === null ? null : this.context.rows.placeOf(row);
  }

  /* Where a row of the file is drawn: `{at, point}`, or null if thinning left it out. */
  placeOf(row) {
    if (!this.places) {
      this.places = new Map();
      this.all.forEach((series, at) =>
        series.rows?.forEach((found, point) => found !== null && this.places.set(found, { at, point })),
      );
    }
    return this.places.get(row) ?? null;
  }

  /* A button that leads from a row to its place on the timeline. */
  link(i, close) {
    const place = this.placeOf(this.context.rows.row[i]);
    if (!place) return [];
    return [
      button(
        "Show on the timeline",
        () => {
          this.load(place.at);
          this.zoom({ first: place.point, last: place.point });
          close();
          setTimeout(() => this.timeline.frame.focus());
        },
        { class: "quiet" },
      ),
    ];
  }
}

const peak = series => extremum(series.score, 0, series.score.length - 1);

function extremum(scores, first, last) {
  let found = -Infinity;
  for (let i = first; i <= last; i += 1) if (scores[i] > found) found = scores[i];
  return found;
}

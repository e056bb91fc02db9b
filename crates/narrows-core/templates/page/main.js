/* The entry: reads what the page was made with, and fills it: the scored data of a model, or the list of models of a server. */

import { DriftPanel } from "./drift_panel.js";
import { DropZone } from "./drop_zone.js";
import { ModelsPage } from "./models_page.js";
import { RowForm } from "./row_form.js";
import { element } from "./dom.js";
import { scoredFile } from "./service.js";
import { scoring } from "./command.js";
import { explore } from "./explorer.js";

const parsed = id => {
  const node = document.getElementById(id);
  return node && node.textContent.trim() ? JSON.parse(node.textContent) : null;
};

/* What a model of this layout scores. */
const ACCEPTS = {
  table: "a table (CSV, JSON, Parquet or Arrow)",
  points: "series (CSV, NDJSON, Parquet or Arrow)",
  steps: "series (CSV, NDJSON, Parquet or Arrow)",
  images: "a PNG or JPEG image",
};

const host = parsed("host") ?? { host: "file", page: "model" };
if (host.page === "models") new ModelsPage(document.getElementById("models"), host.models);
else modelPage(document.getElementById("explorer"), parsed("scored-data"));

function modelPage(place, scored) {
  if (!place) return;
  const isServed = host.host === "server";
  const section = place.closest("section");
  const found = element("div", { id: "explored" });
  let drift = null;
  const show = data => {
    explore(found, data);
    document.getElementById("new-data-static")?.setAttribute("hidden", "");
    if (drift) drift.report = data.drift;
  };
  if (isServed) {
    const zone = new DropZone(
      host.layout,
      `Drop ${ACCEPTS[host.layout]} here, or choose it:`,
      async (file, asked, signal) => {
        const data = await scoredFile(host.model, file, asked, signal);
        show({ ...data, command: data.command ?? scoring(host.model, file.name) });
        zone.isBare = false;
        found.querySelector(".fit-verdict").scrollIntoView({ block: "center" });
      },
    );
    zone.isBare = !scored;
    if (host.layout !== "images") zone.withLabels();
    place.append(zone.node);
  }
  place.append(found);
  if (scored) show(scored);
  const further = [];
  if (isServed && host.layout === "table" && host.columns?.length)
    further.push(new RowForm(host.model, host.columns).node);
  /* A server watches rows alone. */
  const isWatched = isServed && host.layout !== "images";
  if (isWatched || scored?.drift) {
    drift = new DriftPanel(scored?.drift ?? null, isWatched ? host.model : null);
    further.push(drift.node);
  }
  section?.after(...further);
  addLinks(further);
}

/* The sections that were added stand in the navigation, too, after the one on new data. */
function addLinks(sections) {
  const before = document.querySelector('nav a[href="#new-data"]');
  for (const section of [...sections].reverse()) {
    before?.after(" ", element("a", { href: `#${section.id}` }, section.querySelector("h2").textContent));
  }
}

/* The entry: reads what the page was made with, and fills it: the scored data of a model, or the list of models of a server. */

import { DriftPanel } from "./drift_panel.js";
import { DropZone } from "./drop_zone.js";
import { ModelsPage } from "./models_page.js";
import { RowForm } from "./row_form.js";
import { Service } from "./service.js";
import { element } from "./dom.js";
import { scoring } from "./command.js";
import { explore } from "./explorer.js";

const parsed = id => {
  const node = document.getElementById(id);
  return node && node.textContent.trim() ? JSON.parse(node.textContent) : null;
};

const host = parsed("host") ?? { host: "file", page: "model" };
if (host.page === "models") new ModelsPage(document.getElementById("models"), new Service(), host.models);
else modelPage(document.getElementById("explorer"), parsed("scored-data"));

function modelPage(place, scored) {
  if (!place) return;
  const service = host.host === "server" ? new Service() : null;
  const section = place.closest("section");
  const found = element("div", { id: "explored" });
  const zone = element("div", {});
  let drift = null;
  const show = data => {
    explore(found, data);
    document.getElementById("new-data-static")?.setAttribute("hidden", "");
    if (drift) drift.report = data.drift;
  };
  const receive = async (file, label, signal) => {
    const data = await service.report(host.model, file, label, signal);
    show({ ...data, command: data.command ?? scoring(host.model, file.name) });
    dropZone(false);
    found.querySelector(".fit-verdict")?.scrollIntoView({ block: "center" });
  };
  const dropZone = isBare => {
    const next = new DropZone(service, host.layout, receive, { isBare, hasLabel: host.layout !== "images" });
    zone.replaceChildren(next.node);
  };
  place.replaceChildren(zone, found);
  if (service) dropZone(!scored);
  if (scored) show(scored);
  const further = [];
  if (service && host.layout === "table" && host.columns?.length)
    further.push(new RowForm(service, host.model, host.columns).node);
  if (service || scored?.drift) {
    drift = new DriftPanel(scored?.drift ?? null, service, host.model);
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

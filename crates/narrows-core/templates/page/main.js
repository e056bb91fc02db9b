/* The entry: reads what the page was made with, and fills it. */

import { explore } from "./explorer.js";

const document_of = id => {
  const node = document.getElementById(id);
  return node ? JSON.parse(node.textContent) : null;
};

const host = document_of("host") ?? { host: "file", page: "model" };
const scored = document_of("scored-data");
const place = document.getElementById("explorer");
if (place && scored) {
  explore(place, scored);
  document.getElementById("new-data-static")?.setAttribute("hidden", "");
}

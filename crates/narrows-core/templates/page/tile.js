/* A number that stands out, with its name above and what it is of below; tiles stand in a list `dl.tiles`. */

import { element } from "./dom.js";

export const tile = (name, text, detail) =>
  element(
    "div",
    {},
    element("dt", {}, name),
    element("dd", {}, element("b", {}, text), " ", element("small", {}, detail)),
  );

/* A table of few rows with a line of headings, in a frame that scrolls sideways where it is wider than the page. */

import { element } from "./dom.js";

/* `name` is for screen readers; `numbers` are the places of columns of numbers; `body` is a `tbody`, or its rows. */
export function dataTable(name, style, heads, numbers, body) {
  const cells = heads.map((head, i) => {
    const align = numbers.includes(i) ? "n" : null;
    return head === "" ? element("td", {}) : element("th", { scope: "col", class: align }, head);
  });
  return element(
    "div",
    { class: "scroll", role: "region", "aria-label": name, tabindex: "0" },
    element(
      "table",
      { class: style },
      element("thead", {}, element("tr", {}, cells)),
      Array.isArray(body) ? element("tbody", {}, body) : body,
    ),
  );
}

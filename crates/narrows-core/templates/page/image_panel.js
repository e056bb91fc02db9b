/* The images that score highest: a list, and one of them in full, with its reconstruction and heat map, and a wipe that
   uncovers one over the other. */

import { button, element, newId, value } from "./dom.js";
import { number, probability } from "./numbers.js";

/* Nothing else than base64 becomes a part of an address. */
const BASE64 = /^[A-Za-z0-9+/]+=*$/;

export class ImagePanel {
  constructor(context) {
    this.context = context;
    const { data, store, noun } = context;
    this.images = data.images;
    this.list = element(
      "ol",
      { class: "image-list" },
      this.images.map((image, at) =>
        element(
          "li",
          {},
          element(
            "button",
            {
              type: "button",
              class: "image-choice",
              on: { click: () => this.open(at), keydown: event => this.key(event, at) },
            },
            imageOf(image.input, ""),
            element(
              "span",
              {},
              element("b", {}, number(image.score)),
              element("span", { class: "flag", "aria-hidden": "true" }, " ▲"),
              element("br"),
              value(image.name.split("/").pop(), 28),
            ),
          ),
        ),
      ),
    );
    const id = newId("wipe");
    this.share = element("input", { type: "range", id, min: 0, max: 100, value: 50, on: { input: () => this.wipe() } });
    this.over = element(
      "select",
      { "aria-label": "uncover", on: { change: () => this.open(this.at) } },
      element("option", { value: "reconstruction" }, "reconstruction"),
      element("option", { value: "heat" }, "heat map"),
    );
    this.title = element("h4", {});
    this.stage = element("div", { class: "stage" });
    this.sides = element("div", { class: "image-sides" });
    this.node = element(
      "div",
      { class: "image-panel" },
      element("h3", {}, `Highest ${noun.many}`),
      element(
        "div",
        { class: "image-viewer" },
        this.list,
        element(
          "div",
          {},
          this.title,
          this.stage,
          element("p", { class: "controls" }, element("label", { for: id }, "Input"), this.share, this.over),
          this.sides,
        ),
      ),
      element(
        "p",
        { class: "more" },
        `The ${this.images.length} highest scores. ▲ above the threshold. The heat map is brighter where the reconstruction error is larger.`,
      ),
    );
    store.on(["threshold"], () => this.mark());
    this.mark();
    this.open(0);
  }

  mark() {
    const { store } = this.context;
    this.images.forEach((image, at) => {
      const isFlagged = image.score > store.state.threshold;
      this.list.children[at].classList.toggle("anomaly", isFlagged);
      this.list.children[at].firstChild.setAttribute(
        "aria-label",
        `${image.name}, score ${number(image.score)}${isFlagged ? ", above the threshold" : ""}`,
      );
    });
  }

  key(event, at) {
    const way = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const next = way && this.list.children[at + way];
    if (!next) return;
    event.preventDefault();
    next.firstChild.focus();
    this.open(at + way);
  }

  open(at) {
    this.at = at;
    const image = this.images[at],
      over = this.over.value;
    [...this.list.children].forEach((item, i) =>
      item.firstChild.setAttribute("aria-current", i === at ? "true" : "false"),
    );
    this.title.replaceChildren(
      value(image.name, 120),
      element(
        "small",
        {},
        ` score ${number(image.score)}${image.p_value === null || image.p_value === undefined ? "" : `, p = ${probability(image.p_value)}`}`,
      ),
    );
    this.upper = imageOf(image[over], `${over === "heat" ? "heat map" : "reconstruction"}`);
    this.edge = element("i", { class: "wipe-edge" });
    this.stage.replaceChildren(imageOf(image.input, "input"), this.upper, this.edge);
    this.sides.replaceChildren(
      ...[
        ["input", "input"],
        ["reconstruction", "reconstruction"],
        ["heat", "heat map"],
      ].map(([key, name]) =>
        element("figure", {}, imageOf(image[key], `${name} of ${image.name}`), element("figcaption", {}, name)),
      ),
    );
    this.wipe();
  }

  wipe() {
    const share = this.share.valueAsNumber;
    this.upper.style.clipPath = `inset(0 0 0 ${share}%)`;
    this.edge.style.left = `${share}%`;
    this.share.setAttribute(
      "aria-valuetext",
      `${share} % input, ${100 - share} % ${this.over.selectedOptions[0].textContent}`,
    );
  }

  /* A button that leads from a row to its image, if it is among these. */
  link(i, close) {
    const { rows } = this.context;
    const at = this.images.findIndex(image => rows.ids.some(id => id.values[i] === image.name));
    return at < 0
      ? []
      : [
          button(
            "Show the image",
            () => {
              this.open(at);
              close();
              setTimeout(() => this.list.children[at].firstChild.focus());
            },
            { class: "quiet" },
          ),
        ];
  }
}

function imageOf(base64, name) {
  const isImage = typeof base64 === "string" && BASE64.test(base64);
  return element("img", { src: isImage ? `data:image/png;base64,${base64}` : null, alt: name, draggable: "false" });
}

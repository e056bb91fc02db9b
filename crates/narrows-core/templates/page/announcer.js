/* Tells screen readers what has changed, once things have come to rest. */

import { element } from "./dom.js";

const REST = 400;

export class Announcer {
  constructor() {
    this.node = element("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    this.timer = 0;
  }

  say(text) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.node.textContent = text; }, REST);
  }
}

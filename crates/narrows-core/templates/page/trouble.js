/* What went wrong, said where it went wrong. */

import { element } from "./dom.js";

export class Trouble {
  constructor() {
    this.node = element("div", { class: "trouble", role: "alert", hidden: true });
  }

  clear() {
    this.node.hidden = true;
    this.node.textContent = "";
  }

  show(error) {
    this.node.hidden = false;
    this.node.textContent = error.message.charAt(0).toUpperCase() + error.message.slice(1);
  }
}

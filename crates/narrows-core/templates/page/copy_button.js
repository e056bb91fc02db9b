/* A text to copy, such as a command, with its button; it also works where the clipboard is closed to pages. */

import { button, element } from "./dom.js";

export class CopyText {
  constructor(name) {
    this.code = element("code", { class: "copy-text", tabindex: "0", role: "textbox", "aria-readonly": "true", "aria-label": name });
    this.said = element("span", { class: "copied", role: "status" });
    this.node = element("div", { class: "copy" }, this.code,
      button("Copy", () => this.copy(), { "aria-label": `copy ${name}` }), this.said);
  }

  set text(text) {
    this.code.textContent = text;
    this.said.textContent = "";
  }

  async copy() {
    this.said.textContent = (await this.toClipboard()) ? "copied" : "selected: press Ctrl+C";
  }

  async toClipboard() {
    try {
      await navigator.clipboard.writeText(this.code.textContent);
      return true;
    } catch {
      getSelection().selectAllChildren(this.code);
      try {
        return document.execCommand("copy");
      } catch {
        return false;
      }
    }
  }
}

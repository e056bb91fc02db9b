/* What went wrong, where it went wrong; with a field for the API key if the server wants one. */

import { button, element, newId } from "./dom.js";

export class Trouble {
  /* `again()` is called once a key was given. */
  constructor(service, again) {
    Object.assign(this, { service, again });
    this.node = element("div", { class: "trouble", role: "alert", hidden: true });
  }

  clear() {
    this.node.hidden = true;
    this.node.replaceChildren();
  }

  show(error) {
    this.node.hidden = false;
    this.node.replaceChildren(element("p", {}, capital(error.message)), ...(error.needsKey ? [this.keyForm()] : []));
  }

  keyForm() {
    const id = newId("key"),
      field = element("input", { type: "password", id, autocomplete: "off" });
    return element(
      "form",
      {
        class: "controls",
        on: {
          submit: event => {
            event.preventDefault();
            this.service.key = field.value;
            this.clear();
            this.again();
          },
        },
      },
      element("label", { for: id }, "API key"),
      field,
      button("Try again", () => {}, { type: "submit" }),
    );
  }
}

const capital = text => text.charAt(0).toUpperCase() + text.slice(1);

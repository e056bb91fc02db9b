/* Where a file is dropped, or chosen by keyboard, to be scored. */

import { button, element, newId } from "./dom.js";
import { Trouble } from "./trouble.js";
import { number } from "./numbers.js";

const TABLES = ".csv,.tsv,.txt,.json,.ndjson,.jsonl,.parquet,.arrow,.arrows,.gz,.zst";
/* By the layout of the samples; a page of several models takes anything. */
const ACCEPTED = { table: TABLES, points: TABLES, steps: TABLES, images: ".png,.jpg,.jpeg" };

export class DropZone {
  /* `layout`: that of the model, or null; `asks`: the label of the field; `score(file, { label, normal }, signal)` gives a promise. */
  constructor(layout, asks, score) {
    this.score = score;
    const id = newId("file");
    this.input = element("input", {
      type: "file",
      id,
      accept: ACCEPTED[layout],
      on: { change: () => this.take(this.input.files) },
    });
    this.title = element("p", { class: "drop-title", hidden: true }, "No data yet");
    this.says = element("p", { class: "drop-says", role: "status" });
    this.trouble = new Trouble();
    this.controls = element("div", { class: "controls" }, element("label", { for: id }, asks), this.input);
    this.node = element("div", { class: "drop-zone" }, this.title, this.controls, this.says, this.trouble.node);
    this.listen();
  }

  /* Whether there is nothing yet, which the zone then says, at a size that invites. */
  set isBare(isBare) {
    this.title.hidden = !isBare;
    this.node.classList.toggle("bare", isBare);
  }

  /* Also asks for the column with labels. */
  withLabels() {
    const field = (name, hint) => {
      const id = newId("field");
      const input = element("input", { type: "text", id, placeholder: hint, autocomplete: "off" });
      return { input, node: element("span", { class: "field" }, element("label", { for: id }, name), input) };
    };
    this.label = field("Column with labels, if any", "none");
    this.normal = field("its value in normal rows", "found by itself");
    this.normal.node.hidden = true;
    this.label.input.addEventListener("input", () => {
      this.normal.node.hidden = this.label.input.value.trim() === "";
    });
    this.controls.append(this.label.node, this.normal.node);
    return this;
  }

  /* The whole page takes files, so that a missed drop does not leave the page. */
  listen() {
    const holdsFiles = event => event.dataTransfer?.types?.includes("Files");
    document.addEventListener("dragover", event => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      this.node.classList.add("over");
    });
    document.addEventListener("dragleave", event => {
      if (!event.relatedTarget) this.node.classList.remove("over");
    });
    document.addEventListener("drop", event => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      this.node.classList.remove("over");
      this.take(event.dataTransfer.files);
    });
  }

  take(files) {
    if (files.length > 1) this.trouble.show(new Error(`expected one file, got ${files.length}`));
    if (files.length === 1) this.run(files[0]);
  }

  async run(file) {
    this.running?.abort();
    const running = (this.running = new AbortController());
    const name = file.name.slice(0, 80);
    this.trouble.clear();
    this.node.setAttribute("aria-busy", "true");
    this.says.replaceChildren(
      element("span", { class: "busy", "aria-hidden": "true" }),
      `Scoring ${name} (${size(file.size)}) … `,
      button("Cancel", () => running.abort()),
    );
    const asked = { label: this.label?.input.value.trim(), normal: this.normal?.input.value.trim() };
    try {
      await this.score(file, asked, running.signal);
      this.says.textContent = `${name} is scored.`;
    } catch (error) {
      /* A newer file has taken the place of this one. */
      if (running !== this.running) return;
      this.says.textContent = error.name === "AbortError" ? "Cancelled." : "";
      if (error.name !== "AbortError") this.trouble.show(error);
    } finally {
      if (running === this.running) this.node.removeAttribute("aria-busy");
      /* The same file can be chosen again. */
      this.input.value = "";
    }
  }
}

const size = bytes => (bytes < 1e6 ? `${number(bytes / 1e3, 2)} kB` : `${number(bytes / 1e6, 2)} MB`);

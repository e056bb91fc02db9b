/* Where a file is dropped, or chosen by keyboard, to be scored. */

import { button, element, newId } from "./dom.js";
import { Trouble } from "./trouble.js";
import { number } from "./numbers.js";

const TABLES = ".csv,.tsv,.txt,.json,.ndjson,.jsonl,.parquet,.arrow,.arrows,.gz,.zst";
const IMAGES = ".png,.jpg,.jpeg";

export class DropZone {
  /* `score(file, { label, normal }, signal)` gives a promise; `isBare` is the empty state, which says more. */
  constructor(service, layout, score, { isBare, hasLabel }) {
    Object.assign(this, { score, file: null });
    const isImages = layout === "images";
    const id = newId("file"),
      labelId = newId("label"),
      normalId = newId("normal");
    this.input = element("input", {
      type: "file",
      id,
      accept: isImages ? IMAGES : TABLES,
      on: { change: () => this.take(this.input.files) },
    });
    this.label = element("input", { type: "text", id: labelId, placeholder: "none", autocomplete: "off" });
    this.normal = element("input", { type: "text", id: normalId, placeholder: "found by itself", autocomplete: "off" });
    const normal = element(
      "span",
      { class: "field", hidden: true },
      element("label", { for: normalId }, "its value in normal rows"),
      this.normal,
    );
    this.label.addEventListener("input", () => {
      normal.hidden = this.label.value.trim() === "";
    });
    this.says = element("p", { class: "drop-says", role: "status" });
    this.trouble = new Trouble(service, () => this.file && this.run(this.file));
    const what = isImages
      ? "a PNG or JPEG image"
      : layout === "points" || layout === "steps"
        ? "a file of series (CSV, NDJSON, Parquet or Arrow)"
        : "a table (CSV, JSON, Parquet or Arrow)";
    this.node = element(
      "div",
      { class: `drop-zone${isBare ? " bare" : ""}` },
      isBare ? element("p", { class: "drop-title" }, "No data yet") : null,
      element(
        "div",
        { class: "controls" },
        element(
          "label",
          { for: id },
          isBare
            ? `Drop ${what} here to see its scores, or choose one:`
            : `Score another file: drop ${what} here, or choose one:`,
        ),
        this.input,
        hasLabel
          ? [
              element(
                "span",
                { class: "field" },
                element("label", { for: labelId }, "Column with labels, if any"),
                this.label,
              ),
              normal,
            ]
          : null,
      ),
      this.says,
      this.trouble.node,
    );
    this.listen();
  }

  /* The whole page takes files, so that a missed drop does not leave the page. */
  listen() {
    const holdsFiles = event => event.dataTransfer?.types?.includes("Files");
    const over = event => {
      if (!this.node.isConnected || !holdsFiles(event)) return;
      event.preventDefault();
      this.node.classList.toggle("over", event.type === "dragover");
    };
    document.addEventListener("dragover", over);
    document.addEventListener("dragleave", event => {
      if (!event.relatedTarget) this.node.classList.remove("over");
    });
    document.addEventListener("drop", event => {
      if (!this.node.isConnected || !holdsFiles(event)) return;
      over(event);
      this.take(event.dataTransfer.files);
    });
  }

  take(files) {
    if (files.length > 1) return this.trouble.show(new Error(`expected one file, got ${files.length}`));
    if (files.length === 1) this.run(files[0]);
  }

  async run(file) {
    this.file = file;
    this.running?.abort();
    const running = (this.running = new AbortController());
    this.trouble.clear();
    this.node.setAttribute("aria-busy", "true");
    this.says.replaceChildren(
      element("span", { class: "busy", "aria-hidden": "true" }),
      `Scoring ${file.name.slice(0, 80)} (${size(file.size)}) … `,
      button("Cancel", () => running.abort()),
    );
    try {
      await this.score(file, { label: this.label.value.trim(), normal: this.normal.value.trim() }, running.signal);
      this.says.replaceChildren(`${file.name.slice(0, 80)} is scored.`);
    } catch (error) {
      if (running !== this.running) return;
      this.says.replaceChildren(error.name === "AbortError" ? "Cancelled." : "");
      if (error.name !== "AbortError") this.trouble.show(error);
    } finally {
      if (running === this.running) this.node.removeAttribute("aria-busy");
      /* The same file can be chosen again. */
      this.input.value = "";
    }
  }
}

const size = bytes => (bytes < 1e6 ? `${number(Math.max(0.1, bytes / 1e3), 2)} kB` : `${number(bytes / 1e6, 2)} MB`);

/* The server that the page came from: what is asked of it, and nothing of anyone else. */

export class ServiceError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }

  /* Whether the server wants an API key. */
  get needsKey() {
    return this.status === 401 || this.status === 403;
  }
}

const encoded = encodeURIComponent;

export class Service {
  constructor() {
    /* Kept in this page alone. */
    this.key = "";
  }

  path(model, verb = "") {
    return `/v2/models/${encoded(model)}${verb ? `/${verb}` : ""}`;
  }

  /* The scores of a file, as a ScoredData document. */
  report(model, file, { label, normal }, signal) {
    const query = `name=${encoded(file.name)}${label ? `&label=${encoded(label)}` : ""}${label && normal ? `&normal=${encoded(normal)}` : ""}`;
    return this.ask(`${this.path(model, "report")}?${query}`, {
      method: "POST",
      body: file,
      headers: { "Content-Type": "application/octet-stream" },
      signal,
    });
  }

  explainPath(model, reasons) {
    return `${this.path(model, "explain")}?explain=${reasons}`;
  }

  /* Score and reasons of rows in JSON. */
  explain(model, json, reasons) {
    return this.ask(this.explainPath(model, reasons), {
      method: "POST",
      body: json,
      headers: { "Content-Type": "application/json" },
    });
  }

  drift(model) {
    return this.ask(this.path(model, "drift"));
  }

  async ask(path, options = {}) {
    const headers = { Accept: "application/json", ...options.headers };
    if (this.key) headers.Authorization = `Bearer ${this.key}`;
    let answer;
    try {
      answer = await fetch(path, { ...options, headers, cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServiceError(
        "the server does not answer: it may have stopped, or have refused the file while it was sent",
        0,
      );
    }
    let content = null;
    try {
      content = await answer.json();
    } catch {
      if (answer.ok) throw new ServiceError("the server's answer is no JSON", answer.status);
    }
    if (!answer.ok) {
      const wait = answer.status === 503 || answer.status === 429 ? answer.headers.get("Retry-After") : null;
      throw new ServiceError(
        `${content?.error ?? `the server answered ${answer.status}`}${wait ? `; try again in ${wait} s` : ""}`,
        answer.status,
      );
    }
    return content;
  }
}

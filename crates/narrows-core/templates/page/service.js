/* The server that the page came from: what is asked of it, and nothing of anyone else. */

const encoded = encodeURIComponent;

const pathOf = (model, verb) => `/v2/models/${encoded(model)}/${verb}`;

/* The scores of a file, as a ScoredData document. */
export function scoredFile(model, file, { label, normal }, signal) {
  const query = new URLSearchParams({ name: file.name });
  if (label) query.set("label", label);
  if (label && normal) query.set("normal", normal);
  const headers = { "Content-Type": "application/octet-stream" };
  return ask(`${pathOf(model, "report")}?${query}`, { method: "POST", body: file, headers, signal });
}

/* Where rows are explained, with so many reasons. */
export const explainPath = (model, reasons) => `${pathOf(model, "explain")}?explain=${reasons}`;

/* Score and reasons of rows in JSON. */
export function explained(model, json, reasons) {
  const headers = { "Content-Type": "application/json" };
  return ask(explainPath(model, reasons), { method: "POST", body: json, headers });
}

/* What the server has scored, compared with the rows of the fit. */
export const driftOf = model => ask(pathOf(model, "drift"));

async function ask(path, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the server does not answer: it may have stopped, or have refused the file while it was sent");
  }
  let content = null;
  try {
    content = await answer.json();
  } catch {
    if (answer.ok) throw new Error("the server's answer is no JSON");
  }
  if (answer.ok) return content;
  const wait = answer.headers.get("Retry-After");
  throw new Error(
    (content?.error ?? `the server answered ${answer.status}`) + (wait ? `; try again in ${wait} s` : ""),
  );
}

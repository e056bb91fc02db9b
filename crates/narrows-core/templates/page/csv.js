/* Tables as CSV text (RFC 4180), safe to open in a spreadsheet. */

/* Spreadsheets run a cell as a formula if it begins so; plain numbers such as -5 are none. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

export const looksLikeFormula = text => FORMULA.test(text) && !NUMBER.test(text);

/* One cell: a formula gets an apostrophe before it, which spreadsheets take as text; quoted where it must be. */
export function csvCell(value) {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (looksLikeFormula(text)) text = "'" + text;
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

/* A header and rows. */
export function csvText(header, rows) {
  const lines = [header.map(csvCell).join(",")];
  for (const row of rows) lines.push(row.map(csvCell).join(","));
  return lines.join("\r\n") + "\r\n";
}

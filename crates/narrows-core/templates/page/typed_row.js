/* A row that is typed into a form: from the texts of its fields to the JSON that is sent. */

import { cellNumber } from "./column_shape.js";

/* What a field means: nothing is a missing cell; a number that is none is sent as it is typed, and the server says what it
   expects. */
export function typedCell(column, text) {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  return column.kind === "number" && Number.isFinite(cellNumber(trimmed)) ? cellNumber(trimmed) : trimmed;
}

/* An array of one object, written here, as a column may have any name, `__proto__` among them. */
export const rowsJson = (columns, texts) =>
  `[{${columns.map((column, i) => `${JSON.stringify(column.name)}: ${JSON.stringify(typedCell(column, texts[i]))}`).join(", ")}}]`;

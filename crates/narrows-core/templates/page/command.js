/* Commands that repeat on a terminal what the page shows. */

import { exact } from "./numbers.js";

/* A word of a POSIX shell. */
export const shellWord = text => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/* The command that scores a file that was dropped on the page, as it would stand in the folder of both files. */
export const scoring = (model, file) => `narrows score ${shellWord(`${model}.narrows`)} ${shellWord(file)} --explain 3`;

/* A rule of thresholds as it is written in commands: `{ rule: "pot", rate: 0.001, tail: 0.95 }` is `pot=0.001,tail=0.95`. */
export function ruleText({ rule, ...parts }) {
  const told = Object.entries(parts).map(([name, value], i) => (i === 0 ? `=${value}` : `,${name}=${value}`));
  return rule + told.join("");
}

/* The command of the page with another threshold. */
export function withThreshold(command, threshold) {
  const without = command.replace(/ --threshold[ =]('[^']*'|\S+)/, "");
  return `${without} --threshold fixed=${exact(threshold)}`;
}

/* The command that explains one row, by the command that scored all. */
export function explaining(command, row) {
  if (!command?.startsWith("narrows score ")) return null;
  return `${command.replace("narrows score ", "narrows explain ").replace(/ --(explain \d+|events|only-anomalies|sort|top \d+)/g, "")} --row ${row}`;
}

/* A request to the server as a command. */
export const curl = (address, body) =>
  `curl -s ${shellWord(address)} -H 'Content-Type: application/json' -d ${shellWord(body)}`;

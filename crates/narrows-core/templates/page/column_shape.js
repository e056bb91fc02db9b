/* The distribution of a column in the training rows: its typical value, and where a value stands in it. */

/* A typical value as text: the median of numbers, the most frequent level; "" if the distribution is unknown. */
export function typical(column) {
  if (column.always !== undefined) return column.always;
  /* What dates there were is not known: a new row is of today. */
  if (column.kind === "date") return `${new Date().toISOString().slice(0, 10)}T12:00:00`;
  if (column.levels?.length) return String(mostFrequent(column.levels));
  if (column.quartiles && column.edges?.length) return plain(column.quartiles[1], column.edges);
  if (!column.counts?.length) return "";
  const total = column.counts.reduce((sum, k) => sum + k, 0);
  let before = 0;
  for (let i = 0; i < column.counts.length; i += 1) {
    if (column.counts[i] > 0 && 2 * (before + column.counts[i]) >= total) {
      const [a, b] = [column.edges[i], column.edges[i + 1]];
      const within = (total / 2 - before) / column.counts[i];
      return plain(a + within * (b - a), column.edges);
    }
    before += column.counts[i];
  }
  return "";
}

const mostFrequent = levels => levels.reduce((best, level) => (level[1] > best[1] ? level : best))[0];

/* A number with no more decimals than its column needs: whole numbers where all edges are whole. */
function plain(x, edges) {
  if (edges.every(Number.isInteger) && edges[edges.length - 1] - edges[0] >= edges.length - 1)
    return String(Math.round(x));
  const span = edges[edges.length - 1] - edges[0];
  const decimals = Math.min(12, Math.max(0, 2 - Math.floor(Math.log10(span || 1))));
  return String(Number(x.toFixed(decimals)));
}

/* The number that a cell's text means, or NaN. */
export function cellNumber(text) {
  if (text === null || text === undefined || String(text).trim() === "") return NaN;
  return Number(String(text).trim().replace("−", "-"));
}

/* Where a number stands on the drawing of its column: share of the width, and whether it lies outside of the range. */
export function standing(column, x) {
  const [low, high] = [column.edges[0], column.edges[column.edges.length - 1]];
  if (x < low) return { share: 0, isOutside: true };
  if (x > high) return { share: 1, isOutside: true };
  return { share: high > low ? (x - low) / (high - low) : 0.5, isOutside: false };
}

/* Training rows that have a level, as a share of those with a value; 0 if none has. */
export function levelShare(column, level) {
  const total = column.levels.reduce((sum, [, k]) => sum + k, 0) + (column.others ?? 0);
  const found = column.levels.find(([name]) => String(name) === level);
  return found && total > 0 ? found[1] / total : 0;
}

/* What several models say of the same rows. */

/* For each row that some model lists: the models that flag it, by their place in `flags` (sets of row numbers). */
export function agreement(flags) {
  const by = new Map();
  flags.forEach((rows, model) => rows.forEach(row => {
    if (!by.has(row)) by.set(row, []);
    by.get(row).push(model);
  }));
  const flaggedBy = new Array(flags.length + 1).fill(0);
  by.forEach(models => { flaggedBy[models.length] += 1; });
  return { by, flaggedBy };
}

/* Rows that both flag, and those as a share of the rows that either flags (Jaccard index); NaN if neither flags any. */
export function overlap(a, b) {
  let both = 0;
  a.forEach(row => { both += b.has(row) ? 1 : 0; });
  return { both, share: both / (a.size + b.size - both) };
}

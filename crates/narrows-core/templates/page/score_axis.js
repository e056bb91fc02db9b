/* An axis of scores between 0 and 1 of a width: logarithmic if all scores are positive, as scores are ratios. */

const PADDING = 0.02;

export class ScoreAxis {
  /* An axis that holds all finite `values`. */
  constructor(values) {
    let low = Infinity, high = -Infinity, leastPositive = Infinity, hasNegative = false;
    for (const x of values) {
      if (!Number.isFinite(x)) continue;
      if (x < low) low = x;
      if (x > high) high = x;
      if (x > 0 && x < leastPositive) leastPositive = x;
      if (x < 0) hasNegative = true;
    }
    if (low > high) [low, high, leastPositive] = [0.5, 2, 0.5];
    this.isLog = !hasNegative && high > 0;
    /* Zeros stand at the low end of a logarithmic axis, a tenth below the least positive score. */
    if (this.isLog && low <= 0) low = leastPositive / 10;
    let [from, to] = [this.measure(low), this.measure(high)];
    if (to - from < 1e-9 * Math.max(1, Math.abs(to))) [from, to] = [from - 0.5, to + 0.5];
    const pad = PADDING * (to - from);
    this.from = from - pad;
    this.to = to + pad;
  }

  measure(x) {
    return this.isLog ? Math.log(x) : x;
  }

  /* Where a score stands, from 0 to 1. */
  share(x) {
    if (this.isLog && x <= 0) return 0;
    return Math.min(1, Math.max(0, (this.measure(x) - this.from) / (this.to - this.from)));
  }

  /* The score at a place from 0 to 1. */
  score(share) {
    const x = this.from + share * (this.to - this.from);
    return this.isLog ? Math.exp(x) : x;
  }

  /* Round scores to be labelled, at most `most` of them. */
  ticks(most = 8) {
    const low = this.score(0), high = this.score(1);
    if (!this.isLog) return linearTicks(low, high, most);
    for (const digits of [[1, 2, 5], [1, 3], [1]]) {
      const found = [];
      for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e += 1) {
        for (const digit of digits) {
          const x = Number(`${digit}e${e}`);
          if (x >= low && x <= high) found.push(x);
        }
      }
      if (found.length < 2) return linearTicks(low, high, most);
      if (found.length <= most) return found;
      if (digits.length === 1) {
        const every = Math.ceil(found.length / most);
        return found.filter((_, i) => i % every === 0);
      }
    }
    return [];
  }
}

/* Multiples of 1, 2 or 5 times a power of ten between both ends. */
export function linearTicks(low, high, most) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const power = Math.pow(10, Math.floor(Math.log10(span / most)));
  const step = [1, 2, 5, 10].map(x => x * power).find(x => span / x <= most) ?? 10 * power;
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * span; i += 1) {
    found.push(Number((i * step).toPrecision(12)));
  }
  return found;
}

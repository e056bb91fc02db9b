/* Numbers for readers, written as the rest of the page writes them: significant digits, thousands separators, percent. */

const NO_BREAK = "\u00a0";

const notFinite = x => {
  if (x === null || x === undefined || Number.isNaN(x)) return "n/a";
  if (x === Infinity) return "∞";
  if (x === -Infinity) return "−∞";
  return null;
};

const group = digits => digits.replace(/\B(?=(\d{3})+$)/g, ",");

const decimalsFor = (size, digits) => {
  const magnitude = size === 0 ? 0 : Math.floor(Math.log10(size));
  return Math.min(12, Math.max(0, digits - 1 - magnitude));
};

const trim = text => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);

/* A number with a fixed number of decimals: `0.340`. */
export const places = (x, decimals) => {
  const word = notFinite(x);
  if (word) return word;
  const text = Math.abs(x).toFixed(decimals);
  const sign = x < 0 && /[1-9]/.test(text) ? "−" : "";
  const [whole, rest] = text.split(".");
  return sign + group(whole) + (rest === undefined ? "" : "." + rest);
};

/* A number with up to `digits` significant digits: `3.41`, `1,235`, `2.5e−7`. */
export const number = (x, digits = 4) => {
  const word = notFinite(x);
  if (word) return word;
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) {
    const [mantissa, exponent] = size.toExponential(3).split("e");
    return (x < 0 ? "−" : "") + trim(mantissa) + "e" + exponent.replace("+", "").replace("-", "−");
  }
  return trim(places(x, decimalsFor(size, digits)));
};

/* A whole number with thousands separators: `1,234,567`. */
export const count = n => notFinite(n) ?? group(String(Math.round(n)));

/* A count with its noun: `1 row`, `1,200 rows`. */
export const counted = (n, noun) => count(n) + NO_BREAK + (n === 1 ? noun.one : noun.many);

/* A share as percent: `71 %`, `1.25 %`, `99.7 %`. */
export const percent = share => {
  const word = notFinite(share);
  if (word) return word;
  const x = share * 100, size = Math.abs(x);
  let text;
  if (x > 0 && x < 0.01) text = "below 0.01";
  else if (size < 1) text = trim(places(x, 2));
  else if (size < 10) text = trim(places(x, 1));
  else if (size > 99 && size < 100) text = trim(places(x, 2));
  else text = places(x, 0);
  return text + NO_BREAK + "%";
};

/* A probability with two significant digits: `0.0050`, `0.31`, `2.0e−6`. */
export const probability = p => {
  const word = notFinite(p);
  if (word) return word;
  if (p === 0 || p === 1) return places(p, 0);
  if (Math.abs(p) < 1e-4) return p.toExponential(1).replace("-", "−");
  return places(p, decimalsFor(Math.abs(p), 2));
};

/* The shortest text that reads back as the same number, for commands and files. */
export const exact = x => String(x);

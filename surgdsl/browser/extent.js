/**
 * Extents: polynomials with integer coefficients in named symbols, compared by their normal form (section 2).
 *
 * A polynomial is a `Map` from a monomial, its symbols sorted and joined by `*` ("" for the constant), to a coefficient that is not zero.
 */
import { Reject, demand } from "./reject.js";

const TERM = /^(?:([1-9][0-9]*)(?:\*|$))?((?:[A-Za-z_][A-Za-z0-9_]*)(?:\*[A-Za-z_][A-Za-z0-9_]*)*)?$/;

const degree = (monomial) => (monomial === "" ? 0 : monomial.split("*").length);

function ordered(a, b) {
  return degree(b) - degree(a) || (a < b ? -1 : Number(a > b));
}

function gather(terms) {
  const result = new Map();
  for (const [monomial, coefficient] of terms) {
    const sum = (result.get(monomial) ?? 0n) + coefficient;
    if (sum === 0n) result.delete(monomial);
    else result.set(monomial, sum);
  }
  return result;
}

/** The polynomial that is one integer. */
export const constant = (value) => gather([["", BigInt(value)]]);

/**
 * The polynomial of an extent.
 * @param {number | string} extent
 * @returns {Map<string, bigint>} rejects with V03 a text that is not in normal form.
 */
export function polynomial(extent) {
  if (typeof extent === "number") return constant(extent);
  const terms = extent.split("+").map((term) => {
    const match = TERM.exec(term);
    demand(match !== null && term !== "" && !term.endsWith("*"), "V03", `${JSON.stringify(extent)} is no extent`);
    return [match[2] ?? "", BigInt(match[1] ?? 1)];
  });
  const result = gather(terms);
  demand(written(result) === extent && !(result.size === 1 && result.has("")), "V03", `${JSON.stringify(extent)} is no extent in normal form`);
  return result;
}

function written(value) {
  const term = ([monomial, coefficient]) => {
    if (monomial === "") return String(coefficient);
    return coefficient === 1n ? monomial : `${coefficient}*${monomial}`;
  };
  const sorted = [...value].map(([monomial, coefficient]) => [monomial.split("*").sort().join("*"), coefficient]);
  return sorted.sort((a, b) => ordered(a[0], b[0])).map(term).join("+");
}

/**
 * The extent of a polynomial.
 * @param {Map<string, bigint>} value
 * @returns {number | string} rejects with V09 what is no extent: nothing, or a coefficient below 1, or a constant above 2^53 − 1.
 */
export function extent(value) {
  const positive = [...value.values()].every((coefficient) => coefficient > 0n);
  demand(positive && value.size > 0, "V09", `an extent of ${written(value) || "0"}`);
  if (value.size > 1 || !value.has("")) return written(value);
  const result = Number(value.get(""));
  demand(Number.isSafeInteger(result), "V09", `an extent of ${written(value)}`);
  return result;
}

export const plus = (a, b) => gather([...a, ...b]);

export const minus = (a, b) => gather([...a, ...[...b].map(([monomial, coefficient]) => [monomial, -coefficient])]);

export function times(a, b) {
  const together = (left, right) => [left, right].filter((part) => part !== "").join("*").split("*").sort().join("*");
  return gather([...a].flatMap(([m, c]) => [...b].map(([n, d]) => [together(m, n), c * d])));
}

export function same(a, b) {
  return a.size === b.size && [...a].every(([monomial, coefficient]) => b.get(monomial) === coefficient);
}

/** The product of some extents, as a polynomial. */
export function product(extents) {
  return extents.reduce((total, item) => times(total, polynomial(item)), constant(1));
}

/** The symbols that stand in an extent. */
export function symbols(item) {
  if (typeof item === "number") return new Set();
  return new Set([...polynomial(item).keys()].flatMap((monomial) => (monomial === "" ? [] : monomial.split("*"))));
}

/**
 * The value of an extent when its symbols have these values.
 * @param {number | string} item
 * @param {Map<string, bigint>} binding
 * @returns {bigint}
 */
export function evaluate(item, binding) {
  if (typeof item === "number") return BigInt(item);
  let total = 0n;
  for (const [monomial, coefficient] of polynomial(item)) {
    let value = coefficient;
    for (const symbol of monomial === "" ? [] : monomial.split("*")) {
      if (!binding.has(symbol)) throw new Reject("V03", `the binding has no value of ${symbol}`);
      value *= binding.get(symbol);
    }
    total += value;
  }
  return total;
}

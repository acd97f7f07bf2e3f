/**
 * Exact rational numbers over BigInt.
 *
 * Claims, limits and conditions of rules are compared exactly; a float would let a promise slip by one rounding.
 * @module
 */

import { demand } from "./reject.js";

/** @typedef {{n: bigint, d: bigint}} Rational in lowest terms, d > 0 */

const TEXT = /^(-?)(0|[1-9][0-9]{0,38})(?:\/([1-9][0-9]{0,38}))?$/;

/** @param {bigint} n */
export const magnitude = (n) => (n < 0n ? -n : n);

/** @param {bigint} a @param {bigint} b @returns {bigint} the greatest common divisor, not negative */
export function common(a, b) {
  let [x, y] = [magnitude(a), magnitude(b)];
  while (y) [x, y] = [y, x % y];
  return x;
}

/** n / d in lowest terms. @param {bigint} n @param {bigint} d not 0 @returns {Rational} */
export function ratio(n, d) {
  const divisor = d < 0n ? -common(n, d) : common(n, d);
  return { n: n / divisor, d: d / divisor };
}

/** @param {bigint | number} n an integer @returns {Rational} */
export const whole = (n) => ({ n: BigInt(n), d: 1n });

/** The number that a text of section 2 says; V03 when it is not in normal form. @param {string} written @returns {Rational} */
export function rational(written) {
  const found = TEXT.exec(written);
  demand(found, "V03", `not a rational: ${written}`);
  const value = ratio(BigInt(found[1] + found[2]), BigInt(found[3] ?? 1));
  demand(text(value) === written, "V03", `not a rational in lowest terms: ${written}`);
  return value;
}

/** @param {Rational} a */
export const text = (a) => (a.d === 1n ? `${a.n}` : `${a.n}/${a.d}`);

const rounded = (/** @type {number} */ value) => Number(value.toPrecision(6));

/** A number as people read it: exact, and as a decimal where it is no integer. @param {Rational} a */
export const shown = (a) => (a.d === 1n ? text(a) : `${text(a)} (${rounded(nearest(a))})`);

/** A share as people read it: exact, and in per cent. @param {Rational} a */
export const percent = (a) => `${text(a)} (${rounded(nearest(a) * 100)}%)`;

/** @param {Rational} a @returns {Rational} */
export const negate = (a) => ({ n: -a.n, d: a.d });

/** @param {Rational} a @param {Rational} b @returns {Rational} */
export const add = (a, b) => ratio(a.n * b.d + b.n * a.d, a.d * b.d);

/** @param {Rational} a @param {Rational} b @returns {Rational} */
export const sub = (a, b) => ratio(a.n * b.d - b.n * a.d, a.d * b.d);

/** @param {Rational} a @param {Rational} b @returns {Rational} */
export const mul = (a, b) => ratio(a.n * b.n, a.d * b.d);

/** @param {Rational} a @param {Rational} b not 0 @returns {Rational} */
export const div = (a, b) => ratio(a.n * b.d, a.d * b.n);

/** The sign of a − b. @param {Rational} a @param {Rational} b */
export function compare(a, b) {
  const [left, right] = [a.n * b.d, b.n * a.d];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** @param {Rational} a @param {Rational} b */
export const equals = (a, b) => a.n === b.n && a.d === b.d;

/** Whether `a relation b`. @param {Rational} a @param {string} relation one of <= < >= > @param {Rational} b */
export function stands(a, relation, b) {
  const sign = compare(a, b);
  if (relation === "<=") return sign <= 0;
  if (relation === "<") return sign < 0;
  return relation === ">=" ? sign >= 0 : sign > 0;
}

/** The number of binary digits of |n|. @param {bigint} n */
export function digits(n) {
  const hex = magnitude(n).toString(16);
  return hex.length * 4 - (Math.clz32(parseInt(hex[0], 16)) - 28);
}

/** The float64 nearest to a, ties to even; infinite beyond the largest. @param {Rational} a */
export function nearest(a) {
  if (a.n === 0n) return 0;
  const top = magnitude(a.n);
  // 2^scale is the unit of the last place: the quotient by it has 53 digits, or fewer where the float is subnormal.
  let scale = Math.max(digits(top) - digits(a.d) - 53, -1074);
  let rounded = divided(top, a.d, scale);
  if (digits(rounded) > 53) rounded = divided(top, a.d, ++scale);
  const value = Number(rounded) * 2 ** Math.max(scale, -1000) * 2 ** Math.min(scale + 1000, 0);
  return a.n < 0n ? -value : value;
}

/** n / d / 2^scale as an integer, ties to even. @param {bigint} n @param {bigint} d @param {number} scale */
function divided(n, d, scale) {
  const [top, below] = scale < 0 ? [n << BigInt(-scale), d] : [n, d << BigInt(scale)];
  const floor = top / below;
  const twice = 2n * (top - floor * below);
  return floor + (twice > below || (twice === below && floor % 2n === 1n) ? 1n : 0n);
}

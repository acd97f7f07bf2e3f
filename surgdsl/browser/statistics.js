/**
 * Confidence bounds of shares, decided exactly.
 *
 * A tail of a binomial distribution is compared with a rational in integers: first with the leading digits and a proven bound of what they
 * leave out, and, where these cannot tell, with all of them. So no two verifiers differ by a rounding.
 * @module
 */

import { digits, div, ratio, sub, whole } from "./rational.js";

/** @typedef {import("./rational.js").Rational} Rational */
/** @typedef {{m: bigint, e: number}} Leading the number m · 2^e, rounded down */

/** Bounds are multiples of one millionth. */
export const MILLION = 1000000;
const WIDTHS = [192, 1536];

/** The leading digits of a number. @param {Leading} a @param {number} width @returns {Leading} */
function leading({ m, e }, width) {
  const extra = digits(m) - width;
  return extra > 0 ? { m: m >> BigInt(extra), e: e + extra } : { m, e };
}

/** Memo of the last binomial coefficients, which all steps of one bisection share. @type {Map<string, Leading>} */
const chosen = new Map();

/** n choose k, too small by a factor of at most 1 + 2·k·2^(1−width). @param {number} n @param {number} k @param {number} width @returns {Leading} */
function choose(n, k, width) {
  const key = `${n} ${k} ${width}`;
  const known = chosen.get(key);
  if (known !== undefined) return known;
  let value = { m: 1n, e: 0 };
  // Each quotient is whole until digits are cut, and has `width` digits from then on.
  for (let i = 0; i < Math.min(k, n - k); i++) value = leading({ m: (value.m * BigInt(n - i)) / BigInt(i + 1), e: value.e }, width);
  if (chosen.size > 7) chosen.clear();
  chosen.set(key, value);
  return value;
}

/** @param {Leading} a @param {Leading} b @param {number} width */
const times = (a, b, width) => leading({ m: a.m * b.m, e: a.e + b.e }, width);

/** base^exponent, too small by a factor of at most 1 + 2·exponent·2^(1−width). @param {bigint} base @param {number} exponent @param {number} width */
function power(base, exponent, width) {
  let result = { m: 1n, e: 0 };
  let square = leading({ m: base, e: 0 }, width);
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2) result = times(result, square, width);
    square = times(square, square, width);
  }
  return result;
}

/** Σ_{j ≤ b} of the terms over the last of them, in units of 2^−width, for terms that fall from b downwards; too small by at most 2n² units. */
function relativeSum(/** @type {number} */ n, /** @type {number} */ b, /** @type {bigint} */ p, /** @type {bigint} */ q, /** @type {number} */ width) {
  let term = 1n << BigInt(width);
  let sum = term;
  for (let j = b; j > 0 && term; j--) {
    term = (term * BigInt(j) * q) / (BigInt(n - j + 1) * p);
    sum += term;
  }
  return sum;
}

/** −1, 0, 1 as a < b, a = b, a > b. @param {Leading} a @param {Leading} b */
function order(a, b) {
  const low = Math.min(a.e, b.e);
  const [left, right] = [a.m << BigInt(a.e - low), b.m << BigInt(b.e - low)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * The sign of a − b, of which each may be too small by a part of lost·2^−width; 0 when that leaves it open.
 * @param {Leading} a @param {Leading} b @param {bigint} lost @param {number} width
 */
function decided(a, b, lost, width) {
  const wider = (/** @type {Leading} */ { m, e }) => ({ m: m * ((1n << BigInt(width)) + lost), e: e - width });
  if (order(a, wider(b)) > 0) return 1;
  return order(wider(a), b) < 0 ? -1 : 0;
}

/**
 * The sign of P(Bin(n, p/10^6) ≤ b) − share.
 * @param {number} n @param {number} b @param {number} p millionths @param {Rational} share
 * @returns {number}
 */
export function tail(n, b, p, share) {
  if (b >= n || p === 0) return Math.sign(Number(share.d - share.n));
  if (p === MILLION) return -Math.sign(Number(share.n));
  // Terms fall from b downwards, or else from b + 1 upwards: then the other tail is the one to sum.
  if (b * MILLION >= (n + 1) * p) return 0 - tail(n, n - b - 1, MILLION - p, sub(whole(1), share));
  const [x, y] = [BigInt(p), BigInt(MILLION - p)];
  for (const width of WIDTHS) {
    const last = times(times(power(x, b, width), power(y, n - b, width), width), choose(n, b, width), width);
    const sum = times(last, { m: relativeSum(n, b, x, y, width), e: -width }, width);
    const all = power(BigInt(MILLION), n, width);
    const [left, right] = [{ m: sum.m * share.d, e: sum.e }, { m: all.m * share.n, e: all.e }];
    // What was rounded away is a part of at most (2n² + 4n + 8)·2^(1−width) of either side.
    const sign = decided(left, right, 4n * BigInt(n) * BigInt(n) + 16n * BigInt(n) + 64n, width);
    if (sign) return sign;
  }
  return exactTail(n, b, x, y, share);
}

/** As `tail`, with all digits. @param {number} n @param {number} b @param {bigint} x @param {bigint} y @param {Rational} share */
function exactTail(n, b, x, y, share) {
  let term = y ** BigInt(n);
  let sum = term;
  for (let j = 1; j <= b; j++) {
    term = (term * BigInt(n - j + 1) * x) / (BigInt(j) * y);
    sum += term;
  }
  const [left, right] = [sum * share.d, share.n * BigInt(MILLION) ** BigInt(n)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The smallest integer from 0 to 10^6 for which `enough` holds; it holds for all above one of them, and for 10^6. @param {(p: number) => boolean} enough */
function smallest(enough) {
  let [low, high] = [0, MILLION];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}

/**
 * Clopper and Pearson 1934: the smallest p in millionths with P(Bin(n, p) ≤ b) ≤ share; 10^6 when b = n.
 * @param {number} b @param {number} n @param {Rational} share
 */
export const upperShare = (b, n, share) => (b >= n ? MILLION : smallest((p) => tail(n, b, p, share) <= 0));

/**
 * The largest p in millionths with P(Bin(n, p) ≥ c) ≤ share; 0 when c = 0.
 * @param {number} c @param {number} n @param {Rational} share
 */
export const lowerShare = (c, n, share) => MILLION - upperShare(n - c, n, share);

/** A rational above e, the factor of Bentkus's inequality. */
const ABOVE_E = ratio(2718281829n, 1000000000n);

/**
 * Hoeffding and Bentkus: an upper bound, in millionths, of the mean of losses from 0 to 1 of which so many rows, rounded up, were lost.
 * @param {number} c ⌈Σ loss⌉ @param {number} n @param {Rational} share the chance to be wrong
 */
export function upperMean(c, n, share) {
  if (c >= n) return MILLION;
  const bentkus = smallest((p) => tail(n, c, p, div(share, ABOVE_E)) <= 0);
  return Math.min(bentkus, smallest((p) => p * n > c * MILLION && hoeffding(n, c, p, share)));
}

/**
 * Whether (a·n/c)^c · ((1−a)·n/(n−c))^(n−c) ≤ share for a = p/10^6.
 * @param {number} n @param {number} c below n @param {number} p @param {Rational} share
 */
function hoeffding(n, c, p, share) {
  const [above, below] = [BigInt(p) * BigInt(n), BigInt(MILLION - p) * BigInt(n)];
  for (const width of WIDTHS) {
    const product = (/** @type {bigint} */ a, /** @type {bigint} */ b) => times(power(a, c, width), power(b, n - c, width), width);
    const left = product(above, below);
    const right = times(product(BigInt(c), BigInt(n - c)), power(BigInt(MILLION), n, width), width);
    const sign = decided({ m: left.m * share.d, e: left.e }, { m: right.m * share.n, e: right.e }, 16n * BigInt(n) + 64n, width);
    if (sign) return sign < 0;
  }
  const [k, m] = [BigInt(c), BigInt(n - c)];
  return above ** k * below ** m * share.d <= k ** k * m ** m * BigInt(MILLION) ** BigInt(n) * share.n;
}

/** A count of millionths as a rational. @param {number} count @returns {Rational} */
export const millionths = (count) => ratio(BigInt(count), BigInt(MILLION));

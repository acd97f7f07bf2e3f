/**
 * What boxes compute, in float64, written from the definitions of their operators.
 * @module
 */

import { has } from "../schema.js";
import { hexFloat } from "../number.js";
import { listed } from "./ground.js";

/** @typedef {{shape: number[], data: Float64Array}} Values */
/** @typedef {(weight: string) => Float64Array | null} Weights */

/** A box of more multiply-accumulates than that is not computed. */
const MOST = 2 ** 28;
const count = (/** @type {number[]} */ shape) => shape.reduce((total, extent) => total * extent, 1);

/** The error function: its series near zero, the continued fraction of its complement beyond. @param {number} x */
export function erf(x) {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size > 2.5) {
    let fraction = 0;
    for (let k = 120; k > 0; k--) fraction = k / 2 / (size + fraction);
    return Math.sign(x) * (1 - Math.exp(-size * size) / Math.sqrt(Math.PI) / (size + fraction));
  }
  let [term, sum] = [x, x];
  for (let k = 1; k < 100; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
const clamp = (/** @type {number} */ x) => Math.min(Math.max(x, 0), 6);

/** @type {Record<string, (x: number) => number>} */
const FUNCTIONS = {
  identity: (x) => x,
  dropout: (x) => x,
  abs: Math.abs,
  neg: (x) => -x,
  exp: Math.exp,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  sigmoid,
  silu: (x) => x * sigmoid(x),
  relu: (x) => Math.max(x, 0),
  relu6: clamp,
  hardsigmoid: (x) => clamp(x + 3) / 6,
  hardswish: (x) => (x * clamp(x + 3)) / 6,
  mish: (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
};

/** @type {Record<string, (a: number, b: number) => number>} */
const PAIRS = { add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => a / b };

/** GELU, by the error function or by the hyperbolic tangent. @param {string} approximate @returns {(x: number) => number} */
function gelu(approximate) {
  if (approximate === "none") return (x) => (x / 2) * (1 + erf(x * Math.SQRT1_2));
  return (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** @param {any} value an attribute */
const number = (value) => (has(value, "float") ? hexFloat(value.float) : value);

/**
 * What a box makes of its sources; null when that is too much to compute, or not known.
 * @param {string} kind @param {Map<string, any>} given arguments of its operation @param {Values[]} sources @param {Weights} weights
 * @param {any[]} sizes of the box, ground
 * @returns {Values | null}
 */
export function applyBox(kind, given, sources, weights, sizes) {
  const [x, y] = sources;
  if (kind in PAIRS) return pair(PAIRS[kind], x, y);
  if (kind.startsWith("conv")) return convolution(x, given, weights, sizes.slice(2));
  if (kind === "linear") return linear(x, weights);
  if (kind === "batchnorm") return batchnorm(x, number(given.get("eps")), weights);
  if (kind === "layernorm") return layernorm(x, number(given.get("eps")), weights);
  const map = kind === "gelu" ? gelu(given.get("approximate")) : FUNCTIONS[kind];
  return { shape: x.shape, data: x.data.map((value) => map(value)) };
}

/** Element by element, shapes aligned from the right. @param {(a: number, b: number) => number} operation @param {Values} x @param {Values} y @returns {Values} */
function pair(operation, x, y) {
  const rank = Math.max(x.shape.length, y.shape.length);
  const padded = [x, y].map(({ shape }) => [...Array.from({ length: rank - shape.length }, () => 1), ...shape]);
  const shape = padded[0].map((extent, i) => Math.max(extent, padded[1][i]));
  const at = (/** @type {number[]} */ own, /** @type {number} */ position) => {
    let [index, stride, rest] = [0, 1, position];
    for (let i = rank - 1; i >= 0; i--) {
      if (own[i] > 1) index += (rest % shape[i]) * stride;
      rest = Math.floor(rest / shape[i]);
      stride *= own[i];
    }
    return index;
  };
  const data = Float64Array.from({ length: count(shape) }, (_, i) => operation(x.data[at(padded[0], i)], y.data[at(padded[1], i)]));
  return { shape, data };
}

/** @param {Values} x @param {Weights} weights @returns {Values | null} */
function linear(x, weights) {
  const [weight, bias] = [weights("weight"), weights("bias")];
  const inner = x.shape[x.shape.length - 1];
  const outer = weight.length / inner;
  const rows = x.data.length / inner;
  if (rows * weight.length > MOST) return null;
  const data = new Float64Array(rows * outer);
  for (let row = 0; row < rows; row++)
    for (let o = 0; o < outer; o++) {
      let sum = 0;
      for (let i = 0; i < inner; i++) sum += x.data[row * inner + i] * weight[o * inner + i];
      data[row * outer + o] = sum + (bias?.[o] ?? 0);
    }
  return { shape: [...x.shape.slice(0, -1), outer], data };
}

/** The margins of one dimension. @param {any} padding @param {number} i @param {number} reach dilation · (kernel − 1) */
function margin(padding, i, reach) {
  if (padding === "same") return [Math.floor(reach / 2), reach - Math.floor(reach / 2)];
  return padding === "valid" ? [0, 0] : [padding[i], padding[i]];
}

/**
 * x[n, c, …] with w[o, i, …], c = i·groups. @param {Values} x @param {Map<string, any>} given @param {Weights} weights @param {number[]} kernel
 * @returns {Values | null}
 */
function convolution(x, given, weights, kernel) {
  const [weight, bias] = [weights("weight"), weights("bias")];
  const [batch, channels, ...space] = x.shape;
  const [stride, dilation, padding] = ["stride", "dilation", "padding"].map((name) => listed(given.get(name), space.length));
  const size = count(kernel);
  const inner = channels / given.get("groups");
  const outer = weight.length / (inner * size);
  const taps = space.map((extent, i) => tapsOf(extent, kernel[i], stride[i], dilation[i], margin(padding, i, dilation[i] * (kernel[i] - 1))));
  const out = taps.map((rows) => rows.length);
  if (batch * count(out) * weight.length > MOST) return null;
  const data = new Float64Array(batch * outer * count(out));
  // Every output position has the list of what it reads: the element of the input's space, and that of the kernel.
  const reads = readsOf(taps, space, kernel);
  for (let n = 0, at = 0; n < batch; n++)
    for (let o = 0; o < outer; o++) {
      const first = Math.floor(o / (outer / given.get("groups"))) * inner;
      for (const read of reads) {
        let sum = bias?.[o] ?? 0;
        for (let i = 0; i < inner; i++)
          for (const [source, tap] of read) sum += x.data[(n * channels + first + i) * count(space) + source] * weight[(o * inner + i) * size + tap];
        data[at++] = sum;
      }
    }
  return { shape: [batch, outer, ...out], data };
}

/** For each output index of one dimension, the pairs of an input index and a kernel index. */
function tapsOf(/** @type {number} */ extent, /** @type {number} */ kernel, /** @type {number} */ stride, /** @type {number} */ dilation, /** @type {number[]} */ [before, behind]) {
  const length = Math.floor((extent + before + behind - dilation * (kernel - 1) - 1) / stride) + 1;
  return Array.from({ length }, (_, out) => {
    const pairs = Array.from({ length: kernel }, (_k, k) => [out * stride - before + k * dilation, k]);
    return pairs.filter(([index]) => index >= 0 && index < extent);
  });
}

/** The same over all dimensions, as flat positions. @param {number[][][][]} taps @param {number[]} space @param {number[]} kernel @returns {number[][][]} */
function readsOf(taps, space, kernel) {
  let reads = [[[0, 0]]];
  for (const [i, rows] of taps.entries())
    reads = reads.flatMap((read) => rows.map((row) => read.flatMap(([a, b]) => row.map(([c, d]) => [a * space[i] + c, b * kernel[i] + d]))));
  return reads;
}

/** x[n, c, …] normalised by what was stored. @param {Values} x @param {number} eps @param {Weights} weights @returns {Values} */
function batchnorm(x, eps, weights) {
  const [gamma, beta, mean, variance] = ["gamma", "beta", "mean", "var"].map(weights);
  const inner = count(x.shape.slice(2));
  const data = x.data.map((value, i) => {
    const c = Math.floor(i / inner) % mean.length;
    return ((value - mean[c]) / Math.sqrt(variance[c] + eps)) * (gamma?.[c] ?? 1) + (beta?.[c] ?? 0);
  });
  return { shape: x.shape, data };
}

/** The last dimension, normalised by its own mean and variance. @param {Values} x @param {number} eps @param {Weights} weights @returns {Values} */
function layernorm(x, eps, weights) {
  const [gamma, beta] = ["gamma", "beta"].map(weights);
  const c = x.shape[x.shape.length - 1];
  const data = new Float64Array(x.data.length);
  for (let row = 0; row < data.length; row += c) {
    const values = x.data.subarray(row, row + c);
    const mean = values.reduce((sum, value) => sum + value, 0) / c;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / c;
    for (let i = 0; i < c; i++) data[row + i] = ((values[i] - mean) / Math.sqrt(variance + eps)) * (gamma?.[i] ?? 1) + (beta?.[i] ?? 0);
  }
  return { shape: x.shape, data };
}

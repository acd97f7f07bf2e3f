/**
 * Formulas over tensors with named axes, in float64 (section 10).
 *
 * Every function is one IEEE operation and every reduction goes in one order, so that equal inputs give equal bits. A reduction over much is
 * cut into slices along its first axis: the order of what is added stays the same, and the memory small.
 * @module
 */

import { nearest, rational } from "./rational.js";
import { demand } from "./reject.js";
import { singularValues } from "./spectral.js";

/** @typedef {Map<string, number>} Axes extents by name, in order */
/** @typedef {{axes: Axes, data: Float64Array}} Tensor row-major */
/**
 * @typedef {object} Scope
 * @property {Map<string, Tensor>} tensors by name; a number has no axes
 * @property {number} slack what a singular value is read higher by, as a part of the first
 */

/** Elements of a body that are held at once. */
const HELD = 2 ** 22;

/** @param {Axes} axes */
export const volume = (axes) => [...axes.values()].reduce((total, extent) => total * extent, 1);

/** @param {number} value @returns {Tensor} */
export const scalar = (value) => ({ axes: new Map(), data: Float64Array.of(value) });

/** The union of axes in the order in which they first appear; V15 where one name has two extents. @param {Axes[]} all @returns {Axes} */
function union(all) {
  /** @type {Axes} */
  const result = new Map();
  for (const axes of all)
    for (const [axis, extent] of axes) {
      demand((result.get(axis) ?? extent) === extent, "V15", `the axis ${axis} has two extents, ${result.get(axis)} and ${extent}`);
      result.set(axis, extent);
    }
  return result;
}

/** The axes of the value of a formula. @param {any} tree @param {Scope} scope @returns {Axes} */
export function axesOf(tree, scope) {
  if ("number" in tree) return new Map();
  if ("variable" in tree) return variable(tree.variable, scope).axes;
  if ("apply" in tree) return union(tree.terms.map((/** @type {any} */ term) => axesOf(term, scope)));
  if ("spectral" in tree) return new Map();
  const axes = new Map(axesOf(tree.body, scope));
  for (const axis of reducedAxes(tree, axes)) axes.delete(axis);
  return axes;
}

/** @param {any} tree a reduction @param {Axes} axes of its body @returns {string[]} */
function reducedAxes({ axes: named }, axes) {
  const names = named.length === 1 && named[0] === "*" ? [...axes.keys()] : named;
  for (const axis of names) demand(axes.has(axis), "V15", `nothing in the body has the axis ${axis}`);
  demand(new Set(names).size === names.length, "V15", "an axis is reduced twice");
  return names;
}

/** @param {string} name @param {Scope} scope */
function variable(name, { tensors }) {
  const value = tensors.get(name);
  demand(value, "V15", `no number or tensor is called ${name}`);
  return value;
}

/** The value of a formula. @param {any} tree checked @param {Scope} scope @returns {Tensor} */
export function evaluateTensor(tree, scope) {
  if ("number" in tree) return scalar(nearest(rational(tree.number)));
  if ("variable" in tree) return variable(tree.variable, scope);
  if ("apply" in tree) return applied(tree, scope);
  if ("spectral" in tree) return scalar(sigma(tree, scope));
  return reduced(tree, scope);
}

/** @type {Record<string, (a: number, b: number) => number>} */
const OPERATIONS = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: (a, b) => (a <= b || Number.isNaN(a) ? a : b),
  max: (a, b) => (a >= b || Number.isNaN(a) ? a : b),
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  gt: (a, b) => Number(a > b),
  ge: (a, b) => Number(a >= b),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  and: (a, b) => a * b,
  or: (a, b) => Math.max(a, b),
  neg: (a) => -a,
  abs: (a) => Math.abs(a),
  sqrt: (a) => Math.sqrt(a),
  not: (a) => 1 - a,
};

/** ((x·x)·x)…, and its reciprocal for a negative exponent. @param {number} exponent */
const power = (exponent) => (/** @type {number} */ x) => {
  let result = exponent === 0 ? 1 : x;
  for (let i = 1; i < Math.abs(exponent); i++) result *= x;
  return exponent < 0 ? 1 / result : result;
};

/** @param {any} tree @param {Scope} scope @returns {Tensor} */
function applied({ apply, terms }, scope) {
  demand(apply !== "exp" && apply !== "log", "V15", `no two libraries agree on the last bits of ${apply}`);
  if (apply === "pow") {
    const { axes, data } = evaluateTensor(terms[0], scope);
    return { axes, data: data.map(power(Number(terms[1].number))) };
  }
  const values = terms.map((/** @type {any} */ term) => evaluateTensor(term, scope));
  const axes = union(values.map((/** @type {Tensor} */ value) => value.axes));
  const size = volume(axes);
  const spread = values.map((/** @type {Tensor} */ value) => laid(value, axes));
  const data = new Float64Array(size);
  const [a, b, c] = spread;
  if (apply === "if") for (let i = 0; i < size; i++) data[i] = a[i] ? b[i] : c[i];
  else if (b === undefined) for (let i = 0; i < size; i++) data[i] = OPERATIONS[apply](a[i], 0);
  else combine(data, a, b, apply);
  return { axes, data };
}

/** @param {Float64Array} data @param {Float64Array} a @param {Float64Array} b @param {string} apply */
function combine(data, a, b, apply) {
  if (apply === "mul") for (let i = 0; i < data.length; i++) data[i] = a[i] * b[i];
  else {
    const operation = OPERATIONS[apply];
    for (let i = 0; i < data.length; i++) data[i] = operation(a[i], b[i]);
  }
}

/** A tensor over more axes, or over its own in another order: along what it lacks it is the same. @param {Tensor} tensor @param {Axes} axes @returns {Float64Array} */
export function laid(tensor, axes) {
  const own = [...tensor.axes.keys()];
  const names = [...axes.keys()];
  if (own.length === names.length && own.every((axis, i) => axis === names[i])) return tensor.data;
  const strides = new Map();
  let stride = 1;
  for (const axis of own.toReversed()) {
    strides.set(axis, stride);
    stride *= tensor.axes.get(axis);
  }
  const data = new Float64Array(volume(axes));
  copy(data, tensor.data, [...axes].map(([axis, extent]) => [extent, strides.get(axis) ?? 0]));
  return data;
}

/** Fills `target` row-major from `source`. @param {Float64Array} target @param {Float64Array} source @param {number[][]} dimensions extent, stride in the source */
function copy(target, source, dimensions) {
  let at = 0;
  const [extent, stride] = dimensions.length > 0 ? dimensions[dimensions.length - 1] : [1, 0];
  const walk = (/** @type {number} */ depth, /** @type {number} */ from) => {
    if (depth >= dimensions.length - 1) {
      for (let i = 0; i < extent; i++) target[at++] = source[from + i * stride];
      return;
    }
    for (let i = 0; i < dimensions[depth][0]; i++) walk(depth + 1, from + i * dimensions[depth][1]);
  };
  walk(0, 0);
}

/** A tensor at one index of an axis. @param {Tensor} tensor @param {string} axis @param {number} index @returns {Tensor} */
function slice(tensor, axis, index) {
  if (!tensor.axes.has(axis)) return tensor;
  const axes = new Map(tensor.axes);
  axes.delete(axis);
  const names = [...tensor.axes];
  const place = names.findIndex(([name]) => name === axis);
  const inner = names.slice(place + 1).reduce((total, [, extent]) => total * extent, 1);
  const data = new Float64Array(volume(axes));
  const step = inner * tensor.axes.get(axis);
  for (let from = index * inner, at = 0; at < data.length; from += step, at += inner) data.set(tensor.data.subarray(from, from + inner), at);
  return { axes, data };
}

/** @param {any} tree @param {Scope} scope @returns {Tensor} */
function reduced(tree, scope) {
  const { reduce, body } = tree;
  const all = axesOf(body, scope);
  const names = reducedAxes(tree, all);
  const axes = new Map([...all].filter(([axis]) => !names.includes(axis)));
  const size = names.reduce((total, axis) => total * all.get(axis), 1);
  const data = new Float64Array(volume(axes));
  if (reduce === "count") return { axes, data: data.fill(size) };
  const total = { data, axes, empty: true, operation: reduce === "sum" || reduce === "mean" ? "add" : reduce === "prod" ? "mul" : reduce };
  fold(total, body, names, all, scope);
  if (reduce === "mean") for (let i = 0; i < data.length; i++) data[i] /= size;
  return { axes, data };
}

/**
 * Adds a body to a total, row-major over `names`, the first slowest.
 * @param {{data: Float64Array, axes: Axes, empty: boolean, operation: string}} total @param {any} body @param {string[]} names
 * @param {Axes} axes of the body @param {Scope} scope
 */
function fold(total, body, names, axes, scope) {
  if (volume(axes) > HELD && names.length > 0) {
    const [axis, ...rest] = names;
    const left = new Map(axes);
    left.delete(axis);
    for (let index = 0; index < axes.get(axis); index++) {
      const tensors = new Map([...scope.tensors].map(([name, tensor]) => [name, slice(tensor, axis, index)]));
      fold(total, body, rest, left, { ...scope, tensors });
    }
    return;
  }
  const order = new Map([...names, ...total.axes.keys()].map((axis) => [axis, axes.get(axis)]));
  const values = laid(evaluateTensor(body, scope), order);
  const { data } = total;
  for (let at = 0; at < values.length; at += data.length) {
    const block = values.subarray(at, at + data.length);
    if (total.empty) data.set(block);
    else combine(data, data, block, total.operation);
    total.empty = false;
  }
}

/** The rows and columns of a tensor as a matrix: its first axis, and the others. @param {Tensor} tensor */
export function matrixOf({ axes, data }) {
  demand(axes.size > 0, "V15", "a number has no singular values");
  const rows = axes.values().next().value;
  return { rows, columns: data.length / rows, data };
}

/** The rank of a spectral value. @param {any} tree @param {Scope} scope */
export function rankOf(tree, scope) {
  const { axes, data } = evaluateTensor(tree.rank, scope);
  demand(axes.size === 0 && Number.isInteger(data[0]) && data[0] >= 1, "V15", `a rank of ${data[0]}`);
  return data[0];
}

/** @param {any} tree @param {Scope} scope */
function sigma(tree, scope) {
  demand(tree.spectral === "sigma" && tree.axis === "", "V15", "half of a product inside a formula");
  const rank = rankOf(tree, scope);
  const [first, value] = singularValues(matrixOf(evaluateTensor(tree.body, scope)), [1, rank]);
  return value + scope.slack * first;
}

/**
 * The weights that a declared rule makes, computed again: points 8, 9 and 11 of section 11.
 * @module
 */

import { checkBytes } from "../counting.js";
import { WIDTH, hexFloat } from "../number.js";
import { demand } from "../reject.js";
import { has } from "../schema.js";
import { singularValues } from "../spectral.js";
import { evaluateTensor, laid, matrixOf, rankOf, scalar, volume } from "../tensor.js";
import { countInfinite, floats, integers } from "../weights.js";
import { groundSize } from "./ground.js";
import { axesOf, kindOf } from "./kinds.js";
import { encodeFloats } from "./round.js";

/** @typedef {import("../tensor.js").Tensor} Tensor */
/** @typedef {import("../tensor.js").Scope} Scope */
/** @typedef {import("./instance.js").Instance} Instance */
/** @typedef {import("./instance.js").Placed} Placed */

/** How far a product of stored halves, or a stated bound, may be from the best, as a part of σ(1). */
const SLACK = 2 ** -18;

/** The axes of a weight of a box, with their extents. @param {any} box @param {any} weight of its kind @param {Map<string, any>} variables */
function axesWith(box, weight, variables) {
  const extents = weight.places.map((/** @type {number} */ at) => groundSize(box.sizes[at], variables));
  return new Map(axesOf(box, weight).map((axis, i) => [axis, extents[i]]));
}

/** What formulas may speak of: variables, scales, and the weights and arguments of L. @param {Instance} instance @param {any} given arguments of the step @param {any} store @returns {Promise<Scope>} */
export async function scopeOf({ variables, declaration, left, dtype }, given, store) {
  /** @type {Map<string, Tensor>} */
  const tensors = new Map();
  const put = (/** @type {string} */ name, /** @type {any} */ value) => {
    const number = typeof value === "number" ? value : has(value ?? true, "float") ? hexFloat(value.float) : null;
    if (number !== null) tensors.set(name, scalar(number));
  };
  for (const [name, value] of variables) put(name, value);
  for (const [i, [name, axis]] of (declaration.scales ?? []).entries()) {
    const exponents = given.scales[i][1];
    tensors.set(name, { axes: new Map([[axis, exponents.length]]), data: Float64Array.from(exponents, (e) => 2 ** e) });
  }
  for (const { box, weights, arguments: stated } of left) {
    for (const [name, value] of stated) put(`${box.name}.${name}`, value);
    for (const weight of kindOf(box.kind).weights) {
      const axes = axesWith(box, weight, variables);
      const param = weights.get(weight.name);
      const data = param ? floats(dtype, await store.bytes(param.parts[0].digest)) : new Float64Array(volume(axes)).fill(weight.neutral);
      tensors.set(`${box.name}.${weight.name}`, { axes, data });
    }
  }
  return { tensors, slack: 0 };
}

/**
 * Compares the weights of R with the values of `with`; V15 where one differs.
 * @param {Instance} instance @param {Scope} scope @param {any} store
 * @returns {Promise<{values: Map<string, Float64Array>, spectral: boolean}>} values by `box.tensor`, before they are rounded
 */
export async function checkValues(instance, scope, store) {
  const values = new Map();
  /** @type {Map<string, {tree: any, matrix?: any, left?: Tensor, right?: Tensor}>} */
  const pairs = new Map();
  for (const { box: owner, tensor, value } of instance.declaration.with) {
    const { box, weights } = instance.right.find((placed) => placed.box.name === owner);
    const weight = kindOf(box.kind).weights.find(({ name }) => name === tensor);
    const axes = axesWith(box, weight, instance.variables);
    const [part] = weights.get(tensor).parts;
    if ("spectral" in value && value.spectral !== "sigma" && value.axis !== "") {
      checkBytes([part], store);
      const stored = { axes, data: floats(instance.dtype, await store.bytes(part.digest)) };
      addHalf(pairs, value, stored, `${owner}.${tensor}`);
      values.set(`${owner}.${tensor}`, stored.data);
      continue;
    }
    demand(!spectralIn(value), "V15", `${owner}.${tensor}: singular values inside of a formula`);
    const found = evaluateTensor(value, scope);
    for (const [axis, extent] of found.axes) demand(axes.get(axis) === extent, "V15", `${owner}.${tensor}: its value has the axis ${axis}`);
    const data = laid(found, axes);
    const bytes = encodeFloats(instance.dtype, data);
    demand(countInfinite(instance.dtype, integers(bytes, WIDTH[instance.dtype])) === 0, "V15", `${owner}.${tensor}: its value is not finite`);
    demand((await store.put(part.dtype, part.shape, bytes)) === part.digest, "V15", `${owner}.${tensor} is not what the rule says`);
    values.set(`${owner}.${tensor}`, data);
  }
  for (const pair of pairs.values()) checkPair(pair, scope);
  return { values, spectral: pairs.size > 0 };
}

/** Whether a formula rests on singular values or vectors, whose bits depend on the library. @param {any} tree @returns {boolean} */
const spectralIn = (tree) => "spectral" in tree || [...(tree.terms ?? []), ..."body" in tree ? [tree.body] : []].some(spectralIn);

/** @param {Map<string, any>} pairs @param {any} tree @param {Tensor} stored @param {string} place */
function addHalf(pairs, tree, stored, place) {
  const key = JSON.stringify([tree.body, tree.rank, tree.axis]);
  const pair = pairs.get(key) ?? { tree };
  demand(!(tree.spectral in pair), "V15", `${place}: a second ${tree.spectral} half of one product`);
  pairs.set(key, { ...pair, [tree.spectral]: stored });
}

/** Point 9. @param {{tree: any, left?: Tensor, right?: Tensor}} pair @param {Scope} scope */
function checkPair({ tree, left, right }, scope) {
  demand(left && right, "V15", "a half of a product without the other");
  const body = evaluateTensor(tree.body, scope);
  const [first, ...others] = [...body.axes];
  const rank = rankOf(tree, scope);
  const u = half(left, new Map([first, [tree.axis, rank]]));
  const v = half(right, new Map([[tree.axis, rank], ...others]));
  const { rows, columns, data } = matrixOf(body);
  const rest = data.slice();
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < rank; k++) {
      const factor = u[i * rank + k];
      for (let j = 0; j < columns; j++) rest[i * columns + j] -= factor * v[k * columns + j];
    }
  const [largest, next] = singularValues({ rows, columns, data }, [1, rank + 1]);
  const [error] = singularValues({ rows, columns, data: rest }, [1]);
  demand(error <= next + SLACK * largest, "V15", `the product of two halves is off by ${error}, the best of rank ${rank} by ${next}`);
}

/** A stored half along the axes of its value; the weight's other axes have extent 1. @param {Tensor} stored @param {Map<string, number>} axes */
function half(stored, axes) {
  for (const [axis, extent] of stored.axes) demand(axes.has(axis) || extent === 1, "V15", `a half of a product has the axis ${axis}`);
  const own = new Map([...stored.axes].filter(([axis]) => axes.has(axis)));
  demand(own.size === axes.size && [...axes].every(([axis, extent]) => own.get(axis) === extent), "V15", "a half of a product has not the axes of its value");
  return laid({ axes: own, data: stored.data }, axes);
}

/** Point 11: the factor that the step states is no lower than the formula. @param {any} declaration @param {any} given @param {Scope} scope @returns {number} */
export function checkFactor({ bound }, given, scope) {
  const factor = hexFloat(given.factor);
  const { axes, data } = evaluateTensor(bound.factor, { ...scope, slack: SLACK });
  demand(axes.size === 0, "V15", "the bound of the rule is no number");
  demand(Number.isFinite(factor) && factor >= data[0] * (1 - 2 ** -30), "V15", `the factor ${factor} is below the bound, ${data[0]}`);
  return factor;
}


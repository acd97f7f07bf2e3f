/**
 * Both sides of a declared rule at one point, in float64: point 13 of section 11.
 *
 * A declaration can claim anything; that the two sides agree at a point that nobody chose is what this verifier has seen by itself.
 * @module
 */

import { demand } from "../reject.js";
import { applyBox } from "./forward.js";
import { groundSize } from "./ground.js";

/** @typedef {import("./instance.js").Instance} Instance */
/** @typedef {import("./instance.js").Placed} Placed */
/** @typedef {{shape: number[], data: Float64Array}} Values */

/** Kinds that can be computed; `add sub` with alpha 1. */
const COMPUTED = new Set([
  ...["conv1d", "conv2d", "conv3d", "linear", "batchnorm", "layernorm", "gelu", "identity", "dropout", "abs", "neg", "exp", "sqrt", "tanh"],
  ...["sigmoid", "silu", "relu", "relu6", "hardsigmoid", "hardswish", "mish", "mul", "div", "add", "sub"],
]);
const TOLERANCE = 2 ** -26;

/** @param {Placed} placed */
const computed = ({ box, arguments: given }) => COMPUTED.has(box.kind) && (given.get("alpha") ?? 1) === 1;

/** Random bits from a text (xorshift seeded by FNV-1a). @param {string} text @returns {() => number} from 0 to 1, exclusive */
function seeded(text) {
  let seed = 2166136261;
  for (let i = 0; i < text.length; i++) seed = Math.imul(seed ^ text.charCodeAt(i), 16777619);
  let [a, b, c, d] = [seed, seed ^ 0x9e3779b9, seed ^ 0x85ebca6b, 1];
  return () => {
    const t = a ^ (a << 11);
    [a, b, c] = [b, c, d];
    d = d ^ (d >>> 19) ^ t ^ (t >>> 8);
    return ((d >>> 0) + 0.5) / 2 ** 32;
  };
}

/** Standard normal numbers times powers of two from 2^-3 to 2^5. @param {() => number} random @param {number} size */
function point(random, size) {
  return Float64Array.from({ length: size }, () => {
    const normal = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    return normal * 2 ** (Math.floor(random() * 9) - 3);
  });
}

/** The values of the wires of one side, by their ids; null when they cannot be computed. @param {Placed[]} side @param {Map<string, Values>} inputs @param {(placed: Placed, weight: string) => Float64Array | null} weightOf */
function run(side, inputs, weightOf, variables) {
  const values = new Map(inputs);
  let waiting = [...side];
  while (waiting.length > 0) {
    const ready = waiting.filter(({ box, wires }) => box.sources.every((/** @type {string} */ name) => values.has(wires.get(name))));
    if (ready.length === 0) return null;
    for (const placed of ready) {
      const { box, wires } = placed;
      const sources = box.sources.map((/** @type {string} */ name) => values.get(wires.get(name)));
      const made = applyBox(box.kind, placed.arguments, sources, (weight) => weightOf(placed, weight), box.sizes.map((/** @type {any} */ size) => groundSize(size, variables)));
      if (made === null || !made.data.every(Number.isFinite)) return null;
      values.set(wires.get(box.targets[0]), made);
    }
    waiting = waiting.filter((placed) => !ready.includes(placed));
  }
  return values;
}

/**
 * Computes both sides; V15 where they differ by more than the rule allows.
 * @param {Instance} instance @param {any} view @param {import("../tensor.js").Scope} scope weights of L
 * @param {Map<string, Float64Array>} made weights of R, by `box.tensor` @param {{exact: boolean, factor: number | null}} claim
 * @returns {boolean} whether it could be seen
 */
export function seenAtPoint(instance, view, scope, made, { exact, factor }) {
  const { left, right, wires, declaration } = instance;
  if (![...left, ...right].every(computed)) return false;
  const random = seeded(JSON.stringify(view.arguments));
  const produced = new Set(left.flatMap(({ operation }) => operation.targets));
  const inputs = new Map();
  for (const { name } of declaration.glue) {
    const id = wires.get(name);
    const shape = view.left.wires.get(id).shape.map(atOne);
    if (!produced.has(id)) inputs.set(id, { shape, data: point(random, shape.reduce((/** @type {number} */ n, /** @type {number} */ e) => n * e, 1)) });
  }
  const before = run(left, inputs, ({ box }, weight) => scope.tensors.get(`${box.name}.${weight}`)?.data ?? null, instance.variables);
  const after = run(right, inputs, ({ box }, weight) => made.get(`${box.name}.${weight}`) ?? null, instance.variables);
  if (before === null || after === null) return false;
  if (factor !== null) return demandBound(declaration.bound, wires, before, after, factor);
  if (!exact) return false;
  for (const { name } of declaration.glue) {
    const id = wires.get(name);
    if (produced.has(id)) demandSame(name, before.get(id).data, after.get(id).data);
  }
  return true;
}

/** An extent where every symbol is 1: the sum of its coefficients. @param {number | string} extent */
function atOne(extent) {
  if (typeof extent === "number") return extent;
  return extent.split("+").reduce((total, term) => total + Number(/^[0-9]+/.exec(term)?.[0] ?? 1), 0);
}

/** @param {string} name @param {Float64Array} before @param {Float64Array} after */
function demandSame(name, before, after) {
  const largest = norm(before, "linf");
  const apart = norm(before.map((value, i) => value - after[i]), "linf");
  demand(before.length === after.length && apart <= TOLERANCE * largest, "V15", `both sides differ at a point: ${name} by ${apart}, where the largest element is ${largest}`);
}

/** @param {any} bound @param {Map<string, string>} wires @param {Map<string, Values>} before @param {Map<string, Values>} after @param {number} factor */
function demandBound({ input, output, norm: kind }, wires, before, after, factor) {
  const [a, b] = [before.get(wires.get(output)).data, after.get(wires.get(output)).data];
  const apart = norm(a.map((value, i) => value - b[i]), kind);
  const most = factor * norm(before.get(wires.get(input)).data, kind);
  demand(a.length === b.length && apart <= most, "V15", `the bound does not hold at a point: ${apart} above ${most}`);
  return true;
}

/** @param {Float64Array} values @param {string} kind */
function norm(values, kind) {
  if (kind === "linf") return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

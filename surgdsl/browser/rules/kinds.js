/**
 * Kinds of boxes (section 11): which operator stands behind a word, with which weights and arguments.
 * @module
 */

import { floatText } from "../number.js";

/**
 * @typedef {object} Weight
 * @property {string} name in the language @property {string} port its argument of the operator
 * @property {number[]} places sizes of the box that are its shape @property {number | null} neutral what it reads as when absent; null: it is there
 */
/**
 * @typedef {object} Kind
 * @property {string} operator @property {string[]} words for the places of its sizes @property {Weight[]} weights in the order of the table
 * @property {number} inputs @property {boolean} weightsFirst @property {Map<string, any>} defaults arguments, as attributes; null: to be stated
 * @property {Set<string>} free arguments that may have any value on the left @property {Set<string>} lists arguments that are lists, one for each dimension of a window
 */

/** @param {number} value */
const float = (value) => ({ float: floatText(value) });
const NONE = { none: true };

/** @param {string} operator @param {Partial<Kind> & {arguments?: Record<string, any>}} more @returns {Kind} */
function kind(operator, { words = [], weights = [], inputs = 1, weightsFirst = false, free = new Set(), lists = new Set(), arguments: given = {} } = {}) {
  return { operator: `aten.${operator}`, words, weights, inputs, weightsFirst, defaults: new Map(Object.entries(given)), free, lists };
}

/** @param {string} name @param {string} port @param {number[]} places @param {number | null} neutral @returns {Weight} */
const weight = (name, port, places, neutral = null) => ({ name, port, places, neutral });

const KERNEL = ["kd", "kh", "kw"];
const [GAMMA, BETA] = [weight("gamma", "weight", [0], 1), weight("beta", "bias", [0], 0)];

/** @param {number} n spatial dimensions */
function convolution(n) {
  const words = ["cout", "cin", ...KERNEL.slice(3 - n)];
  return kind(`conv${n}d.default`, {
    words,
    weights: [weight("weight", "weight", words.map((_, i) => i)), weight("bias", "bias", [0], 0)],
    arguments: { dilation: 1, groups: 1, padding: 0, stride: 1 },
    lists: new Set(["dilation", "padding", "stride"]),
  });
}

/** @param {string} operator @param {string} flag @param {Record<string, any>} more */
const norm = (operator, flag, more) =>
  kind(operator, { words: ["c"], weights: [GAMMA, BETA], free: new Set([flag, "eps"]), arguments: { [flag]: false, eps: float(1e-5), ...more } });

/** @param {string} operator @param {Record<string, any>} given @param {string[]} lists */
const pool = (operator, given, lists) => kind(operator, { arguments: given, lists: new Set(lists) });

const POINTWISE = ["relu", "relu6", "abs", "neg", "exp", "sqrt", "sigmoid", "tanh", "silu", "mish", "hardswish", "hardsigmoid"];

/** @type {ReadonlyMap<string, Kind>} */
const KINDS = new Map([
  ["conv1d", convolution(1)],
  ["conv2d", convolution(2)],
  ["conv3d", convolution(3)],
  ["linear", kind("linear.default", { words: ["cout", "cin"], weights: [weight("weight", "weight", [0, 1]), weight("bias", "bias", [0], 0)] })],
  ["batchnorm", kind("batch_norm.default", {
    words: ["c"],
    weights: [GAMMA, BETA, weight("mean", "running_mean", [0]), weight("var", "running_var", [0])],
    free: new Set(["cudnn_enabled", "eps", "momentum"]),
    arguments: { cudnn_enabled: false, eps: float(1e-5), momentum: float(0.1), training: false },
  })],
  ["layernorm", norm("layer_norm.default", "cudnn_enable", {})],
  ["groupnorm", norm("group_norm.default", "cudnn_enabled", { num_groups: null })],
  ["embedding", kind("embedding.default", {
    words: ["n", "d"],
    weights: [weight("weight", "weight", [0, 1])],
    weightsFirst: true,
    free: new Set(["padding_idx", "scale_grad_by_freq", "sparse"]),
    arguments: { padding_idx: -1, scale_grad_by_freq: false, sparse: false },
  })],
  ["add", kind("add.Tensor", { inputs: 2, arguments: { alpha: 1 } })],
  ["sub", kind("sub.Tensor", { inputs: 2, arguments: { alpha: 1 } })],
  ["mul", kind("mul.Tensor", { inputs: 2 })],
  ["div", kind("div.Tensor", { inputs: 2 })],
  ["gelu", kind("gelu.default", { arguments: { approximate: "none" } })],
  ["leaky_relu", kind("leaky_relu.default", { arguments: { negative_slope: float(0.01) } })],
  ["softmax", kind("softmax.int", { arguments: { dim: null, dtype: NONE } })],
  ["flatten", kind("flatten.using_ints", { arguments: { end_dim: -1, start_dim: 0 } })],
  ["maxpool2d", pool("max_pool2d.default", { ceil_mode: false, dilation: [1, 1], kernel_size: null, padding: [0, 0], stride: null }, ["dilation", "kernel_size", "padding", "stride"])],
  ["avgpool2d", pool(
    "avg_pool2d.default",
    { ceil_mode: false, count_include_pad: true, divisor_override: NONE, kernel_size: null, padding: [0, 0], stride: null },
    ["kernel_size", "padding", "stride"],
  )],
  ["dropout", kind("dropout.default", { free: new Set(["p"]), arguments: { p: float(0.5), train: false } })],
  ["identity", kind("alias.default")],
  ...POINTWISE.map((name) => /** @type {[string, Kind]} */ ([name, kind(`${name}.default`)])),
]);

/** The kind of a word; that of `aten.NAME.OVERLOAD` takes any inputs and states everything. @param {string} word @returns {Kind | undefined} */
export function kindOf(word) {
  if (/^aten\.[a-zA-Z0-9_]+\.[a-zA-Z0-9_]+$/.test(word)) return kind(word.slice(5), { inputs: -1 });
  return KINDS.get(word);
}

/**
 * How the axes of a weight are called. @param {any} box @param {Weight} weight @returns {string[]}
 */
export function axesOf(box, { places }) {
  const { words } = kindOf(box.kind);
  /** @type {string[]} */
  const names = [];
  for (const place of places) {
    const size = box.sizes[place];
    let name = typeof size === "number" || names.includes(size) ? words[place] : size;
    while (names.includes(name)) name += "'";
    names.push(name);
  }
  return names;
}

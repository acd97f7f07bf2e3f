/**
 * How a weight lies in its parts: the encodings of section 5 and the form that they ask for.
 *
 * Everything that reads weights asks a layout where an element's code, scale and mask bit are, so that the table of section 5 stands in one place.
 * @module
 */

import { WIDTH } from "./number.js";
import { demand } from "./reject.js";

/** @typedef {{digest: string, dtype: string, name: string, role: string, shape: number[]}} Part */
/**
 * @typedef {object} Layout
 * @property {string} kind of the inner encoding: dense, codebook, affine or symmetric
 * @property {boolean} masked
 * @property {any} inner the encoding of the kept elements, JSON
 * @property {string} dtype of the weight
 * @property {number[]} shape
 * @property {number} elements n, of the whole weight
 * @property {string} base
 * @property {Map<string, Part>} parts by role
 * @property {number} bits b, 0 when dense
 * @property {number} channels c
 * @property {number} stride elements between two channels
 * @property {number} group g; all elements of a channel when there are no groups
 * @property {number} groups of one channel
 */

const STORED = new Map([
  ["dense", ["values"]],
  ["codebook", ["codes", "codebook"]],
  ["affine", ["codes", "scale", "zero"]],
  ["symmetric", ["codes", "scale"]],
]);

/** The number of elements of a shape. @param {number[]} shape */
export const count = (shape) => shape.reduce((total, extent) => total * extent, 1);

/** The bytes of a tensor. @param {{dtype: string, shape: number[]}} tensor */
export const bytesOf = ({ dtype, shape }) => count(shape) * WIDTH[dtype];

/** The name of a weight, by its first part. @param {Part | undefined} part */
function baseOf(part) {
  if (part === undefined || part.role === "values") return part?.name ?? "";
  return part.name.endsWith(`.${part.role}`) ? part.name.slice(0, -part.role.length - 1) : "";
}

/**
 * The layout of a weight; V15 when its encoding does not fit it.
 * @param {any} operation a param @param {{dtype: string, shape: any[]}} sort of its target
 * @returns {Layout}
 */
export function layout(operation, sort) {
  const { encoding } = operation;
  demand(sort.shape.every((extent) => Number.isSafeInteger(extent)), "V09", "the extents of a weight are integers");
  const masked = encoding.kind === "masked";
  const inner = masked ? encoding.inner : encoding;
  const elements = count(sort.shape);
  demand(Number.isSafeInteger(elements * 8), "V20", "a weight of more than 2^50 elements");
  demand(encoding.kind === "dense" || sort.dtype === "F32", "V09", `${encoding.kind}: only for F32`);
  const { bits = 0, axis = -1 } = inner;
  demand(inner.kind === "dense" || (bits >= 1 && bits <= 8), "V09", `codes of ${bits} bits`);
  demand(axis >= -1 && axis < sort.shape.length, "V09", `axis ${axis} of ${sort.shape.length} dimensions`);
  const channels = axis < 0 ? 1 : sort.shape[axis];
  const { group = elements / channels } = inner;
  demand(group >= 1, "V09", `groups of ${group} elements`);
  const stride = axis < 0 ? elements : count(sort.shape.slice(axis + 1));
  const parts = new Map(operation.parts.map((/** @type {Part} */ part) => [part.role, part]));
  const plain = inner.kind === "dense" && !masked;
  const base = (plain ? parts.get("values") : parts.get(masked ? "mask" : "codes"))?.name.replace(plain ? "" : /\.(mask|codes)$/, "") ?? "";
  const groups = Math.ceil(elements / channels / group);
  return { kind: inner.kind, masked, inner, dtype: sort.dtype, shape: sort.shape, elements, base, parts, bits, channels, stride, group, groups };
}

/**
 * Rejects a param whose parts are not those of its encoding.
 * @param {any} operation a param @param {{dtype: string, shape: any[]}} sort of its target
 */
export function checkParts(operation, sort) {
  const form = layout(operation, sort);
  const roles = [...(form.masked ? ["mask"] : []), ...STORED.get(form.kind)];
  const there = operation.parts.map((/** @type {Part} */ part) => part.role);
  demand(roles.length === there.length && roles.every((role, i) => role === there[i]), "V09", `parts ${there.join(", ")}, for ${roles.join(", ")}`);
  for (const part of operation.parts) {
    const name = part.role === "values" && !form.masked ? form.base : `${form.base}.${part.role}`;
    demand(form.base && part.name === name, "V09", `${part.role} is named ${part.name}, not ${name}`);
    checkPart(form, part);
  }
}

/** Rejects a part of another dtype or shape than section 5 says. @param {Layout} form @param {Part} part */
function checkPart(form, part) {
  const place = `${part.name} (${part.role})`;
  const dtypes = { mask: ["U8"], codes: ["U8"], zero: ["U8"], scale: "group" in form.inner ? [form.dtype, "F16"] : [form.dtype] };
  demand((dtypes[part.role] ?? [form.dtype]).includes(part.dtype), "V09", `${place} is ${part.dtype}`);
  const wanted = shapesOf(form)[part.role];
  // How many entries a codebook has, and how many elements a mask keeps, is asked when the bytes are read.
  const fits = wanted ? wanted.length === part.shape.length && wanted.every((extent, i) => extent === part.shape[i]) : part.shape.length === 1;
  demand(fits, "V09", `${place} has the shape [${part.shape}]`);
}

/** The shapes of parts that the graph alone decides: how much a mask keeps, its bits say. @param {Layout} form @returns {Record<string, number[]>} */
function shapesOf(form) {
  const scales = "group" in form.inner ? [form.channels, form.groups] : [form.channels];
  const stored = form.masked ? {} : { values: form.shape, codes: [Math.ceil((form.elements * form.bits) / 8)] };
  return { mask: [Math.ceil(form.elements / 8)], scale: scales, zero: scales, ...stored };
}

/**
 * Where the scale and the zero of an element stand, by its position.
 * @param {Layout} form @returns {(position: number) => number}
 */
export function scaleAt({ channels, stride, group, groups, elements }) {
  if (channels === 1 && groups === 1) return () => 0;
  if (groups === 1) return (position) => Math.floor(position / stride) % channels;
  if (channels === 1) return (position) => Math.floor(position / group);
  if (stride * channels === elements) return (position) => Math.floor(position / stride) * groups + Math.floor((position % stride) / group);
  const period = stride * channels;
  return (position) => {
    const channel = Math.floor(position / stride) % channels;
    const within = Math.floor(position / period) * stride + (position % stride);
    return channel * groups + Math.floor(within / group);
  };
}

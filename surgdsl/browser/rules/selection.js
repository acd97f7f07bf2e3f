/**
 * The parts of a weight of which some indices are kept.
 *
 * Codes, mask bits, values and scales go along with the elements that they belong to, byte for byte.
 * @module
 */

import { pack, unpack } from "../codes.js";
import { count, scaleAt } from "../layout.js";
import { WIDTH } from "../number.js";
import { demand } from "../reject.js";
import { integers } from "../weights.js";

/** @typedef {import("../layout.js").Layout} Layout */
/** @typedef {(number[] | null)[]} Kept the kept indices of each dimension; null: all */

/** Entries that are copied one by one sooner than as a block. */
const SMALL = 32;

/**
 * The kept elements of a tensor, row-major. @template {Uint8Array | Uint16Array | Uint32Array | Int32Array} T
 * @param {T} data @param {number} unit entries of `data` for each element @param {number[]} shape @param {Kept} kept @returns {T}
 */
export function select(data, unit, shape, kept) {
  const last = kept.findLastIndex((indices) => indices !== null);
  if (last < 0) return data;
  const block = count(shape.slice(last + 1)) * unit;
  const sizes = shape.map((extent, i) => kept[i]?.length ?? extent);
  const result = new /** @type {any} */ (data.constructor)(count(sizes.slice(0, last + 1)) * block);
  let at = 0;
  const copy = (/** @type {number} */ dimension, /** @type {number} */ row) => {
    const indices = kept[dimension];
    const size = sizes[dimension];
    for (let i = 0; i < size; i++) {
      const next = row * shape[dimension] + (indices === null ? i : indices[i]);
      if (dimension < last) copy(dimension + 1, next);
      else if (block > SMALL) result.set(data.subarray(next * block, (next + 1) * block), at);
      else for (let j = 0; j < block; j++) result[at + j] = data[next * block + j];
      if (dimension === last) at += block;
    }
  };
  copy(0, 0);
  return result;
}

/** All codes of a byte string, one a byte. @param {Uint8Array} bytes @param {number} bits @param {number} codes */
function unpackAll(bytes, bits, codes) {
  const step = 2 ** 20;
  const result = new Uint8Array(codes);
  for (let first = 0; first < codes; first += step) {
    const piece = bytes.subarray((first * bits) / 8, Math.ceil(((first + step) * bits) / 8));
    result.set(unpack(piece, 0, bits, Math.min(step, codes - first)), first);
  }
  return result;
}

/** What is stored for the kept elements, spread over all positions. @param {any} stored @param {number} unit @param {Uint8Array} mask */
function spread(stored, unit, mask) {
  const result = new stored.constructor(mask.length * unit);
  for (let i = 0, rank = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue;
    if (unit === 1) result[i] = stored[rank];
    else result.set(stored.subarray(rank * unit, (rank + 1) * unit), i * unit);
    rank++;
  }
  return result;
}

/** The inverse of `spread`. @param {any} all @param {number} unit @param {Uint8Array} mask */
function gather(all, unit, mask) {
  const result = new all.constructor(mask.reduce((total, bit) => total + bit, 0) * unit);
  for (let i = 0, rank = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue;
    if (unit === 1) result[rank] = all[i];
    else result.set(all.subarray(i * unit, (i + 1) * unit), rank * unit);
    rank++;
  }
  return result;
}

/**
 * Scales and zeros of the kept elements, as places in the old ones; V15 where elements of two groups would share a scale.
 * @param {Layout} old @param {Layout} now @param {Kept} kept @returns {Int32Array}
 */
function places(old, now, kept) {
  const axis = old.inner.axis;
  if (!("group" in old.inner)) return select(Int32Array.from({ length: old.channels }, (_, i) => i), 1, [old.channels], [axis < 0 ? null : kept[axis]]);
  const result = new Int32Array(now.channels * now.groups).fill(-1);
  const [from, to] = [scaleAt(old), scaleAt(now)];
  const positions = select(Int32Array.from({ length: old.elements }, (_, i) => i), 1, old.shape, kept);
  positions.forEach((position, i) => {
    const [source, target] = [from(position), to(i)];
    demand(result[target] === -1 || result[target] === source, "V15", `${old.base}: elements of two groups would share a scale`);
    result[target] = source;
  });
  return result;
}

/**
 * The bytes of the parts of a weight after the selection, by role.
 * @param {Layout} old @param {Layout} now as what stands in its place says @param {Kept} kept @param {(role: string) => Promise<Uint8Array>} read
 * @returns {Promise<Map<string, Uint8Array>>}
 */
export async function selected(old, now, kept, read) {
  const result = new Map();
  const unit = old.bits ? 1 : WIDTH[old.dtype];
  const mask = old.masked ? unpackAll(await read("mask"), 1, old.elements) : null;
  const newMask = mask && select(mask, 1, old.shape, kept);
  if (newMask) result.set("mask", pack(newMask, 1));
  const stored = mask ? mask.reduce((total, bit) => total + bit, 0) : old.elements;
  const bytes = old.bits ? unpackAll(await read("codes"), old.bits, stored) : await read("values");
  const words = integers(bytes, unit);
  const entries = words.length / stored || 1;
  const cut = select(mask ? spread(words, entries, mask) : words, entries, old.shape, kept);
  const left = newMask ? gather(cut, entries, newMask) : cut;
  result.set(old.bits ? "codes" : "values", old.bits ? pack(left, old.bits) : new Uint8Array(left.buffer, left.byteOffset, left.byteLength));
  if (old.kind === "codebook") result.set("codebook", await read("codebook"));
  if (!old.parts.has("scale")) return result;
  const from = places(old, now, kept);
  for (const role of ["scale", "zero"].filter((name) => old.parts.has(name))) result.set(role, moved(await read(role), WIDTH[old.parts.get(role).dtype], from));
  return result;
}

/** Elements of a part at other places. @param {Uint8Array} bytes @param {number} unit @param {Int32Array} from */
function moved(bytes, unit, from) {
  const result = new Uint8Array(from.length * unit);
  from.forEach((source, i) => result.set(bytes.subarray(source * unit, (source + 1) * unit), i * unit));
  return result;
}

/**
 * Weights as they are stored: checked, counted and decoded in runs (section 5).
 *
 * A weight can be larger than what a browser likes to hold, so nothing here has more than one run of it in memory, but for its codebook and scales.
 * @module
 */

import { padded, unpack } from "./codes.js";
import { bytesOf, layout, scaleAt } from "./layout.js";
import { WIDTH } from "./number.js";
import { demand } from "./reject.js";

/** @typedef {import("./layout.js").Layout} Layout */
/**
 * @typedef {object} Run consecutive elements of a weight
 * @property {number} start position of the first @property {number} length
 * @property {Uint8Array | null} kept the mask, an element a byte; null without one
 * @property {number} stored how many of them are stored
 * @property {Uint8Array | null} codes of the stored ones @property {any} values of the stored ones, as integers of their width, of a dense encoding
 */

export { checkParts } from "./layout.js";

/** Elements of a run: a multiple of 8, so that a run of codes begins with a byte. */
const RUN = 2 ** 20;
const UNSIGNED = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: Uint32Array };

/** The parts of a weight in the order of section 5. @param {any} operation @returns {import("./layout.js").Part[]} */
export const partsOf = (operation) => operation.parts;

/** What a weight adds to size/1. @param {any} operation */
export const size = (operation) => BigInt(operation.parts.reduce((/** @type {number} */ total, /** @type {any} */ part) => total + bytesOf(part), 0));

/** The width of one stored element. @param {any} operation @param {{dtype: string}} sort */
export function bitsOf({ encoding }, { dtype }) {
  const inner = encoding.kind === "masked" ? encoding.inner : encoding;
  return inner.kind === "dense" ? 8 * WIDTH[dtype] : inner.bits;
}

/** Bytes as little-endian integers, where they lie if they lie so. @param {Uint8Array} bytes @param {number} width */
export function integers(bytes, width) {
  const unit = Math.min(width, 4);
  const aligned = bytes.byteOffset % unit ? bytes.slice() : bytes;
  return new UNSIGNED[width](aligned.buffer, aligned.byteOffset, aligned.byteLength / unit);
}

/** The float64 of an F16. @param {number} bits */
export function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (fraction + 1024) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}

/** The values of a float tensor in float64. @param {string} dtype F64, F32, F16 or BF16 @param {Uint8Array} bytes @returns {Float64Array} */
export function floats(dtype, bytes) {
  if (dtype === "F64") return new Float64Array(bytes.slice().buffer);
  if (dtype === "F32") return new Float64Array(new Float32Array(bytes.slice().buffer));
  const words = integers(bytes, 2);
  const result = new Float64Array(words.length);
  if (dtype === "F16") words.forEach((word, i) => (result[i] = half(word)));
  else result.set(new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer));
  return result;
}

/** Bits that are all set in what is not finite; of an F64 those of its upper half. */
const EXPONENT = { __proto__: null, F64: 0x7ff00000, F32: 0x7f800000, F16: 0x7c00, BF16: 0x7f80 };

/** How many floats are not finite. @param {string} dtype @param {any} values as `integers` gives them */
export function countInfinite(dtype, values) {
  const all = EXPONENT[dtype];
  const step = dtype === "F64" ? 2 : 1;
  let count = 0;
  for (let i = step - 1; i < values.length; i += step) count += (values[i] & all) === all ? 1 : 0;
  return count;
}

/** The bytes of one part. @param {Layout} form @param {string} role @param {any} store @returns {Promise<Uint8Array>} */
const whole = (form, role, store) => store.bytes(form.parts.get(role).digest);

/** How many elements are stored: all, or those whose mask bit is set. @param {Layout} form @param {any} store */
async function storedIn(form, store) {
  if (!form.masked) return form.elements;
  let total = 0;
  const { digest, name } = form.parts.get("mask");
  for (let start = 0; start < form.elements; start += 8 * RUN) {
    const codes = Math.min(8 * RUN, form.elements - start);
    const bytes = await store.read(digest, start / 8, Math.ceil((start + codes) / 8));
    demand(padded(bytes, codes, 1), "V15", `${name}: a padding bit is set`);
    for (let i = 0; i < bytes.length; i++) total += ONES[bytes[i]];
  }
  return total;
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);

/**
 * A weight run by run. @param {Layout} form @param {any} store @returns {AsyncGenerator<Run>}
 */
export async function* runs(form, store) {
  let rank = 0;
  for (let start = 0; start < form.elements; start += RUN) {
    const length = Math.min(RUN, form.elements - start);
    const kept = form.masked ? await slice(form, "mask", 1, start, length, store) : null;
    const stored = kept ? kept.reduce((total, bit) => total + bit, 0) : length;
    const codes = form.bits ? await slice(form, "codes", form.bits, rank, stored, store) : null;
    const values = form.bits ? null : await valuesOf(form, rank, stored, store);
    yield { start, length, kept, stored, codes, values };
    rank += stored;
  }
}

/** Some codes of a part. @param {Layout} form @param {string} role @param {number} bits @param {number} first @param {number} codes @param {any} store */
async function slice(form, role, bits, first, codes, store) {
  const byte = Math.floor((first * bits) / 8);
  const bytes = await store.read(form.parts.get(role).digest, byte, Math.ceil(((first + codes) * bits) / 8));
  return unpack(bytes, first * bits - byte * 8, bits, codes);
}

/** Some values of a dense encoding. @param {Layout} form @param {number} first @param {number} stored @param {any} store */
async function valuesOf(form, first, stored, store) {
  const width = WIDTH[form.dtype];
  return integers(await store.read(form.parts.get("values").digest, first * width, (first + stored) * width), width);
}

/** The codebook or the scales of a weight. @param {Layout} form @param {string} role @param {any} store */
export async function numbers(form, role, store) {
  return floats(form.parts.get(role).dtype, await whole(form, role, store));
}

/**
 * Reads a weight, rejects what section 5 does not allow of its bytes, and counts what is not zero.
 * @param {any} operation a param @param {{dtype: string, shape: number[]}} sort @param {any} store
 * @returns {Promise<{nnz: bigint, infinite: bigint}>} `infinite`: stored floats that are not finite
 */
export async function inspect(operation, sort, store) {
  const form = layout(operation, sort);
  for (const part of operation.parts) {
    const row = store.row(part.digest);
    const same = row.dtype === part.dtype && row.shape.length === part.shape.length && row.shape.every((/** @type {number} */ n, /** @type {number} */ i) => n === part.shape[i]);
    demand(same, "V08", `${part.name}: the tensor of this digest is another`);
  }
  await checkStored(form, await storedIn(form, store), store);
  let [nnz, infinite] = [0, 0];
  const counted = form.bits ? await coded(form, store) : (/** @type {Run} */ run) => nonzero(form, run);
  for await (const run of runs(form, store)) {
    nnz += counted(run);
    // Codebooks and scales are finite, or the weight was rejected before.
    if (run.values !== null && form.dtype in EXPONENT) infinite += countInfinite(form.dtype, run.values);
  }
  return { nnz: BigInt(nnz), infinite: BigInt(infinite) };
}

/** Rejects parts that hold another number of elements than are kept. @param {Layout} form @param {number} stored @param {any} store */
async function checkStored(form, stored, store) {
  const [role, open] = form.bits ? ["codes", form.parts.get("codebook")] : ["values", undefined];
  const { digest, name, shape } = form.parts.get(role);
  if (open) demand(open.shape[0] >= 1 && open.shape[0] <= 2 ** form.bits, "V15", `${open.name} has the shape [${open.shape}]`);
  if (form.bits === 0) return demand(!form.masked || shape[0] === stored, "V15", `${name}: the mask keeps ${stored} elements`);
  demand(form.kind !== "codebook" || stored >= 1, "V15", `${name}: no element has a code`);
  demand(shape[0] === Math.ceil((stored * form.bits) / 8), "V15", `${name}: ${shape[0]} bytes for ${stored} codes`);
  if (stored) demand(padded(await store.read(digest, shape[0] - 1, shape[0]), stored, form.bits), "V15", `${name}: a padding bit is set`);
}

/** Non-zero elements of a dense run. @param {Layout} form @param {Run} run */
function nonzero(form, { values }) {
  let zeros = 0;
  if (form.dtype === "BOOL") demand(values.every((/** @type {number} */ value) => value <= 1), "V15", `${form.base}: a truth value is neither 0 nor 1`);
  const width = WIDTH[form.dtype];
  const bare = form.dtype === "U8" || form.dtype === "BOOL" ? 0xff : 2 ** (8 * Math.min(width, 4) - 1) - 1;
  if (width < 8) {
    for (let i = 0; i < values.length; i++) zeros += (values[i] & bare) === 0 ? 1 : 0;
    return values.length - zeros;
  }
  for (let i = 0; i < values.length; i += 2) zeros += (values[i] | (values[i + 1] & bare)) === 0 ? 1 : 0;
  return values.length / 2 - zeros;
}

/** Checks the codebook or the scales, and gives what counts the non-zero elements of a run. @param {Layout} form @param {any} store */
async function coded(form, store) {
  if (form.kind === "codebook") return byCodebook(form, await numbers(form, "codebook", store));
  const scales = await numbers(form, "scale", store);
  demand(scales.every((scale) => scale > 0 && scale < Infinity), "V15", `${form.base}.scale: a scale is not finite and positive`);
  const zeros = form.kind === "affine" ? await whole(form, "zero", store) : new Uint8Array(scales.length).fill(2 ** (form.bits - 1));
  const at = scaleAt(form);
  // A scale is at least the least positive F32, so only the code that equals the zero decodes to zero.
  return (/** @type {Run} */ run) => {
    let [rank, zero] = [0, 0];
    for (let i = 0; i < run.length; i++) {
      if (run.kept !== null && run.kept[i] === 0) continue;
      if (run.codes[rank++] === zeros[at(run.start + i)]) zero++;
    }
    return rank - zero;
  };
}

/** @param {Layout} form @param {Float64Array} book */
function byCodebook(form, book) {
  const rising = book.every((entry, i) => Number.isFinite(entry) && (i === 0 || entry > book[i - 1]));
  demand(rising, "V15", `${form.base}.codebook: not finite and strictly rising`);
  const zero = book.indexOf(0);
  return (/** @type {Run} */ { codes }) => {
    let zeros = 0;
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] === zero) zeros++;
      else if (codes[i] >= book.length) demand(false, "V15", `${form.base}.codes: no entry ${codes[i]}`);
    }
    return codes.length - zeros;
  };
}

/**
 * What decodes the stored elements of a run of a weight that is F32, as their bits.
 * @param {Layout} form @param {any} store @returns {Promise<(run: Run) => Uint32Array>}
 */
export async function decoder(form, store) {
  if (form.kind === "dense") return ({ values }) => values;
  const single = new Float32Array(1);
  const word = new Uint32Array(single.buffer);
  if (form.kind === "codebook") {
    const book = integers(await whole(form, "codebook", store), 4);
    return ({ codes }) => Uint32Array.from(codes, (code) => book[code]);
  }
  const scales = await numbers(form, "scale", store);
  const zeros = form.kind === "affine" ? await whole(form, "zero", store) : new Uint8Array(scales.length).fill(2 ** (form.bits - 1));
  const at = scaleAt(form);
  return ({ start, length, kept, stored, codes }) => {
    const result = new Uint32Array(stored);
    for (let i = 0, rank = 0; i < length; i++) {
      if (kept !== null && kept[i] === 0) continue;
      const where = at(start + i);
      single[0] = scales[where] * (codes[rank] - zeros[where]);
      result[rank++] = word[0];
    }
    return result;
  };
}

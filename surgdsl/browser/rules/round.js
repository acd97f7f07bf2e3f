/**
 * Float64 rounded once to a narrower format, to nearest, ties to even.
 *
 * The language rounds to F32 by itself; what is narrower is rounded from float64 at once here, since over F32 it would be rounded twice.
 * @module
 */

import { demand } from "../reject.js";

/** The bits of the nearest F16. @param {number} value */
export function toHalf(value) {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (!(size < 65520)) return sign | (Number.isNaN(value) ? 0x7e00 : 0x7c00);
  if (size === 0) return sign;
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  // log2 may be off by one next to a power of two: the step is then twice or half too wide, so it is put right first.
  const power = size >= 2 ** (exponent + 1) ? exponent + 1 : size < 2 ** exponent && exponent > -14 ? exponent - 1 : exponent;
  const steps = size / 2 ** (power - 10);
  const rounded = steps + 2 ** 52 - 2 ** 52;
  // A carry into the next power of two carries into the exponent by itself.
  return sign | ((power + 14) * 1024 + rounded);
}

/** The bytes of some float64 in a dtype that rules take. @param {string} dtype F64, F32 or F16 @param {Float64Array} values @returns {Uint8Array} */
export function encodeFloats(dtype, values) {
  if (dtype === "F64") return new Uint8Array(values.slice().buffer);
  if (dtype === "F32") return new Uint8Array(new Float32Array(values).buffer);
  demand(dtype === "F16", "V14", `weights of ${dtype}`);
  const words = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) words[i] = toHalf(values[i]);
  return new Uint8Array(words.buffer);
}

/**
 * Floats as the text of `float.hex()`, and the widths of dtypes.
 *
 * The text names the bits of a float64 and nothing else, so what is read is what was written.
 */

/** Bytes of one element of each dtype. */
export const WIDTH = Object.freeze({ __proto__: null, F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 });

const FORM = /^(-?)0x([01])\.([0-9a-f]+)p([+-][0-9]+)$/;

/**
 * The float64 that the text names.
 * @param {string} text
 * @returns {number} NaN when it names none.
 */
export function hexFloat(text) {
  if (text === "inf" || text === "-inf") return text === "inf" ? Infinity : -Infinity;
  const match = FORM.exec(text);
  if (match === null || match[3].length > 13) return NaN;
  const fraction = BigInt(`0x${match[3].padEnd(13, "0")}`);
  const exponent = Number(match[4]);
  const normal = match[2] === "1";
  if (normal ? exponent < -1022 || exponent > 1023 : exponent !== (fraction === 0n ? 0 : -1022)) return NaN;
  const view = new DataView(new ArrayBuffer(8));
  const sign = match[1] === "-" ? 1n << 63n : 0n;
  view.setBigUint64(0, sign | (BigInt(normal ? exponent + 1023 : 0) << 52n) | fraction);
  return view.getFloat64(0);
}

/** The text of a float64 that is not NaN, as Python's `float.hex()` writes it. */
export function floatText(value) {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const sign = bits >> 63n === 1n ? "-" : "";
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & ((1n << 52n) - 1n);
  if (exponent === 0 && fraction === 0n) return `${sign}0x0.0p+0`;
  const digits = fraction.toString(16).padStart(13, "0");
  const power = exponent === 0 ? -1022 : exponent - 1023;
  return `${sign}0x${exponent === 0 ? 0 : 1}.${digits}p${power < 0 ? "" : "+"}${power}`;
}

/**
 * Bit strings: codes of b bits and masks, packed least significant bit first.
 * @module
 */

/** The bytes that hold so many codes. @param {number} codes @param {number} bits */
export const packedBytes = (codes, bits) => Math.ceil((codes * bits) / 8);

/**
 * Codes from a byte string, one a byte.
 * @param {Uint8Array} bytes @param {number} firstBit where the first code begins @param {number} bits of a code @param {number} codes
 */
export function unpack(bytes, firstBit, bits, codes) {
  if (bits === 8) return bytes.subarray(firstBit / 8, firstBit / 8 + codes);
  const padded = new Uint8Array(bytes.length + 1);
  padded.set(bytes);
  const all = 2 ** bits - 1;
  const result = new Uint8Array(codes);
  for (let i = 0, bit = firstBit; i < codes; i++, bit += bits) {
    const at = bit >>> 3;
    result[i] = ((padded[at] | (padded[at + 1] << 8)) >>> (bit & 7)) & all;
  }
  return result;
}

/** The byte string of codes. @param {Uint8Array} codes each below 2^bits @param {number} bits */
export function pack(codes, bits) {
  if (bits === 8) return codes;
  const result = new Uint8Array(packedBytes(codes.length, bits) + 1);
  for (let i = 0, bit = 0; i < codes.length; i++, bit += bits) {
    const at = Math.floor(bit / 8);
    const shifted = codes[i] << (bit % 8);
    result[at] |= shifted;
    result[at + 1] |= shifted >>> 8;
  }
  return result.subarray(0, -1);
}

/** Whether the bits behind the last code are clear. @param {Uint8Array} last the byte string, or its end @param {number} codes @param {number} bits */
export function padded(last, codes, bits) {
  const used = (codes * bits) % 8;
  return used === 0 || last[last.length - 1] >>> used === 0;
}

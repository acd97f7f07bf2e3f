/**
 * Digests (section 3): SHA-256 with a domain for each kind of thing.
 *
 * The hash is the browser's own. A tensor is hashed in leaves of 8 MiB, so that a large one is never in memory as a whole.
 */
import { encode } from "./canonical.js";

/** Bytes of a leaf. */
export const LEAF = 8 * 1024 * 1024;

const text = (value) => new TextEncoder().encode(value);

/** Several byte strings as one. */
export function joined(parts) {
  const result = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** @returns {Promise<Uint8Array>} SHA-256 of the bytes, one string after the other. */
export async function sha256(...parts) {
  const bytes = parts.length === 1 ? parts[0] : joined(parts);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Bytes in lower-case hexadecimal digits. */
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The bytes of hexadecimal digits. */
export const unhex = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));

function u64(values) {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, i) => view.setBigUint64(8 * i, BigInt(value), true));
  return new Uint8Array(view.buffer);
}

/** Collects the leaves of one tensor, chunk by chunk; each chunk is one leaf. */
export class TensorHash {
  constructor(dtype, shape, nbytes) {
    const dims = [Uint8Array.of(shape.length), u64([...shape, nbytes])];
    this.parts = [text(`surg-tensor-v1\0${dtype}\0`), ...dims];
  }

  /** Several may be under way; each has the place of its call. @param {Uint8Array} chunk 8 MiB, or fewer when it is the last. */
  async leaf(chunk) {
    const place = this.parts.push(null) - 1;
    this.parts[place] = await sha256(Uint8Array.of(0), chunk);
  }

  async digest() {
    return hex(await sha256(...this.parts));
  }
}

/** The digest of a tensor whose bytes are in memory. */
export async function tensorDigest(dtype, shape, bytes) {
  const hash = new TensorHash(dtype, shape, bytes.length);
  for (let at = 0; at < bytes.length; at += LEAF) await hash.leaf(bytes.subarray(at, at + LEAF));
  return hash.digest();
}

async function domain(name, ...parts) {
  return hex(await sha256(text(`surg-${name}-v1\0`), ...parts));
}

/** @param {{digest: string, dtype: string, name: string, nbytes: number, shape: number[]}[]} rows sorted by name. */
export const manifestDigest = (rows) => domain("manifest", encode(rows));
export const graphDigest = (graph) => domain("graph", encode(graph));
export const ruleDigest = (declaration) => domain("rule", encode(declaration));

/** @param {string} previous the step before, 64 digits; @param {object} step with or without its `chain`. */
export function stepDigest(previous, step) {
  const { chain: _chain, ...rest } = step;
  return domain("step", unhex(previous), encode(rest));
}

export function sealDigest(statement) {
  const { seal: _seal, ...rest } = statement.predicate;
  return domain("seal", encode({ ...statement, predicate: rest }));
}

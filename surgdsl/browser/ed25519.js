/**
 * Ed25519 signatures, checked with big integers (RFC 8032, section 5.1, without the cofactor).
 *
 * Slow and plain: a verifier checks a handful of signatures, and nothing here is secret, so time may depend on the values.
 */

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (value, modulus = P) => {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
};

function power(base, exponent) {
  let result = 1n;
  for (let square = mod(base); exponent > 0n; exponent >>= 1n, square = mod(square * square)) {
    if (exponent & 1n) result = mod(result * square);
  }
  return result;
}

const inverse = (value) => power(value, P - 2n);
const D = mod(-121665n * inverse(121666n));
const ROOT = power(2n, (P - 1n) / 4n);
// Points are (X : Y : Z : T) with x = X/Z, y = Y/Z, T = XY/Z.
const IDENTITY = [0n, 1n, 1n, 0n];

/** The sum of two points; the formula is complete on this curve (RFC 8032, section 5.1.4). */
function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * D * t1 * t2);
  const d = mod(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function times(scalar, point) {
  let result = IDENTITY;
  for (let double = point; scalar > 0n; scalar >>= 1n, double = add(double, double)) {
    if (scalar & 1n) result = add(result, double);
  }
  return result;
}

const equal = ([x1, y1, z1], [x2, y2, z2]) => mod(x1 * z2 - x2 * z1) === 0n && mod(y1 * z2 - y2 * z1) === 0n;

function little(bytes) {
  return bytes.reduceRight((total, byte) => (total << 8n) | BigInt(byte), 0n);
}

/** The point that 32 bytes name, or null when they are not its one encoding (RFC 8032, section 5.1.3). */
function decode(bytes) {
  const all = little(bytes);
  const sign = all >> 255n;
  const y = all & (2n ** 255n - 1n);
  if (y >= P) return null;
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  const candidate = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n));
  const x = [candidate, mod(candidate * ROOT)].find((root) => mod(v * root * root - u) === 0n);
  if (x === undefined || (x === 0n && sign === 1n)) return null;
  const signed = (x & 1n) === sign ? x : P - x;
  return [signed, y, 1n, mod(signed * y)];
}

const BASE = decode(Uint8Array.from([0x58, ...Array(31).fill(0x66)]));

/** Whether 32 bytes are a public key: the one encoding of a point that is not of small order. */
export function isKey(bytes) {
  const point = bytes.length === 32 ? decode(bytes) : null;
  return point !== null && !equal(times(8n, point), IDENTITY);
}

/**
 * Whether a signature of a message verifies under a key.
 * @param {Uint8Array} key 32 bytes. @param {Uint8Array} signature 64 bytes. @param {Uint8Array} message
 * @returns {Promise<boolean>} [S]B = R + [k]A with S < L, canonical R and A, and A not of small order.
 */
export async function verifies(key, signature, message) {
  if (signature.length !== 64 || !isKey(key)) return false;
  const r = decode(signature.subarray(0, 32));
  const s = little(signature.subarray(32));
  if (r === null || s >= L) return false;
  const hashed = new Uint8Array(64 + message.length);
  hashed.set(signature.subarray(0, 32));
  hashed.set(key, 32);
  hashed.set(message, 64);
  const k = mod(little(new Uint8Array(await crypto.subtle.digest("SHA-512", hashed))), L);
  return equal(times(s, BASE), add(r, times(k, decode(key))));
}

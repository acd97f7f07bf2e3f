/**
 * The envelope `cert.dsse.json` (DSSE): what was signed, and by how many of the keys that the auditor named.
 *
 * The envelope names no key that counts: `keyid` is text. The payload has to be `cert.json` itself, whether a key was named or not.
 */
import { parse } from "./canonical.js";
import { joined } from "./digest.js";
import { isKey, verifies } from "./ed25519.js";
import { demand } from "./reject.js";
import { list, object, text, word } from "./schema.js";

const TYPE = "application/vnd.in-toto+json";
const SIGNATURES = 16;
// SubjectPublicKeyInfo of Ed25519 (RFC 8410): everything before the 32 bytes of the key.
const SPKI = "302a300506032b6570032100";

const envelope = object({ payload: text, payloadType: word(TYPE), signatures: list(object({ keyid: text, sig: text })) });

/** Bytes of base64 (standard alphabet, padded, the one spelling), or null. */
export function fromBase64(spelled) {
  const body = spelled.replace(/={1,2}$/, "");
  if (spelled.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(body)) return null;
  const binary = atob(spelled);
  const rest = binary.length % 3;
  // The bits that the last character has to spare are zero, so the last bytes spell themselves again.
  if (rest > 0 && btoa(binary.slice(binary.length - rest)) !== spelled.slice(-4)) return null;
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** What a signature signs: type and payload, each with its length (PAE). */
export function signedBytes(type, payload) {
  const utf8 = new TextEncoder();
  const name = utf8.encode(type);
  return joined([utf8.encode(`DSSEv1 ${name.length} `), name, utf8.encode(` ${payload.length} `), payload]);
}

/**
 * The 32 bytes of a public key: SPKI in PEM, or 64 hexadecimal digits.
 * @returns {Uint8Array | null} null when the text is neither, or no key of use.
 */
export function keyOf(spelled) {
  const trimmed = spelled.trim();
  const pem = /^-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END PUBLIC KEY-----$/.exec(trimmed);
  const digits = pem === null ? trimmed.toLowerCase() : spkiDigits(fromBase64(pem[1].replace(/\s/g, "")));
  if (!/^[0-9a-f]{64}$/.test(digits)) return null;
  const key = Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
  return isKey(key) ? key : null;
}

function spkiDigits(der) {
  const digits = Array.from(der ?? [], (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.startsWith(SPKI) ? digits.slice(SPKI.length) : "";
}

/**
 * Reads an envelope.
 * @param {Uint8Array} bytes of `cert.dsse.json`. @param {Uint8Array} cert of `cert.json`.
 * @returns {{signatures: Uint8Array[], message: Uint8Array}} rejects with V02, V03, V20, V22.
 */
export function openEnvelope(bytes, cert) {
  const value = parse(bytes);
  demand(!(value.signatures?.length > SIGNATURES), "V20", `cert.dsse.json: more than ${SIGNATURES} signatures`);
  envelope(value, "cert.dsse.json");
  demand(value.signatures.length > 0, "V03", "cert.dsse.json: no signature");
  const payload = fromBase64(value.payload);
  const signatures = value.signatures.map(({ sig }) => fromBase64(sig));
  demand(payload !== null && !signatures.includes(null), "V22", "cert.dsse.json: not the one spelling of base64");
  const equal = payload.length === cert.length && payload.every((byte, i) => byte === cert[i]);
  demand(equal, "V22", "cert.dsse.json: what is signed is not cert.json");
  return { signatures, message: signedBytes(TYPE, payload) };
}

/** How many of the distinct keys have a signature that verifies. */
export async function signers({ signatures, message }, keys) {
  const found = [];
  for (const key of keys) {
    for (const signature of signatures) {
      if (!(await verifies(key, signature, message))) continue;
      found.push(key);
      break;
    }
  }
  return found;
}

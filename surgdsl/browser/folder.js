/**
 * What lies in the folder of a certificate (section 1): the right names, the right sizes, nothing else.
 *
 * No path comes from the certificate; blobs are found by their digests, and every blob is read once, hashed and kept only when it is small.
 */
import { hex, sha256 } from "./digest.js";
import { Reject, demand } from "./reject.js";

const CERT = 16 * 1024 * 1024;
const ENVELOPE = 24 * 1024 * 1024;
const BLOB = 256 * 1024 * 1024;
const BLOB_NAME = /^certificate\/blobs\/([0-9a-f]{64})$/;

/**
 * @typedef {{size: number, read: (start: number, end: number) => Promise<Uint8Array>}} FileLike
 * @typedef {{cert: FileLike, envelope: FileLike | null, blobs: Map<string, FileLike>}} Certificate
 */

/**
 * The files of `certificate/`.
 * @param {Map<string, FileLike | null>} entries paths below the folder, with `/`; null for what is no regular file.
 * @returns {Certificate} rejects with V01.
 */
export function openCertificate(entries) {
  const blobs = new Map();
  for (const [path, file] of entries) {
    if (path !== "certificate" && !path.startsWith("certificate/")) continue;
    demand(file !== null, "V01", `${path} is no regular file`);
    const blob = BLOB_NAME.exec(path);
    const known = blob !== null || path === "certificate/cert.json" || path === "certificate/cert.dsse.json";
    demand(known, "V01", `${path} does not belong in a certificate`);
    if (blob === null) continue;
    demand(file.size <= BLOB, "V01", `${path} is too large`);
    blobs.set(blob[1], file);
  }
  const cert = entries.get("certificate/cert.json") ?? null;
  const envelope = entries.get("certificate/cert.dsse.json") ?? null;
  demand(cert !== null, "V01", "certificate/cert.json is missing");
  demand(cert.size <= CERT, "V01", "certificate/cert.json is too large");
  demand(envelope === null || envelope.size <= ENVELOPE, "V01", "certificate/cert.dsse.json is too large");
  return { cert, envelope, blobs };
}

/** A regular file of the folder, or one that the auditor gave in its place. */
export function weightFile(entries, path, given) {
  const file = given ?? entries.get(path);
  demand(file, "V01", `${path} is missing, or no regular file`);
  return file;
}

/** All bytes of a file, and never other bytes than it had at first. */
export async function readAll(file, what) {
  const bytes = await file.read(0, file.size);
  demand(bytes.length === file.size, "V01", `${what} changed while it was read`);
  return bytes;
}

/**
 * The bytes of a blob.
 * @returns {Promise<Uint8Array>} rejects with V01 when it is not there, with V04 when the bytes are others.
 */
export async function readBlob(blobs, digest, what) {
  const file = blobs.get(digest);
  if (file === undefined) throw new Reject("V01", `the blob of ${what}, ${digest}, is missing`);
  const bytes = await readAll(file, `the blob ${digest}`);
  demand(hex(await sha256(bytes)) === digest, "V04", `the blob of ${what}, ${digest}, holds other bytes`);
  return bytes;
}

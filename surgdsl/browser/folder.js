/**
 * What lies in the folder of a certificate (section 1): the right names, the right sizes, nothing else.
 *
 * No path comes from the certificate; blobs are found by their digests.
 */
import { hex, sha256 } from "./digest.js";
import { demand } from "./reject.js";

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
    blobs.set(blob[1], file);
  }
  const cert = entries.get("certificate/cert.json") ?? null;
  const envelope = entries.get("certificate/cert.dsse.json") ?? null;
  demand(cert !== null, "V01", "certificate/cert.json is missing");
  demand(cert.size <= CERT, "V20", "certificate/cert.json is too large");
  demand(envelope === null || envelope.size <= ENVELOPE, "V20", "certificate/cert.dsse.json is too large");
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
 * Every blob that the statement names, and no other, holds the bytes of its name.
 * @param {Set<string>} named
 */
export async function checkBlobs(blobs, named) {
  for (const digest of blobs.keys()) demand(named.has(digest), "V01", `the blob ${digest} is not named by the certificate`);
  for (const digest of [...named].sort()) {
    const bytes = await readBlob(blobs, digest);
    demand(hex(await sha256(bytes)) === digest, "V04", `the blob ${digest} holds other bytes`);
  }
}

/** The bytes of a blob. */
export async function readBlob(blobs, digest) {
  const file = blobs.get(digest);
  demand(file !== undefined, "V01", `the blob ${digest} is missing`);
  demand(file.size <= BLOB, "V20", `the blob ${digest} is too large`);
  return readAll(file, `the blob ${digest}`);
}

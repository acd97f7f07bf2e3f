/**
 * Where the bytes of tensors are: weight files, blobs, and what was recomputed, by tensor digest.
 *
 * Everything that is put here was hashed here, so whoever reads by digest reads what the digest names. Large tensors stay in their files.
 */
import { LEAF, TensorHash, tensorDigest } from "./digest.js";
import { Reject } from "./reject.js";

// Leaves that are hashed at once: the browser has threads for it, and each leaf is 8 MiB of memory.
const AT_ONCE = 3;

/** A file of bytes in memory. */
export const inMemory = (bytes) => ({ size: bytes.length, read: async (start, end) => bytes.subarray(start, end) });

/** Tensors by digest. */
export class Store {
  constructor() {
    this.places = new Map();
  }

  has(digest) {
    return this.places.has(digest);
  }

  /** @returns {{dtype: string, shape: number[], nbytes: number}} */
  row(digest) {
    const place = this.places.get(digest);
    if (place === undefined) throw new Reject("V08", `no tensor with the digest ${digest}`);
    return place;
  }

  /** Bytes [start, end) of the data of a tensor. */
  async read(digest, start, end) {
    const place = this.row(digest);
    return place.file.read(place.start + start, place.start + end);
  }

  async bytes(digest) {
    return this.read(digest, 0, this.row(digest).nbytes);
  }

  /** The data in runs of `step` bytes. */
  async *chunks(digest, step = LEAF) {
    const { nbytes } = this.row(digest);
    for (let at = 0; at < nbytes; at += step) yield this.read(digest, at, Math.min(at + step, nbytes));
  }

  /**
   * Hashes a tensor that lies in a file and keeps its place.
   * @param {{dtype: string, shape: number[], start: number, end: number}} row where, in the file.
   * @param {(bytes: number) => void} [progress] told of every run of bytes.
   * @returns {Promise<string>} its digest.
   */
  async add(file, row, progress = () => {}) {
    const nbytes = row.end - row.start;
    const hash = new TensorHash(row.dtype, row.shape, nbytes);
    const hashing = [];
    for (let at = row.start; at < row.end; at += LEAF) {
      const chunk = await file.read(at, Math.min(at + LEAF, row.end));
      hashing.push(hash.leaf(chunk));
      if (hashing.length === AT_ONCE) await hashing.shift();
      progress(chunk.length);
    }
    await Promise.all(hashing);
    const digest = await hash.digest();
    if (!this.has(digest)) this.places.set(digest, { dtype: row.dtype, shape: row.shape, nbytes, file, start: row.start });
    return digest;
  }

  /** Keeps bytes that were recomputed; returns their digest. */
  async put(dtype, shape, bytes) {
    const digest = await tensorDigest(dtype, shape, bytes);
    if (!this.has(digest)) this.places.set(digest, { dtype, shape, nbytes: bytes.length, file: inMemory(bytes), start: 0 });
    return digest;
  }
}

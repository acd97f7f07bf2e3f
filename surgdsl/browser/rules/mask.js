/**
 * mask/1: elements of one weight become zero, and are no longer stored.
 * @module
 */

import { alike } from "../alike.js";
import { unpack } from "../codes.js";
import { count, layout } from "../layout.js";
import { demand } from "../reject.js";
import { decoder, runs } from "../weights.js";
import { innerOf, onlyOne } from "./replacement.js";

/** @typedef {import("../layout.js").Layout} Layout */

const MOST = 65536;

/** @param {any} view */
function form(view) {
  const { id, sort, old, now } = onlyOne(view);
  demand(now.encoding.kind === "masked", "V14", `${id}: what stands in its place has no mask`);
  demand(alike(innerOf(old.encoding), innerOf(now.encoding)), "V14", `${id}: what is kept is encoded in another way`);
  for (const pattern of [view.arguments.few, view.arguments.tile].filter(Boolean)) {
    demand(pattern.every((/** @type {number} */ n) => n >= 1 && n <= MOST), "V14", `${id}: a pattern of ${pattern.join(" by ")}`);
    demand(sort.shape.length >= 2, "V14", `${id}: a pattern needs two dimensions`);
  }
}

/** @param {any} view @param {any} context */
async function weights(view, { store }) {
  const { id, sort, old, now } = onlyOne(view);
  const [before, after] = [layout(old, sort), layout(now, sort)];
  const kept = await compare(id, before, after, store);
  demand(BigInt(kept) === BigInt(view.arguments.keep), "V15", `${id}: the mask keeps ${kept} elements, not ${view.arguments.keep}`);
  const { few, tile } = view.arguments;
  const mask = few || tile ? await bitsOf(after, store) : null;
  if (few) checkFew(id, mask, sort.shape, few);
  if (tile) checkTiles(id, mask, before.masked ? await bitsOf(before, store) : null, sort.shape, tile);
  return { grade: "proved", words: [`keeps ${kept} of ${after.elements} elements of ${after.base} as they are; the others are zero`], figures: [] };
}

/** Rejects an element that is neither as before nor zero; returns how many are kept. @param {string} id @param {Layout} before @param {Layout} after @param {any} store */
async function compare(id, before, after, store) {
  const [decodeOld, decodeNew, old] = [await decoder(before, store), await decoder(after, store), runs(before, store)];
  let kept = 0;
  for await (const run of runs(after, store)) {
    const { value: earlier } = await old.next();
    const [was, is] = [decodeOld(earlier), decodeNew(run)];
    for (let i = 0, a = 0, b = 0; i < run.length; i++) {
      const bits = earlier.kept === null || earlier.kept[i] ? was[a++] : 0;
      if (run.kept[i] === 0) continue;
      demand(is[b] === bits || is[b] === 0, "V15", `${id}: element ${run.start + i} changes and is not zero`);
      b++;
    }
    kept += run.stored;
  }
  return kept;
}

/** The mask, an element a byte. @param {Layout} form @param {any} store */
async function bitsOf(form, store) {
  const result = new Uint8Array(form.elements);
  const bytes = await store.bytes(form.parts.get("mask").digest);
  const step = 2 ** 20;
  for (let at = 0; at < bytes.length; at += step)
    result.set(unpack(bytes.subarray(at, at + step), 0, 1, Math.min(8 * step, form.elements - 8 * at)), 8 * at);
  return result;
}

/** Rejects more than n set bits among m neighbours along dimension 1. @param {string} id @param {Uint8Array} mask @param {number[]} shape @param {[number, number]} few */
function checkFew(id, mask, shape, [n, m]) {
  const inner = count(shape.slice(2));
  const width = shape[1];
  for (let row = 0; row < shape[0]; row++)
    for (let offset = 0; offset < inner; offset++)
      for (let first = 0; first < width; first += m) {
        let set = 0;
        for (let i = first; i < Math.min(first + m, width); i++) set += mask[(row * width + i) * inner + offset];
        demand(set <= n, "V15", `${id}: more than ${n} of ${m} neighbours at row ${row}, column ${first}`);
      }
}

/**
 * Rejects a tile that is kept in part. @param {string} id @param {Uint8Array} mask @param {Uint8Array | null} old
 * @param {number[]} shape @param {[number, number]} tile
 */
function checkTiles(id, mask, old, shape, [h, w]) {
  const columns = count(shape.slice(1));
  for (let top = 0; top < shape[0]; top += h)
    for (let left = 0; left < columns; left += w) {
      let [set, before] = [0, 0];
      for (let row = top; row < Math.min(top + h, shape[0]); row++)
        for (let at = row * columns + left; at < row * columns + Math.min(left + w, columns); at++) {
          set += mask[at];
          before += old === null ? 1 : old[at];
        }
      demand(set === 0 || set === before, "V15", `${id}: the tile at row ${top}, column ${left} is kept in part`);
    }
}

export const mask = { id: "mask/1", grade: "exact", kind: "reduce", reduces: "nnz/1", form, weights };

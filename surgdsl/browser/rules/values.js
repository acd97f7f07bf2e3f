/**
 * recover/1 and adjust/1: weights get other values, which training or data decided.
 *
 * Nobody can say from the bytes whether the values are good; what is checked is that nothing else changes, and reports name these steps first.
 * @module
 */

import { alike } from "../alike.js";
import { layout } from "../layout.js";
import { demand } from "../reject.js";
import { countInfinite, runs } from "../weights.js";
import { replaced } from "./replacement.js";

const FLOATING = ["F64", "F32", "F16", "BF16"];

/** @param {any} view */
function form(view) {
  for (const { id, old, now } of replaced(view)) {
    demand(alike(old.encoding, now.encoding), "V14", `${id}: the encoding changes`);
    const sorts = (/** @type {any} */ param) => param.parts.map((/** @type {any} */ { dtype, name, role, shape }) => [dtype, name, role, shape]);
    demand(alike(sorts(old), sorts(now)), "V14", `${id}: a name, dtype or shape of its parts changes`);
    for (const [i, part] of now.parts.entries())
      demand(FLOATING.includes(part.dtype) || part.digest === old.parts[i].digest, "V15", `${id}: ${part.name}, integers, changes`);
  }
}

/** Codebooks and scales are checked wherever a weight is read; what is left are values. @param {any} view @param {any} context */
async function weights(view, { store }) {
  const pairs = replaced(view);
  for (const { id, sort, now } of pairs) {
    const stored = layout(now, sort);
    if (stored.bits || !FLOATING.includes(stored.dtype)) continue;
    for await (const { values } of runs(stored, store)) {
      demand(countInfinite(stored.dtype, values) === 0, "V15", `${id}: a value is not finite`);
    }
  }
  const names = pairs.map(({ sort, now }) => layout(now, sort).base);
  const { method, data } = view.arguments;
  const how = method === undefined ? "training" : `${method}`;
  const words = [`new values for ${names.length} weights, by ${how}${data ? ` with ${data}` : ""}; nobody can recompute them`];
  return { grade: "attested", words, figures: figuresOf(view.arguments) };
}

/** @param {any} given @returns {[string, string][]} */
function figuresOf(given) {
  if (given.figures) return given.figures;
  return ["epochs", "batch", "rate", "seed", "change"].map((name) => [name, given[name]]);
}

export const recover = { id: "recover/1", grade: "opaque", kind: "neutral", reduces: null, form, weights };
export const adjust = { id: "adjust/1", grade: "opaque", kind: "neutral", reduces: null, form, weights };

/**
 * quantize-codebook/1 and quantize-affine/1: a weight is rounded to the entries of a codebook, or to a grid.
 *
 * Every code is recomputed from the weight that it rounds; how far the rounding went is measured here, not read.
 * @module
 */

import { alike } from "../alike.js";
import { layout, scaleAt } from "../layout.js";
import { hexFloat } from "../number.js";
import { demand } from "../reject.js";
import { numbers, runs } from "../weights.js";
import { innerOf, onlyOne } from "./replacement.js";

/** @typedef {import("../layout.js").Layout} Layout */
/** @typedef {import("../weights.js").Run} Run */
/** @typedef {{largest: number, squares: number, elements: number}} Errors */

/** @param {any} view @param {any} wanted the encoding that the arguments say */
function checkForm(view, wanted) {
  const { id, sort, old, now } = onlyOne(view);
  demand(sort.dtype === "F32" && innerOf(old.encoding).kind === "dense", "V14", `${id}: only a dense weight of F32 is quantized`);
  demand(old.encoding.kind === "masked" === (now.encoding.kind === "masked"), "V14", `${id}: the mask comes or goes`);
  demand(alike(innerOf(now.encoding), wanted), "V14", `${id}: the encoding is not that of the arguments`);
  const digest = (/** @type {any} */ param) => param.parts.find((/** @type {any} */ part) => part.role === "mask")?.digest;
  demand(digest(old) === digest(now), "V15", `${id}: the mask changes`);
}

/** @param {any} view */
const codebookForm = (view) => checkForm(view, { bits: view.arguments.bits, kind: "codebook" });

/** @param {any} view */
function gridForm(view) {
  const { axis, bits, group, symmetric } = view.arguments;
  checkForm(view, { axis, bits, ...(group === undefined ? {} : { group }), kind: symmetric ? "symmetric" : "affine" });
}

/**
 * Rounds a weight again; V15 where a code is another. @param {any} view @param {any} store
 * @param {(form: Layout) => Promise<(value: number, position: number) => number>} rounding to the code
 * @param {(form: Layout) => Promise<(code: number, position: number) => number>} decoding to the float64 of the F32
 * @returns {Promise<Errors & {form: Layout}>}
 */
async function recompute(view, store, rounding, decoding) {
  const { id, sort, old, now } = onlyOne(view);
  const [before, after] = [layout(old, sort), layout(now, sort)];
  const [round, decode, codes] = [await rounding(after), await decoding(after), runs(after, store)];
  const errors = { largest: 0, squares: 0, elements: 0, form: after };
  for await (const run of runs(before, store)) {
    const { value: coded } = await codes.next();
    const { values } = run;
    const floats = new Float32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0, rank = 0; i < run.length; i++) {
      if (run.kept !== null && run.kept[i] === 0) continue;
      const value = floats[rank];
      const code = coded.codes[rank++];
      demand(Number.isFinite(value), "V15", `${id}: element ${run.start + i} is not finite`);
      if (round(value, run.start + i) !== code) demand(false, "V15", `${id}: the code of element ${run.start + i} is not ${code}`);
      const error = Math.abs(value - decode(code, run.start + i));
      if (error > errors.largest) errors.largest = error;
      errors.squares += error * error;
    }
    errors.elements += run.stored;
  }
  return errors;
}

/** @param {Errors & {form: Layout}} errors @param {[string, string][]} more */
function finding({ largest, squares, elements, form }, more) {
  const root = elements ? Math.sqrt(squares / elements) : 0;
  const words = [`rounds ${elements} elements of ${form.base} to ${form.bits} bits; every code was recomputed`];
  return { grade: "bounded", words, figures: [["largest error", `${largest}`], ["root mean square error", `${root}`], ...more] };
}

/** @param {any} view @param {any} context */
async function codebookWeights(view, { store }) {
  const book = await numbers(layout(onlyOne(view).now, onlyOne(view).sort), "codebook", store);
  const middles = Float64Array.from({ length: book.length - 1 }, (_, k) => book[k] + book[k + 1]);
  const round = (/** @type {number} */ value) => {
    let [low, high] = [0, middles.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (2 * value > middles[middle]) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const errors = await recompute(view, store, async () => round, async () => (code) => book[code]);
  if (!("least" in view.arguments)) return finding(errors, []);
  const least = hexFloat(view.arguments.least);
  demand(errors.squares >= least * (1 - 2 ** -20), "V15", `the sum of squared errors ${errors.squares} is below the least, ${least}`);
  return finding(errors, [["squared errors over the least possible", least > 0 ? `${errors.squares / least}` : "not defined: the least is 0"]]);
}

/** The integer nearest to a float64 of a magnitude below 2^51, ties to even. @param {number} value */
const even = (value) => value + 6755399441055744 - 6755399441055744;

/** @param {any} view @param {any} context */
async function gridWeights(view, { store }) {
  const { now, sort } = onlyOne(view);
  const form = layout(now, sort);
  const scales = await numbers(form, "scale", store);
  const zeros = form.kind === "affine" ? await store.bytes(form.parts.get("zero").digest) : new Uint8Array(scales.length).fill(2 ** (form.bits - 1));
  const at = scaleAt(form);
  const most = 2 ** form.bits - 1;
  const round = (/** @type {number} */ value, /** @type {number} */ position) => {
    const where = at(position);
    // Beyond ±1000 the clamp decides, as codes and zeros are below 256.
    const steps = Math.min(Math.max(value / scales[where], -1000), 1000);
    return Math.min(Math.max(even(steps) + zeros[where], 0), most);
  };
  const decode = (/** @type {number} */ code, /** @type {number} */ position) => {
    const where = at(position);
    return Math.fround(scales[where] * (code - zeros[where]));
  };
  return finding(await recompute(view, store, async () => round, async () => decode), []);
}

export const quantizeCodebook = {
  id: "quantize-codebook/1", grade: "bounded", kind: "reduce", reduces: "size/1", form: codebookForm, weights: codebookWeights,
};
export const quantizeAffine = { id: "quantize-affine/1", grade: "bounded", kind: "reduce", reduces: "size/1", form: gridForm, weights: gridWeights };

/**
 * Operators: which calls there are, what they cost, and what a cut may do to them (section 7, docs/operators.md).
 *
 * Each call is read by its schema, its dtypes are promoted, and a layout says everything of its dimensions; the three questions are asked of that.
 */

import { evaluate } from "./extent.js";
import { columns, conv, pool, resample, transposed } from "./operators/windows.js";
import { along, diff, histogram, over, running, sum, topk, vector } from "./operators/reducing.js";
import { attention, einsum, matmul } from "./operators/products.js";
import { cat, split, stack } from "./operators/joining.js";
import { dtypes } from "./operators/promotion.js";
import { fill, range } from "./operators/creating.js";
import { batch, grid, groups, layer, polar, prelu } from "./operators/normalising.js";
import { gather, index, pad, put, scatter, select, slice, unbind, unfold } from "./operators/choosing.js";
import { layers } from "./operators/recurrent.js";
import { Layout } from "./operators/layout.js";
import { row } from "./operators/letters.js";
import { expand, interleave, permute, repeat, shuffle, squeeze, unsqueeze, view } from "./operators/arranging.js";
import { Reading } from "./operators/reading.js";
import { checkRelation } from "./operators/relation.js";
import { ROWS } from "./operators/row.js";
import { Reject, demand } from "./reject.js";

/** The functions of places, by the names that the page has for them. */
const LAYOUTS = new Map(Object.entries({
  along, attention, batch, cat, columns, conv, diff, einsum, expand, fill, gather, grid, groups, histogram, index, interleave, layer, layers, matmul,
  over, pad, permute, polar, pool, prelu, put, range, repeat, resample, running, scatter, select, shuffle, slice, split, squeeze, stack, sum, topk,
  transposed, unbind, unfold, unsqueeze, vector, view,
}));

/**
 * Reads a call and lays it out.
 * @param {{operation: {op: string, attributes: Map<string, any>}, sources: any[], targets: any[]}} call
 * @returns {{call: any, reading: Reading, layout: Layout, dtypes: string[]}}
 */
export function layOut(call) {
  const found = ROWS.get(call.operation.op);
  demand(found !== undefined, "V09", `${call.operation.op} is no operator of this format`);
  const reading = new Reading(found, call);
  const layout = new Layout();
  const describe = found.layout === "" ? row : LAYOUTS.get(found.layout);
  if (describe === undefined) throw new Error(`table of operators: ${found.layout}`);
  describe(reading, layout);
  return { call, reading, layout, dtypes: dtypes(reading, layout.shapes.length) };
}

const shown = (sort) => `${sort.dtype}[${sort.shape.join(", ")}]`;

/**
 * The sorts of what an operation makes.
 * @param {{operation: {op: string, attributes: Map<string, any>}, sources: any[], targets: any[]}} call
 * @returns {{dtype: string, shape: (number | string)[]}[]}
 */
export function results(call) {
  const { layout, dtypes: made } = layOut(call);
  return layout.shapes.map((shape, port) => ({ dtype: made[port], shape }));
}

/**
 * Demands that an operation takes its sources and makes its targets.
 * @param {{operation: {op: string, attributes: Map<string, any>}, sources: any[], targets: any[]}} call
 */
export function check(call) {
  const made = results(call);
  const name = call.operation.op;
  demand(call.targets.length === made.length, "V09", `${name} makes ${made.length} tensors, not ${call.targets.length}`);
  made.forEach((sort, port) => {
    const stated = call.targets[port];
    const equal = stated.dtype === sort.dtype && stated.shape.length === sort.shape.length && sort.shape.every((one, k) => one === stated.shape[k]);
    demand(equal, "V09", `${name} makes ${shown(sort)}, not ${shown(stated)}`);
  });
}

/** The value of some extents together. */
function product(extents, binding) {
  return extents.reduce((total, extent) => total * evaluate(extent, binding), 1n);
}

/**
 * Multiply-accumulates of one call.
 * @param {{operation: {op: string, attributes: Map<string, any>}, sources: any[], targets: any[]}} call
 * @param {Map<string, bigint>} binding
 * @returns {bigint}
 */
export function macs(call, binding) {
  const { reading, layout } = layOut(call);
  const sum = (terms) => terms.reduce((total, extents) => total + product(extents, binding), 0n);
  if (layout.products !== null) return sum(layout.products);
  const { cost } = reading.row;
  if (cost === "") return 0n;
  const [terms, summed = ""] = cost.split(".");
  const named = (letters) => [...letters].flatMap((letter) => layout.letters.get(letter) ?? []);
  const inner = named(summed);
  if (summed !== "" && inner.every((extent) => extent === 1)) return 0n;
  return sum(terms.split("+").map((letters) => [...named(letters), ...inner]));
}

/**
 * Demands the index relation of an operation before and after a cut.
 * @param {any} before
 * @param {any} after a call that `check` took
 * @param {(number[] | null)[][]} sources kept sets of each dimension of each source
 * @param {(number[] | null)[][]} targets likewise
 */
export function relate(before, after, sources, targets) {
  if (before.sources.length !== after.sources.length || before.targets.length !== after.targets.length) {
    throw new Reject("V14", `${before.operation.op} has other tensors`);
  }
  checkRelation(layOut(before), layOut(after), { sources, targets });
}

/**
 * fake-quantize/1: what some operations read is rounded to a grid before they read it.
 * @module
 */

import { alike } from "../alike.js";
import { demand } from "../reject.js";

const OPERATOR = "aten.fake_quantize_per_tensor_affine.default";

/** @param {any} view */
function form({ left, glue, right, arguments: given }) {
  demand(given.bits >= 2 && given.bits <= 8, "V14", `${given.bits} bits`);
  demand(glue.operations.length === 0 && glue.wires.length === left.wires.size, "V14", "K is made of the wires of L");
  const [made, ...again] = [...right.operations.values()];
  demand(right.wires.size === 1 && made?.op === OPERATOR && made.sources.length === 1 && made.targets.length === 1, "V14", `R begins with ${OPERATOR}`);
  const [[quantized, sort]] = right.wires;
  const [wire] = made.sources;
  const was = left.wires.get(wire);
  demand(was && made.targets[0] === quantized && alike([was.dtype, was.shape], [sort.dtype, sort.shape]), "V14", "the new wire is of the sort of the one that it rounds");
  const levels = made.attributes.get("quant_max") - made.attributes.get("quant_min") + 1;
  demand(levels === 2 ** given.bits, "V14", `${levels} levels, for ${given.bits} bits`);
  const readers = [...left.operations];
  demand(readers.length > 0 && readers.length === again.length, "V14", "R has each operation of L again");
  for (const [i, [id, old]] of readers.entries()) checkReader(id, old, again[i], wire, quantized);
}

/** @param {string} id @param {any} old @param {any} now @param {string} wire @param {string} quantized */
function checkReader(id, old, now, wire, quantized) {
  demand(old.op !== "param" && old.sources.includes(wire), "V14", `${id} does not read the wire that is rounded`);
  const label = (/** @type {any} */ operation) => [operation.op, [...operation.attributes], operation.targets];
  demand(alike(label(old), label(now)), "V14", `${id} comes back with another label or target`);
  const sources = old.sources.map((/** @type {string} */ source) => (source === wire ? quantized : source));
  demand(alike(sources, now.sources), "V14", `${id} comes back with other sources`);
}

/** @param {any} view */
async function weights({ arguments: { bits, method, data, figures }, left }) {
  const words = [`${left.operations.size} operations read a wire rounded to ${bits} bits, by ${method}${data ? ` with ${data}` : ""}`];
  return { grade: "lossy", words, figures };
}

export const fakeQuantize = { id: "fake-quantize/1", grade: "lossy", kind: "neutral", reduces: null, form, weights };

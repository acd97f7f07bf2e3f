/**
 * prune-channels/1: indices of some dimensions are left out, everywhere where they stand.
 * @module
 */

import { alike } from "../alike.js";
import { layout } from "../layout.js";
import { relate } from "../operators.js";
import { demand } from "../reject.js";
import { selected } from "./selection.js";

/** @typedef {Map<string, (number[] | null)[]>} Cuts the kept indices of each dimension of the wires that shrink */

const rising = (/** @type {number[]} */ list) => list.every((index, i) => i === 0 || list[i - 1] < index);

/** The kept sets of each wire of L. @param {any} view @returns {Cuts} */
function cutsOf({ left, glue, arguments: { indices, kept } }) {
  demand(indices.every(rising), "V14", "the indices of a list do not rise");
  const stays = new Set(glue.wires);
  const cuts = new Map();
  for (const [wire, dimension, number] of kept) {
    const sort = left.wires.get(wire);
    demand(sort && !stays.has(wire), "V14", `${wire} is no wire that shrinks`);
    const extent = sort.shape[dimension];
    const list = indices[number];
    const proper = list && Number.isSafeInteger(extent) && list.length > 0 && list.length < extent && list[list.length - 1] < extent;
    demand(proper, "V14", `dimension ${dimension} of ${wire}: list ${number} is no proper part of its extent`);
    if (!cuts.has(wire)) cuts.set(wire, sort.shape.map(() => null));
    demand(cuts.get(wire)[dimension] === null, "V14", `dimension ${dimension} of ${wire} is cut twice`);
    cuts.get(wire)[dimension] = list;
  }
  const used = new Set(kept.map((/** @type {[string, number, number]} */ row) => row[2]));
  demand(indices.every((/** @type {number[]} */ _, /** @type {number} */ number) => used.has(number)), "V14", "a list of indices is not used");
  demand([...left.wires.keys()].every((wire) => stays.has(wire) !== cuts.has(wire)), "V14", "a wire of L neither stays nor shrinks");
  return cuts;
}

/** Rejects a `keep` that is not made of the largest scores. @param {any} given the arguments */
function checkScores({ keep, scores }) {
  const values = scores.map(BigInt);
  demand(keep.length > 0 && rising(keep) && keep[keep.length - 1] < scores.length, "V14", "keep is no list of channels");
  const ranked = values.map((/** @type {bigint} */ _, /** @type {number} */ i) => i);
  ranked.sort((/** @type {number} */ a, /** @type {number} */ b) => (values[a] === values[b] ? a - b : values[a] > values[b] ? -1 : 1));
  const best = ranked.slice(0, keep.length).sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
  demand(alike(best, keep), "V14", "keep is not made of the channels with the largest scores");
}

/** Rejects lists of which none is what `keep` says. @param {any} view */
function checkAxis({ left, arguments: { indices, keep, kept, scores } }) {
  const channels = new Set(keep);
  const seen = new Set();
  const found = kept.some((/** @type {[string, number, number]} */ [wire, dimension, number]) => {
    const extent = left.wires.get(wire).shape[dimension];
    const key = `${number} ${extent}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return spreads(indices[number], extent, scores.length, channels);
  });
  demand(found, "V14", "no list of indices is what keep says of an extent");
}

/** Whether the list is { p : ⌊p/r⌋ mod scores ∈ keep } for some r. @param {number[]} list @param {number} extent @param {number} scores @param {Set<number>} keep */
function spreads(list, extent, scores, keep) {
  if (extent % scores || list.length * scores !== keep.size * extent) return false;
  for (let r = 1; r * scores <= extent; r++) {
    if ((extent / scores) % r) continue;
    if (list.every((p) => keep.has(Math.floor(p / r) % scores))) return true;
  }
  return false;
}

/** What does not speak of a single operation. @param {any} view */
function form(view) {
  const { left, glue, right } = view;
  const cuts = cutsOf(view);
  checkScores(view.arguments);
  checkAxis(view);
  demand(glue.operations.length === 0, "V14", "K has operations");
  const shrinking = [...left.wires.keys()].filter((wire) => cuts.has(wire));
  const made = [...right.wires];
  demand(shrinking.length > 0 && made.length === shrinking.length, "V14", "R has one wire for each that shrinks");
  const renamed = new Map(shrinking.map((wire, i) => [wire, made[i][0]]));
  for (const [i, wire] of shrinking.entries()) checkWire(wire, left.wires.get(wire), cuts.get(wire), made[i][1]);
  demand(left.operations.size === right.operations.size, "V14", "R has one operation for each of L");
  return { cuts, renamed };
}

/** @param {string} wire @param {any} old its sort @param {(number[] | null)[]} cut @param {any} now the sort of what stands in its place */
function checkWire(wire, old, cut, now) {
  const shape = old.shape.map((/** @type {any} */ extent, /** @type {number} */ i) => cut[i]?.length ?? extent);
  demand(alike([old.dtype, shape], [now.dtype, now.shape]), "V14", `${wire}: the new wire has not the sizes of the kept sets`);
}

/** @param {any} view @param {string} id @param {any} old @param {any} now @param {Map<string, string>} renamed @param {Cuts} cuts */
function checkOperation(view, id, old, now, renamed, cuts) {
  const there = (/** @type {string} */ wire) => renamed.get(wire) ?? wire;
  const ends = [...old.sources, ...old.targets];
  demand(ends.some((wire) => renamed.has(wire)), "V14", `${id} is at no wire that shrinks`);
  demand(old.op === now.op && alike(old.sources.map(there), now.sources) && alike(old.targets.map(there), now.targets), "V14", `${id} comes back as another`);
  if (old.op === "param") return checkParam(id, old, now);
  const call = (/** @type {any} */ operation) => ({ operation, sources: operation.sources.map(view.sort), targets: operation.targets.map(view.sort) });
  const kept = (/** @type {string} */ wire) => cuts.get(wire) ?? view.sort(wire).shape.map(() => null);
  relate(call(old), call(now), old.sources.map(kept), old.targets.map(kept));
}

/** @param {string} id @param {any} old @param {any} now */
function checkParam(id, old, now) {
  demand(alike(old.encoding, now.encoding) && old.role === now.role, "V14", `${id}: the encoding or the role changes`);
  const names = (/** @type {any} */ param) => param.parts.map((/** @type {any} */ part) => [part.name, part.role, part.dtype]);
  demand(alike(names(old), names(now)), "V14", `${id}: the name or dtype of a part changes`);
}

/** Operation by operation: the index relation, or the selection of a weight. @param {any} view @param {any} context */
async function weights(view, { store }) {
  const { cuts, renamed } = form(view);
  const after = [...view.right.operations.values()];
  let params = 0;
  for (const [i, [id, old]] of [...view.left.operations].entries()) {
    checkOperation(view, id, old, after[i], renamed, cuts);
    if (old.op !== "param") continue;
    const [wire] = old.targets;
    const [was, is] = [layout(old, view.sort(wire)), layout(after[i], view.sort(after[i].targets[0]))];
    const bytes = await selected(was, is, cuts.get(wire), (role) => store.bytes(was.parts.get(role).digest));
    for (const part of after[i].parts) await checkPart(id, part, bytes.get(part.role), store);
    params++;
  }
  const { axis, keep, scores } = view.arguments;
  const words = [`keeps ${keep.length} of ${scores.length} channels of ${axis}; ${params} weights were cut again, byte for byte`];
  return { grade: "proved", words, figures: [] };
}

/** @param {string} id @param {any} part @param {Uint8Array} bytes what the part must hold @param {any} store */
async function checkPart(id, part, bytes, store) {
  demand((await store.put(part.dtype, part.shape, bytes)) === part.digest, "V15", `${id}: ${part.name} is not what is kept of the old one`);
}

export const prune = { id: "prune-channels/1", grade: "exact", kind: "reduce", reduces: "params/1", form, weights };

/**
 * Whether one operation, before and after a cut, computes the same on what is kept: the index relation of section 7.
 *
 * The layout of the call says which dimensions belong together; this module compares their kept sets, whatever the operator is.
 */

import { Reject, demand } from "../reject.js";

/** Most kept positions of a run of a view, and most indices of a whole dimension that is written out. */
const MOST = 2 ** 24;

/** Most channels that are followed one by one; extents of wires cost nothing to write. */
const FOLLOWED = 2 ** 28;

/**
 * The kept sets of one call.
 * @typedef {{sources: (number[] | null)[][], targets: (number[] | null)[][]}} Cut
 */

/** @param {Cut} cut @param {import("./layout.js").Place} place @returns {number[] | null} */
function keptAt(cut, place) {
  return cut[place.side === "source" ? "sources" : "targets"][place.port][place.dimension];
}

function equal(one, other) {
  if (one === other) return true;
  if (one === null || other === null || one.length !== other.length) return false;
  return one.every((index, k) => index === other[k]);
}

const word = (place) => `dimension ${place.dimension} of ${place.side} ${place.port}`;

/** Dimensions with one letter have one kept set, and what is whole is whole. */
function checkTies(layout, cut, fail) {
  for (const [first, ...others] of layout.ties) {
    for (const other of others) if (!equal(keptAt(cut, first), keptAt(cut, other))) fail(`cuts ${word(first)} and ${word(other)} differently`);
  }
  for (const place of layout.whole) if (keptAt(cut, place) !== null) fail(`cuts ${word(place)}, which must stay whole`);
}

/** Demands that a whole dimension can be written out. */
function writeOut(kept, extent, fail) {
  if (kept !== null) return;
  if (typeof extent !== "number") fail(`cuts what belongs to an extent ${extent}`);
  demand(extent <= MOST, "V20", "a cut beside a dimension of too many indices");
}

/** Index i of one dimension is index at(i) of another, before and after. */
function checkLink(before, after, { cut, shapeOf, fail }) {
  const { from, to } = before;
  const [source, sink] = [keptAt(cut, from), keptAt(cut, to)];
  if (source === null && sink === null) return;
  writeOut(source, shapeOf(from), fail);
  writeOut(sink, shapeOf(to), fail);
  if (before.at === null || after.at === null) fail(`cuts ${word(from)} or ${word(to)}, which cannot be followed`);
  const rank = sink === null ? null : new Map(sink.map((index, k) => [index, k]));
  const count = source === null ? shapeOf(from) : source.length;
  for (let r = 0; r < count; r += 1) {
    const was = before.at(source === null ? r : source[r]);
    const is = after.at(r);
    const expected = was === null || rank === null ? was : rank.get(was);
    if (expected !== is) fail(`moves index ${source === null ? r : source[r]} of ${word(from)}`);
  }
}

/** A dimension as two, the inner one of a given width; null where the kept set is no product of one for each. */
function part({ extent, kept }, width) {
  const outer = extent / width;
  if (kept === null) return [{ extent: outer, kept: null }, { extent: width, kept: null }];
  const rows = [...new Set(kept.map((index) => Math.floor(index / width)))];
  const columns = [...new Set(kept.map((index) => index % width))].sort((a, b) => a - b);
  if (rows.length * columns.length !== kept.length) return null;
  const whole = (indices, all) => (indices.length === all ? null : indices);
  return [{ extent: outer, kept: whole(rows, outer) }, { extent: width, kept: whole(columns, width) }];
}

/** Kept row-major positions of some dimensions, one after the other. */
function* positions(list, start = 0) {
  if (list.length === 0) return void (yield start);
  const [{ extent, kept }, ...inner] = list;
  const count = kept === null ? extent : kept.length;
  for (let k = 0; k < count; k += 1) yield* positions(inner, start * extent + (kept === null ? k : kept[k]));
}

const count = (list) => list.reduce((total, { extent, kept }) => total * (kept === null ? extent : kept.length), 1);

/** Whether two lists of dimensions have the same kept positions, compared one by one. */
function samePositions(left, right) {
  if (count(left) !== count(right)) return false;
  const others = positions(right);
  for (const position of positions(left)) if (others.next().value !== position) return false;
  return true;
}

/** Whether the kept positions of both sides are equal. Dimensions that divide each other are taken off from the inside. */
function sameRun(left, right) {
  while (left.length > 0 && right.length > 0) {
    const [a, b] = [left.at(-1), right.at(-1)];
    const [more, less] = a.extent >= b.extent ? [left, b.extent] : [right, a.extent];
    if (more.at(-1).extent % less !== 0) return samePositions(left, right);
    if (a.extent === b.extent) {
      if (!equal(a.kept, b.kept)) return false;
      [left, right] = [left.slice(0, -1), right.slice(0, -1)];
      continue;
    }
    const parted = part(more.at(-1), less);
    if (parted === null) return false;
    if (more === left) left = [...left.slice(0, -1), ...parted];
    else right = [...right.slice(0, -1), ...parted];
  }
  return [...left, ...right].every((one) => one.kept === null);
}

/** Runs of a view: kept positions are equal, or all is whole. */
function checkRun(run, cut, fail) {
  const sides = [run.source, run.target].map((places) => places.map((place) => ({ extent: place.extent, kept: keptAt(cut, place) })));
  if (sides.flat().every((one) => one.kept === null)) return;
  for (const { kept, extent } of sides.flat()) writeOut(kept, extent, fail);
  if (sides.some((side) => count(side) > MOST)) throw new Reject("V20", "a view of too many kept positions");
  if (!sameRun(sides[0], sides[1])) fail("shows other positions than it reads");
}

/** Weights in groups: the channels of position o are those of its group, cut alike. */
function checkBlocks(before, after, shapeOf, cut, fail) {
  const places = [before.outer, before.inner, before.channels];
  const [outer, inner, channels] = places.map((place) => keptAt(cut, place));
  for (const place of places) writeOut(keptAt(cut, place), shapeOf(place), fail);
  if (outer === null && inner === null && channels === null) return;
  const { extent, width, groups } = before;
  const [outers, inners] = [outer?.length ?? extent, inner?.length ?? width];
  demand(outers * inners <= FOLLOWED, "V20", "a cut of too many channels");
  const channel = (k) => (channels === null ? k : channels[k]);
  for (let o = 0; o < outers; o += 1) {
    const start = Math.floor((o * after.groups) / outers) * inners;
    const origin = Math.floor(((outer === null ? o : outer[o]) * groups) / extent) * width;
    for (let j = 0; j < inners; j += 1) {
      if (channel(start + j) !== origin + (inner === null ? j : inner[j])) fail("reads other channels than before");
    }
  }
}

/** Channels are kept in whole multiples, and as many of them as the operation says afterwards. */
function checkMultiple(before, after, { cut, shapeOf, fail }) {
  const kept = keptAt(cut, before.place);
  writeOut(kept, shapeOf(before.place), fail);
  if (after.size !== before.size) fail("has groups of another size");
  if (kept === null) return;
  const whole = kept.length % before.size === 0 && kept.every((index, k) => k % before.size === 0 ? index % before.size === 0 : index === kept[k - 1] + 1);
  if (!whole) fail("cuts through a group");
}

/** The scale of attention stays, or becomes 1/√e where there was none; it must when e is cut. */
function checkScale(before, after, cut, fail) {
  const [was, is] = [before.value("scale"), after.value("scale")];
  const port = before.port("query");
  const width = before.shape(port).at(-1);
  const isCut = cut.sources[port].at(-1) !== null;
  const explicit = typeof width === "number" && is === 1 / Math.sqrt(width);
  if (was === null ? !(explicit || (is === null && !isCut)) : is !== was) fail("changes its scale");
}

/** Attributes are equal, but for those that typing and the relation force. */
function sameAttributes(before, after, schema, fail) {
  const forced = new Set(schema.filter((one) => one.forced).map((one) => one.written));
  const [left, right] = [before.operation.attributes, after.operation.attributes];
  if (left.size !== right.size) fail("has other arguments");
  for (const [name, value] of left) {
    if (forced.has(name)) continue;
    if (!right.has(name) || JSON.stringify(value) !== JSON.stringify(right.get(name))) fail(`changes its argument ${name}`);
  }
}

/** Demands a kept list of proper indices for each dimension, or null. */
function checkKept(kept, sorts) {
  const fits = kept.length === sorts.length && kept.every((sets, port) => sets.length === sorts[port].shape.length);
  if (!fits) throw new Error("kept sets of another call");
}

/**
 * Demands the index relation.
 * @param {{call: any, reading: import("./reading.js").Reading, layout: import("./layout.js").Layout}} before
 * @param {{call: any, reading: import("./reading.js").Reading, layout: import("./layout.js").Layout}} after
 * @param {Cut} cut
 */
export function checkRelation(before, after, cut) {
  const name = before.call.operation.op;
  const fail = (message) => {
    throw new Reject("V14", `${name} ${message}`);
  };
  demand(after.call.operation.op === name, "V14", `${name} becomes ${after.call.operation.op}`);
  checkKept(cut.sources, before.call.sources);
  checkKept(cut.targets, before.call.targets);
  sameAttributes(before.call, after.call, before.reading.row.schema, fail);
  const shapeOf = (place) => before.call[place.side === "source" ? "sources" : "targets"][place.port].shape[place.dimension];
  const [was, is] = [before.layout, after.layout];
  checkTies(was, cut, fail);
  was.links.forEach((link, k) => checkLink(link, is.links[k], { cut, shapeOf, fail }));
  for (const run of was.runs) checkRun(run, cut, fail);
  was.blocks.forEach((block, k) => checkBlocks(block, is.blocks[k], shapeOf, cut, fail));
  was.multiples.forEach((one, k) => checkMultiple(one, is.multiples[k], { cut, shapeOf, fail }));
  if (before.reading.row.layout === "attention") checkScale(before.reading, after.reading, cut, fail);
}

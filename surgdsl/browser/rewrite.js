/**
 * One step as a double pushout (section 8, points 1 to 4): L is found, L∖K is taken out, R∖K is put in.
 *
 * Nothing of the result is read from the certificate: the complement and the pushout are formed here, and ids of new items are derived.
 */
import { encode } from "./canonical.js";
import { operationOf } from "./net.js";
import { demand } from "./reject.js";
import { checkAttributes } from "./statement.js";

const sameJson = (a, b) => {
  const [left, right] = [encode(a), encode(b)];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
};
const sameList = (a, b) => a.length === b.length && a.every((item, i) => item === b[i]);
const sameSort = (a, b) => a.dtype === b.dtype && sameList(a.shape, b.shape);

/** What an operation is, but for its wires. */
function label({ op, attributes, encoding, parts, role }) {
  return op === "param" ? { op, encoding, parts, role } : { op, attributes: [...attributes] };
}

/** Whether two operations have one label: operator and attributes, or encoding, parts and role. */
export const sameLabel = (a, b) => a === b || (a.op === b.op && sameJson(label(a), label(b)));

/**
 * One side of a rule: wires first, then operations, with ids in one sequence; each operation with its ends and parts, one after the other.
 * @param {(wire: string) => object | undefined} known the sort of a wire that the side may name, beside its own.
 */
function sideOf(json, letter, place, known, checkParam) {
  const demandId = (id, i) => demand(id === `${letter}${i}`, "V10", `${place}: the id ${id} where ${letter}${i} comes`);
  json.wires.forEach(({ id }, i) => demandId(id, i));
  const wires = new Map(json.wires.map(({ id, dtype, shape }) => [id, { dtype, shape }]));
  const sort = (wire) => wires.get(wire) ?? known(wire);
  json.operations.forEach(({ id }, i) => demandId(id, json.wires.length + i));
  for (const { id, sources, targets } of json.operations)
    for (const wire of [...sources, ...targets]) demand(sort(wire) !== undefined, "V10", `${place}: ${id} names the wire ${wire}, which is not there`);
  const operations = new Map();
  for (const written of json.operations) {
    checkAttributes(written, `${place}, ${written.id}`);
    const operation = operationOf(written, (wire) => wire);
    if (operation.op === "param") checkParam(operation, sort);
    operations.set(written.id, operation);
  }
  return { wires, operations };
}

/** L, K and R∖K are well-formed: K names what L has, and every end of an operation is there. */
function sidesOf(step, place, checkParam) {
  const left = sideOf(step.left, "l", `${place}, left`, () => undefined, checkParam);
  const { operations, wires } = step.glue;
  demand(operations.length === 0, "V10", `${place}: operations in the glue`);
  const glued = new Set(wires);
  demand(sameList(wires, [...left.wires.keys()].filter((id) => glued.has(id))), "V10", `${place}: the glue names wires that L does not have, or in another order`);
  const right = sideOf(step.right, "r", `${place}, right`, (wire) => (glued.has(wire) ? left.wires.get(wire) : undefined), checkParam);
  return { left, right, glued };
}

/** The image of each local id; total, injective and in the order of L. */
function imagesOf(pairs, locals, items, place) {
  demand(sameList(pairs.map(([local]) => local), [...locals.keys()]), "V11", `${place}: the match is not total on L, in its order`);
  const images = new Map(pairs);
  demand(new Set(images.values()).size === images.size, "V11", `${place}: the match maps two to one`);
  for (const id of images.values()) demand(items.has(id), "V11", `${place}: the net has no ${id}`);
  return images;
}

/** The match keeps sorts, labels, parts, sources and targets. */
function matchOf(step, left, net, place) {
  const wires = imagesOf(step.match.wires, left.wires, net.wires, place);
  const operations = imagesOf(step.match.operations, left.operations, net.operations, place);
  for (const [local, sort] of left.wires) demand(sameSort(sort, net.wires.get(wires.get(local))), "V11", `${place}: ${local} has another sort than ${wires.get(local)}`);
  const image = (local) => wires.get(local);
  for (const [local, operation] of left.operations) {
    const found = net.operations.get(operations.get(local));
    const ends = sameList(operation.sources.map(image), found.sources) && sameList(operation.targets.map(image), found.targets);
    demand(sameLabel(operation, found), "V11", `${place}: ${local} has another label than ${operations.get(local)}`);
    demand(ends, "V11", `${place}: ${local} has other wires than ${operations.get(local)}`);
  }
  return { wires, operations };
}

/** Nothing is left that reads or makes a deleted wire, and no deleted wire is an end of the net. */
function demandGluing(net, match, glued, place) {
  const gone = new Set([...match.wires].filter(([local]) => !glued.has(local)).map(([, id]) => id));
  const taken = new Set(match.operations.values());
  for (const [id, { sources, targets }] of net.operations) {
    if (taken.has(id)) continue;
    for (const wire of [...sources, ...targets]) demand(!gone.has(wire), "V11", `${place}: ${id}, which stays, is left without its wire ${wire}`);
  }
  for (const { name, wire } of [...net.inputs, ...net.outputs]) demand(!gone.has(wire), "V11", `${place}: the wire ${wire} of ${name} is taken out`);
  return { gone, taken };
}

/** R∖K makes the wires of K that L∖K made, and each of its own once. */
function demandMade(left, right, glued, place) {
  const made = (side) => [...side.operations.values()].flatMap(({ targets }) => targets);
  const rights = made(right);
  demand(new Set(rights).size === rights.length, "V11", `${place}: two operations of R make one wire`);
  const lefts = new Set(made(left));
  const now = new Set(rights);
  for (const wire of glued) demand(lefts.has(wire) === now.has(wire), "V11", `${place}: the glue wire ${wire} is made on one side only`);
  for (const wire of right.wires.keys()) demand(now.has(wire), "V11", `${place}: nobody makes the new wire ${wire}`);
}

function pushout(net, index, { gone, taken }, right, match) {
  const id = (local) => (right.wires.has(local) || right.operations.has(local) ? `s${index}.${local.slice(1)}` : match.wires.get(local));
  const wires = new Map([...net.wires].filter(([wire]) => !gone.has(wire)));
  const operations = new Map([...net.operations].filter(([operation]) => !taken.has(operation)));
  for (const [local, sort] of right.wires) wires.set(id(local), sort);
  for (const [local, operation] of right.operations) {
    operations.set(id(local), { ...operation, sources: operation.sources.map(id), targets: operation.targets.map(id) });
  }
  return { ...net, wires, operations };
}

/**
 * Applies a step to a net. The result is not yet known to be typed, or a net.
 * @param {(operation: object, sort: (wire: string) => object) => void} checkParam rejects a weight whose ports or parts are wrong (V09).
 * @returns {object} the view of the step (README), with `created`, the new operations of `after`. Rejects with V09, V10, V11, V12.
 */
export function apply(net, step, index, checkParam) {
  const place = `step ${index} (${step.step})`;
  const { left, right, glued } = sidesOf(step, place, checkParam);
  const sort = (local) => left.wires.get(local) ?? right.wires.get(local);
  const match = matchOf(step, left, net, place);
  const removed = demandGluing(net, match, glued, place);
  demandMade(left, right, glued, place);
  const after = pushout(net, index, removed, right, match);
  const created = [...right.operations.keys()].map((local) => after.operations.get(`s${index}.${local.slice(1)}`));
  return { step, index, name: step.step, rule: step.rule, arguments: step.arguments, left, glue: step.glue, right, match, before: net, after, created, sort };
}

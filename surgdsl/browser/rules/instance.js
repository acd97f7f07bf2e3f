/**
 * Whether a step is an instance of its declaration: points 1 to 7 and 10 of section 11.
 *
 * What comes out, the boxes with the operations and weights that stand for them, is all that the points after these look at.
 * @module
 */

import { alike } from "../alike.js";
import { evaluateFigure } from "../figure.js";
import { hexFloat } from "../number.js";
import { ratio, whole } from "../rational.js";
import { Reject, demand } from "../reject.js";
import { has } from "../schema.js";
import { variablesIn, variablesOf as variablesOfBoxes } from "./declaration.js";
import { groundAttribute, groundSize } from "./ground.js";
import { kindOf } from "./kinds.js";

/**
 * @typedef {object} Placed a box with what stands for it
 * @property {any} box @property {any} operation @property {Map<string, any>} weights params by name @property {Map<string, string>} wires ids by name
 * @property {Map<string, any>} arguments the operation's
 */
/** @typedef {{declaration: any, discharge: any, variables: Map<string, any>, left: Placed[], right: Placed[], dtype: string, wires: Map<string, string>}} Instance */

const REAL = ["F64", "F32", "F16"];
const EVALUATIONS = 10000000;

/** @param {any[]} boxes @param {Set<string>} known names that are listed already @returns {string[]} */
function namesOf(boxes, known) {
  const seen = new Set(known);
  const ends = boxes.flatMap(({ sources, targets }) => [...sources, ...targets]);
  return ends.filter((name) => !seen.has(name) && seen.add(name));
}

/** Points 2 and 6: the variables, and the conditions over them. @param {any} declaration @param {[string, any][]} given */
function variablesOf(declaration, given) {
  const wanted = [...variablesIn(declaration)].sort();
  demand(alike(wanted, given.map(([name]) => name)), "V14", `the variables are ${wanted.join(", ") || "none"}`);
  const variables = new Map(given);
  for (const name of variablesOfBoxes(declaration.right)) demand(variables.has(name), "V14", `${name} stands only on the right`);
  const values = new Map();
  for (const [name, value] of variables) if (numberOf(value)) values.set(name, numberOf(value));
  for (const condition of declaration.where) demand(holds(condition, values), "V14", `a condition of rule ${declaration.name} is not met`);
  return variables;
}

/** The exact number that an attribute is, or null. @param {any} value */
function numberOf(value) {
  if (typeof value === "number") return whole(value);
  const float = has(value, "float") ? hexFloat(value.float) : NaN;
  if (!Number.isFinite(float)) return null;
  let [mantissa, below] = [float, 1n];
  while (!Number.isInteger(mantissa)) [mantissa, below] = [mantissa * 2, below * 2n];
  return ratio(BigInt(mantissa), below);
}

/** @param {any} condition @param {Map<string, any>} values */
function holds(condition, values) {
  for (const name of namesIn(condition)) demand(values.has(name), "V14", `${name} is no number, and a condition speaks of it`);
  try {
    return evaluateFigure(condition, { metrics: null, properties: null, budget: { left: EVALUATIONS }, values });
  } catch (fault) {
    if (fault instanceof Reject && fault.code === "V18") throw new Reject("V14", `a condition is not defined: ${fault.message}`);
    throw fault;
  }
}

/** @param {any} tree @returns {string[]} */
const namesIn = (tree) => ("variable" in tree ? [tree.variable] : (tree.terms ?? []).flatMap(namesIn));

/** Point 3: the wires of both sides by their names. @param {any} view @param {any} declaration */
function wiresOf({ arguments: { wires }, left, right }, declaration) {
  const glue = declaration.glue.map((/** @type {any} */ { name }) => name);
  const shared = new Set(glue);
  const [ofLeft, ofRight] = [namesOf(declaration.left, shared), namesOf(declaration.right, shared)];
  const named = [...glue, ...ofLeft, ...ofRight];
  demand(alike(named, wires.map((/** @type {any} */ [name]) => name)), "V14", `the wires are ${named.join(", ")}`);
  const ids = wires.map((/** @type {any} */ [, id]) => id);
  demand(new Set(ids).size === ids.length, "V14", "a wire stands for two");
  const first = glue.length + ofLeft.length;
  demand(ids.every((/** @type {string} */ id, /** @type {number} */ i) => (i < first ? left : right).wires.has(id)), "V14", "a wire of the wrong side");
  const onLeft = new Map(wires.slice(0, first));
  return { left: onLeft, right: new Map([...wires.slice(0, glue.length), ...wires.slice(first)]) };
}

/** Points 3 to 5 for one side. @param {any[]} boxes @param {any[]} rows of the arguments @param {Map<string, string>} wires @param {any} view @param {any} side @param {Instance["variables"]} variables */
function place(boxes, rows, wires, view, side, variables) {
  demand(alike(boxes.map(({ name }) => name), rows.map(([name]) => name)), "V14", "the boxes are listed as they are declared");
  const ids = rows.map(([, id]) => id);
  demand(new Set(ids).size === ids.length, "V14", "an operation stands for two boxes");
  const used = new Set(ids);
  const placed = boxes.map((box, i) => {
    const operation = side.operations.get(ids[i]);
    demand(operation && operation.op !== "param", "V14", `${box.name}: no operation ${ids[i]}`);
    rows[i][2].forEach((/** @type {[string, string]} */ [, id]) => used.add(id));
    return placeBox(box, operation, rows[i][2], wires, view, side, variables);
  });
  demand([...side.operations.keys()].every((id) => used.has(id)), "V14", "an operation that no box stands for");
  const there = new Set([...wires.values(), ...placed.flatMap(({ weights }) => [...weights.values()].map(({ targets }) => targets[0]))]);
  demand([...side.wires.keys()].every((wire) => there.has(wire)), "V14", "a wire that no box names");
  return placed;
}

/** Point 4. @param {any} box @param {any} operation @param {[string, string][]} listedWeights @param {Map<string, string>} wires @param {any} view @param {any} side @param {Map<string, any>} variables @returns {Placed} */
function placeBox(box, operation, listedWeights, wires, view, side, variables) {
  const kind = kindOf(box.kind);
  demand(operation.op === kind.operator, "V14", `${box.name} is ${kind.operator}, not ${operation.op}`);
  const there = kind.weights.filter(({ name }) => listedWeights.some(([listed_]) => listed_ === name));
  demand(alike(there.map(({ name }) => name), listedWeights.map(([name]) => name)), "V14", `${box.name}: its weights in the order of the table`);
  const weights = new Map(listedWeights.map(([name, id]) => [name, side.operations.get(id)]));
  for (const [i, { name, places }] of there.entries()) {
    const param = weights.get(name);
    demand(param?.op === "param", "V14", `${box.name}.${name} is no param of its side`);
    const shape = places.map((at) => groundSize(box.sizes[at], variables));
    demand(alike(shape, view.sort(param.targets[0]).shape), "V14", `${box.name}.${name} has the shape [${view.sort(param.targets[0]).shape}], not [${shape}]`);
    const port = kind.weightsFirst ? i : box.sources.length + i;
    demand(operation.sources[port] === param.targets[0], "V14", `${box.name}.${name} is not what the operation reads there`);
  }
  const data = kind.weightsFirst ? operation.sources.slice(there.length) : operation.sources.slice(0, operation.sources.length - there.length);
  checkEnds(box, data, operation.targets, wires, side === view.left);
  checkArguments(box, kind, operation, new Set(there.map(({ name }) => name)), variables, side === view.left);
  return { box, operation, weights, wires, arguments: operation.attributes };
}

/** @param {any} box @param {string[]} sources @param {string[]} targets @param {Map<string, string>} wires @param {boolean} isLeft */
function checkEnds(box, sources, targets, wires, isLeft) {
  const image = (/** @type {string[]} */ names) => names.map((name) => wires.get(name));
  const wanted = image(box.sources);
  const turned = isLeft && (box.kind === "add" || box.kind === "mul") && alike(wanted.toReversed(), sources);
  demand(alike(wanted, sources) || turned, "V14", `${box.name} reads other wires`);
  demand(alike(image(box.targets), targets), "V14", `${box.name} makes other wires`);
}

/** Whether a list is that of equal ones which an integer stands for. @param {any} wanted @param {any} value */
const equalOnes = (wanted, value) => typeof wanted === "number" && Array.isArray(value) && value.length > 0 && value.every((item) => item === wanted);

/** @param {any} box @param {import("./kinds.js").Kind} kind @param {any} operation @param {Set<string>} there names of its weights @param {Map<string, any>} variables @param {boolean} isLeft */
function checkArguments(box, kind, operation, there, variables, isLeft) {
  const left = new Map(operation.attributes);
  for (const { name, port, neutral } of kind.weights.filter((weight) => !there.has(weight.name))) {
    demand(neutral !== null && alike(left.get(port), { none: true }), "V14", `${box.name}.${name} is missing`);
    left.delete(port);
  }
  const stated = new Map(box.attributes.map((/** @type {any} */ [name, value]) => [name, groundAttribute(value, variables)]));
  const sizes = (/** @type {number[]} */ places) => places.map((at) => groundSize(box.sizes[at], variables)).map((size) => (typeof size === "number" ? size : { extent: size }));
  const defaults = new Map([...kind.defaults, ...(box.kind === "layernorm" ? [["normalized_shape", sizes([0])]] : [])]);
  for (const name of new Set([...defaults.keys(), ...stated.keys()])) {
    demand(left.has(name), "V14", `${box.name}: the operation has no argument ${name}`);
    const value = left.get(name);
    left.delete(name);
    if (isLeft && kind.free.has(name) && !stated.has(name)) continue;
    const wanted = stated.has(name) ? stated.get(name) : defaults.get(name);
    demand(alike(wanted, value) || (kind.lists.has(name) && equalOnes(wanted, value)), "V14", `${box.name}: ${name} is ${JSON.stringify(value)}, not ${JSON.stringify(wanted)}`);
  }
  demand(left.size === 0, "V14", `${box.name}: the rule says nothing of ${[...left.keys()].join(", ")}`);
}

/** Point 5, K. @param {any} view @param {any} declaration @param {Map<string, string>} wires @param {Map<string, any>} variables */
function checkGlue({ glue, left }, declaration, wires, variables) {
  demand(alike([...glue.wires].sort(), declaration.glue.map((/** @type {any} */ { name }) => wires.get(name)).sort()), "V14", "K is made of the wires of the glue");
  for (const { name, dtype, shape } of declaration.glue) {
    const sort = left.wires.get(wires.get(name));
    demand(dtype === "real" ? REAL.includes(sort.dtype) : sort.dtype === dtype.toUpperCase(), "V14", `${name} is ${sort.dtype}`);
    const fits = !shape || (shape.length === sort.shape.length && shape.every((/** @type {any} */ size, /** @type {number} */ i) => size === "*" || groundSize(size, variables) === sort.shape[i]));
    demand(fits, "V14", `${name} has the shape [${sort.shape}]`);
  }
}

/** Point 7. @param {Placed[]} left @param {Placed[]} right @param {any} declaration @param {any} view @param {Map<string, string>} wires */
function dtypeOf(left, right, declaration, view, wires) {
  const params = (/** @type {Placed[]} */ side) => side.flatMap(({ weights }) => [...weights.values()]);
  const dtypes = (/** @type {Placed[]} */ side) => params(side).map(({ targets }) => view.sort(targets[0]).dtype);
  demand([...params(left), ...params(right)].every(({ encoding }) => encoding.kind === "dense"), "V14", "a weight is not dense");
  const inGlue = declaration.glue.map((/** @type {any} */ { name }) => view.left.wires.get(wires.get(name)).dtype);
  const dtype = dtypes(left)[0] ?? inGlue.find((/** @type {string} */ item) => REAL.includes(item));
  demand([...dtypes(left), ...dtypes(right)].every((item) => item === dtype && REAL.includes(item)), "V14", "weights of more than one dtype, or of none that rules take");
  for (const { box, weights } of right)
    for (const { name } of kindOf(box.kind).weights)
      demand(weights.has(name) === declaration.with.some((/** @type {any} */ value) => value.box === box.name && value.tensor === name), "V14", `${box.name}.${name}: there exactly when it has a value`);
  return dtype;
}

/** The instance that a step is; V14 when it is none. @param {any} view @param {any} context @returns {Instance} */
export function instanceOf(view, { declarations }) {
  const given = view.arguments;
  const row = declarations.get(given.rule);
  demand(row && row.steps.includes(view.name), "V14", "no declaration with this digest that lists the step");
  const { declaration, discharge } = row;
  const fits = "factor" in given === "bound" in declaration && "scales" in given === "scales" in declaration;
  demand(fits, "V03", "a factor where the rule is bounded, scales where it has some, and nowhere else");
  const variables = variablesOf(declaration, given.variables);
  const wires = wiresOf(view, declaration);
  const left = place(declaration.left, given.left, wires.left, view, view.left, variables);
  const right = place(declaration.right, given.right, wires.right, view, view.right, variables);
  checkGlue(view, declaration, wires.left, variables);
  const dtype = dtypeOf(left, right, declaration, view, wires.left);
  checkDecrease(declaration);
  checkScales(given.scales ?? [], declaration.scales ?? [], variables);
  return { declaration, discharge, variables, left, right, dtype, wires: wires.left };
}

/** Point 10. @param {any} declaration */
function checkDecrease({ decreases, left, right, name }) {
  if (decreases === undefined) return;
  const weigh = (/** @type {any[]} */ boxes) => decreases.map((/** @type {any} */ [kind, factor]) => BigInt(factor) * BigInt(boxes.filter((box) => box.kind === kind).length));
  const sum = (/** @type {any[]} */ boxes) => weigh(boxes).reduce((/** @type {bigint} */ a, /** @type {bigint} */ b) => a + b, 0n);
  demand(sum(right) < sum(left), "V14", `what rule ${name} decreases does not decrease`);
}

/** @param {[string, number[]][]} given @param {any[]} declared @param {Map<string, any>} variables */
function checkScales(given, declared, variables) {
  demand(alike(given.map(([name]) => name), declared.map(([name]) => name)), "V14", "scales in the order of the declaration");
  for (const [i, [name, , size]] of declared.entries()) {
    const [, exponents] = given[i];
    demand(exponents.length === groundSize(size, variables), "V14", `${name} has ${exponents.length} elements`);
  }
}

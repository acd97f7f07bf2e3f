/**
 * Declarations of rules (section 11): their schema, and what their parts say of each other.
 * @module
 */

import { isDtype, isName, isNatural, isRational } from "../canonical.js";
import { ruleDigest } from "../digest.js";
import { polynomial, symbols } from "../extent.js";
import { KINDS as REDUCTIONS, checkApply, demandFields } from "../figure.js";
import { Reject, demand } from "../reject.js";
import { chosen, demandRising, has, integer, kind, list, object, shown, text, tuple, word } from "../schema.js";
import { attribute } from "../statement.js";
import { kindOf } from "./kinds.js";

/** Items of a list of a declaration; dimensions of a tensor. */
const [MANY, RANK] = [64, 8];
const name = kind("a name", isName);
const natural = kind("a natural", isNatural);
const symbol = kind("a name of letters, digits and _", (value) => typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value));
const extent = (/** @type {any} */ value, /** @type {string} */ place) => {
  if (typeof value === "string") polynomial(value);
  else integer(1)(value, place);
};
const dtype = kind("a dtype in lower case, or real", (value) => value === "real" || (typeof value === "string" && value === value.toLowerCase() && isDtype(value.toUpperCase())));
const star = chosen((value) => (value === "*" ? text : extent));
const first = (/** @type {any[]} */ [key]) => key;
const rising = (/** @type {any} */ item, least = 0) => (/** @type {any} */ value, /** @type {string} */ place) => {
  list(item, MANY, least)(value, place);
  demandRising(value, place, first);
};
const box = object({
  attributes: rising(tuple(name, attribute)), kind: name, name: symbol, sizes: list(extent, RANK), sources: list(name, MANY), targets: list(name, MANY),
});
const formula = (/** @type {string} */ sort, /** @type {string[]} */ forms) => (/** @type {any} */ tree) =>
  demand(sortOf(tree, forms) === sort, "V03", `a formula of a rule is no ${sort}`);
const EXACT = ["number", "variable", "apply"];
const TENSOR = [...EXACT, "reduce", "spectral"];
const schema = object(
  {
    glue: list(object({ dtype, name }, { shape: list(star, RANK) }), MANY), grade: word("exact", "bounded", "lossy"), left: list(box, MANY, 1), name, right: list(box, MANY),
    parameters: list(tuple(symbol, word("int", "bit")), MANY), where: list(formula("truth", EXACT), MANY),
    with: list(object({ box: symbol, tensor: symbol, value: formula("number", TENSOR) }), MANY),
  },
  {
    bound: object({ factor: formula("number", TENSOR), input: name, norm: word("l2", "linf"), output: name }),
    decreases: rising(tuple(name, natural), 1), scales: list(tuple(symbol, name, extent), MANY, 1),
  },
);

/**
 * The sort of a formula of a rule; V03 when it is none. @param {any} tree @param {string[]} forms that may stand in it @returns {string}
 */
function sortOf(tree, forms) {
  demand(tree !== null && typeof tree === "object" && !Array.isArray(tree), "V03", "a formula is an object");
  const form = ["apply", "reduce", "spectral", "variable", "number"].find((field) => field in tree);
  demand(form && forms.includes(form), "V03", `${form} does not stand in this formula`);
  const inner = (/** @type {any} */ term) => demand(sortOf(term, forms) === "number", "V03", "a number is asked for");
  if (form === "apply") {
    demand(forms === TENSOR || !["sqrt", "exp", "log"].includes(tree.apply), "V03", `${shown(tree.apply)} is not exact`);
    return checkApply(tree, (term) => sortOf(term, forms));
  }
  if (form === "number") demandFields(tree, ["number"]);
  if (form === "number") demand(isRational(tree.number), "V03", "no number");
  if (form === "variable") demandFields(tree, ["variable"]);
  if (form === "variable") demand(isName(tree.variable), "V03", "no name");
  if (form === "reduce") {
    demandFields(tree, ["reduce", "axes", "body"]);
    demand(REDUCTIONS.includes(tree.reduce), "V03", "no such reduction");
    list(name, RANK)(tree.axes, "axes");
  }
  if (form === "spectral") {
    demandFields(tree, ["spectral", "body", "rank", "axis"]);
    word("left", "right", "sigma")(tree.spectral, "spectral");
    demand(tree.axis === "" || isName(tree.axis), "V03", "the axis of a spectral value");
    inner(tree.rank);
  }
  if ("body" in tree) inner(tree.body);
  return "number";
}

/** The symbols of an attribute. @param {any} value @returns {string[]} */
function symbolsOf(value) {
  if (Array.isArray(value)) return value.flatMap(symbolsOf);
  return has(value, "extent") ? [...symbols(value.extent)] : [];
}

/** The variables of some boxes. @param {any[]} boxes */
export const variablesOf = (boxes) =>
  boxes.flatMap(({ sizes, attributes }) => [...sizes.flatMap((/** @type {any} */ size) => [...symbols(size)]), ...attributes.flatMap((/** @type {any} */ [, value]) => symbolsOf(value))]);

/** The variables of a declaration: those of L, of the types of K, and the parameters. @param {any} declaration */
export function variablesIn({ left, glue, parameters }) {
  const types = glue.flatMap(({ shape = [] }) => shape.flatMap((/** @type {any} */ size) => (size === "*" ? [] : [...symbols(size)])));
  return new Set([...variablesOf(left), ...types, ...parameters.map(first)]);
}

/** Rejects a box that is not of its kind. @param {any} box @param {string} place */
function checkBox(box, place) {
  const known = kindOf(box.kind);
  demand(known, "V03", `${place}: no kind is called ${box.kind}`);
  demand(box.sizes.length === known.words.length, "V03", `${place}: ${box.kind} has ${known.words.length} sizes`);
  if (known.inputs < 0) return;
  demand(box.sources.length === known.inputs && box.targets.length === 1, "V03", `${place}: ${box.kind} has ${known.inputs} inputs and one target`);
  const stated = new Map(box.attributes);
  for (const argument of stated.keys()) demand(known.defaults.has(argument), "V03", `${place}: ${box.kind} has no argument ${argument}`);
  for (const [argument, value] of known.defaults) demand(value !== null || stated.has(argument), "V03", `${place}: ${argument} is to be stated`);
}

/** @param {string[]} names @param {string} what */
const distinct = (names, what) => demand(new Set(names).size === names.length, "V03", `${what}: a name twice`);

/** Rejects a declaration whose parts do not fit together. @param {any} declaration */
function checkParts(declaration) {
  const { left, right, glue, grade, parameters, scales = [], bound, name: rule } = declaration;
  demand((grade === "bounded") === "bound" in declaration, "V03", `rule ${rule}: a bound, exactly when it is bounded`);
  for (const [side, boxes] of [["left", left], ["right", right]]) {
    distinct(boxes.map((/** @type {any} */ { name: box }) => box), `rule ${rule}, ${side}`);
    for (const item of boxes) checkBox(item, `rule ${rule}, ${side}, ${item.name}`);
  }
  const wires = glue.map((/** @type {any} */ wire) => wire.name);
  distinct(wires, `rule ${rule}, glue`);
  const [ofLeft, ofRight] = [left, right].map((boxes) => new Set(boxes.flatMap((/** @type {any} */ { targets }) => targets)));
  const read = (/** @type {string} */ wire) => wires.includes(wire) && !ofLeft.has(wire) && !ofRight.has(wire);
  const made = (/** @type {string} */ wire) => wires.includes(wire) && ofLeft.has(wire) && ofRight.has(wire);
  demand(!bound || (read(bound.input) && made(bound.output)), "V03", `rule ${rule}: a bound is from a wire of K that is read to one that both sides make`);
  const variables = variablesIn(declaration);
  for (const [scale, , size] of scales) {
    demand(!variables.has(scale), "V03", `rule ${rule}: ${scale} is a scale and a variable`);
    for (const variable of symbols(size)) demand(variables.has(variable), "V03", `rule ${rule}: no variable ${variable}`);
  }
  distinct([...scales, ...parameters].map(first), `rule ${rule}, scales and parameters`);
  checkWith(declaration);
}

/** @param {any} declaration */
function checkWith({ right, with: values, name: rule }) {
  distinct(values.map((/** @type {any} */ { box: owner, tensor }) => `${owner} ${tensor}`), `rule ${rule}, with`);
  for (const { box: owner, tensor } of values) {
    const there = right.find((/** @type {any} */ item) => item.name === owner);
    demand(there && kindOf(there.kind).weights.some((weight) => weight.name === tensor), "V03", `rule ${rule}: no ${owner}.${tensor} on the right`);
  }
}

/** Whether a method can speak for a rule of a grade, with these numbers. @param {{method: string, bits: number, instances: number}} discharge @param {string} grade */
function speaks({ method, bits, instances }, grade) {
  if (method === "identity") return grade === "exact";
  return bits === 0 && (method === "none") === (grade === "lossy") && (method === "samples" || instances === 0);
}

/** Rejects (V03) what has not the form of a declaration. @param {any} declaration @param {string} place */
export const checkDeclaration = (declaration, place) => schema(declaration, place);

/**
 * The declarations of a statement by their digests, their forms being checked. @param {any[]} rows of `rules`
 * @returns {Promise<Map<string, {declaration: any, discharge: any, steps: string[]}>>}
 */
export async function checkDeclarations(rows) {
  const found = new Map();
  let last = "";
  for (const row of rows) {
    const digest = await ruleDigest(row.declaration);
    if (!(last < digest)) throw new Reject("V03", "rules are sorted by the digest of their declaration, each once");
    last = digest;
    checkParts(row.declaration);
    const { declaration, discharge } = row;
    demand(speaks(discharge, declaration.grade), "V03", `rule ${declaration.name}: what speaks for it does not fit its grade`);
    found.set(digest, row);
  }
  return found;
}

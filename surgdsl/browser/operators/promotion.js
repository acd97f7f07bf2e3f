/**
 * The dtypes of a call: what its sources promote to, and what its targets are.
 *
 * Each row of the table has a letter for each tensor argument and each target. The letters are the page's; this module is the only one that
 * reads them.
 */

import { dtypeNamed } from "./reading.js";

const ORDER = ["BOOL", "U8", "I8", "I16", "I32", "I64", "F16", "BF16", "F32", "F64"];
const CATEGORY = ["truth", "integer", "float"];
const DEFAULTS = { truth: "BOOL", integer: "I64", float: "F32" };

const isFloating = (dtype) => ORDER.indexOf(dtype) >= ORDER.indexOf("F16");

/** @param {string} dtype @returns {number} 0 truth values, 1 integers, 2 floats */
function rank(dtype) {
  if (dtype === "BOOL") return 0;
  return isFloating(dtype) ? 2 : 1;
}

/** What two dtypes promote to; undefined is nothing. */
function join(one, other) {
  if (one === undefined || one === other) return other;
  if (other === undefined) return one;
  const pair = [one, other].sort().join(" ");
  if (pair === "I8 U8") return "I16";
  if (pair === "BF16 F16") return "F32";
  return ORDER.indexOf(one) > ORDER.indexOf(other) ? one : other;
}

/**
 * What tensors and numbers promote to together.
 * @param {{dtype: string, shape: unknown[]}[]} sorts
 * @param {string[]} operands categories of the numbers
 * @returns {string | undefined} undefined for nothing at all
 */
export function promote(sorts, operands) {
  const fold = (chosen) => chosen.map((sort) => sort.dtype).reduce(join, undefined);
  let dtype = fold(sorts.filter((sort) => sort.shape.length > 0));
  const points = fold(sorts.filter((sort) => sort.shape.length === 0));
  if (dtype === undefined || (points !== undefined && rank(points) > rank(dtype))) dtype = points;
  const highest = Math.max(-1, ...operands.map((one) => CATEGORY.indexOf(one)));
  if (highest >= 0 && (dtype === undefined || highest > rank(dtype))) return DEFAULTS[CATEGORY[highest]];
  return dtype;
}

/** @param {import("./reading.js").Reading} call @returns {{letter: string, sort: any}[]} present tensors with their letters */
function lettered(call) {
  const { sorts } = call.row;
  const found = [];
  let place = 0;
  for (const ports of call.ports.values()) {
    const letter = sorts[Math.min(place, sorts.length - 1)];
    for (const port of ports) if (port >= 0) found.push({ letter, sort: call.sorts[port] });
    place += 1;
  }
  return found;
}

/** @returns {string | undefined} the T of a row */
function common(call, tensors) {
  const strict = tensors.filter((one) => "fna".includes(one.letter)).map((one) => one.sort.dtype);
  if (strict.length > 0) {
    call.demand(strict.every((dtype) => dtype === strict[0]), `takes tensors of one dtype, not ${strict.join(", ")}`);
    return strict[0];
  }
  const mixed = tensors.filter((one) => "pqe".includes(one.letter)).map((one) => one.sort);
  return promote(mixed, call.operands);
}

/** What T, or the dtype of a source by itself, may be. */
const TAKES = {
  f: (dtype, joint) => isFloating(joint),
  n: (dtype, joint) => joint !== "BOOL",
  a: () => true,
  p: () => true,
  q: (dtype, joint) => joint !== "BOOL",
  e: (dtype, joint) => !isFloating(joint),
  i: (dtype) => dtype === "I64" || dtype === "I32",
  b: (dtype) => dtype === "BOOL",
  m: (dtype, joint) => dtype === "BOOL" || dtype === joint,
  x: () => true,
  y: (dtype) => dtype !== "U8",
};

/** @returns {string} the dtype of a target */
function result(letter, joint, asked) {
  if (letter === "B") return "BOOL";
  if (letter === "L") return "I64";
  if (asked !== null) return asked;
  const floating = joint !== undefined && isFloating(joint);
  if (letter === "F" && !floating) return "F32";
  if (letter === "S" && !floating) return "I64";
  if (joint === undefined) throw new Error("table of operators: a target without a dtype");
  return joint;
}

/**
 * Checks the dtypes of the sources and says those of the targets.
 * @param {import("./reading.js").Reading} call
 * @param {number} count of targets
 * @returns {string[]}
 */
export function dtypes(call, count) {
  const tensors = lettered(call);
  const joint = common(call, tensors);
  for (const { letter, sort } of tensors) call.demand(TAKES[letter](sort.dtype, joint), `does not take ${sort.dtype}`);
  for (const letter of call.row.sorts) {
    if ("qe".includes(letter)) call.demand(joint === undefined || TAKES[letter](joint, joint), `does not take ${joint}`);
  }
  const named = call.has("dtype") ? call.value("dtype") : null;
  const asked = named === null ? null : dtypeNamed(named);
  const { results } = call.row;
  const mixes = asked !== null && results.includes("=") && call.row.sorts.includes("f") && tensors.length > 0;
  call.demand(!mixes || isFloating(asked), `makes no ${asked}`);
  const made = Array.from({ length: count }, (_, k) => result(results[Math.min(k, results.length - 1)], joint, asked));
  if (call.floats.has("alpha")) call.demand(isFloating(made[0]), "takes a float alpha only for floats");
  return made;
}

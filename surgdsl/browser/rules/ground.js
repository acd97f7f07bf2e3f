/**
 * Sizes, shapes and arguments of a declaration with the variables of one application in them.
 * @module
 */

import { constant, extent, plus, polynomial, times } from "../extent.js";
import { demand } from "../reject.js";
import { has } from "../schema.js";

/** @typedef {Map<string, any>} Variables attributes by name */

/** @param {any} value of a variable @param {string} name */
function sizeOf(value, name) {
  if (has(value, "extent")) return polynomial(value.extent);
  demand(Number.isSafeInteger(value) && value >= 0, "V14", `the variable ${name} is no size`);
  return constant(value);
}

/**
 * A size with its variables replaced, as in a shape: an integer, or a polynomial's text.
 * @param {number | string} size @param {Variables} variables
 */
export function groundSize(size, variables) {
  if (typeof size === "number") return size;
  let total = constant(0);
  for (const [monomial, coefficient] of polynomial(size)) {
    let term = constant(coefficient);
    for (const symbol of monomial === "" ? [] : monomial.split("*")) term = times(term, sizeOf(variables.get(symbol), symbol));
    total = plus(total, term);
  }
  return total.size === 0 ? 0 : extent(total);
}

/** An attribute with its variables replaced: one that is a variable alone takes whatever it stands for. @param {any} value @param {Variables} variables @returns {any} */
export function groundAttribute(value, variables) {
  if (Array.isArray(value)) return value.map((item) => groundAttribute(item, variables));
  if (!has(value, "extent")) return value;
  if (variables.has(value.extent)) return variables.get(value.extent);
  const size = groundSize(value.extent, variables);
  return typeof size === "number" ? size : { extent: size };
}

/** A list argument written as one integer, or a list of one, is a list of equal ones. @param {any} value @param {number | undefined} length */
export function listed(value, length) {
  if (length === undefined || (Array.isArray(value) && value.length !== 1)) return value;
  const [item] = Array.isArray(value) ? value : [value];
  return typeof item === "number" ? Array.from({ length }, () => item) : value;
}

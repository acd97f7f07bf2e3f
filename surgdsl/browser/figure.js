/**
 * Figures: formulas of section 10 that give one exact number, and conditions of rules.
 *
 * They are checked as a whole before anything is computed, so that a formula that is none is found even where `if` would pass it by.
 * @module
 */

import { isDigest, isName, isRational } from "./canonical.js";
import { add, compare, digits, div, mul, negate, rational, ratio, sub, whole } from "./rational.js";
import { Reject, demand } from "./reject.js";
import { shown } from "./schema.js";

/** @typedef {import("./rational.js").Rational} Rational */
/** @typedef {{count: bigint, nnz: bigint, size: bigint, bits: number}} Properties of one weight */
/**
 * @typedef {object} Scope what a figure may speak of
 * @property {{before: Map<string, bigint>, after: Map<string, bigint>}} metrics
 * @property {{before: Properties[], after: Properties[]}} properties
 * @property {{left: number}} budget evaluations that may still be made
 * @property {Map<string, Properties>} [weights] by the variable that stands for one
 * @property {Map<string, Rational>} [values] of variables, in conditions of rules
 */

/** How many terms each function takes. */
export const TERMS = new Map([
  ...["add", "sub", "mul", "div", "pow", "min", "max"].map((name) => [name, 2]),
  ...["lt", "le", "gt", "ge", "eq", "ne", "and", "or"].map((name) => [name, 2]),
  ...["neg", "abs", "sqrt", "exp", "log", "not"].map((name) => [name, 1]),
  ["if", 3],
]);
export const KINDS = ["sum", "mean", "prod", "max", "min", "count"];
const ORDERS = new Map([["lt", [-1]], ["le", [-1, 0]], ["gt", [1]], ["ge", [0, 1]], ["eq", [0]], ["ne", [-1, 1]]]);
const METRICS = ["macs/1", "nnz/1", "params/1", "size/1"];
const MOST_BITS = 4096;

/** Rejects an object of other fields. @param {any} tree @param {string[]} fields */
export function demandFields(tree, fields) {
  const there = Object.keys(tree);
  demand(there.length === fields.length && fields.every((field) => field in tree), "V03", `a formula with the fields ${there.join(", ")}`);
}

const state = (/** @type {any} */ tree) => demand(tree.state === "before" || tree.state === "after", "V03", "a state is before or after");
const variable = (/** @type {any} */ tree) => demand(isName(tree.variable), "V03", "a variable has a name");

/**
 * Rejects an application that is none; gives the sort that it makes.
 * @param {any} tree @param {(term: any) => string} sortOf a term @returns {"number" | "truth"}
 */
export function checkApply(tree, sortOf) {
  demandFields(tree, ["apply", "terms"]);
  const { apply, terms } = tree;
  demand(typeof apply === "string" && TERMS.has(apply) && Array.isArray(terms) && terms.length === TERMS.get(apply), "V03", `${shown(apply)} of these terms is no function`);
  const sorts = terms.map(sortOf);
  const truth = ["and", "or", "not"].includes(apply);
  sorts.forEach((/** @type {string} */ sort, /** @type {number} */ i) => {
    const wanted = truth || (apply === "if" && i === 0) ? "truth" : "number";
    demand(sort === wanted, "V03", `term ${i + 1} of ${apply} is no ${wanted}`);
  });
  if (apply === "pow") {
    const exponent = "number" in terms[1] ? /^-?(0|[1-9]\d?)$/.exec(terms[1].number) : null;
    demand(exponent && Math.abs(Number(exponent[0])) <= 64, "V03", "the exponent of pow is an integer from -64 to 64");
  }
  return truth || ORDERS.has(apply) ? "truth" : "number";
}

/**
 * Rejects (V03) what is no figure. @param {any} tree
 * @param {(reference: {reference: string, sha256: string}) => void} [attested] told of every number that Python gave
 */
export function checkFigure(tree, attested = () => {}) {
  demand(sortOfFigure(tree, null, attested) === "number", "V03", "a side of a claim is a number");
}

/** @param {any} tree @param {string | null} bound the variable of the `each` around it @param {(reference: any) => void} attested @returns {string} */
function sortOfFigure(tree, bound, attested) {
  demand(tree !== null && typeof tree === "object" && !Array.isArray(tree), "V03", "a formula is an object");
  if ("apply" in tree) {
    demand(!["sqrt", "exp", "log"].includes(tree.apply), "V03", `${shown(tree.apply)} in a figure`);
    return checkApply(tree, (term) => sortOfFigure(term, bound, attested));
  }
  if ("each" in tree) {
    demandFields(tree, ["each", "variable", "over", "state", "body"]);
    demand(bound === null, "V03", "an each in an each");
    demand(KINDS.includes(tree.each) && tree.over === "weights", "V03", "an each is over weights, of one of the kinds");
    state(tree);
    variable(tree);
    demand(sortOfFigure(tree.body, tree.variable, attested) === "number", "V03", "the body of an each is a number");
    return "number";
  }
  if ("of" in tree) {
    demandFields(tree, ["of", "variable"]);
    demand(["count", "nnz", "size", "bits"].includes(tree.of) && tree.variable === bound, "V03", "a property of no weight");
    return "number";
  }
  return checkLeaf(tree, attested);
}

/** @param {any} tree @param {(reference: any) => void} attested */
function checkLeaf(tree, attested) {
  if ("metric" in tree) {
    demandFields(tree, ["metric", "state"]);
    demand(METRICS.includes(tree.metric), "V03", `no metric ${shown(tree.metric)}`);
    state(tree);
  } else if ("attested" in tree) {
    demandFields(tree, ["attested", "reference", "sha256", "state"]);
    demand(isRational(tree.attested) && typeof tree.reference === "string" && isDigest(tree.sha256), "V03", "an attested number");
    state(tree);
    attested(tree);
  } else {
    demandFields(tree, ["number"]);
    demand(isRational(tree.number), "V03", `no number: ${shown(tree.number)}`);
  }
  return "number";
}

/** Rejects a value that is not defined (V18). @param {unknown} condition @param {string} message @returns {asserts condition} */
const defined = (condition, message) => demand(condition, "V18", message);

/** @param {Rational} value */
function small(value) {
  defined(digits(value.n) + digits(value.d) <= MOST_BITS, `a number of more than ${MOST_BITS} bits`);
  return value;
}

/**
 * The value of a figure or of a condition, exactly; V18 where it is not defined, V20 beyond the budget.
 * @param {any} tree checked @param {Scope} scope @returns {any} a Rational, or a boolean
 */
export function evaluateFigure(tree, scope) {
  if (--scope.budget.left < 0) throw new Reject("V20", "more evaluations of formulas than allowed");
  if ("apply" in tree) return applied(tree, scope);
  if ("each" in tree) return each(tree, scope);
  if ("of" in tree) return whole(scope.weights.get(tree.variable)[tree.of]);
  if ("metric" in tree) return whole(scope.metrics[tree.state].get(tree.metric));
  if ("variable" in tree) return scope.values.get(tree.variable);
  return rational("attested" in tree ? tree.attested : tree.number);
}

/** @param {any} tree @param {Scope} scope */
function applied({ apply, terms }, scope) {
  if (apply === "if") return evaluateFigure(evaluateFigure(terms[0], scope) ? terms[1] : terms[2], scope);
  const values = terms.map((/** @type {any} */ term) => evaluateFigure(term, scope));
  if (apply === "and") return values[0] && values[1];
  if (apply === "or") return values[0] || values[1];
  if (apply === "not") return !values[0];
  if (ORDERS.has(apply)) return ORDERS.get(apply).includes(compare(values[0], values[1]));
  return small(arithmetic(apply, values));
}

/** @param {string} apply @param {Rational[]} values @returns {Rational} */
function arithmetic(apply, [a, b]) {
  if (apply === "add") return add(a, b);
  if (apply === "sub") return sub(a, b);
  if (apply === "mul") return mul(a, b);
  if (apply === "neg") return negate(a);
  if (apply === "abs") return a.n < 0n ? negate(a) : a;
  if (apply === "pow") return power(a, b.n);
  if (apply === "min") return compare(a, b) <= 0 ? a : b;
  if (apply === "max") return compare(a, b) >= 0 ? a : b;
  defined(b.n !== 0n, "a division by zero");
  return div(a, b);
}

/** @param {Rational} base @param {bigint} exponent */
function power(base, exponent) {
  if (exponent >= 0n) return { n: base.n ** exponent, d: base.d ** exponent };
  defined(base.n !== 0n, "a negative power of zero");
  return ratio(base.d ** -exponent, base.n ** -exponent);
}

/** @param {any} tree @param {Scope} scope @returns {Rational} */
function each(tree, scope) {
  const bodies = scope.properties[tree.state].map((properties) => {
    const weights = new Map([[tree.variable, properties]]);
    return evaluateFigure(tree.body, { ...scope, weights });
  });
  return reduced(tree.each, bodies);
}

/** @param {string} kind @param {Rational[]} values @returns {Rational} */
function reduced(kind, values) {
  if (kind === "count") return whole(values.length);
  const start = kind === "sum" || kind === "mean" ? whole(0) : kind === "prod" ? whole(1) : null;
  defined(values.length > 0 || kind === "sum" || kind === "prod", `the ${kind} of nothing`);
  const steps = new Map([["sum", "add"], ["mean", "add"], ["prod", "mul"], ["min", "min"], ["max", "max"]]);
  const rest = start === null ? values.slice(1) : values;
  const total = rest.reduce((sum, value) => small(arithmetic(steps.get(kind), [sum, value])), start ?? values[0]);
  return kind === "mean" ? small(div(total, whole(values.length))) : total;
}

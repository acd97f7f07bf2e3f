/**
 * The rules of format 1 (section 8), by their ids.
 *
 * What is not in this list is no rule: a step that is well-typed and makes a net smaller is still rejected when no schema authorises it.
 * @module
 */

import { declared } from "./rules/declared.js";
import { fakeQuantize } from "./rules/fake.js";
import { mask } from "./rules/mask.js";
import { prune } from "./rules/prune.js";
import { quantizeAffine, quantizeCodebook } from "./rules/quantize.js";
import { adjust, recover } from "./rules/values.js";

export { checkDeclaration, checkDeclarations } from "./rules/declaration.js";

/**
 * @typedef {object} Finding what a report says of a step
 * @property {"proved" | "bounded" | "attested" | "lossy"} grade
 * @property {string[]} words
 * @property {[string, string][]} figures
 */
/**
 * @typedef {object} Rule
 * @property {string} id
 * @property {"exact" | "bounded" | "opaque" | "lossy"} grade
 * @property {string | null} kind null where the declaration says it
 * @property {string | null} reduces
 * @property {(view: any, context: any) => void} form
 * @property {(view: any, context: any) => Promise<Finding>} weights
 */

/** @type {ReadonlyMap<string, Rule>} */
export const RULES = new Map([prune, mask, quantizeCodebook, quantizeAffine, recover, adjust, fakeQuantize, declared].map((rule) => [rule.id, rule]));

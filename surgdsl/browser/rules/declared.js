/**
 * rule/1: an instance of a rule that the file declares (section 11).
 * @module
 */

import { instanceOf } from "./instance.js";
import { seenAtPoint } from "./point.js";
import { checkFactor, checkValues, scopeOf } from "./value.js";

/** @param {any} view @param {any} context */
function form(view, context) {
  instanceOf(view, context);
}

/** @param {any} view @param {any} context */
async function weights(view, context) {
  const instance = instanceOf(view, context);
  const { declaration, discharge } = instance;
  const scope = await scopeOf(instance, view.arguments, context.store);
  const { values, spectral } = await checkValues(instance, scope, context.store);
  const factor = declaration.grade === "bounded" ? checkFactor(declaration, view.arguments, scope) : null;
  const exact = declaration.grade === "exact";
  const seen = declaration.grade !== "lossy" && seenAtPoint(instance, view, scope, values, { exact: exact && !spectral, factor });
  const grade = declaration.grade === "lossy" ? "lossy" : !seen ? "attested" : exact ? "proved" : "bounded";
  const { method, instances, bits } = discharge;
  const tested = method === "none" ? "nothing spoke for it before" : `attested before: ${instances} instances by ${method}, ${bits} bits`;
  const words = [`an instance of the ${declaration.grade} rule ${declaration.name}; ${values.size} weights computed again; ${tested}`];
  words.push(seen ? "both sides were computed at a point, and agree as it says" : "both sides were not compared at a point");
  return { grade, words, figures: factor === null ? [] : [["factor of the bound", `${factor}`]] };
}

export const declared = { id: "rule/1", grade: "exact", kind: null, reduces: null, form, weights };

/**
 * One param in the place of another: the form that mask, quantize, recover and adjust share.
 * @module
 */

import { layout } from "../layout.js";
import { demand } from "../reject.js";

/** @typedef {{id: string, wire: string, sort: any, old: any, now: any}} Pair the operation of L, its wire, and what stands there before and after */

/** The encoding inside a mask, or the encoding itself. @param {any} encoding */
export const innerOf = (encoding) => (encoding.kind === "masked" ? encoding.inner : encoding);

/**
 * The params of L with those that R has on the same wires; V14 when a step does more than that.
 * @param {any} view @returns {Pair[]} in the order of L
 */
export function replaced({ left, glue, right }) {
  const params = [...left.operations];
  demand(params.length > 0 && params.every(([, { op }]) => op === "param"), "V14", "L is made of params");
  const wires = params.map(([, { targets }]) => targets[0]);
  const all = [...left.wires.keys()];
  demand(all.length === wires.length && wires.every((wire) => all.includes(wire)), "V14", "the wires of L are those of its params");
  demand(glue.operations.length === 0 && glue.wires.length === wires.length, "V14", "K is made of the wires of L");
  demand(right.wires.size === 0 && right.operations.size === params.length, "V14", "R has one param for each of L");
  return params.map(([id, old], i) => {
    const now = [...right.operations.values()].find(({ op, targets }) => op === "param" && targets[0] === wires[i]);
    demand(now, "V14", `no param takes the place of ${id}`);
    demand(now.role === old.role, "V14", `${id}: the role changes`);
    const sort = left.wires.get(wires[i]);
    demand(layout(now, sort).base === layout(old, sort).base, "V14", `${id}: the name changes`);
    return { id, wire: wires[i], sort, old, now };
  });
}

/** The one param that a rule takes, as `replaced`. @param {any} view @returns {Pair} */
export function onlyOne(view) {
  demand(view.left.operations.size === 1, "V14", "L is one param");
  return replaced(view)[0];
}

/**
 * Operators that make a tensor of nothing but its arguments.
 */

import { extent, polynomial } from "../extent.js";
import { target } from "./layout.js";

/** zeros, full and their like: of the sizes that are written out. */
export function fill(call, layout) {
  layout.add(call.value("size").map((one) => extent(polynomial(one))));
}

/** arange: start, start + step, … below end. */
export function range(call, layout) {
  const [start, end, step] = [call.value("start") ?? 0, call.value("end"), call.value("step") ?? 1];
  let made = end;
  if (typeof end === "string") call.demand(start === 0 && step === 1, `counts to ${end} from 0 by 1 only`);
  else made = counted(call, { start, end, step });
  layout.hold(target(layout.add([made]), 0));
}

/** How many numbers there are. */
function counted(call, { start, end, step }) {
  const numbers = [start, end, step].every((one) => typeof one === "number" && Number.isFinite(one));
  call.demand(numbers && step !== 0, `cannot count from ${start} to ${end} by ${step}`);
  const made = Math.ceil((end - start) / step);
  call.demand(made >= 1 && Number.isSafeInteger(made), `counts ${made} numbers`);
  return made;
}

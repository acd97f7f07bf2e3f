/**
 * Operators that make one tensor of several, or several of one, along a dimension: cat, stack, split.
 */

import { constant, extent, plus, polynomial, same } from "../extent.js";
import { source, target } from "./layout.js";

/** cat: one behind the other. */
export function cat(call, layout) {
  const ports = call.ports.get("tensors");
  call.demand(ports.length > 0, "needs a tensor");
  const first = call.shape(ports[0]);
  const where = call.dimension(call.value("dim"), first.length);
  const starts = [];
  let total = constant(0);
  for (const port of ports) {
    const shape = call.shape(port);
    const alike = shape.length === first.length && shape.every((one, k) => k === where || one === first[k]);
    call.demand(alike, `takes tensors that differ along ${where} only`);
    starts.push(offset(total));
    total = plus(total, polynomial(shape[where]));
  }
  const to = layout.add(first.with(where, extent(total)));
  first.forEach((_, k) => {
    if (k !== where) layout.tie(...ports.map((port) => source(port, k)), target(to, k));
  });
  ports.forEach((port, k) => layout.link(source(port, where), target(to, where), shifted(starts[k])));
}

/** The number that a polynomial is, or null. @returns {number | null} */
function offset(value) {
  if (value.size === 0) return 0;
  const found = extent(value);
  return typeof found === "number" ? found : null;
}

/** Index i is i + start. */
function shifted(start) {
  return start === null ? null : (index) => index + start;
}

/** split_with_sizes: one part after the other. */
export function split(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const where = call.dimension(call.value("dim"), shape.length);
  let total = constant(0);
  const links = [];
  for (const size of call.value("split_sizes")) {
    const to = layout.add(shape.with(where, extent(polynomial(size))));
    links.push([target(to, where), source(port, where), shifted(offset(total))]);
    total = plus(total, polynomial(size));
  }
  call.demand(same(total, polynomial(shape[where])), `has sizes that do not make up ${shape[where]}`);
  for (const link of links) layout.link(...link);
  shape.forEach((_, k) => {
    if (k !== where) layout.tie(source(port, k), ...layout.shapes.map((_shape, to) => target(to, k)));
  });
}

/** stack: a new dimension. */
export function stack(call, layout) {
  const ports = call.ports.get("tensors");
  call.demand(ports.length > 0, "needs a tensor");
  const first = call.shape(ports[0]);
  const alike = ports.every((port) => call.shape(port).length === first.length && call.shape(port).every((one, k) => one === first[k]));
  call.demand(alike, "takes tensors of one shape");
  const where = call.dimension(call.value("dim"), first.length + 1);
  const to = layout.add([...first.slice(0, where), ports.length, ...first.slice(where)]);
  layout.hold(target(to, where));
  first.forEach((_, k) => layout.tie(...ports.map((port) => source(port, k)), target(to, k < where ? k : k + 1)));
}

/**
 * Operators along some dimensions of one tensor: reductions, what runs along a dimension, sorting.
 */

import { extent, polynomial } from "../extent.js";
import { source, target } from "./layout.js";

/** The dimensions that a call names, all when it names none. @returns {number[]} */
function asked(call, rank) {
  const named = call.has("dim") ? call.dimensions(call.value("dim"), rank) : null;
  return named ?? Array.from({ length: rank }, (_, k) => k);
}

/** How many targets a row has letters for. */
const results = (call) => call.row.results.length;

/** Reductions; what is summed may be cut, since zeros add nothing. */
export function sum(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const gone = asked(call, shape.length);
  const keep = call.has("keepdim") && call.value("keepdim");
  const left = [...shape.keys()].filter((k) => keep || !gone.includes(k));
  for (let made = 0; made < results(call); made += 1) layout.add(left.map((k) => (gone.includes(k) ? 1 : shape[k])));
  left.forEach((k, place) => {
    if (!gone.includes(k)) layout.tie(source(port, k), ...layout.shapes.map((_, to) => target(to, place)));
  });
  return gone.map((k) => source(port, k));
}

/** Reductions of which every element counts. */
export function over(call, layout) {
  layout.hold(...sum(call, layout));
}

/** The shape of the source, for each target. */
export function running(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  if (call.has("dim")) call.dimensions(call.value("dim"), shape.length);
  for (let made = 0; made < results(call); made += 1) layout.add([...shape]);
  shape.forEach((_, k) => layout.tie(source(port, k), ...layout.shapes.map((_shape, to) => target(to, k))));
}

/** Likewise, with the dimensions that are named whole. */
export function along(call, layout) {
  running(call, layout);
  const port = call.port("self");
  const rank = call.shape(port).length;
  layout.hold(...asked(call, rank).map((k) => source(port, k)));
}

/** linalg_vector_norm: zeros add nothing, unless they are divided by. */
export function vector(call, layout) {
  const summed = sum(call, layout);
  if (!(call.value("ord") >= 0)) layout.hold(...summed);
}

/** histc: counts of all elements. */
export function histogram(call, layout) {
  const shape = call.shape(call.port("self"));
  layout.hold(...shape.map((_, k) => source(call.port("self"), k)));
  layout.hold(target(layout.add([extent(polynomial(call.value("bins")))]), 0));
}

/** topk: the k largest along a dimension. */
export function topk(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const where = call.dimension(call.value("dim"), shape.length);
  const count = call.value("k");
  const own = shape[where];
  call.demand(count >= 1 && typeof own === "number" && count <= own, `cannot take ${count} of ${own}`);
  for (let made = 0; made < results(call); made += 1) layout.add(shape.with(where, count));
  shape.forEach((_, k) => {
    const places = [source(port, k), ...layout.shapes.map((_shape, to) => target(to, k))];
    if (k === where) layout.hold(...places);
    else layout.tie(...places);
  });
}

/** diff: differences of neighbours, perhaps with others before and behind. */
export function diff(call, layout) {
  const ports = ["self", "prepend", "append"].map((name) => call.port(name)).filter((port) => port >= 0);
  const first = call.shape(ports[0]);
  const where = call.dimension(call.value("dim"), first.length);
  call.demand(call.value("n") === 1, "takes differences of neighbours only");
  let total = 0;
  for (const port of ports) {
    const shape = call.shape(port);
    const alike = shape.length === first.length && shape.every((one, k) => k === where || one === first[k]);
    call.demand(alike, `takes tensors that differ along ${where} only`);
    call.demand(typeof shape[where] === "number", `cannot take differences along ${shape[where]}`);
    total += shape[where];
  }
  const to = layout.add(first.with(where, extent(polynomial(total - 1))));
  first.forEach((_, k) => {
    const places = [...ports.map((port) => source(port, k)), target(to, k)];
    if (k === where) layout.hold(...places);
    else layout.tie(...places);
  });
}

/**
 * Operators that take some elements of a tensor by their places, or put others around them: slice, select, index, gather, pad.
 */

import { constant, extent, plus, polynomial } from "../extent.js";
import { source, target } from "./layout.js";

/** slice: every step-th index from start to end. */
export function slice(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const where = call.dimension(call.value("dim"), shape.length);
  const [start, end, step] = ["start", "end", "step"].map((name) => call.value(name));
  const own = shape[where];
  call.demand(typeof own === "number", `cannot slice an extent ${own}`);
  call.demand(start >= 0 && start < end && end <= own && step >= 1, `cannot slice ${start}:${end}:${step} of ${own}`);
  const to = layout.add(shape.with(where, Math.ceil((end - start) / step)));
  shape.forEach((_, k) => {
    if (k === where) layout.link(target(to, k), source(port, k), (index) => start + index * step);
    else layout.tie(source(port, k), target(to, k));
  });
}

/** select, unbind: the dimension goes. */
export function unbind(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const where = call.dimension(call.value("dim"), shape.length);
  const own = shape[where];
  const index = call.value("index");
  call.demand(typeof own === "number", `cannot part an extent ${own}`);
  call.demand(index === null || (index >= -own && index < own), `has no index ${index} of ${own}`);
  layout.hold(source(port, where));
  const count = index === null ? own : 1;
  call.demand(count <= call.targets, `makes ${count} tensors`);
  const left = [...shape.keys()].filter((k) => k !== where);
  for (let made = 0; made < count; made += 1) layout.add(left.map((k) => shape[k]));
  left.forEach((k, place) => layout.tie(source(port, k), ...layout.shapes.map((_, to) => target(to, place))));
}

/** What several shapes broadcast to. */
function broadcast(call, shapes) {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, k) => {
    const found = shapes.map((shape) => shape[k - rank + shape.length]).filter((one) => one !== undefined && one !== 1);
    call.demand(found.every((one) => one === found[0]), `cannot broadcast ${found.join(", ")}`);
    return found[0] ?? 1;
  });
}

/** index: tensors of indices in the place of dimensions. */
export function index(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const ports = call.ports.get("indices");
  const named = [...ports.keys()].filter((k) => ports[k] >= 0);
  call.demand(named.length > 0 && ports.length <= shape.length, `takes no ${ports.length} indices of ${shape.length} dimensions`);
  const grid = broadcast(call, named.map((k) => call.shape(ports[k])));
  const neighbours = named.at(-1) - named[0] === named.length - 1;
  const front = neighbours ? named[0] : 0;
  const left = [...shape.keys()].filter((k) => !named.includes(k));
  const to = layout.add([...left.slice(0, front).map((k) => shape[k]), ...grid, ...left.slice(front).map((k) => shape[k])]);
  left.forEach((k, place) => layout.tie(source(port, k), target(to, place < front ? place : place + grid.length)));
  layout.hold(...named.map((k) => source(port, k)), ...grid.map((_, k) => target(to, front + k)));
  for (const k of named) layout.hold(...call.shape(ports[k]).map((_, dimension) => source(ports[k], dimension)));
}

/** index_select, gather: one dimension by a tensor of indices. */
export function pick(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const where = call.dimension(call.value("dim"), shape.length);
  const other = call.port("index");
  const chosen = call.shape(other);
  const gathers = call.row.name.startsWith("aten.gather");
  const alike = gathers ? chosen.length === shape.length && chosen.every((one, k) => k === where || one === shape[k]) : chosen.length === 1;
  call.demand(alike, `takes no index of ${chosen.join("·")} for ${shape.join("·")}`);
  const to = layout.add(shape.with(where, chosen[gathers ? where : 0]));
  shape.forEach((_, k) => {
    if (k !== where) layout.tie(source(port, k), target(to, k), ...(gathers ? [source(other, k)] : []));
  });
  layout.hold(source(port, where), target(to, where), source(other, gathers ? where : 0));
}

const MODES = new Set(["constant", "reflect", "replicate", "circular"]);

/** pad: margins, in pairs from the last dimension backwards. */
export function pad(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const margins = call.value("pad");
  const mode = call.value("mode") ?? "constant";
  const rank = shape.length;
  call.demand(MODES.has(mode) && margins.length % 2 === 0 && margins.length <= 2 * rank, `has no such margins: ${margins}`);
  const around = shape.map((_, k) => margins.slice(2 * (rank - 1 - k), 2 * (rank - k)));
  const grown = shape.map((own, k) => {
    const [before, after] = around[k].length === 0 ? [0, 0] : around[k];
    return extent(plus(polynomial(own), constant(before + after)));
  });
  const to = layout.add(grown);
  const plain = mode === "constant" && margins.every((one) => one >= 0);
  shape.forEach((own, k) => {
    if (around[k].length === 0) layout.tie(source(port, k), target(to, k));
    else if (plain) layout.link(target(to, k), source(port, k), inside(own, around[k][0]));
    else layout.hold(source(port, k), target(to, k));
  });
}

/** Index i lies at i − before, or in a margin. */
function inside(own, before) {
  if (typeof own !== "number") return null;
  return (index) => (index >= before && index < before + own ? index - before : null);
}

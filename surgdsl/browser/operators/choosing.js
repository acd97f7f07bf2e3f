/**
 * Operators that take some elements of a tensor by their places, or put others around them: slice, select, index, gather, pad.
 */

import { constant, extent, plus, polynomial } from "../extent.js";
import { source, target } from "./layout.js";

/** How many indices of an extent a slice takes. */
function sliced(call, own) {
  const [start, end, step] = ["start", "end", "step"].map((name) => call.value(name));
  call.demand(typeof own === "number", `cannot slice an extent ${own}`);
  call.demand(start >= 0 && start < end && end <= own && step >= 1, `cannot slice ${start}:${end}:${step} of ${own}`);
  return { start, step, count: Math.ceil((end - start) / step) };
}

/** slice_scatter: a tensor with another put in the place of a slice. */
export function scatter(call, layout) {
  const [port, other] = ["self", "src"].map((name) => call.port(name));
  const [shape, put] = [call.shape(port), call.shape(other)];
  const where = call.dimension(call.value("dim"), shape.length);
  const expected = shape.with(where, sliced(call, shape[where]).count);
  call.demand(put.length === shape.length && put.every((one, k) => one === expected[k]), `takes ${expected.join("·")} to put there`);
  const to = layout.add([...shape]);
  shape.forEach((_, k) => {
    const places = [source(port, k), source(other, k), target(to, k)];
    if (k === where) layout.hold(...places);
    else layout.tie(...places);
  });
}

/** unfold: windows along a dimension, as a dimension of their own. */
export function unfold(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const where = call.dimension(call.value("dim"), shape.length);
  const [own, size, step] = [shape[where], call.value("size"), call.value("step")];
  call.demand(typeof own === "number" && size >= 1 && size <= own && step >= 1, `has no windows of ${size} over ${own}`);
  const to = layout.add([...shape.with(where, Math.floor((own - size) / step) + 1), size]);
  layout.hold(source(port, where), target(to, where), target(to, shape.length));
  shape.forEach((_, k) => {
    if (k !== where) layout.tie(source(port, k), target(to, k));
  });
}

/** slice: every step-th index from start to end. */
export function slice(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const where = call.dimension(call.value("dim"), shape.length);
  const { start, step, count } = sliced(call, shape[where]);
  const to = layout.add(shape.with(where, count));
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

/** What `index` would give: its shape, and what stands where. */
function indexed(call) {
  const shape = call.shape(call.port("self"));
  const ports = call.ports.get("indices");
  const named = [...ports.keys()].filter((k) => ports[k] >= 0);
  call.demand(named.length > 0 && ports.length <= shape.length, `takes no ${ports.length} indices of ${shape.length} dimensions`);
  const grid = broadcast(call, named.map((k) => call.shape(ports[k])));
  const neighbours = named.at(-1) - named[0] === named.length - 1;
  const front = neighbours ? named[0] : 0;
  const left = [...shape.keys()].filter((k) => !named.includes(k));
  const made = [...left.slice(0, front).map((k) => shape[k]), ...grid, ...left.slice(front).map((k) => shape[k])];
  const places = left.map((k, place) => ({ from: k, to: place < front ? place : place + grid.length }));
  return { made, places, named, ports: named.map((k) => ports[k]), grid: grid.map((_, k) => front + k) };
}

/** The indices, and what they index, are whole. */
function holdIndices(call, layout, { named, ports }) {
  layout.hold(...named.map((k) => source(call.port("self"), k)));
  for (const port of ports) layout.hold(...call.shape(port).map((_, k) => source(port, k)));
}

/** index: tensors of indices in the place of dimensions. */
export function index(call, layout) {
  const found = indexed(call);
  const to = layout.add(found.made);
  for (const place of found.places) layout.tie(source(call.port("self"), place.from), target(to, place.to));
  layout.hold(...found.grid.map((k) => target(to, k)));
  holdIndices(call, layout, found);
}

/** index_put: values in the place of what `index` would give. */
export function put(call, layout) {
  const [port, values] = ["self", "values"].map((name) => call.port(name));
  const found = indexed(call);
  const shape = call.shape(values);
  const more = found.made.length - shape.length;
  call.demand(more >= 0 && shape.every((one, k) => one === 1 || one === found.made[more + k]), `takes no values of ${shape.join("·")}`);
  const to = layout.add([...call.shape(port)]);
  for (const place of found.places) layout.tie(source(port, place.from), target(to, place.from));
  for (const { from, to: place } of found.places) {
    if (place >= more && shape[place - more] === found.made[place]) layout.tie(source(port, from), source(values, place - more));
    else if (place >= more) layout.hold(source(values, place - more));
  }
  layout.hold(...found.grid.filter((k) => k >= more).map((k) => source(values, k - more)));
  layout.hold(...found.named.map((k) => target(to, k)));
  holdIndices(call, layout, found);
}

/** index_select: one dimension by a list of indices. */
export function select(call, layout) {
  const [port, other] = ["self", "index"].map((name) => call.port(name));
  const [shape, chosen] = [call.shape(port), call.shape(other)];
  const where = call.dimension(call.value("dim"), shape.length);
  call.demand(chosen.length === 1, `takes no index of ${chosen.join("·")}`);
  const to = layout.add(shape.with(where, chosen[0]));
  layout.hold(source(port, where), target(to, where), source(other, 0));
  shape.forEach((_, k) => {
    if (k !== where) layout.tie(source(port, k), target(to, k));
  });
}

/** gather: along one dimension, an index for each element of the target. */
export function gather(call, layout) {
  const [port, other] = ["self", "index"].map((name) => call.port(name));
  const [shape, chosen] = [call.shape(port), call.shape(other)];
  const where = call.dimension(call.value("dim"), shape.length);
  const alike = chosen.length === shape.length && chosen.every((one, k) => k === where || one === shape[k]);
  call.demand(alike, `takes no index of ${chosen.join("·")} for ${shape.join("·")}`);
  const to = layout.add([...chosen]);
  shape.forEach((_, k) => {
    const places = [source(port, k), source(other, k), target(to, k)];
    if (k === where) layout.hold(...places);
    else layout.tie(...places);
  });
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
  shape.forEach((own, k) => {
    if (around[k].every((one) => one === 0)) layout.tie(source(port, k), target(to, k));
    else if (mode === "constant" && around[k].every((one) => one >= 0)) layout.link(target(to, k), source(port, k), inside(own, around[k][0]));
    else layout.hold(source(port, k), target(to, k));
  });
}

/** Index i lies at i − before, or in a margin. */
function inside(own, before) {
  if (typeof own !== "number") return null;
  return (index) => (index >= before && index < before + own ? index - before : null);
}

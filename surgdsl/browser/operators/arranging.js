/**
 * Operators that show the elements of one tensor in another order or shape: view, permute, expand, repeat and their like.
 */

import { constant, extent, polynomial, product, same, times } from "../extent.js";
import { source, target } from "./layout.js";

const multiply = (a, b) => extent(times(polynomial(a), polynomial(b)));

/** The extents that flatten, view and reshape ask for. */
function viewed(call, shape) {
  const asked = call.value("size") ?? call.value("shape");
  if (asked !== null) return asked.map((one) => extent(polynomial(one)));
  const start = call.dimension(call.value("start_dim"), shape.length);
  const end = call.dimension(call.value("end_dim"), shape.length);
  call.demand(start <= end, "ends before it starts");
  return [...shape.slice(0, start), extent(product(shape.slice(start, end + 1))), ...shape.slice(end + 1)];
}

/**
 * A dimension as factors: an extent that is a number times symbols stands as symbols and number; 1 is no factor. A factor is a place of a run, with
 * an extent of its own, and the polynomial of that.
 */
function factors(shape, placed) {
  return shape.flatMap((one, dimension) => {
    const value = polynomial(one);
    const [[monomial, coefficient]] = [...value];
    const splits = value.size === 1 && monomial !== "" && coefficient > 1n;
    const parts = splits ? [new Map([[monomial, 1n]]), constant(coefficient)] : [value];
    return parts.map((part) => ({ value: part, place: { ...placed(dimension), extent: extent(part) } }));
  }).filter(({ place }) => place.extent !== 1);
}

/** Runs end at every prefix of the source whose product is that of a prefix of the target. */
function runsOf(sources, targets) {
  const runs = [];
  let [left, right] = [[], []];
  let [made, reached, k] = [constant(1), constant(1), 0];
  const prefixes = [];
  for (const one of targets) {
    reached = times(reached, one.value);
    prefixes.push(reached);
  }
  for (const one of sources) {
    made = times(made, one.value);
    left.push(one.place);
    const end = prefixes.findIndex((prefix, index) => index >= k && same(prefix, made));
    if (end < 0) continue;
    right = targets.slice(k, end + 1).map((other) => other.place);
    runs.push({ source: left, target: right });
    [left, k] = [[], end + 1];
  }
  return runs;
}

/** view, reshape, flatten. */
export function view(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const made = viewed(call, shape);
  call.demand(same(product(shape), product(made)), `cannot make ${made.join("·")} of ${shape.join("·")} elements`);
  const to = layout.add(made);
  const left = factors(shape, (dimension) => source(port, dimension));
  layout.runs.push(...runsOf(left, factors(made, (dimension) => target(to, dimension))));
}

/** permute, transpose. */
export function permute(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const order = [...shape.keys()];
  if (call.has("dims")) {
    const dims = call.value("dims").map((one) => call.dimension(one, shape.length));
    call.demand(dims.length === shape.length && new Set(dims).size === dims.length, "needs each dimension once");
    order.splice(0, order.length, ...dims);
  } else {
    const one = call.dimension(call.value("dim0"), shape.length);
    const other = call.dimension(call.value("dim1"), shape.length);
    [order[one], order[other]] = [other, one];
  }
  const to = layout.add(order.map((dimension) => shape[dimension]));
  order.forEach((dimension, k) => layout.tie(source(port, dimension), target(to, k)));
}

/** unsqueeze: an extent 1 is put in. */
export function unsqueeze(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const where = call.dimension(call.value("dim"), shape.length + 1);
  const to = layout.add([...shape.slice(0, where), 1, ...shape.slice(where)]);
  layout.hold(target(to, where));
  shape.forEach((_, k) => layout.tie(source(port, k), target(to, k < where ? k : k + 1)));
}

/** squeeze: extents 1 are taken out, of those that are asked. */
export function squeeze(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const every = [...shape.keys()];
  const asked = (call.has("dim") ? call.dimensions(call.value("dim"), shape.length) : null) ?? every;
  const left = every.filter((k) => !(asked.includes(k) && shape[k] === 1));
  const to = layout.add(left.map((k) => shape[k]));
  left.forEach((k, place) => layout.tie(source(port, k), target(to, place)));
  layout.hold(...asked.map((k) => source(port, k)));
}

/** expand: extents 1 grow. */
export function expand(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const size = call.value("size");
  const more = size.length - shape.length;
  call.demand(more >= 0, "has fewer sizes than dimensions");
  const made = size.map((one, k) => {
    const own = k < more ? 1 : shape[k - more];
    call.demand(one === -1 || one === own || own === 1, `cannot make ${one} of ${own}`);
    return k >= more && one === -1 ? own : extent(polynomial(one));
  });
  const to = layout.add(made);
  shape.forEach((own, k) => {
    if (own === made[k + more]) layout.tie(source(port, k), target(to, k + more));
    else layout.hold(source(port, k));
  });
}

/** repeat, tile: the whole tensor again and again along each dimension. */
export function repeat(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const times = call.value("repeats");
  const more = times.length - shape.length;
  const aligned = call.row.name === "aten.tile.default" ? Math.max(0, more) : more;
  call.demand(aligned >= 0, "has fewer repeats than dimensions");
  const padded = [...Array.from({ length: aligned - more }, () => 1), ...times];
  const to = layout.add(padded.map((one, k) => (k < aligned ? extent(polynomial(one)) : multiply(shape[k - aligned], one))));
  shape.forEach((own, k) => {
    const at = typeof own === "number" ? (index) => index % own : null;
    layout.link(target(to, k + aligned), source(port, k), at);
  });
}

/** repeat_interleave: every element again and again. */
export function interleave(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const where = call.dimension(call.value("dim"), shape.length);
  const count = call.value("repeats");
  call.demand(count >= 1, `cannot repeat ${count} times`);
  const made = multiply(shape[where], count);
  const asked = call.value("output_size");
  call.demand(asked === null || asked === made, `makes ${made}, not ${asked}`);
  const to = layout.add(shape.with(where, made));
  shape.forEach((_, k) => {
    if (k === where) layout.link(target(to, k), source(port, k), (index) => Math.floor(index / count));
    else layout.tie(source(port, k), target(to, k));
  });
}

/** pixel_shuffle: channels become pixels. */
export function shuffle(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const factor = call.value("upscale_factor");
  const rank = shape.length;
  call.demand(rank >= 3 && factor >= 1, "needs three dimensions and a factor");
  const [channels, height, width] = shape.slice(-3);
  const square = factor * factor;
  call.demand(typeof channels === "number" && channels % square === 0, `cannot part ${channels} channels in ${square}`);
  const made = [...shape.slice(0, -3), channels / square, multiply(height, factor), multiply(width, factor)];
  const to = layout.add(made);
  shape.slice(0, -3).forEach((_, k) => layout.tie(source(port, k), target(to, k)));
  layout.link(source(port, rank - 3), target(to, rank - 3), (index) => Math.floor(index / square));
  for (const k of [rank - 2, rank - 1]) layout.hold(source(port, k), target(to, k));
}

/**
 * Operators whose parameters belong to some dimensions of their input: normalisation, prelu, weight_norm, grids.
 */

import { source, target } from "./layout.js";
import { spell } from "./letters.js";

/** Ports of weight and bias, where the operator has them and they are there. */
function parameters(call) {
  return ["weight", "bias"].filter((name) => call.ports.has(name)).map((name) => call.port(name)).filter((port) => port >= 0);
}

/** Ties every dimension of a source to that of the target. */
function elementwise(call, layout, port) {
  const to = layout.add([...call.shape(port)]);
  call.shape(port).forEach((_, k) => layout.tie(source(port, k), target(to, k)));
}

/** batch_norm: with statistics of its own, all that they are taken over is whole. */
export function batch(call, layout) {
  const training = call.value("training");
  const terms = { input: training ? "Nc#" : "nc*", weight: "c", bias: "c", running_mean: "c", running_var: "c" };
  const sources = Object.entries(terms).map(([name, term]) => ({ term, port: call.port(name) }));
  call.demand(!training || sources.slice(3).every(({ port }) => port < 0), "trains what runs along");
  spell(call, layout, sources, [terms.input]);
}

/** layer_norm, rms_norm: over the last dimensions. */
export function layer(call, layout) {
  const port = call.port("input");
  const shape = call.shape(port);
  const size = call.value("normalized_shape");
  const lead = shape.length - size.length;
  const alike = (other) => other.length === size.length && other.every((one, k) => one === size[k]);
  call.demand(size.length > 0 && lead >= 0 && alike(shape.slice(lead)), `does not end ${shape.join("·")} in ${size.join("·")}`);
  for (const other of parameters(call)) {
    call.demand(alike(call.shape(other)), `takes parameters of ${size.join("·")}`);
    layout.hold(...size.map((_, k) => source(other, k)));
  }
  elementwise(call, layout, port);
  layout.hold(...size.map((_, k) => source(port, lead + k)));
}

/** group_norm: over groups of channels. */
export function groups(call, layout) {
  const sources = [{ term: "nc#", port: call.port("input") }, ...parameters(call).map((port) => ({ term: "c", port }))];
  spell(call, layout, sources, ["nc#"]);
  const channels = layout.letters.get("c");
  const count = call.value("num_groups");
  call.demand(typeof channels === "number" && count >= 1 && channels % count === 0, `cannot part ${channels} channels in ${count} groups`);
  layout.multiples.push({ place: source(call.port("input"), 1), size: channels / count });
}

/** prelu: one slope, or one for each channel. */
export function prelu(call, layout) {
  const [port, weight] = ["self", "weight"].map((name) => call.port(name));
  const [shape, slopes] = [call.shape(port), call.shape(weight)];
  elementwise(call, layout, port);
  call.demand(slopes.length === 1, `takes no slopes ${slopes.join("·")}`);
  if (slopes[0] === 1) return;
  call.demand(shape.length >= 2 && shape[1] === slopes[0], `takes ${shape[1]} slopes, not ${slopes[0]}`);
  layout.tie(source(port, 1), source(weight, 0));
}

/** _weight_norm: a direction and a length for each index along `dim`. */
export function polar(call, layout) {
  const [v, g] = ["v", "g"].map((name) => call.port(name));
  const [shape, lengths] = [call.shape(v), call.shape(g)];
  const where = call.dimension(call.value("dim"), shape.length);
  const alike = lengths.length === shape.length && lengths.every((one, k) => one === (k === where ? shape[k] : 1));
  call.demand(alike, `takes no lengths ${lengths.join("·")}`);
  elementwise(call, layout, v);
  layout.tie(source(v, where), source(g, where));
}

/** fake_quantize_per_tensor_affine: rounding to a grid. */
export function grid(call, layout) {
  const [scale, zero, least, most] = ["scale", "zero_point", "quant_min", "quant_max"].map((name) => call.value(name));
  call.demand(least < most && least <= zero && zero <= most, `has no grid from ${least} over ${zero} to ${most}`);
  call.demand(scale > 0 && scale < Infinity, `has no scale ${scale}`);
  elementwise(call, layout, call.port("self"));
}

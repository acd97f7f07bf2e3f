/**
 * LSTM, GRU and plain recurrent layers, several at once, in one or two directions.
 */

import { constant, extent, polynomial, times } from "../extent.js";
import { source, target } from "./layout.js";

const GATES = { "aten.lstm.input": 4, "aten.gru.input": 3, "aten.rnn_tanh.input": 1, "aten.rnn_relu.input": 1 };

/** So many times an extent. */
function several(count, one) {
  return extent(times(constant(count), polynomial(one)));
}

/** Demands that a tensor has a shape. */
function shaped(call, port, expected) {
  const shape = call.shape(port);
  const equal = shape.length === expected.length && shape.every((one, k) => one === expected[k]);
  call.demand(equal, `takes ${expected.join("·")}, not ${shape.join("·")}`);
}

/** What the layers have in common. */
function described(call) {
  call.demand(!call.value("train") || call.value("dropout") === 0, "drops out");
  const states = call.ports.get("hx");
  call.demand(states.length === (call.row.name === "aten.lstm.input" ? 2 : 1), "takes other states");
  const x = call.port("input");
  const shape = call.shape(x);
  call.demand(shape.length === 3, "takes x of three dimensions");
  const batch = call.value("batch_first") ? 0 : 1;
  const count = call.value("num_layers");
  const directions = call.value("bidirectional") ? 2 : 1;
  const first = call.shape(states[0]);
  call.demand(count >= 1 && first.length === 3 && first[0] === count * directions, `takes states of ${count * directions} layers`);
  const [, , width] = first;
  for (const port of states) shaped(call, port, [count * directions, shape[batch], width]);
  return { states, x, shape, batch, count, directions, width };
}

/** Index i of `place` is i mod the width of the states. */
function folded(layout, place, { states, width }) {
  layout.link(place, source(states[0], 2), typeof width === "number" ? (index) => index % width : null);
}

/** One direction of one layer: two matrices, and two biases where there are some. */
function cell(call, layout, ports, one) {
  const rows = several(GATES[call.row.name], one.width);
  const [toInput, toState, ...biases] = ports;
  shaped(call, toInput, [rows, one.features]);
  shaped(call, toState, [rows, one.width]);
  for (const port of biases) shaped(call, port, [rows]);
  for (const port of ports) folded(layout, source(port, 0), one);
  folded(layout, source(toState, 1), one);
  if (one.layer === 0) layout.tie(source(one.x, 2), source(toInput, 1));
  else folded(layout, source(toInput, 1), one);
  const places = [one.shape[0], one.shape[1]];
  layout.products.push([...places, rows, one.features], [...places, rows, one.width]);
}

/** lstm, gru, rnn. */
export function layers(call, layout) {
  const one = described(call);
  const params = call.ports.get("params");
  const each = call.value("has_biases") ? 4 : 2;
  const { count, directions, width } = one;
  call.demand(params.length === count * directions * each, `takes ${params.length} weights`);
  layout.products = [];
  for (let k = 0; k < count * directions; k += 1) {
    const layer = Math.floor(k / directions);
    const features = layer === 0 ? one.shape[2] : several(directions, width);
    cell(call, layout, params.slice(k * each, (k + 1) * each), { ...one, layer, features });
  }
  const made = layout.add([one.shape[0], one.shape[1], several(directions, width)]);
  folded(layout, target(made, 2), one);
  const states = one.states.map(() => layout.add([count * directions, one.shape[one.batch], width]));
  const time = 1 - one.batch;
  layout.hold(source(one.x, time), target(made, time));
  layout.tie(source(one.x, one.batch), target(made, one.batch), ...one.states.map((port) => source(port, 1)), ...states.map((to) => target(to, 1)));
  layout.tie(...one.states.map((port) => source(port, 2)), ...states.map((to) => target(to, 2)));
  layout.hold(...one.states.map((port) => source(port, 0)), ...states.map((to) => target(to, 0)));
}

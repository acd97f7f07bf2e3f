/**
 * Nets (section 4): from a graph's JSON and back, in its canonical numbering, and what makes a graph a net.
 *
 * Ids are strings and mean nothing: two nets are the same when their canonical graphs are.
 */
import { Reject, demand } from "./reject.js";
import { checkAttributes } from "./statement.js";

/**
 * The operation of a JSON, its wires called as `rename` says.
 * @param {any} json section 4, perhaps with an id.
 * @param {(wire: any) => string} rename
 */
export function operationOf(json, rename) {
  const ends = { op: json.op, sources: json.sources.map(rename), targets: json.targets.map(rename) };
  if (json.op !== "param") return { ...ends, attributes: new Map(json.attributes) };
  return { ...ends, attributes: new Map(), encoding: json.encoding, parts: json.parts, role: json.role };
}

/**
 * The net of a graph: `w0, w1, …` and `o0, o1, …` by their numbers.
 * @param {(operation: object, sort: (wire: string) => object) => void} checkParam rejects a weight whose ports or parts are wrong.
 *   Rejects with V12 what refers to no wire, with V03 unsorted attributes, operation by operation.
 */
export function netOf(graph, checkParam) {
  const wire = (number) => {
    demand(number < graph.wires.length, "V12", `the graph has no wire ${number}`);
    return `w${number}`;
  };
  const ends = (ports) => {
    demand(new Set(ports.map(({ name }) => name)).size === ports.length, "V12", "two inputs, or two outputs, have one name");
    return ports.map((port) => ({ name: port.name, wire: wire(port.wire) }));
  };
  const wires = new Map(graph.wires.map((sort, i) => [`w${i}`, sort]));
  const operations = new Map();
  for (const [i, json] of graph.operations.entries()) {
    const operation = operationOf(json, wire);
    checkAttributes(json, `operation ${i}`);
    if (operation.op === "param") checkParam(operation, (id) => wires.get(id));
    operations.set(`o${i}`, operation);
  }
  return { wires, operations, inputs: ends(graph.inputs), outputs: ends(graph.outputs) };
}

/** An operation with the sorts of its wires. */
export function callOf(operation, sort) {
  return { operation, sources: operation.sources.map(sort), targets: operation.targets.map(sort) };
}

/** Which operation makes each wire. Rejects with V12 unless each wire is made once, or is an input (N2). */
export function producersOf(net) {
  const made = new Map();
  const make = (wire, by) => {
    demand(net.wires.has(wire), "V12", `${by ?? "an input"} names the wire ${wire}, which is not there`);
    demand(!made.has(wire), "V12", `two make the wire ${wire}`);
    made.set(wire, by);
  };
  for (const { wire } of net.inputs) make(wire, null);
  for (const [id, operation] of net.operations) for (const wire of operation.targets) make(wire, id);
  for (const wire of net.wires.keys()) demand(made.has(wire), "V12", `nothing makes the wire ${wire}`);
  return made;
}

function demandUsed(net) {
  const used = new Set(net.outputs.map(({ wire }) => wire));
  for (const operation of net.operations.values()) operation.sources.forEach((wire) => used.add(wire));
  for (const wire of used) demand(net.wires.has(wire), "V12", `the wire ${wire} is not there`);
  for (const [id, operation] of net.operations) {
    demand(operation.targets.some((wire) => used.has(wire)), "V12", `nobody uses what ${id} (${operation.op}) makes`);
  }
}

/**
 * The operations in canonical order: backwards from the outputs, depth first, an operation after its sources.
 * @returns {string[]} rejects with V12 a cycle (N3).
 */
export function orderOf(net) {
  const made = producersOf(net);
  const state = new Map();
  const order = [];
  const visit = (wire, stack) => {
    const id = made.get(wire);
    if (id === null || state.get(id) === "done") return;
    demand(!state.has(id), "V12", `the operation ${id} depends on itself`);
    state.set(id, "open");
    stack.push({ id, next: 0 });
  };
  for (const { wire } of net.outputs) {
    const stack = [];
    visit(wire, stack);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const { sources } = net.operations.get(top.id);
      if (top.next < sources.length) {
        top.next += 1;
        visit(sources[top.next - 1], stack);
        continue;
      }
      state.set(top.id, "done");
      order.push(top.id);
      stack.pop();
    }
  }
  return order;
}

/** Rejects with V12 unless N2 to N4 hold; returns the canonical order. */
export function demandNet(net) {
  producersOf(net);
  demandUsed(net);
  const order = orderOf(net);
  // An operation that reaches no output though each is used stands on a cycle.
  demand(order.length === net.operations.size, "V12", "operations depend on each other in a circle");
  return order;
}

/** The graph of a net in its canonical numbering. */
export function graphOf(net, order = orderOf(net)) {
  const numbers = new Map(net.inputs.map(({ wire }, i) => [wire, i]));
  for (const id of order) for (const wire of net.operations.get(id).targets) numbers.set(wire, numbers.size);
  const number = (wire) => numbers.get(wire);
  const ports = (list) => list.map(({ name, wire }) => ({ name, wire: number(wire) }));
  const operations = order.map((id) => {
    const { op, sources, targets, attributes, encoding, parts, role } = net.operations.get(id);
    const ends = { op, sources: sources.map(number), targets: targets.map(number) };
    if (op === "param") return { ...ends, encoding, parts, role };
    return { ...ends, attributes: [...attributes] };
  });
  return { inputs: ports(net.inputs), operations, outputs: ports(net.outputs), wires: [...numbers.keys()].map((wire) => net.wires.get(wire)) };
}

/** All params of a net, in no order. */
export const weightsOf = (net) => [...net.operations.values()].filter(({ op }) => op === "param");

/** The rows of the manifest of a net, sorted by name. Rejects with V12 a name that two parts have, or that differs only by case. */
export function manifestOf(net, nbytes) {
  const rows = weightsOf(net).flatMap(({ parts }) => parts.map(({ digest, dtype, name, shape }) => ({ digest, dtype, name, nbytes: nbytes(dtype, shape), shape })));
  const seen = new Set();
  for (const { name } of rows) {
    if (seen.has(name.toLowerCase())) throw new Reject("V12", `two parts have the name ${name}, but for its case`);
    seen.add(name.toLowerCase());
  }
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The states of a surgery: the input, then what each step leaves; every one typed, counted and digested (section 9, order 3 and 4).
 */
import { Counter, checkBytes } from "./counting.js";
import { checkBoundary } from "./boundary.js";
import { parse } from "./canonical.js";
import { graphDigest, manifestDigest, ruleDigest, stepDigest } from "./digest.js";
import { symbols } from "./extent.js";
import { readBlob } from "./folder.js";
import { callOf, demandNet, graphOf, manifestOf, netOf } from "./net.js";
import { WIDTH } from "./number.js";
import { check } from "./operators.js";
import { Reject, demand } from "./reject.js";
import { apply } from "./rewrite.js";
import { RULES, checkDeclarations } from "./rules.js";
import { METRICS, checkArguments, checkGraph, checkRows } from "./statement.js";
import { checkParts } from "./weights.js";

/** Rules that compute the weights again: what digest they have is then known, whatever lies there under it. */
const RECOMPUTED = Object.freeze(["prune-channels/1", "rule/1"]);

const nbytesOf = (dtype, shape) => shape.reduce((total, extent) => total * extent, WIDTH[dtype]);

/** A weight has one target and no sources, a sort without symbols, and parts that fit (V09). */
function checkParam(operation, sort) {
  const { sources, targets } = operation;
  demand(sources.length === 0 && targets.length === 1, "V09", "a param has one target and no sources");
  const type = sort(targets[0]);
  demand(type.shape.every((extent) => typeof extent === "number"), "V09", "a param whose shape has symbols");
  checkParts(operation, type);
}

/** Types some operations; the place of a fault is named. */
function typeAll(operations, sort, place) {
  for (const [id, operation] of operations) {
    if (operation.op === "param") continue;
    try {
      check(callOf(operation, sort));
    } catch (fault) {
      if (fault instanceof Reject) throw new Reject(fault.code, `${place}${id} (${operation.op}): ${fault.message}`);
      throw fault;
    }
  }
}

function checkBinding(net, binding) {
  const named = new Set([...net.wires.values()].flatMap(({ shape }) => shape.flatMap((extent) => [...symbols(extent)])));
  const given = binding.map(([symbol]) => symbol);
  demand(given.join() === [...named].sort().join(), "V03", `the binding names ${given.join(", ") || "nothing"}, the graph ${[...named].sort().join(", ") || "nothing"}`);
}

/** The canonical graph and the manifest of a net, as digests. */
async function digestsOf(net, order) {
  return { graph: await graphDigest(graphOf(net, order)), manifest: await manifestDigest(manifestOf(net, nbytesOf)) };
}

/**
 * Reads the input graph: section 9, order 3.
 * @param {object} context `predicate`, `blobs`, `store`, `inputTensors` (name to digest).
 * @returns {Promise<object>} the first state: `net`, `metrics`, `graph`, `manifest`.
 */
export async function firstState({ predicate, blobs, counter, inputTensors }) {
  const json = parse(await readBlob(blobs, predicate.input.graphBlob));
  checkGraph(json);
  const net = netOf(json, checkParam);
  const sort = (wire) => net.wires.get(wire);
  typeAll(net.operations, sort, "");
  checkBinding(net, predicate.binding);
  const order = demandNet(net);
  const canonical = await graphDigest(graphOf(net, order));
  demand(canonical === (await graphDigest(json)), "V06", "the graph of the input is not numbered canonically");
  const rows = manifestOf(net, nbytesOf);
  for (const { name, digest } of rows) {
    const held = inputTensors.get(name);
    demand(held === undefined || held === digest, "V08", `the input holds other bytes for ${name}`);
  }
  const metrics = await counter.net(net);
  const manifest = await manifestDigest(rows);
  demand(canonical === predicate.input.graph, "V06", "the graph of the input has another digest");
  demand(manifest === predicate.input.manifest, "V06", "the manifest of the input has another digest");
  checkBoundary(net, predicate.boundary);
  return { net, metrics, graph: canonical, manifest };
}

/** The steps follow the obligations: a subsequence of them, repetitions merged (V14). */
export function checkObligations({ obligations, steps }) {
  let at = -1;
  for (const { step, rule, index } of steps) {
    const here = (i) => i >= 0 && obligations[i] !== undefined && obligations[i].step === step && obligations[i].rule === rule;
    if (here(at)) continue;
    do at += 1;
    while (at < obligations.length && !here(at));
    demand(at < obligations.length, "V14", `step ${index} (${step}): the file does not ask for ${rule} here`);
  }
}

const valuesOf = (list) => new Map(list.map(({ id, value }) => [id, BigInt(value)]));

function demandMetrics(stated, counted, code, place) {
  for (const [id, value] of valuesOf(stated)) demand(value === counted.get(id), code, `${place}: ${id} is ${counted.get(id)}, not ${value}`);
}

/** What falls and what rises, as the kind of the step has it (section 8, point 5; section 11, point 12). */
function checkFall(step, before, after, place) {
  const rises = METRICS.filter((id) => after.get(id) > before.get(id));
  const falls = (id) => after.get(id) < before.get(id);
  if (step.rule === "rule/1") {
    const expected = ["params/1", "macs/1"].find(falls);
    demand((step.kind === "reduce" ? step.reduces : undefined) === expected, "V14", `${place}: it reduces ${expected ?? "nothing"}`);
  }
  if (step.kind === "reduce") demand(falls(step.reduces), "V13", `${place}: ${step.reduces} does not fall`);
  const mayChange = step.kind === "reduce" || step.rule === "rule/1" ? METRICS : ["nnz/1"];
  for (const id of METRICS) demand(mayChange.includes(id) || after.get(id) === before.get(id), "V13", `${place}: ${id} changes in a neutral step`);
  demand(step.mayRaise.join() === rises.join(), "V13", `${place}: ${rises.join(", ") || "nothing"} rises, mayRaise says ${step.mayRaise.join(", ") || "nothing"}`);
}

/** The rule is known, and reduces what rules of its name reduce (V14); its arguments have its form (V03). */
function ruleOf(step, place, declarations) {
  const rule = RULES.get(step.rule);
  demand(rule !== undefined, "V14", `${place}: no rule is called ${step.rule}`);
  const fits = step.rule === "rule/1" || (step.kind === rule.kind && (step.reduces ?? "") === (rule.reduces ?? ""));
  demand(fits, "V14", `${place}: a step of ${step.rule} is ${rule.kind}${rule.reduces ? `, and reduces ${rule.reduces}` : ""}`);
  const listed = step.rule !== "rule/1" || declarations.get(step.arguments.rule)?.steps.includes(step.step);
  demand(listed, "V14", `${place}: no declaration of that digest lists this step`);
  checkArguments(step);
  return rule;
}

/** One step: index, chain, rule, pushout, weights, counts, digests (section 9, order 4). */
async function nextState(state, step, index, context) {
  const { counter, store, predicate, declarations } = context;
  const place = `step ${index} (${step.step})`;
  demand(step.index === index, "V05", `${place}: its index is ${step.index}`);
  demand((await stepDigest(state.chain, step)) === step.chain, "V05", `${place}: the chain is broken`);
  const rule = ruleOf(step, place, declarations);
  demand(step.graphBefore === state.graph && step.manifestBefore === state.manifest, "V06", `${place}: it does not begin where the step before ended`);
  demandMetrics(step.before, state.metrics, "V13", `${place}, before`);
  const view = apply(state.net, step, index, checkParam);
  const sort = (wire) => view.after.wires.get(wire);
  typeAll(view.created.map((operation, i) => [`created ${i}`, operation]), sort, `${place}: `);
  const order = demandNet(view.after);
  manifestOf(view.after, nbytesOf);
  const metrics = { before: state.metrics, after: new Map() };
  const ruleContext = { statement: predicate, store, declarations, metrics };
  rule.form(view, ruleContext);
  const stored = RECOMPUTED.includes(step.rule) ? [] : view.created.filter(({ op }) => op === "param");
  stored.forEach((operation) => checkBytes(operation.parts, store));
  const finding = await rule.weights(view, ruleContext);
  const counted = await counter.net(view.after);
  demandMetrics(step.after, counted, "V13", `${place}, after`);
  checkFall(step, state.metrics, counted, place);
  const digests = await digestsOf(view.after, order);
  demand(digests.graph === step.graphAfter && digests.manifest === step.manifestAfter, "V06", `${place}: the state after it has other digests`);
  return { net: view.after, metrics: counted, chain: step.chain, ...digests, finding, rule, created: view.created };
}

/**
 * Runs all steps: section 9, order 4.
 * @param {object} context `predicate`, `store`, `counter`, `tensors` (digests of the rows of `tensors`), `progress`.
 * @returns {Promise<{last: object, steps: object[]}>} the last state, and of each step what the report says.
 */
export async function allStates(first, context) {
  const { predicate, progress } = context;
  checkObligations(predicate);
  checkRows(predicate);
  const named = new Set(predicate.steps.map((step) => step.arguments.rule));
  for (const { declaration } of predicate.rules ?? []) demand(named.has(await ruleDigest(declaration)), "V03", "a rule is declared and not used");
  const declarations = await checkDeclarations(predicate.rules ?? []);
  const used = new Set([...first.net.operations.values()].flatMap(({ parts }) => (parts ?? []).map(({ digest }) => digest)));
  const steps = [];
  let state = { ...first, chain: "0".repeat(64) };
  for (const [index, step] of predicate.steps.entries()) {
    progress("rewrites", index, predicate.steps.length);
    const next = await nextState(state, step, index, { ...context, declarations }).catch((fault) => {
      const unplaced = fault instanceof Reject && !fault.message.startsWith("step ");
      throw unplaced ? new Reject(fault.code, `step ${index} (${step.step}): ${fault.message}`) : fault;
    });
    for (const { parts } of next.created) for (const { digest } of parts ?? []) used.add(digest);
    steps.push({ index, step: step.step, rule: step.rule, class: next.rule.grade, finding: next.finding, before: state.metrics, after: next.metrics, arguments: step.arguments, note: step.note });
    state = next;
  }
  demand(state.chain === predicate.head, "V05", "head is not the chain of the last step");
  for (const { digest } of predicate.tensors) demand(used.has(digest), "V08", `the tensor ${digest} is used nowhere`);
  return { last: state, steps };
}

/** A counter at the binding of the statement. */
export const counterOf = (store, { binding }) => new Counter(store, new Map(binding.map(([symbol, value]) => [symbol, BigInt(value)])));

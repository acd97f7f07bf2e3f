/**
 * The closed schema of a statement and of a graph (sections 4 to 6).
 *
 * What a field means is checked by whoever uses it; here is only what may stand where, in the order of the page.
 */
import { isDigest, isDtype, isFloat, isName, isNatural, isRational } from "./canonical.js";
import { polynomial } from "./extent.js";
import { Reject, demand } from "./reject.js";
import { anything, chosen, has, integer, kind, list, object, refuse, rising, text, tuple, word } from "./schema.js";

export const METRICS = Object.freeze(["macs/1", "nnz/1", "params/1", "size/1"]);

const name = kind("a name", isName);
const digest = kind("a digest", isDigest);
const natural = kind("a natural", isNatural);
const rational = kind("a rational", isRational);
const float = kind("a float", isFloat);
const dtype = kind("a dtype", isDtype);
const symbol = kind("a symbol", (value) => typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value));
const count = integer(0);
const metric = word(...METRICS);
const relation = word("<=", "<", ">=", ">");

/** An extent of section 2. */
function extent(value, place) {
  if (typeof value === "string") polynomial(value);
  else integer(1)(value, place);
}
const shape = list(extent);

// Graphs (section 4) and encodings (section 5).
const attribute = chosen((value) => {
  if (Array.isArray(value)) return list(attribute);
  if (typeof value === "string" || typeof value === "boolean") return anything;
  if (has(value, "extent")) return object({ extent: (item, place) => (typeof item === "string" ? extent(item, place) : refuse(place, item, "an extent")) });
  if (has(value, "float")) return object({ float });
  if (has(value, "none")) return object({ none: word(true) });
  return has(value, "tensors") ? object({ tensors: count }) : integer();
});
const first = ([key]) => key;
const attributes = rising(tuple(name, attribute), first);
const grid = [{ axis: integer(), bits: integer() }, { group: integer() }];
const ENCODINGS = new Map([
  ["dense", object({ kind: text })],
  ["codebook", object({ bits: integer(), kind: text })],
  ["affine", object({ ...grid[0], kind: text }, grid[1])],
  ["symmetric", object({ ...grid[0], kind: text }, grid[1])],
]);
const encoding = (masked) => chosen((value, place) => {
  if (masked && has(value, "kind") && value.kind === "masked") return object({ inner: encoding(false), kind: text });
  const check = has(value, "kind") ? ENCODINGS.get(value.kind) : undefined;
  return check ?? refuse(place, value, "an encoding");
});
const part = object({ digest, dtype, name, role: text, shape: list(count) });

/** An operation whose wires are named by `wire`, with further fields. */
const operation = (wire, more) => chosen((value) => {
  const ends = { op: name, sources: list(wire), targets: list(wire), ...more };
  if (!has(value, "op") || value.op !== "param") return object({ ...ends, attributes });
  return object({ ...ends, encoding: encoding(true), parts: list(part), role: word("parameter", "buffer", "constant") });
});
const port = object({ name, wire: count });
const graph = object({
  inputs: list(port), operations: list(operation(count, {})), outputs: list(port), wires: list(object({ dtype, shape })),
});

// Steps (section 6).
const side = object({ operations: list(operation(name, { id: name })), wires: list(object({ dtype, id: name, shape })) });
const figures = rising(tuple(name, rational), first);
const indices = list(count);
const ARGUMENTS = new Map([
  ["prune-channels/1", object({
    axis: name, indices: list(indices), keep: indices, kept: list(tuple(name, count, count)), scores: list(natural),
  })],
  ["mask/1", object({ keep: natural }, { few: tuple(integer(), integer()), tile: tuple(integer(), integer()) })],
  ["quantize-codebook/1", object({ bits: integer() }, { least: float })],
  ["quantize-affine/1", object({ axis: integer(), bits: integer() }, { group: integer(), symmetric: word(true) })],
  ["recover/1", object({ batch: natural, change: rational, data: text, epochs: natural, rate: rational, seed: natural })],
  ["adjust/1", object({ data: text, figures, method: text })],
  ["fake-quantize/1", object({ bits: integer(), data: text, figures, method: text })],
  ["rule/1", object({
    left: list(tuple(name, name, list(tuple(name, name)))), right: list(tuple(name, name, list(tuple(name, name)))), rule: digest,
    variables: rising(tuple(name, attribute), first), wires: list(tuple(name, name)),
  }, { factor: float, scales: list(tuple(name, list(integer()))) })],
]);
const values = (value, place) => {
  list(object({ id: metric, value: natural }))(value, place);
  if (value.map((item) => item.id).join() !== METRICS.join()) refuse(place, value, "a value of each metric, sorted");
};
const pairs = list(tuple(name, name));
const step = chosen((value, place) => {
  if (!has(value, "rule") || typeof value.rule !== "string") refuse(place, value, "a step");
  const reduce = value.kind === "reduce" ? { reduces: metric } : {};
  return object({
    after: values, arguments: ARGUMENTS.get(value.rule) ?? anything, before: values, chain: digest,
    glue: object({ operations: list(name), wires: list(name) }), graphAfter: digest, graphBefore: digest, index: count,
    kind: word("reduce", "neutral"), left: side, manifestAfter: digest, manifestBefore: digest,
    match: object({ operations: pairs, wires: pairs }), mayRaise: rising(metric), note: text, right: side, rule: text, step: name, ...reduce,
  });
});

// The statement (section 6).
const MEASURED = object(
  { evidence: digest, limit: rational, measure: word("accuracy", "accuracyDrop", "loss", "lossRise"), relation },
  { bound: rational, candidates: integer(1, 1000000), confidence: rational, registered: digest },
);
const claim = chosen((value) => (has(value, "counted")
  ? object({ counted: object({ left: anything, relation, right: anything }), text })
  : object({ measured: MEASURED, text })));
const typed = object({ dtype, name, shape });
const ports = list(typed);
const discharge = object({ bits: count, instances: count, method: word("identity", "samples", "none") });
const predicate = object({
  format: word(1), boundary: object({ inputs: ports, outputs: ports }), binding: rising(tuple(symbol, integer(1)), first), claims: list(claim),
  facts: rising(tuple(name, text), first), head: digest, input: object({ graph: digest, graphBlob: digest, manifest: digest }),
  interfaces: list(object({ inputs: ports, name, outputs: ports })), metrics: tuple(...METRICS.map((id) => word(id))),
  obligations: list(object({ rule: text, step: name })), output: object({ graph: digest, manifest: digest }),
  producer: object({ name: word("surgdsl"), version: text }), seal: digest, seed: integer(), sequence: count,
  spec: object({ blob: digest, language: word("surg/1") }), steps: list(step),
  tensors: rising(object({ blob: digest, digest, dtype, shape: list(count) }), (row) => row.digest),
}, { rules: list(object({ declaration: anything, discharge, steps: rising(name) })), supersedes: digest });
const statement = object({
  _type: word("https://in-toto.io/Statement/v1"), predicateType: word("https://surgdsl.org/certificate/v1"), predicate,
  subject: tuple(object({ digest: object({ surgManifestV1: digest }), name: word("model.safetensors") })),
});

/** Rejects with V03 what is no statement of format 1. */
export function checkStatement(value) {
  statement(value, "cert");
  const { rules, steps } = value.predicate;
  const needed = steps.some((row) => row.rule === "rule/1");
  demand(needed === (rules !== undefined), "V03", "cert.predicate.rules: there exactly when a step has the rule rule/1");
  const used = new Set(steps.map((row) => row.step));
  for (const { steps: names } of rules ?? []) {
    if (names.length === 0 || !names.every((item) => used.has(item))) throw new Reject("V03", "cert.predicate.rules: a row that no step refers to");
  }
}

/** Rejects with V03 what is no graph. */
export const checkGraph = (value) => graph(value, "graph");


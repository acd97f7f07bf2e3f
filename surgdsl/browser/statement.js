/**
 * The closed schema of a statement and of a graph (sections 4 to 6), with the limits of section 9.
 *
 * What a field means is checked by whoever uses it; here is only what may stand where. Whether lists are sorted is asked after the seal.
 */
import { checkClaim } from "./claims.js";
import { isDigest, isDtype, isFloat, isName, isNatural, isRational } from "./canonical.js";
import { polynomial } from "./extent.js";
import { demand } from "./reject.js";
import { anything, chosen, demandRising, has, integer, kind, list, object, refuse, text, tuple, word } from "./schema.js";

export const METRICS = Object.freeze(["macs/1", "nnz/1", "params/1", "size/1"]);
const MANY = 200000;
const STEPS = 10000;
const FEW = 256;
const ENDS = 1024;
const ITEMS = 64;
const RANK = 8;
const EXTENT = 2 ** 40;

const name = kind("a name", isName);
const digest = kind("a digest", isDigest);
const natural = kind("a natural", isNatural);
const rational = kind("a rational", isRational);
const float = kind("a float", isFloat);
const magnitude = kind("a finite float that is not negative", (value) => isFloat(value) && !value.startsWith("-") && value !== "inf");
const dtype = kind("a dtype", isDtype);
const symbol = kind("a symbol", (value) => typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value));
const count = integer(0);
const metric = word(...METRICS);
const relation = word("<=", "<", ">=", ">");

/** A polynomial of section 2, in symbols. */
function polynomialText(value, place) {
  if (typeof value !== "string") refuse(place, value, "an extent");
  demand(value.length <= FEW, "V03", `${place}: the extent is too long`);
  demand(value.split("+").length <= ITEMS, "V20", `${place}: the extent has too many terms`);
  const most = [...polynomial(value).values()].every((coefficient) => coefficient < BigInt(EXTENT));
  demand(most, "V03", `${place} has a coefficient of 2^40 or more`);
}

/** An extent of section 2. */
function extent(value, place) {
  if (typeof value === "string") polynomialText(value, place);
  else integer(1, EXTENT - 1)(value, place);
}
const shape = list(extent, RANK);
const dimensions = list(integer(0, EXTENT - 1), RANK);

// Graphs (section 4) and encodings (section 5).
const scalar = chosen((value) => {
  if (typeof value === "string") return text;
  if (typeof value === "boolean") return anything;
  if (has(value, "extent")) return object({ extent: polynomialText });
  if (has(value, "float")) return object({ float });
  if (has(value, "none")) return object({ none: word(true) });
  return has(value, "tensors") ? object({ tensors: integer(1, ENDS) }) : integer();
});
export const attribute = chosen((value) => (Array.isArray(value) ? list(scalar, ITEMS) : scalar));
const attributes = list(tuple(name, attribute), ITEMS);
const bits = integer(1, 8);
const grid = [{ axis: integer(-1, RANK - 1), bits, kind: text }, { group: integer(1, EXTENT - 1) }];
const ENCODINGS = new Map([
  ["dense", object({ kind: text })],
  ["codebook", object({ bits, kind: text })],
  ["affine", object(...grid)],
  ["symmetric", object(...grid)],
]);
const encoding = (masked) => chosen((value, place) => {
  if (masked && has(value, "kind") && value.kind === "masked") return object({ inner: encoding(false), kind: text });
  const check = has(value, "kind") ? ENCODINGS.get(value.kind) : undefined;
  return check ?? refuse(place, value, "an encoding");
});
const part = object({ digest, dtype, name, role: word("codebook", "codes", "mask", "scale", "values", "zero"), shape: dimensions });
const parts = list(part, 4, 1);

/** An operation whose wires are named by `wire`, with further fields. */
const operation = (wire, more) => chosen((value) => {
  const ends = { op: name, sources: list(wire, ENDS), targets: list(wire, ENDS), ...more };
  if (!has(value, "op") || value.op !== "param") return object({ ...ends, attributes });
  return object({ ...ends, encoding: encoding(true), parts, role: word("parameter", "buffer", "constant") });
});
const port = list(object({ name, wire: count }), ENDS);
const graph = object({
  inputs: port, operations: list(operation(count, {}), MANY), outputs: port, wires: list(object({ dtype, shape }), MANY),
});

// Steps (section 6).
const side = object({ operations: list(operation(name, { id: name }), MANY), wires: list(object({ dtype, id: name, shape }), MANY) });
const figures = (most) => list(tuple(name, rational), most);
const width = integer(1, 65536);
const CHANNELS = 2 ** 20;
const indices = list(integer(0, EXTENT), CHANNELS, 1);
const boxes = list(tuple(name, name, list(tuple(name, name), RANK)), ITEMS);
const ARGUMENTS = new Map([
  ["prune-channels/1", object({
    axis: name, indices: list(indices, MANY, 1), keep: indices, kept: list(tuple(name, integer(0, RANK - 1), count), MANY, 1), scores: list(natural, CHANNELS, 1),
  })],
  ["mask/1", object({ keep: natural }, { few: tuple(width, width), tile: tuple(width, width) })],
  ["quantize-codebook/1", object({ bits: integer(1, 8) }, { least: magnitude })],
  ["quantize-affine/1", object({ axis: integer(-1, RANK - 1), bits: integer(1, 8) }, { group: integer(1), symmetric: word(true) })],
  ["recover/1", object({ batch: natural, change: rational, data: name, epochs: natural, rate: rational, seed: natural })],
  ["adjust/1", object({ data: text, figures: figures(MANY), method: text })],
  ["fake-quantize/1", object({ bits: integer(2, 8), data: name, figures: figures(ITEMS), method: text })],
  ["rule/1", object({
    left: boxes, right: boxes, rule: digest, variables: list(tuple(symbol, attribute), ENDS), wires: list(tuple(name, name), ENDS),
  }, { factor: float, scales: list(tuple(symbol, list(integer(-64, 64), CHANNELS)), ITEMS) })],
]);
const values = tuple(...METRICS.map((id) => object({ id: word(id), value: natural })));
const locals = list(name, MANY);
const pairs = list(tuple(name, name), MANY);
const step = chosen((value) => {
  const reduce = has(value, "kind") && value.kind === "reduce" ? { reduces: metric } : {};
  return object({
    after: values, arguments: (item, place) => (Array.isArray(item) || typeof item !== "object" ? refuse(place, item, "an object") : undefined),
    before: values, chain: digest, glue: object({ operations: locals, wires: locals }), graphAfter: digest, graphBefore: digest, index: count,
    kind: word("reduce", "neutral"), left: side, manifestAfter: digest, manifestBefore: digest,
    match: object({ operations: pairs, wires: pairs }), mayRaise: list(metric), note: text, right: side, rule: name, step: name, ...reduce,
  });
});

// The statement (section 6).
const exact = { evidence: digest, limit: rational, measure: word("accuracy", "accuracyDrop", "loss", "lossRise"), relation };
const bounded = object({ ...exact, bound: rational, candidates: integer(1, 1000000), confidence: rational }, { registered: digest });
const measured = chosen((value) => (has(value, "confidence") ? bounded : object(exact)));
const claim = chosen((value) => (has(value, "counted")
  ? object({ counted: object({ left: anything, relation, right: anything }), text })
  : object({ measured, text })));
const ports = list(object({ dtype, name, shape }), ENDS);
const discharge = object({ bits: count, instances: count, method: word("identity", "samples", "none") });
const rules = list(object({ declaration: anything, discharge, steps: list(name, ENDS, 1) }), STEPS, 1);
const predicate = object({
  format: word(1), boundary: object({ inputs: ports, outputs: ports }), binding: list(tuple(symbol, integer(1, EXTENT)), ITEMS), claims: list(claim, FEW),
  facts: list(tuple(name, text), FEW), head: digest, input: object({ graph: digest, graphBlob: digest, manifest: digest }),
  interfaces: list(object({ inputs: ports, name, outputs: ports }), FEW), metrics: tuple(...METRICS.map((id) => word(id))),
  obligations: list(object({ rule: name, step: name }), STEPS), output: object({ graph: digest, manifest: digest }),
  producer: object({ name: word("surgdsl"), version: text }), seal: digest, seed: count, sequence: count,
  spec: object({ blob: digest, language: word("surg/1") }), steps: list(step, STEPS),
  tensors: list(object({ blob: digest, digest, dtype, shape: dimensions }), MANY),
}, { rules, supersedes: digest });
const statement = object({
  _type: word("https://in-toto.io/Statement/v1"), predicateType: word("https://surgdsl.org/certificate/v1"), predicate,
  subject: tuple(object({ digest: object({ surgManifestV1: digest }), name: word("model.safetensors") })),
});

/** Rejects with V03 or V20 what is no statement of format 1; whether lists are in order is `checkOrder`. */
export function checkStatement(value) {
  statement(value, "cert");
  value.predicate.claims.forEach(checkClaim);
  const { sequence, supersedes } = value.predicate;
  demand((sequence > 0) === (supersedes !== undefined), "V03", "cert.predicate.supersedes: there exactly when sequence is not 0");
}

/** Rejects with V03 lists that are not in order, or name something twice. */
export function checkOrder({ binding, facts, interfaces, steps, tensors }) {
  demandRising(binding, "binding", ([key]) => key);
  demandRising(facts, "facts", ([key]) => key);
  demandRising(tensors, "tensors", (row) => row.digest);
  const names = interfaces.map((row) => row.name);
  demand(new Set(names).size === names.length, "V03", "interfaces: a name twice");
  for (const { index, mayRaise } of steps) {
    demandRising(mayRaise, `step ${index}: mayRaise`);
  }
}

/** Rejects with V03 rules where no step has the rule rule/1, or whose steps are none; that a step has none of them is said of the step. */
export function checkRows({ rules: rows, steps }) {
  const declared = steps.filter((row) => row.rule === "rule/1");
  demand(declared.length > 0 || rows === undefined, "V03", "rules: only there when a step has the rule rule/1");
  const used = new Set(declared.map((row) => row.step));
  for (const { steps: list } of rows ?? []) {
    demandRising(list, "rules: steps");
    demand(list.length > 0 && list.every((item) => used.has(item)), "V03", "rules: a row that no step refers to");
  }
}

/** Rejects with V03 arguments that a rule does not have. */
export function checkArguments({ rule, arguments: given, step: called, index }) {
  ARGUMENTS.get(rule)(given, `step ${index} (${called}).arguments`);
  // The variables of rule/1 are sorted too; that they are those of the rule, in order, is its own check (V14).
  if (rule === "adjust/1") demandRising(given.figures, `step ${index} (${called}).arguments.figures`, ([item]) => item);
}

/** Rejects with V03 or V20 what is no graph. */
export const checkGraph = (value) => graph(value, "graph");

/** Rejects with V03 attributes that are not sorted by name. */
export const checkAttributes = (json, place) => demandRising(json.attributes ?? [], `${place}: attributes`, ([item]) => item);

/**
 * The verdict on one folder: every check of section 9 in its order, and what a report says.
 *
 * The first fault is the reason. Whatever is not an acceptance is a rejection, a fault of this program too (V20): there is one way to be accepted.
 */
import { checkInterfaces } from "./boundary.js";
import { parse } from "./canonical.js";
import { checkClaims, jointConfidence } from "./claims.js";
import { hex, manifestDigest, sealDigest } from "./digest.js";
import { checkBlobs, openCertificate, readAll, readBlob, weightFile } from "./folder.js";
import { WIDTH } from "./number.js";
import { ownText } from "./promise.js";
import { Reject, demand } from "./reject.js";
import { decide } from "./requirement.js";
import { checkDeclaration } from "./rules.js";
import { readHeader } from "./safetensors.js";
import { openEnvelope, signers } from "./signature.js";
import { allStates, counterOf, firstState } from "./states.js";
import { checkOrder, checkStatement } from "./statement.js";
import { Store, inMemory } from "./store.js";

/**
 * @typedef {object} Options what the auditor brings.
 * @property {string} [expectInput] @property {string} [expectGraph] @property {string} [expectOutput] @property {string} [expectSpec] digests
 * @property {number} [minSequence] @property {string[]} [trust] digests @property {Uint8Array[]} [keys] public keys, 32 bytes each, distinct
 * @property {number} [signatures] how many of the keys @property {object[]} [require] requirements, as `parseRequirement` reads them @property {boolean} [strict]
 */

/** The groups of checks, in their order (section 9). */
export const STAGES = Object.freeze(["form", "weights", "input", "rewrites", "output", "claims", "expectations"]);

const logsOf = (claims) => claims.flatMap(({ measured }) => (measured === undefined ? [] : [measured.evidence]));

/** Order 1: form. */
async function readForm(entries, options) {
  const { cert, envelope, blobs } = openCertificate(entries);
  const bytes = await readAll(cert, "certificate/cert.json");
  const statement = parse(bytes, { typed: true });
  checkStatement(statement);
  for (const [i, { declaration }] of (statement.predicate.rules ?? []).entries()) checkDeclaration(declaration, `cert.predicate.rules[${i}].declaration`);
  const { predicate } = statement;
  demand((await sealDigest(statement)) === predicate.seal, "V04", "the seal is broken");
  checkOrder(predicate);
  const named = [predicate.spec.blob, predicate.input.graphBlob, ...predicate.tensors.map(({ blob }) => blob), ...logsOf(predicate.claims)];
  await checkBlobs(blobs, new Set(named));
  const signed = await readSignatures(envelope, bytes, options);
  return { statement, predicate, blobs, signed };
}

async function readSignatures(envelope, cert, { keys = [], signatures = keys.length }) {
  if (envelope === null) {
    demand(keys.length === 0, "V22", "keys were named, and there is no signature");
    return { envelope: false, signers: [], keys: keys.length };
  }
  const opened = openEnvelope(await readAll(envelope, "certificate/cert.dsse.json"), cert);
  const found = await signers(opened, keys);
  demand(keys.length === 0 || found.length >= signatures, "V22", `${found.length} of ${keys.length} keys have signed, ${signatures} are asked for`);
  return { envelope: true, signers: found.map(hex), keys: keys.length };
}

/** Hashes all tensors of a weight file. @returns names and digests. */
async function hashFile(store, file, what, canonical, hashed) {
  const tensors = new Map();
  const rows = await readHeader(file, { canonical, what });
  for (const [name, row] of rows) tensors.set(name, { digest: await store.add(file, row, hashed), dtype: row.dtype, shape: row.shape });
  return tensors;
}

/** Order 2: weights. */
async function readWeights({ entries, input, model, predicate, blobs }, progress) {
  const store = new Store();
  const total = (input ?? entries.get("input.safetensors"))?.size + (model ?? entries.get("model.safetensors"))?.size;
  let done = 0;
  const hashed = (bytes) => progress("weights", (done += bytes), total);
  const first = await hashFile(store, weightFile(entries, "input.safetensors", input), "the input", false, hashed);
  const last = await hashFile(store, weightFile(entries, "model.safetensors", model), "model.safetensors", true, hashed);
  for (const { blob, digest, dtype, shape } of predicate.tensors) {
    const bytes = await readBlob(blobs, blob);
    const nbytes = shape.reduce((total, extent) => total * BigInt(extent), BigInt(WIDTH[dtype]));
    demand(nbytes === BigInt(bytes.length), "V08", `the tensor ${digest} has ${bytes.length} bytes, its shape asks for ${nbytes}`);
    demand(!store.has(digest), "V08", `the tensor ${digest} lies in a weight file as well`);
    const found = await store.add(inMemory(bytes), { dtype, shape, start: 0, end: bytes.length });
    demand(found === digest, "V08", `the tensor ${digest} has another digest`);
  }
  return { store, first, last };
}

/** Order 5, first half: the output is what the last step left. */
async function checkOutput({ predicate, subject }, state, tensors) {
  const { graph, manifest } = predicate.output;
  demand(graph === state.graph && manifest === state.manifest, "V06", "the output is not what the last step left");
  demand(subject.digest.surgManifestV1 === manifest, "V06", "the subject is another model");
  const rows = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { digest, dtype, shape }]) =>
    ({ digest, dtype, name, nbytes: shape.reduce((total, extent) => total * extent, WIDTH[dtype]), shape }));
  demand((await manifestDigest(rows)) === manifest, "V08", "model.safetensors does not hold the output's tensors");
}

/** Order 5, the end: what the auditor expects. */
async function checkExpectations(predicate, options, context, infinite) {
  const expected = [["input", options.expectInput, predicate.input.manifest], ["graph", options.expectGraph, predicate.input.graph],
    ["output", options.expectOutput, predicate.output.manifest],
    ["spec", options.expectSpec, predicate.spec.blob]];
  for (const [what, want, found] of expected) demand(want === undefined || want === found, "V19", `another ${what} was expected: it is ${found}`);
  const least = options.minSequence ?? 0;
  demand(predicate.sequence >= least, "V19", `its sequence is ${predicate.sequence}, at least ${least} was asked for`);
  const requirements = [];
  for (const requirement of options.require ?? []) {
    const { met, words } = await decide(requirement, context);
    demand(met, "V19", `${requirement.text}: ${words.join("; ")}`);
    requirements.push({ text: requirement.text, words });
  }
  const unbound = expected.some(([, want]) => want === undefined);
  demand(!unbound || !options.strict, "V19", "strict: the verdict is not bound to an expected input, graph, output and spec");
  demand(infinite === 0n || !options.strict, "V19", `strict: ${infinite} elements of the result are not finite`);
  return { unbound, requirements };
}

/** All checks. @returns what was found, for the report. */
async function examine({ entries, input, model, options, progress }) {
  progress("form");
  const { statement, predicate, blobs, signed } = await readForm(entries, options);
  progress("weights");
  const { store, first: inputTensors, last: outputTensors } = await readWeights({ entries, input, model, predicate, blobs }, progress);
  const counter = counterOf(store, predicate);
  const names = new Map([...inputTensors].map(([name, { digest }]) => [name, digest]));
  progress("input");
  const first = await firstState({ predicate, blobs, counter, inputTensors: names });
  progress("rewrites");
  const { last, steps } = await allStates(first, { predicate, store, counter, progress });
  progress("output");
  await checkOutput({ predicate, subject: statement.subject[0] }, last, outputTensors);
  checkInterfaces(predicate.interfaces, predicate.boundary);
  const context = {
    predicate, nets: { before: first.net, after: last.net }, metrics: { before: first.metrics, after: last.metrics },
    properties: { before: counter.properties(first.net), after: counter.properties(last.net) },
    blob: (digest) => readBlob(blobs, digest), trusted: new Set(options.trust ?? []),
  };
  progress("claims");
  const claims = await checkClaims(context);
  progress("expectations");
  const infinite = counter.infinite(last.net);
  const expectations = await checkExpectations(predicate, options, context, infinite);
  const referred = new Set([...first.net.operations.values()].flatMap(({ parts }) => (parts ?? []).map(({ name }) => name)));
  const dead = [...names.keys()].filter((name) => !referred.has(name));
  const joint = jointConfidence(claims);
  const text = ownText(await readBlob(blobs, predicate.spec.blob));
  return { predicate, steps, claims, surgery: claims[0]?.surgery ?? "", joint, signed, dead, infinite, text, metrics: context.metrics, tensors: [inputTensors.size, outputTensors.size], ...expectations };
}

/**
 * Verifies a folder.
 * @param {object} request
 * @param {Map<string, {size: number, read: Function} | null>} request.entries the files of the folder by path; null for what is no regular file.
 * @param {object | null} [request.input] the input weights, when they lie elsewhere. @param {object | null} [request.model] likewise.
 * @param {Options} [request.options]
 * @param {(stage: string, done: number, total?: number) => void} [request.progress]
 * @returns {Promise<{accepted: boolean, code: string, reason: string, stage: string, found: object | null}>} `stage`: the last group of checks
 *   that was begun. Never throws.
 */
export async function verify({ entries, input = null, model = null, options = {}, progress = () => {} }) {
  let stage = STAGES[0];
  const noted = (name, done, total) => {
    stage = name;
    progress(name, done, total);
  };
  try {
    const found = await examine({ entries, input, model, options, progress: noted });
    return { accepted: true, code: "", reason: "every check passed", stage, found };
  } catch (fault) {
    if (fault instanceof Reject) return { accepted: false, code: fault.code, reason: fault.message, stage, found: null };
    return { accepted: false, code: "V20", reason: `this verifier failed, which is no acceptance: ${fault}`, stage, found: null, fault };
  }
}

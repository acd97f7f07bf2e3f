/**
 * Claims (section 6): bound to the words of the file, computed again, and graded by what they rest on.
 * @module
 */

import { RESTS, boundOf, figureOf, logOf } from "./evidence.js";
import { checkFigure, evaluateFigure } from "./figure.js";
import { ownText, surgeriesOf, usesMetric } from "./promise.js";
import { compare, rational, stands, sub, text, whole } from "./rational.js";
import { demand } from "./reject.js";
import { read, says } from "./sentence.js";

/** @typedef {import("./rational.js").Rational} Rational */
/** @typedef {import("./evidence.js").Log} Log */
/**
 * @typedef {object} Context
 * @property {any} predicate @property {{before: Map<string, bigint>, after: Map<string, bigint>}} metrics
 * @property {{before: any[], after: any[]}} properties of the weights, see figure.js
 * @property {(digest: string) => Promise<Uint8Array>} blob @property {Set<string>} trusted
 */
/**
 * @typedef {object} Verdict of one claim
 * @property {string} text @property {"proved" | "measured" | "trusted"} grade @property {string[]} words
 * @property {Rational} [confidence] @property {string} surgery of the file that promises it @property {boolean} read whether its words were read
 */

const EVALUATIONS = 10000000;
const BETTER = new Map([["accuracy", [">=", ">"]], ["accuracyDrop", ["<=", "<"]], ["loss", ["<=", "<"]], ["lossRise", ["<=", "<"]]]);

/** Rejects (V03) a claim that has the fields of one but is none. @param {any} claim */
export function checkClaim(claim) {
  if ("counted" in claim) {
    checkFigure(claim.counted.left);
    checkFigure(claim.counted.right);
    return;
  }
  const { measured } = claim;
  const bounded = "confidence" in measured;
  for (const field of ["bound", "candidates"]) demand(field in measured === bounded, "V03", `${field} of a claim: there exactly with a confidence`);
  demand(bounded || !("registered" in measured), "V03", "registered without a confidence");
  demand(!bounded || BETTER.get(measured.measure).includes(measured.relation), "V03", `${measured.measure} is not bounded from that side`);
}

/**
 * Checks all claims in order. @param {Context} context @returns {Promise<Verdict[]>}
 */
export async function checkClaims(context) {
  const { claims, spec } = context.predicate;
  const own = surgeriesOf(ownText(await context.blob(spec.blob)));
  const texts = claims.map((/** @type {any} */ claim) => claim.text);
  const surgery = own.surgeries.find(({ promises }) => promises.length === texts.length && promises.every((promise, i) => promise === texts[i]));
  demand(surgery, "V18", "the claims are not what a surgery of the file promises, in its order");
  const budget = { left: EVALUATIONS };
  const verdicts = [];
  for (const claim of claims) {
    const evidence = "measured" in claim ? await logOf(claim.measured.evidence, context) : null;
    const sentence = read(claim.text, false);
    const known = sentence !== null && usesMetric(own, sentence.metric);
    demand(!known || says(sentence, claim, evidence?.name ?? null), "V18", `“${claim.text}”: the claim does not say what its words say`);
    const found = evidence ? measure(claim, evidence) : count(claim, context, budget);
    verdicts.push({ text: claim.text, surgery: surgery.name, read: known, ...found });
  }
  return verdicts;
}

/** @param {any} claim @param {Context} context @param {{left: number}} budget */
function count({ counted, text: words }, context, budget) {
  /** @type {{reference: string, sha256: string}[]} */
  const attested = [];
  for (const side of [counted.left, counted.right]) checkFigure(side, (number) => attested.push(number));
  for (const { reference, sha256 } of attested)
    demand(context.trusted.has(sha256), "V21", `“${words}” rests on ${reference}, Python of the digest ${sha256}, which the auditor has not named`);
  const scope = { metrics: context.metrics, properties: context.properties, budget };
  const [left, right] = [evaluateFigure(counted.left, scope), evaluateFigure(counted.right, scope)];
  const shown = `${text(left)} ${counted.relation} ${text(right)}`;
  demand(stands(left, counted.relation, right), "V18", `“${words}” does not hold: ${shown}`);
  const trusted = attested.map(({ reference, sha256 }) => `trusts ${reference}, ${sha256}`);
  return { grade: attested.length > 0 ? "trusted" : "proved", words: [`counted: ${shown}`, ...new Set(trusted)] };
}

/** @param {any} claim @param {Log} log */
function measure({ measured, text: words }, log) {
  const { measure: what, relation } = measured;
  demand(log.kind === RESTS.get(what), "V17", `“${words}” rests on a log of ${log.kind}`);
  const limit = rational(measured.limit);
  const figure = figureOf(what, log);
  const rows = [`${what} of ${log.rows} rows of ${log.name}: ${text(figure)}`];
  if (log.loss !== null) rows.push(`the loss is ${log.loss}, attested`);
  if (log.seen) rows.push(`${log.seen} of these rows were seen by a step of the surgery`);
  if (!("confidence" in measured)) {
    demand(stands(figure, relation, limit), "V18", `“${words}” does not hold: ${text(figure)}`);
    return { grade: "measured", words: rows };
  }
  return { grade: "measured", words: [...rows, ...bounded(measured, words, log, limit)], confidence: rational(measured.confidence) };
}

/** @param {any} measured @param {string} words @param {Log} log @param {Rational} limit */
function bounded({ measure: what, relation, candidates, ...given }, words, log, limit) {
  const [confidence, bound] = [rational(given.confidence), rational(given.bound)];
  demand(compare(confidence, whole(0)) > 0 && compare(confidence, whole(1)) < 0, "V18", `“${words}”: a confidence of ${text(confidence)}`);
  const own = boundOf(what, log, confidence, candidates);
  const better = what === "accuracy" ? compare(bound, own) > 0 : compare(bound, own) < 0;
  demand(!better, "V17", `“${words}”: the bound ${text(bound)} is better than the rows allow, ${text(own)}`);
  demand(stands(bound, relation, limit), "V18", `“${words}” does not hold: the bound is ${text(bound)}`);
  const sure = [`bound with confidence ${text(confidence)}, among ${candidates} candidates: ${text(own)}`];
  return given.registered ? [...sure, `registered before under ${given.registered}, attested`] : sure;
}

/** The confidence in all claims together, or null when there is none that is positive. @param {Verdict[]} verdicts */
export function jointConfidence(verdicts) {
  const bounds = verdicts.filter(({ confidence }) => confidence !== undefined);
  const joint = bounds.reduce((left, { confidence }) => sub(left, sub(whole(1), confidence)), whole(1));
  return bounds.length > 0 && joint.n > 0n ? joint : null;
}

/**
 * Claims (section 6): bound to the words of the file, computed again, and graded by what they rest on.
 * @module
 */

import { alike } from "./alike.js";
import { BETTER, RESTS, boundOf, figureOf, logOf } from "./evidence.js";
import { checkFigure, evaluateFigure } from "./figure.js";
import { ownText, surgeriesOf, usesMetric } from "./promise.js";
import { compare, percent, rational, shown, stands, sub, text, whole } from "./rational.js";
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
 * Checks all claims: first what they rest on, in order, then that they hold, then that they are what the file promises.
 * @param {Context} context @returns {Promise<Verdict[]>}
 */
export async function checkClaims(context) {
  const { claims } = context.predicate;
  const budget = { left: EVALUATIONS };
  const logs = [];
  for (const { measured } of claims) logs.push(measured ? await logOf(measured.evidence, context) : null);
  const found = claims.map((/** @type {any} */ claim, /** @type {number} */ i) => {
    const log = logs[i];
    return log ? { data: log.name, ...measure(claim, log) } : { data: null, ...count(claim, context, budget) };
  });
  for (const [i, { left, relation, right, data }] of found.entries()) {
    const write = data === null ? shown : percent;
    demand(stands(left, relation, right), "V18", `“${claims[i].text}” does not hold: ${write(left)} ${relation} ${write(right)}`);
  }
  const { surgery, read: known } = await bind(context, found.map((/** @type {any} */ { data }) => data));
  return found.map(({ grade, words, confidence }, i) => ({ text: claims[i].text, surgery, read: known[i], grade, words, confidence }));
}

/**
 * Holds the claims against the text of the file; V18 where they say something else.
 * @param {Context} context @param {(string | null)[]} data names of the logs
 */
async function bind({ predicate: { claims, spec }, blob }, data) {
  const own = surgeriesOf(ownText(await blob(spec.blob)));
  const texts = claims.map((/** @type {any} */ claim) => claim.text);
  const surgery = own.surgeries.find(({ promises }) => alike(promises, texts));
  demand(surgery, "V18", "the claims are not what a surgery of the file promises, in its order");
  const known = claims.map((/** @type {any} */ claim, /** @type {number} */ i) => {
    const sentence = read(claim.text, false);
    if (sentence === null || !usesMetric(own, sentence.metric)) return false;
    demand(says(sentence, claim, data[i]), "V18", `“${claim.text}”: the claim does not say what its words say`);
    return true;
  });
  return { surgery: surgery.name, read: known };
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
  const trusted = attested.map(({ reference, sha256 }) => `trusts ${reference}, ${sha256}`);
  return { grade: attested.length > 0 ? "trusted" : "proved", left, relation: counted.relation, right, words: [`counted: ${shown(left)} ${counted.relation} ${shown(right)}`, ...new Set(trusted)] };
}

/** @param {any} claim @param {Log} log */
function measure({ measured, text: words }, log) {
  const { measure: what, relation } = measured;
  demand(log.kind === RESTS.get(what), "V17", `“${words}” rests on a log of ${log.kind}`);
  const figure = figureOf(what, log);
  const rows = [`${what} of ${log.rows} rows of ${log.name}: ${percent(figure)}`];
  if (log.loss !== null) rows.push(`the loss is ${log.loss}, attested`);
  if (log.seen) rows.push(`${log.seen} of these rows were seen by a step of the surgery`);
  const compared = { grade: "measured", relation, right: rational(measured.limit) };
  if (!("confidence" in measured)) return { ...compared, left: figure, words: rows };
  const { confidence, bound, sure } = bounded(measured, words, log);
  return { ...compared, left: bound, words: [...rows, ...sure], confidence };
}

/** The bound that a claim states, no better than the rows allow. @param {any} measured @param {string} words @param {Log} log */
function bounded({ measure: what, candidates, ...given }, words, log) {
  const [confidence, bound] = [rational(given.confidence), rational(given.bound)];
  demand(compare(confidence, whole(0)) > 0 && compare(confidence, whole(1)) < 0, "V18", `“${words}”: a confidence of ${text(confidence)}`);
  const own = boundOf(what, log, confidence, candidates);
  const better = what === "accuracy" ? compare(bound, own) > 0 : compare(bound, own) < 0;
  demand(!better, "V17", `“${words}”: the bound ${percent(bound)} is better than the rows allow, ${percent(own)}`);
  const sure = [`with confidence ${percent(confidence)}, among ${candidates} candidates: ${percent(bound)}`];
  if (given.registered) sure.push(`registered before under ${given.registered}, attested`);
  return { confidence, bound, sure };
}

/** The confidence in all claims together, or null when there is none that is positive. @param {Verdict[]} verdicts */
export function jointConfidence(verdicts) {
  const bounds = verdicts.filter(({ confidence }) => confidence !== undefined);
  const joint = bounds.reduce((left, { confidence }) => sub(left, sub(whole(1), confidence)), whole(1));
  return bounds.length > 0 && joint.n > 0n ? joint : null;
}

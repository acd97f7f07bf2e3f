/**
 * Requirements of an auditor: what this verifier must find by its own counts, whatever the certificate claims (section 6).
 * @module
 */

import { BETTER, RESTS, boundOf, figureOf, logOf } from "./evidence.js";
import { evaluateFigure } from "./figure.js";
import { compare, percent, shown, stands, whole } from "./rational.js";
import { read } from "./sentence.js";

/** @typedef {import("./sentence.js").Sentence} Sentence */
/** @typedef {import("./evidence.js").Log} Log */

/** A requirement, or null when the text is none. @param {string} written @returns {(Sentence & {text: string}) | null} */
export function parseRequirement(written) {
  const sentence = read(written.replace(/[ \t\n\r]+/g, " "), true);
  const { confidence = null, measure, relation } = sentence?.measured ?? {};
  const sure = confidence === null || (compare(confidence, whole(0)) > 0 && compare(confidence, whole(1)) < 0 && BETTER.get(measure).includes(relation));
  return sentence && sure ? { ...sentence, text: written } : null;
}

/**
 * Whether a requirement is met. @param {Sentence} requirement @param {import("./claims.js").Context} context whose claims hold
 * @returns {Promise<{met: boolean, words: string[]}>}
 */
export async function decide(requirement, context) {
  if (requirement.counted) {
    const { left, relation, right } = requirement.counted;
    const scope = { metrics: context.metrics, properties: context.properties, budget: { left: 100 } };
    const [a, b] = [evaluateFigure(left, scope), evaluateFigure(right, scope)];
    return { met: stands(a, relation, b), words: [`counted: ${shown(a)} ${relation} ${shown(b)}`] };
  }
  const { measure, data } = requirement.measured;
  const { claims } = context.predicate;
  const digests = new Set(claims.flatMap((/** @type {any} */ { measured }) => (measured ? [measured.evidence] : [])));
  const logs = await Promise.all([...digests].map(async (digest) => /** @type {[string, Log]} */ ([digest, await logOf(digest, context)])));
  const fitting = logs.filter(([, log]) => log.kind === RESTS.get(measure) && (data === null || log.name === data));
  const found = fitting.map(([digest, log]) => onLog(requirement.measured, log, digest, claims));
  if (found.length === 0) return { met: false, words: ["no log of this certificate can decide it"] };
  return { met: found.every(({ met }) => met), words: found.map(({ words }) => words) };
}

/** @param {any} measured @param {Log} log @param {string} digest @param {any[]} claims */
function onLog({ measure, relation, limit, confidence, candidates }, log, digest, claims) {
  const tried = claims.map(({ measured }) => (measured?.evidence === digest ? (measured.candidates ?? 1) : 1));
  const most = Math.max(candidates, 1, ...tried);
  const value = confidence === null ? figureOf(measure, log) : boundOf(measure, log, confidence, most);
  const sure = confidence === null ? "" : `, a bound with confidence ${percent(confidence)} among ${most} candidates`;
  return { met: stands(value, relation, limit), words: `${measure} of ${log.rows} rows of ${log.name}: ${percent(value)}${sure}` };
}

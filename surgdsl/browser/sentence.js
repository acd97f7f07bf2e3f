/**
 * The small grammar in which promises and an auditor's requirements are read (section 6).
 *
 * A text outside of it is not wrong, it is only not read; then the report prints what was checked instead.
 * @module
 */

import { alike } from "./alike.js";
import { mul, ratio, rational, text, whole } from "./rational.js";

/** @typedef {import("./rational.js").Rational} Rational */
/**
 * @typedef {object} Sentence
 * @property {string} metric that a text must have from the standard library
 * @property {{left: any, relation: string, right: any}} [counted] as in a claim
 * @property {{measure: string, relation: string, limit: Rational, data: string | null, confidence: Rational | null, candidates: number, registered: boolean}} [measured]
 */

const NUMBER = String.raw`-?[0-9][0-9_]{0,38}(?:\.[0-9]{1,39})?`;
const SHARE = String.raw`(?:${NUMBER}(?:%|pp)?|[0-9]{1,39}/[0-9]{1,39})`;
const RELATION = "(<=|<|>=|>)";
const COUNTED = new RegExp(String.raw`^(macs|nnz|params|size)(\(after\))?${RELATION}(.+)$`);
const OF_BEFORE = new RegExp(String.raw`^(${SHARE})\*(macs|nnz|params|size)\(before\)$`);
const MEASURED = new RegExp(
  String.raw`^(accuracy\(after\)|accuracy|accuracy[. ]drop|loss\(after\)|loss|loss[. ]rise)${RELATION}(${SHARE})` +
    String.raw`(?: on ([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*))?(?: with confidence (${SHARE})(?: among ([0-9]{1,7}) candidates)?( registered "[^"\n]*")?)?$`,
);
const POWERS = { k: 1000n, M: 1000n ** 2n, G: 1000n ** 3n, T: 1000n ** 4n, Ki: 1024n, Mi: 1024n ** 2n, Gi: 1024n ** 3n, Ti: 1024n ** 4n };
const UNITS = new Map([["size", /^(.*?)([kMGT]|[KMGT]i)?B$/], ["macs", /^(.*?)([kMGT])?mac$/]]);

/** A decimal number. @param {string} written @returns {Rational} */
function decimal(written) {
  const [before, behind = ""] = written.replaceAll("_", "").split(".");
  return ratio(BigInt(before + behind), 10n ** BigInt(behind.length));
}

/** A share, or null when its divisor is 0. @param {string} written @returns {Rational | null} */
function share(written) {
  const parts = written.split("/");
  if (parts.length === 2) return BigInt(parts[1]) === 0n ? null : ratio(BigInt(parts[0]), BigInt(parts[1]));
  const bare = written.replace(/%|pp/, "");
  return bare === written ? decimal(bare) : mul(decimal(bare), ratio(1n, 100n));
}

/** What a metric is compared with, a number with the unit that it needs; null when it is none. @param {string} metric @param {string} written */
function value(metric, written) {
  const form = UNITS.get(metric);
  const found = form ? form.exec(written) : [written, written, undefined];
  if (!found || !new RegExp(`^${NUMBER}$`).test(found[1])) return null;
  return mul(decimal(found[1]), whole(found[2] === undefined ? 1n : POWERS[found[2]]));
}

/**
 * Reads a text. @param {string} written @param {boolean} loose whether it is a requirement of an auditor
 * @returns {Sentence | null} null when it is not of the grammar
 */
export function read(written, loose) {
  const words = written.replace(/ ?([()<>=*/.,]) ?/g, "$1").replace(/^ | $/g, "");
  const counted = COUNTED.exec(words);
  if (counted) return counted[2] || loose ? readCounted(counted, loose) : null;
  const measured = MEASURED.exec(words);
  return measured ? readMeasured(measured, loose) : null;
}

/** @param {string[]} found @param {boolean} loose @returns {Sentence | null} */
function readCounted([, metric, , relation, rest], loose) {
  const left = { metric: `${metric}/1`, state: "after" };
  const counted = (/** @type {any} */ right) => ({ metric, counted: { left, relation, right } });
  const plain = value(metric, rest);
  if (plain) return counted({ number: text(plain) });
  const part = OF_BEFORE.exec(loose && rest.endsWith("%") ? `${rest}*${metric}(before)` : rest);
  const factor = part && part[2] === metric ? share(part[1]) : null;
  if (!factor) return null;
  return counted({ apply: "mul", terms: [{ number: text(factor) }, { metric: `${metric}/1`, state: "before" }] });
}

const MEASURES = new Map([
  ["accuracy(after)", "accuracy"], ["accuracy", "accuracy"], ["accuracy.drop", "accuracyDrop"], ["accuracy drop", "accuracyDrop"],
  ["loss(after)", "loss"], ["loss", "loss"], ["loss.rise", "lossRise"], ["loss rise", "lossRise"],
]);
const STRICT = ["accuracy(after)", "accuracy.drop", "loss(after)", "loss.rise"];

/** @param {string[]} found @param {boolean} loose @returns {Sentence | null} */
function readMeasured([, figure, relation, limit, data, confidence, candidates, registered], loose) {
  if (loose ? registered : !STRICT.includes(figure) || !data) return null;
  const [bar, sure] = [share(limit), confidence === undefined ? null : share(confidence)];
  if (!bar || (confidence !== undefined && !sure)) return null;
  const count = candidates === undefined ? 1 : Number(candidates);
  const measure = MEASURES.get(figure);
  const measured = { measure, relation, limit: bar, data: data ?? null, confidence: sure, candidates: count, registered: Boolean(registered) };
  return { metric: measure.startsWith("accuracy") ? "accuracy" : "loss", measured };
}

/** Whether a claim has exactly the structure of what was read. @param {Sentence} sentence @param {any} claim @param {string | null} data the name of its log */
export function says(sentence, claim, data) {
  if (sentence.counted) return "counted" in claim && alike(sentence.counted, claim.counted);
  const { measure, relation, limit, confidence, candidates, registered } = sentence.measured;
  if (!("measured" in claim)) return false;
  const there = claim.measured;
  if (there.measure !== measure || there.relation !== relation || there.limit !== text(limit) || data !== sentence.measured.data) return false;
  if ((confidence !== null) !== "confidence" in there) return false;
  return confidence === null || (there.confidence === text(confidence) && there.candidates >= candidates && registered === "registered" in there);
}

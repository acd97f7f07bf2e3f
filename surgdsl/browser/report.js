/**
 * A verdict as lines of text, for the shell.
 */
import { claimText } from "./figures.js";

/** What a rejection code means, in plain words (section 9). */
export const CODES = Object.freeze({
  __proto__: null,
  V01: "A file is missing, is no regular file, or does not belong here.",
  V02: "A file of the certificate is not in the one spelling that its content has.",
  V03: "A field of the certificate is unknown, missing, or holds what it may not hold.",
  V04: "The seal is broken, or a file of the certificate holds other bytes than its name says.",
  V05: "The chain that links the steps is broken, or a step is out of order.",
  V06: "A state of the model is not the one that the certificate names.",
  V07: "A weight file is malformed.",
  V08: "A tensor holds other bytes than the certificate says, is missing, or is one too many.",
  V09: "An operation is unknown, or does not fit what it reads and makes.",
  V10: "A step is not well-formed.",
  V11: "A step does not fit the model: what it replaces is not there, or would leave loose ends.",
  V12: "What a step leaves is no model: something is unused, missing, or depends on itself.",
  V13: "A figure differs from the recount, or does not fall where it should.",
  V14: "A step is not what its rule allows, or nobody asked for it.",
  V15: "Weights differ from their recomputation, or are not encoded as they should be.",
  V16: "What goes in and comes out of the model has changed.",
  V17: "The evidence is incomplete, miscounted, or about another model or other data.",
  V18: "A claim does not hold, or is not what the text says.",
  V19: "What you expected is not what this certificate is about.",
  V20: "A limit was exceeded, or this verifier failed. Neither is an acceptance.",
  V21: "A promise rests on Python code that you have not said you trust.",
  V22: "The signatures are not those that you asked for.",
});

/** What no certificate says (section 12), in plain words. */
export const NOT_CERTIFIED = Object.freeze([
  "speed, energy or memory on any machine",
  "that the model does the same as before, except for steps called exact",
  "that the predictions in a log are what the models predict, or that its rows were drawn fairly and not used for training",
  "robustness, fairness, privacy, or the absence of backdoors",
  "what the text of the surgery is meant to achieve, beyond the claims listed here",
]);

const shown = (value) => value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, " ");
const visible = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

function stepLines({ step, rule, finding, before, after }) {
  const figures = [...after].map(([id, value]) => `${id} ${shown(before.get(id))} → ${shown(value)}`).join(", ");
  return [`  step    ${step}  ${rule}  ${finding.grade}`, `          ${figures}`, ...(finding.words ?? []).map((word) => `          ${word}`)];
}

/** @param {object} verdict of `verify`. @returns {string[]} lines, without control characters. */
export function reportOf({ accepted, code, reason, found }) {
  if (!accepted) return ["Rejected.", `${code}: ${CODES[code]}`, visible(reason)];
  const opaque = found.steps.filter(({ finding }) => finding.grade === "attested");
  const claims = found.claims.flatMap(({ text, grade, words, read }, i) => {
    const reading = read ? [] : [`not read: ${claimText(found.predicate.claims[i])}`];
    return [`  claim   ${grade}  ${text}`, ...[...reading, ...words].map((word) => `          ${word}`)];
  });
  const notes = found.unbound ? ["  UNBOUND the verdict holds for whatever the certificate speaks of"] : [];
  if (found.infinite > 0n) notes.push(`  note    not finite: ${found.infinite} elements`);
  const attested = opaque.map(({ step, rule }) => `  opaque  ${step}  ${rule}: only its form was checked`);
  return ["Accepted.", ...attested, ...found.steps.flatMap(stepLines), ...claims, ...notes].map(visible);
}

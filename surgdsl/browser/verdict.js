/**
 * A verdict as elements of the page, in plain words: what holds, what rests on trust, what nobody can know.
 */
import { make } from "./dom.js";
import { claimText } from "./figures.js";
import { CODES, NOT_CERTIFIED } from "./report.js";
import { STAGES } from "./verify.js";

const GRADES = Object.freeze({
  __proto__: null,
  proved: ["good", "proved", "re-computed here from the stored bytes"],
  bounded: ["good", "bounded", "re-computed here, and the error measured"],
  measured: ["warn", "measured", "re-counted here from a log; that the log is what the models predict is not checked"],
  trusted: ["warn", "trusted", "rests on Python code that you named"],
  attested: ["warn", "on trust", "only the form was checked: new values that nobody can re-compute"],
  lossy: ["warn", "form only", "the replacement is what was asked for; what it does to the answers, a measured claim has to say"],
});
const DEEDS = Object.freeze({
  __proto__: null,
  "prune-channels/1": "cuts channels out",
  "mask/1": "sets weights to zero",
  "quantize-codebook/1": "rounds weights to few values",
  "quantize-affine/1": "rounds weights to a grid",
  "recover/1": "trains",
  "adjust/1": "changes values as data decided",
  "fake-quantize/1": "rounds what flows between operations",
  "rule/1": "applies a rule of the file",
});
const METRICS = [["params/1", "Parameters"], ["nnz/1", "Not zero"], ["size/1", "Bytes"], ["macs/1", "Multiply-adds"]];

const number = (value) => value.toLocaleString("en").replace(/,/g, "\u202f");
const tag = (grade) => make(`span.tag.${(GRADES[grade] ?? GRADES.attested)[0]}`, ["title", (GRADES[grade] ?? GRADES.attested)[2]], (GRADES[grade] ?? GRADES.attested)[1]);
const items = (words) => (words.length === 0 ? null : make("ul", ...words.map((word) => make("li", word))));
const plural = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;

function share(value, whole) {
  if (whole === 0n) return "";
  const thousandths = Number((value * 100000n) / whole) / 1000;
  return `${thousandths.toLocaleString("en", { maximumFractionDigits: thousandths < 10 ? 2 : 1 })}%`;
}

function banner(kind, sign, title, ...words) {
  return make(`div.banner.${kind}`, make("span.sign", ["aria-hidden", "true"], sign), make("div", make("h2", ["id", "verdict-title"], title), ...words.map((word) => (typeof word === "string" ? make("p", word) : word))));
}

/** How far the checks came. */
function stages(verdict, words) {
  const failed = verdict.accepted ? STAGES.length : STAGES.indexOf(verdict.stage);
  const row = (stage, i) => {
    const [state, sign, said] = i < failed ? ["passed", "✓", "passed"] : i === failed ? ["failed", "✕", "failed"] : ["ahead", "·", "not reached"];
    return make(`li.${state}`, make("span.mark", ["aria-hidden", "true"], sign), words[stage], make("span.quiet", ` ${said}`));
  };
  return make("ol.stages", ...STAGES.map(row));
}

function claimOf({ text, grade, words, read }, claim) {
  const reading = read ? [] : ["The words are those of the file, and this program does not read them. It checked this:", claimText(claim)];
  return make("div.claim", make("span.text", text), " ", tag(grade), items([...reading, GRADES[grade][2], ...words]));
}

function claims({ claims: list, joint, predicate }) {
  const sure = joint ? make("p.quiet", `All claims with a confidence hold together with a confidence of at least ${share(joint.n, joint.d)}, if the rows were drawn independently and candidates were fixed before.`) : null;
  const none = list.length === 0 ? make("p", "The text asks for nothing that could be checked.") : null;
  return [make("h3", "What is claimed, and holds"), none, ...list.map((claim, i) => claimOf(claim, predicate.claims[i])), sure];
}

/** Steps that nobody can recompute come first. */
function opaque({ steps }) {
  const trusted = steps.filter(({ finding }) => finding.grade === "attested");
  if (trusted.length === 0) return [];
  const row = ({ step, rule, finding }) => make("li", make("strong", step), ` (${rule}): ${finding.words.join("; ")}`);
  return [make("div.box.warn", make("p", make("strong", `${plural(trusted.length, "step")} to take on trust`)),
    make("p", "These put values into the model that no one can re-compute. Their form was checked; what they do, only a measured claim can say."), make("ul", ...trusted.map(row)))];
}

/** Steps in a row that one line of the text asked for, by one rule, as one row. */
function rowsOf(steps) {
  const rows = [];
  for (const one of steps) {
    const last = rows[rows.length - 1];
    const same = last && last.step === one.step && last.rule === one.rule && last.finding.grade === one.finding.grade;
    if (same) Object.assign(last, { after: one.after, count: last.count + 1 });
    else rows.push({ ...one, count: 1 });
  }
  return rows;
}

function ledger({ steps, metrics }) {
  const first = metrics.before;
  const figure = (value, id, before) => make("td.number", before === value ? "=" : number(value), before === value ? null : make("span.share", share(value, first.get(id))));
  const row = ({ step, rule, finding, before, after, count }) => make("tr",
    make("td", make("strong", step), count > 1 ? ` × ${count}` : "", make("span.share", `${DEEDS[rule]} (${rule})`)), make("td", tag(finding.grade)),
    ...METRICS.map(([id]) => figure(after.get(id), id, before.get(id))));
  const head = make("tr", make("th", ["scope", "col"], "Step"), make("th", ["scope", "col"], "Grade"), ...METRICS.map(([, name]) => make("th.number", ["scope", "col"], name)));
  const ends = (name, list) => make("tr", make("td", make("strong", name)), make("td"), ...METRICS.map(([id]) => make("td.number", number(list.get(id)), list === first ? null : make("span.share", share(list.get(id), first.get(id))))));
  return [make("h3", "What was done"),
    make("div.scroll", ["tabindex", "0"], ["role", "region"], ["aria-label", "Table of the steps"], make("table", make("thead", head), make("tbody", ends("Input", first), ...rowsOf(steps).map(row), ends("Result", metrics.after)))),
    steps.length === 0 ? make("p", "No step: the result is the input.") : make("details", make("summary", "What was found in each step"), make("ol.step-words", ...steps.map(foundIn)))];
}

/** One step: what was found, and the figures that changed. */
function foundIn({ step, finding, before, after }) {
  const changes = METRICS.filter(([id]) => before.get(id) !== after.get(id)).map(([id, name]) => `${name.toLowerCase()} ${number(before.get(id))} → ${number(after.get(id))}`);
  const figures = finding.figures.map(([name, value]) => `${name} ${value}`);
  return make("li", make("strong", step), `: ${[...finding.words, ...figures, ...changes].join("; ")}`);
}

function binding({ unbound, predicate }, options) {
  const rows = [["Input weights", predicate.input.manifest, options.expectInput], ["Input graph", predicate.input.graph, options.expectGraph], ["Result", predicate.output.manifest, options.expectOutput], [".surg text", predicate.spec.blob, options.expectSpec]];
  const list = make("dl", ...rows.flatMap(([name, digest, expected]) => [make("dt", name), make("dd", make("span.mono", digest), expected ? make("strong", " ✓ as you expected") : null)]));
  if (!unbound) return [make("h3", "Tied to what you expect"), list];
  return [make("div.box.warn", make("p", make("strong", "Not tied to what you have in mind (UNBOUND)")),
    make("p", "These files agree with each other. Whether they are the model, the result and the text that you were promised, only you can tell: compare these digests with ones that reached you another way, and enter them above."), list)];
}

function signing({ envelope, signers, keys }) {
  if (!envelope) return "not signed";
  if (keys === 0) return "signed, not checked: you named no key";
  return `signed under ${plural(signers.length, "key")} of the ${keys} that you named: ${signers.join(", ")}`;
}

function about({ predicate, signed, dead, infinite, tensors, requirements, surgery }) {
  const { producer, sequence, supersedes, seal, facts, seed, rules, binding: symbols } = predicate;
  const rows = [
    ["Signature", signing(signed)],
    ["Sequence", supersedes ? `${sequence}, in the place of ${supersedes}` : `${sequence}: the first of its row`],
    ["Seal", seal],
    ...(surgery === "" ? [] : [["Surgery", surgery]]),
    ["Tensors", `${tensors[0]} in the input file, ${tensors[1]} in the result: every byte was hashed`],
    ...(dead.length > 0 ? [["Not used", `${plural(dead.length, "tensor")} of the input file, counted nowhere: ${dead.join(", ")}`]] : []),
    ...(infinite > 0n ? [["Not finite", `${number(infinite)} elements of the result are infinite or no numbers`]] : []),
    ...(symbols.length > 0 ? [["Multiply-adds at", symbols.map(([name, value]) => `${name} = ${value}`).join(", ")]] : []),
    ...requirements.map(({ text, words }) => ["You asked for", `${text} ✓ ${words.join("; ")}`]),
    ...(rules ?? []).map(({ declaration, discharge }) => ["Rule of the file", `${declaration.name}, ${declaration.grade}; the compiler says: ${discharge.method}, ${plural(discharge.instances, "instance")}`]),
    ["Made by", `${producer.name} ${producer.version}, seed ${seed} (declared, not checked)`],
    ...facts.map(([name, value]) => [name, `${value} (declared, not checked)`]),
  ];
  return [make("h3", "About this certificate"), make("dl", ...rows.flatMap(([name, value]) => [make("dt", name), make("dd", value)]))];
}

const silent = () => [make("h3", "What no certificate says"), make("ul", ...NOT_CERTIFIED.map((word) => make("li", word)))];

function accepted(verdict, options, words) {
  const { found } = verdict;
  const { steps, metrics } = found;
  const size = share(metrics.after.get("size/1"), metrics.before.get("size/1"));
  return [
    banner("good", "✓", "Accepted", `Every check passed: ${plural(steps.length, "step")}, ${plural(found.claims.length, "claim")}. The result has ${size} of the bytes of the input.`),
    ...opaque(found), ...binding(found, options), ...claims(found), ...ledger(found), ...about(found), make("h3", "What was checked"), stages(verdict, words),
    make("details", make("summary", "The text that was asked for"), make("pre", found.text)), ...silent(),
  ];
}

function rejected(verdict, words) {
  return [
    banner("bad", "✕", "Rejected", CODES[verdict.code], make("p.mono", make("span.tag.bad", verdict.code), ` ${verdict.reason}`)),
    make("p", "Do not rely on this certificate. It may have been forged, damaged on its way, or made by a faulty program; which of these, nobody can tell from the files. Checks after the first that failed were not made."),
    make("h3", "What was checked"), stages(verdict, words), ...silent(),
  ];
}

/** What the page shows. @param {object} verdict of `verify` @param {object} options what was expected @param {Record<string, string>} words of the stages */
export function verdictOf(verdict, options, words) {
  return (verdict.accepted ? accepted(verdict, options, words) : rejected(verdict, words)).filter((element) => element !== null);
}

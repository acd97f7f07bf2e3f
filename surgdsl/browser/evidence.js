/**
 * Logs of predictions and losses, recounted (section 6).
 *
 * What the rows say is counted here, once for each log; a figure that a claim states about them is never taken over.
 * @module
 */

import { isDigest, isName, parse } from "./canonical.js";
import { tensorDigest } from "./digest.js";
import { add, negate, ratio, sub, whole } from "./rational.js";
import { Reject, demand } from "./reject.js";
import { integer, kind, list, object, tuple, word } from "./schema.js";
import { MILLION, lowerShare, millionths, upperMean, upperShare } from "./statistics.js";

/** @typedef {import("./rational.js").Rational} Rational */
/**
 * @typedef {object} Log
 * @property {"predictions" | "losses"} kind @property {string} name of the data @property {number} rows @property {number} seen
 * @property {string | null} loss @property {bigint} right after @property {bigint} broken right before, wrong after
 * @property {bigint} mended wrong before, right after @property {bigint} before Σ of losses @property {bigint} after Σ of losses
 */

const MOST_ROWS = 10000000;
const MOST_BOUNDED = 200000;
const digest = kind("a digest", isDigest);
const name = kind("a name", isName);
const count = integer(0);
const loss = integer(0, MILLION);
const data = object({ inputs: digest, labels: digest, name, rows: integer(1, MOST_ROWS) }, { seen: integer(1, MOST_ROWS) });
const common = { after: digest, before: digest, data };
const predictions = object({ ...common, kind: word("predictions"), rows: list(tuple(count, count, count, count)) });
const losses = object({ ...common, kind: word("losses"), loss: name, rows: list(tuple(count, loss, loss)) });

/** From which side a measure is bounded. */
export const BETTER = new Map([["accuracy", [">=", ">"]], ["accuracyDrop", ["<=", "<"]], ["loss", ["<=", "<"]], ["lossRise", ["<=", "<"]]]);

/** Which kind of log a measure rests on. */
export const RESTS = new Map([["accuracy", "predictions"], ["accuracyDrop", "predictions"], ["loss", "losses"], ["lossRise", "losses"]]);

/** Logs that were read, by their digests; those of one verdict are let go with it. @type {WeakMap<object, Map<string, Promise<Log>>>} */
const known = new WeakMap();

/**
 * The log that a claim rests on; each is read once. @param {string} digest
 * @param {{predicate: any, blob: (digest: string) => Promise<Uint8Array>}} context of one verdict
 */
export function logOf(digest, context) {
  const logs = known.get(context) ?? new Map();
  known.set(context, logs);
  if (!logs.has(digest)) logs.set(digest, context.blob(digest).then((bytes) => readLog(bytes, context.predicate)));
  return logs.get(digest);
}

/**
 * A log, checked and counted. @param {Uint8Array} bytes @param {any} predicate of the statement
 * @returns {Promise<Log>} V02, V03, V20; V17 where it is of other models or data, or not complete
 */
async function readLog(bytes, predicate) {
  const log = parse(bytes);
  if (Array.isArray(log?.rows) && log.rows.length > MOST_ROWS) throw new Reject("V20", `a log of ${log.rows.length} rows`);
  (log?.kind === "losses" ? losses : predictions)(log, "log");
  demand(log.after === predicate.output.manifest && log.before === predicate.input.manifest, "V17", "the log is of other models");
  const n = log.data.rows;
  demand(log.rows.length === n, "V17", `the log has ${log.rows.length} rows, not ${n}`);
  demand(log.rows.every((/** @type {number[]} */ [i], /** @type {number} */ at) => i === at), "V17", "a row of the log is missing, twice or out of order");
  checkSeen(log.data, predicate.steps);
  const head = { kind: log.kind, name: log.data.name, rows: n, seen: log.data.seen ?? 0, loss: log.loss ?? null };
  if (log.kind === "losses") return { ...head, right: 0n, broken: 0n, mended: 0n, before: total(log.rows, 1), after: total(log.rows, 2) };
  const labels = BigInt64Array.from(log.rows, (/** @type {number[]} */ row) => BigInt(row[1]));
  demand((await tensorDigest("I64", [n], new Uint8Array(labels.buffer))) === log.data.labels, "V17", "the labels are not those of the log");
  return { ...head, ...countRows(log.rows), before: 0n, after: 0n };
}

/** Rejects a log that hides that a step saw its rows. @param {any} row its `data` @param {any[]} steps */
function checkSeen(row, steps) {
  demand(row.seen === undefined || row.seen <= row.rows, "V17", "more rows were seen than there are");
  const named = steps.some((step) => step.arguments.data === row.name);
  demand(!named || row.seen === row.rows, "V17", `a step looked at ${row.name}, and the log does not say so`);
}

/** @param {number[][]} rows @param {number} column */
const total = (rows, column) => BigInt(rows.reduce((sum, row) => sum + row[column], 0));

/** @param {number[][]} rows */
function countRows(rows) {
  const counts = { right: 0, broken: 0, mended: 0 };
  for (const [, label, before, after] of rows) {
    if (after === label) counts.right++;
    if (before === label && after !== label) counts.broken++;
    if (before !== label && after === label) counts.mended++;
  }
  return { right: BigInt(counts.right), broken: BigInt(counts.broken), mended: BigInt(counts.mended) };
}

/** A measure of the rows of a log, exactly. @param {string} measure @param {Log} log @returns {Rational} */
export function figureOf(measure, log) {
  const rows = BigInt(log.rows);
  if (measure === "accuracy") return ratio(log.right, rows);
  if (measure === "accuracyDrop") return ratio(log.broken - log.mended, rows);
  return ratio(measure === "loss" ? log.after : log.after - log.before, rows * BigInt(MILLION));
}

/**
 * The bound of a measure for the population that the rows were drawn from.
 * @param {string} measure @param {Log} log @param {Rational} confidence from 0 to 1, exclusive @param {number} candidates @returns {Rational}
 */
export function boundOf(measure, log, confidence, candidates) {
  const n = log.rows;
  if (n > MOST_BOUNDED) throw new Reject("V20", `a bound over ${n} rows`);
  const wrong = sub(whole(1), confidence);
  const share = ratio(wrong.n, wrong.d * BigInt(candidates));
  if (measure === "accuracy") return millionths(lowerShare(Number(log.right), n, share));
  if (measure === "loss") return millionths(upperMean(rowsOf(log.after, 1n), n, share));
  if (measure === "lossRise") return millionths(2 * upperMean(rowsOf(BigInt(n) * BigInt(MILLION) + log.after - log.before, 2n), n, share) - MILLION);
  const half = ratio(share.n, share.d * 2n);
  return add(millionths(upperShare(Number(log.broken), n, half)), negate(millionths(lowerShare(Number(log.mended), n, half))));
}

/** A sum of millionths as rows, rounded up. @param {bigint} sum @param {bigint} parts of a row that one is counted in */
function rowsOf(sum, parts) {
  const unit = BigInt(MILLION) * parts;
  return Number((sum + unit - 1n) / unit);
}

/**
 * What a `.surg` text promises: the clauses of its surgeries, cut out by their words (section 6).
 *
 * This is no parser of the language, only enough of one to hold a statement's claims against the words that somebody wrote.
 * @module
 */

import { Reject, demand } from "./reject.js";

/** @typedef {{name: string, promises: string[]}} Surgery */
/** @typedef {{surgeries: Surgery[], outside: string}} Text `outside`: the words around the surgeries, blanks to one */

const PLACE = String.raw`(?:[\w*]|\{[\w*,]+\})+(?:\[\d+(?:\.\.\d+)?\])?`;
const TOKEN = new RegExp(String.raw`#[^\n]*|"[^"\n]*"|@${PLACE}(?:\.${PLACE})*|[A-Za-z_]\w*|[0-9][0-9_]*|[ \t\n\r]+|[^]`, "uy");
const CLAUSES = new Set(["preserve", "seed", "budget", "step", "order", "recover", "target", "require", "emit"]);
const HEAD = /(?<!\w)surgery ([^ ]+) on /;

/** The text of the file itself, without those that it uses; V18 where the blob is not made of what it says. @param {Uint8Array} bytes */
export function ownText(bytes) {
  const all = decoded(bytes);
  if (!all.startsWith("surg closure ")) return all;
  let at = 0;
  const line = () => {
    const end = bytes.indexOf(10, at);
    demand(end >= 0, "V18", "a closure without its texts");
    const text = decoded(bytes.subarray(at, end));
    at = end + 1;
    return text;
  };
  const count = /^surg closure ([1-9]\d{0,3})$/.exec(line());
  demand(count, "V18", "a closure of no texts, or of more than 9999");
  const lengths = [];
  for (let i = 0; i < Number(count[1]); i++) {
    const row = /^(0|[1-9]\d{0,8}) /.exec(line());
    demand(row, "V18", "a line of a closure that is no length and path");
    lengths.push(Number(row[1]));
  }
  const used = at + lengths.reduce((total, length) => total + length + 1, -1);
  demand(used === bytes.length, "V18", "the texts of a closure are longer or shorter than it says");
  for (let i = 0, end = at; i + 1 < lengths.length; i++, end++) {
    end += lengths[i];
    demand(bytes[end] === 10, "V18", "the texts of a closure are not joined by line breaks");
  }
  return decoded(bytes.subarray(at, at + lengths[0]));
}

/** @param {Uint8Array} bytes */
function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Reject("V18", "the text of the file is not UTF-8");
  }
}

/** The surgeries of a text and what stands around them; V18 where braces do not nest. @param {string} source @returns {Text} */
export function surgeriesOf(source) {
  /** @type {Surgery[]} */
  const surgeries = [];
  let [depth, around, head, outside] = [0, "", "", ""];
  /** @type {string[] | null} */
  let inside = null;
  for (const token of tokensOf(source)) {
    const word = /^".*"$/.test(token) ? " " : token;
    if (token === "}") depth--;
    demand(depth >= 0, "V18", "braces of the text that do not nest");
    if (depth === 0 && inside !== null) {
      surgeries.push({ name: head, promises: promisesOf(inside) });
      [inside, around, outside] = [null, "", `${outside} `];
      continue;
    }
    if (token === "{" && depth++ === 0) {
      const found = HEAD.exec(around.replace(/[ \t\n\r]+/g, " "));
      around = "";
      if (found) [head, inside] = [found[1], []];
      if (found) continue;
    }
    if (inside !== null) inside.push(token);
    else outside += word;
    // What stands between the brace before and the next one, which may be that of a surgery.
    if (inside === null) around = token === "{" || token === "}" ? "" : around + word;
  }
  demand(depth === 0, "V18", "braces of the text that do not nest");
  return { surgeries, outside };
}

/** @param {string} source @returns {Iterable<string>} tokens; comments and runs of blanks are one blank */
function* tokensOf(source) {
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < source.length; ) {
    const [token] = TOKEN.exec(source);
    yield token[0] === "#" || /^[ \t\n\r]/.test(token) ? " " : token;
  }
}

/** @param {string[]} tokens of a block */
function promisesOf(tokens) {
  const clauses = [];
  for (const token of tokens) {
    if (CLAUSES.has(token)) clauses.push({ word: token, text: "" });
    else if (clauses.length > 0) clauses[clauses.length - 1].text += token;
  }
  return clauses
    .map(({ word, text }) => ({ word, text: text.replace(/[ \t\n\r]+/g, " ").replace(/^ | $/g, "") }))
    .filter(({ word, text }) => word === "require" || (word === "target" && !/^(?:minimize|maximize)(?!\w)/.test(text)))
    .map(({ text }) => text);
}

/** Whether a text names a metric of the standard library as it is. @param {Text} text @param {string} name */
export function usesMetric({ outside }, name) {
  const words = outside.replace(/ +/g, " ").replace(/ ?([.,{}]) ?/g, "$1");
  if (new RegExp(String.raw`(?<![\w.])use std\.metric\.${name}(?![\w.])(?! as(?!\w))`).test(words)) return true;
  return [...words.matchAll(/(?<![\w.])use std\.metric\.\{([^{}]*)\}/g)].some(([, names]) => names.split(",").includes(name));
}

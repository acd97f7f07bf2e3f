/**
 * Places that letters describe: `*i oi o>*o`.
 *
 * A letter is one extent and one kept set wherever it stands. Most operators are such a line; functions of places use it too, with a line of
 * their own for each call.
 */

import { source, target } from "./layout.js";

/**
 * @typedef {object} Token one letter of a term
 * @property {string} letter also "*" and "#"; "1" for an extent 1
 * @property {boolean} stretched
 *
 * @typedef {object} Dimension a dimension of a tensor with the letter that it has
 * @property {string} key the letter; for runs "*" or "#" and the place counted from the right
 * @property {boolean} stretched
 * @property {number | string} extent
 * @property {import("./layout.js").Place} place
 */

const RUNS = new Set(["*", "#"]);
const key = (letter, fromRight) => `${letter}${fromRight}`;
const isCapital = (name) => /^[A-Z]/.test(name);

/** Terms that were read before: there are few, and many calls. @type {Map<string, Token[]>} */
const READ = new Map();

/** @param {string} term @returns {Token[]} */
function tokens(term) {
  if (!READ.has(term)) READ.set(term, readTerm(term));
  return READ.get(term);
}

/** @param {string} term @returns {Token[]} */
function readTerm(term) {
  if (term === "_") return [];
  const found = term.match(/~?[A-Za-z*#1]/g) ?? [];
  if (found.join("") !== term) throw new Error(`table of operators: ${term}`);
  return found.map((text) => ({ letter: text.at(-1), stretched: text.startsWith("~") }));
}

/** Where a term of stretched letters begins for a tensor of some dimensions: it may lack the first ones. */
function firstOf(list, rank) {
  const length = list.filter((token) => !RUNS.has(token.letter)).length;
  return rank >= length ? 0 : list.length - rank;
}

/** The letters of the dimensions of a source. @returns {Dimension[]} */
function dimensionsOf(call, term, port) {
  const shape = call.shape(port);
  let list = tokens(term);
  if (list.every((token) => token.stretched)) list = list.slice(firstOf(list, shape.length));
  const run = list.findIndex((token) => RUNS.has(token.letter));
  const length = shape.length - (run < 0 ? list.length : list.length - 1);
  call.demand(run < 0 ? length === 0 : length >= 0, `takes no tensor of ${shape.length} dimensions there`);
  const names = list.flatMap((token) => {
    if (!RUNS.has(token.letter)) return [{ key: token.letter, stretched: token.stretched }];
    return Array.from({ length }, (_, k) => ({ key: key(token.letter, length - 1 - k), stretched: token.stretched }));
  });
  return names.map((name, k) => ({ ...name, extent: shape[k], place: source(port, k) }));
}

/** How long a run is: as all that are not stretched say, else as the longest. @returns {number} */
function runLength(call, letter, terms) {
  const lengths = { strict: [], stretched: [] };
  for (const { term, port, dimensions } of terms) {
    const token = tokens(term).find((one) => one.letter === letter);
    if (token === undefined) continue;
    const length = dimensions.filter((one) => one.key.startsWith(letter)).length;
    lengths[token.stretched ? "stretched" : "strict"].push(length);
  }
  const longest = Math.max(0, ...lengths.stretched);
  if (lengths.strict.length === 0) return longest;
  const [first] = lengths.strict;
  call.demand(lengths.strict.every((one) => one === first) && longest <= first, "takes tensors of equal numbers of dimensions");
  return first;
}

/** The extent of a letter. @param {Dimension[]} found all dimensions that have it */
function bind(call, name, found) {
  const strict = found.filter((one) => !one.stretched);
  const free = found.filter((one) => one.stretched && one.extent !== 1);
  const extent = (strict[0] ?? free[0] ?? found[0]).extent;
  call.demand(strict.every((one) => one.extent === extent), `takes equal extents ${name}: ${strict.map((one) => one.extent).join(", ")}`);
  call.demand(free.every((one) => one.extent === extent), `cannot stretch ${free.map((one) => one.extent).join(", ")} to ${extent}`);
  call.demand(name !== "1" || extent === 1, `takes an extent 1, not ${extent}`);
  return extent;
}

/** Writes down the letters, ties and whole dimensions of the sources. @param {Dimension[]} all @returns {Map<string, import("./layout.js").Place[]>} by key */
function bindAll(call, layout, all, isWhole) {
  const found = new Map();
  for (const one of all) found.set(one.key, [...(found.get(one.key) ?? []), one]);
  for (const [name, list] of found) {
    const extent = bind(call, name, list);
    layout.letters.set(name, extent);
    const bound = list.filter((one) => !one.stretched || one.extent === extent).map((one) => one.place);
    layout.hold(...list.filter((one) => !bound.includes(one.place)).map((one) => one.place));
    if (isWhole(name)) layout.hold(...bound);
    else layout.tie(...bound);
    found.set(name, bound);
  }
  return found;
}

/** The keys of a target's dimensions. @param {string} term @param {Map<string, number>} lengths @returns {string[]} */
function targetKeys(term, lengths) {
  return tokens(term).flatMap(({ letter }) => {
    if (!RUNS.has(letter)) return [letter];
    const length = lengths.get(letter);
    return Array.from({ length }, (_, k) => key(letter, length - 1 - k));
  });
}

/**
 * Fills a layout from terms of letters.
 * @param {import("./reading.js").Reading} call
 * @param {import("./layout.js").Layout} layout
 * @param {{term: string, port: number}[]} sources
 * @param {string[]} targets
 * @param {(letter: string) => boolean} capital which letters are kept whole
 */
export function spell(call, layout, sources, targets, capital = isCapital) {
  const isWhole = (name) => name.startsWith("#") || name === "1" || capital(name);
  const present = sources.filter(({ term, port }) => port >= 0 && term !== ".");
  const terms = present.map(({ term, port }) => ({ term, port, dimensions: dimensionsOf(call, term, port) }));
  const lengths = new Map(["*", "#"].map((letter) => [letter, runLength(call, letter, terms)]));
  const places = bindAll(call, layout, terms.flatMap((one) => one.dimensions), isWhole);
  layout.letters.set("*", Array.from({ length: lengths.get("*") }, (_, k) => layout.letters.get(key("*", k))));
  for (const term of targets) {
    const keys = targetKeys(term, lengths);
    const port = layout.add(keys.map((name) => (name === "1" ? 1 : layout.letters.get(name))));
    keys.forEach((name, dimension) => {
      if (isWhole(name)) layout.hold(target(port, dimension));
      else layout.tie(...(places.get(name) ?? []), target(port, dimension));
    });
  }
}

/** The places of a row that has no function. */
export function row(call, layout) {
  const ports = [...call.ports.values()].flat();
  spell(call, layout, call.row.sources.map((term, k) => ({ term, port: ports[k] })), call.row.targets);
}

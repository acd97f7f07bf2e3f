/**
 * Reads the table of operators into one record for each operator.
 *
 * The page describes 262 operators in rows of text; everything else here works on these records, and a row that does not fit the page's
 * description stops the program at once instead of meaning something by accident.
 */

import { TABLE } from "./table.js";

/**
 * @typedef {object} Argument one argument of an operator, in the order of ATen
 * @property {string} name what this program calls it
 * @property {string} written what a graph calls it
 * @property {string} kind "tensor", "optional", "list", "holes" (a list of optional ones), "either" (a tensor or a number), or a kind of attribute
 * @property {boolean} nullable an attribute that may be none
 * @property {boolean} forced an attribute that may change when channels are cut
 *
 * @typedef {object} Row
 * @property {string} name of the operator, with `aten.` and its overload
 * @property {Argument[]} schema
 * @property {string} sorts dtype letters of the tensor arguments
 * @property {string} results dtype letters of the targets
 * @property {string} layout name of a function of places, or ""
 * @property {string[]} sources terms of letters of the sources, where there is no function
 * @property {string[]} targets likewise
 * @property {string} cost "" where nothing is counted
 */

const ARGUMENT = /^(\w+)(!?)(?:=(\w+))?(?:([?*%/])|:(\w+)(\??))?$/;
const TENSORS = { "?": "optional", "*": "list", "%": "holes", "/": "either" };

/** Places that the letters of single dimensions do not say, with the functions that stand for them here. */
const WRITTEN = {
  "^W>^": "over", "^w>^": "sum", "^W>^W": "along", "^w>^w": "running",
  "^>^1": "unsqueeze", "^W I0>^I": "select", "^W ^I>^I": "gather", ".>[size]": "fill", "#>[Bins]": "histogram",
};

/** Lines of the table, those that are indented put behind the ones before them. */
function lines() {
  const joined = TABLE.replace(/\n[ \t]+/g, " ");
  return joined.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

/** @param {string} text @returns {Argument} */
function argument(text) {
  const found = ARGUMENT.exec(text);
  if (found === null) throw new Error(`table of operators: ${text}`);
  const [, name, forced, other, mark, kind, nullable] = found;
  const tensor = mark === undefined ? "tensor" : TENSORS[mark];
  return { name, written: other ?? name, kind: kind ?? tensor, nullable: nullable === "?", forced: forced === "!" };
}

/** @param {string} text places of a row @returns {{layout: string, sources: string[], targets: string[]}} */
function places(text) {
  if (text in WRITTEN) return { layout: WRITTEN[text], sources: [], targets: [] };
  if (text.startsWith("<")) return { layout: text.slice(1, -1), sources: [], targets: [] };
  const [sources, targets] = text.split(">").map((side) => side.split(" ").filter((term) => term !== ""));
  return { layout: "", sources, targets };
}

/** The whole name of an operator. @param {string} operator */
function named(operator) {
  if (operator.split(".").length === 3) return operator;
  return operator.includes(".") ? `aten.${operator}` : `aten.${operator}.default`;
}

/** @param {string} line @param {Map<string, string>} shared @returns {Row[]} */
function rowsOf(line, shared) {
  const [operators, schema, dtypes, where, cost] = line.split("|").map((field) => field.trim());
  const words = schema.split(/\s+/).filter((word) => word !== "");
  const written = words.flatMap((word) => (word.startsWith("@") ? shared.get(word).split(/\s+/) : [word]));
  const args = written.map(argument);
  const tensors = args.filter((one) => ["tensor", "optional", "list", "holes", "either"].includes(one.kind));
  const [sorts, results] = (dtypes || "").split(">");
  const shape = places(where || `${tensors.map(() => "~*").join(" ")}>*`);
  return operators.split(/\s+/).map((operator) => ({
    name: named(operator),
    schema: args,
    sorts: sorts || "f",
    results: results ?? "=",
    cost: cost ?? "",
    ...shape,
  }));
}

/** @returns {Map<string, Row>} */
function readTable() {
  const shared = new Map();
  const rows = new Map();
  for (const line of lines()) {
    const macro = /^(@\w+) = (.*)$/.exec(line);
    if (macro !== null) shared.set(macro[1], macro[2]);
    else for (const row of rowsOf(line, shared)) rows.set(row.name, row);
  }
  return rows;
}

/** All operators of the page by name. @type {Map<string, Row>} */
export const ROWS = readTable();

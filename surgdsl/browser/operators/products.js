/**
 * Products of matrices whose letters depend on the call: matmul, einsum, attention.
 */

import { source } from "./layout.js";
import { spell } from "./letters.js";

/** matmul: rows times columns; a vector is a row or a column. */
export function matmul(call, layout) {
  const [left, right] = ["self", "other"].map((name) => call.port(name));
  const [row, column] = [left, right].map((port) => call.shape(port).length === 1);
  call.demand(call.shape(left).length > 0 && call.shape(right).length > 0, "takes no tensor without dimensions");
  const terms = [{ term: row ? "i" : "~*li", port: left }, { term: column ? "i" : "~*ir", port: right }];
  spell(call, layout, terms, [`*${row ? "" : "l"}${column ? "" : "r"}` || "_"]);
}

const EQUATION = /^([A-Za-z.]*),([A-Za-z.]*)->([A-Za-z.]*)$/;

/** The terms of an equation, with `*` for `...`. @returns {string[]} two sources and a target */
function terms(call) {
  const equation = call.value("equation").replaceAll(" ", "");
  const found = EQUATION.exec(equation);
  call.demand(found !== null, `takes no equation ${equation}`);
  return found.slice(1).map((term) => {
    const short = term.replace("...", "*");
    const letters = [...short].filter((letter) => letter !== "*");
    call.demand(!short.includes(".") && new Set(letters).size === letters.length, `takes no term ${term}`);
    return short;
  });
}

/** einsum of two tensors. */
export function einsum(call, layout) {
  const [left, right, made] = terms(call);
  const ports = call.ports.get("tensors");
  call.demand(new Set(left + right).size <= (left + right).includes("*") + 26, "has too many letters");
  call.demand(ports.length === 2, "takes two tensors");
  call.demand([...made].every((letter) => left.includes(letter) || right.includes(letter)), `makes ${made} of ${left} and ${right}`);
  const gone = [...new Set(left + right)].filter((letter) => !made.includes(letter));
  const places = [left, right].map((term, k) => ({ term: term.replace("*", "~*") || "_", port: ports[k] }));
  spell(call, layout, places, [made || "_"], () => false);
  const counted = gone.filter((letter) => [layout.letters.get(letter)].flat().some((one) => one !== 1));
  call.demand(counted.every((letter) => left.includes(letter) && right.includes(letter)), `sums ${counted} of one source alone`);
  const all = [...new Set(left + right)].map((letter) => layout.letters.get(letter));
  layout.products = counted.length > 0 ? [all.flat()] : [];
}

/** Scaled dot products of queries and keys, over values. */
export function attention(call, layout) {
  call.demand(call.value("dropout_p") === 0, "drops out");
  const [query, key, value, mask] = ["query", "key", "value", "attn_mask"].map((name) => call.port(name));
  const causal = call.value("is_causal");
  call.demand(!causal || mask < 0, "takes a mask or is_causal, not both");
  const l = causal || mask >= 0 ? "L" : "l";
  const grouped = call.value("enable_gqa");
  const [lead, heads, run] = grouped ? ["bh", "bk", "~b~h"] : ["~*", "~*", "~*"];
  const sources = [
    { term: `${lead}${l}e`, port: query },
    { term: `${heads}Se`, port: key },
    { term: `${heads}Sv`, port: value },
    { term: `${run}~${l}~S`, port: mask },
  ];
  spell(call, layout, sources, [`${lead.replace("~", "")}${l}v`]);
  if (grouped) shareHeads(call, layout, [query, key, value]);
}

/** Head i of the queries goes with head ⌊i/ratio⌋ of keys and values. */
function shareHeads(call, layout, [query, key, value]) {
  const [many, few] = ["h", "k"].map((letter) => layout.letters.get(letter));
  call.demand(typeof many === "number" && typeof few === "number" && many % few === 0, `cannot share ${few} heads among ${many}`);
  const at = (index) => Math.floor(index / (many / few));
  for (const port of [key, value]) layout.link(source(query, 1), source(port, 1), at);
}

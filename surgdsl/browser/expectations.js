/**
 * The form of what an auditor expects: texts of the page as options of the verifier, faults named field by field.
 */
import { isDigest } from "./canonical.js";
import { find } from "./dom.js";
import { parseRequirement } from "./requirement.js";
import { keyOf } from "./signature.js";

const lines = (text) => text.split("\n").map((line) => line.trim()).filter((line) => line !== "");

/** Public keys in a text: blocks of PEM, and lines of 64 digits. */
function keysOf(text) {
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g) ?? [];
  const rest = blocks.reduce((left, block) => left.replace(block, "\n"), text);
  return [...blocks, ...lines(rest)].map(keyOf);
}

/**
 * Reads the form.
 * @returns {{options: object, faults: string[]}} faults in words; fields that hold one are marked.
 */
export function readExpectations() {
  const faults = [];
  const read = (id, parse, fault) => {
    const field = find(id);
    const text = field.value.trim();
    const value = text === "" ? undefined : parse(text);
    const wrong = value === null;
    if (wrong) faults.push(fault);
    field.setAttribute("aria-invalid", String(wrong));
    return wrong ? undefined : value;
  };
  const digest = (text) => (isDigest(text.toLowerCase()) ? text.toLowerCase() : null);
  const all = (parse) => (text) => {
    const values = parse(text);
    return values.includes(null) ? null : values;
  };
  const natural = (text) => (/^\d{1,15}$/.test(text) ? Number(text) : null);
  const keys = read("keys", all(keysOf), "A public key is not one: paste PEM as “openssl pkey -pubout” writes it, or 64 hexadecimal digits.") ?? [];
  const distinct = [...new Map(keys.map((key) => [key.join(), key])).values()];
  const count = (text) => (Number(text) >= 1 && Number(text) <= distinct.length ? natural(text) : null);
  const options = {
    expectInput: read("expect-input", digest, "The digest of the input model is not 64 hexadecimal digits."),
    expectGraph: read("expect-graph", digest, "The digest of the graph of the input model is not 64 hexadecimal digits."),
    expectOutput: read("expect-output", digest, "The digest of the result is not 64 hexadecimal digits."),
    expectSpec: read("expect-spec", digest, "The digest of the text is not 64 hexadecimal digits."),
    require: read("require", all((text) => lines(text).map(parseRequirement)), "What must hold is not understood: write for example “size <= 20%”."),
    keys: distinct,
    signatures: read("signatures", count, "How many keys must have signed: a number from 1 to the number of different keys."),
    minSequence: read("min-sequence", natural, "The least sequence number is not a number."),
    trust: read("trust", all((text) => lines(text).map(digest)), "A digest of a Python file is not 64 hexadecimal digits."),
    strict: find("strict").checked,
  };
  return { options, faults };
}

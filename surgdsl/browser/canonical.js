/**
 * Canonical JSON (section 2): a parser that takes nothing else, an encoder, and the small grammars of strings.
 *
 * The parser follows the one spelling that each value has, so there is no second reading to compare: white space, an escape that need not
 * be, a key out of order or twice, a fraction, null: each is where the grammar has no branch. Objects have no prototype, so that no key is special.
 */
import { Reject } from "./reject.js";
import { floatText, hexFloat } from "./number.js";

const DEPTH = 32;
const KEY = /^[a-z][a-zA-Z0-9]{0,39}$/;
const SHORT = new Map([["\b", "\\b"], ["\t", "\\t"], ["\n", "\\n"], ["\f", "\\f"], ["\r", "\\r"], ['"', '\\"'], ["\\", "\\\\"]]);
const LONG = new Map([...SHORT].map(([character, escape]) => [escape[1], character]));
const ESCAPED = /["\\\u0000-\u001f]/g;

/** Bytes of UTF-8 as text; a rejection when they are none. */
function decode(bytes, code) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Reject(code, "the bytes are not UTF-8");
  }
}

/** Reads one value from a text. With `loose`, what a safetensors header may be: any JSON of objects, arrays, strings and integers. */
class Reader {
  constructor(text, { loose, typed, code }) {
    this.text = text;
    this.at = 0;
    this.loose = loose;
    this.typed = typed;
    this.code = code;
  }

  fail(what) {
    throw new Reject(this.code, `${what} at character ${this.at}`);
  }

  /** White space, where it may stand. */
  space() {
    while (this.loose && " \t\n\r".includes(this.text[this.at] || "x")) this.at += 1;
  }

  /** Takes the character if it comes next. */
  take(character) {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  expect(character) {
    if (!this.take(character)) this.fail(`expected ${character}`);
  }

  value(depth) {
    this.space();
    const first = this.text[this.at];
    if (first === "{" || first === "[") {
      if (depth >= DEPTH) throw new Reject(this.loose ? "V07" : "V20", `more than ${DEPTH} levels at character ${this.at}`);
      return first === "{" ? this.object(depth + 1) : this.array(depth + 1);
    }
    if (first === '"') return this.string();
    for (const [word, value] of [["true", true], ["false", false]]) {
      if (!this.text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return value;
    }
    return this.integer();
  }

  integer() {
    const digits = /-?(?:0|[1-9][0-9]*)/y;
    digits.lastIndex = this.at;
    const match = digits.exec(this.text);
    if (match === null) this.fail("no value of canonical JSON");
    const value = Number(match[0]);
    if (!Number.isSafeInteger(value) || match[0] === "-0") this.fail("an integer out of range");
    this.at += match[0].length;
    if (".eE0123456789".includes(this.text[this.at] || "x")) this.fail("a number that is no integer in shortest form");
    return value;
  }

  array(depth) {
    const items = [];
    this.expect("[");
    if (this.take("]")) return items;
    do items.push(this.value(depth));
    while (this.take(","));
    this.expect("]");
    return items;
  }

  object(depth) {
    const fields = Object.create(null);
    let last = null;
    this.expect("{");
    if (this.take("}")) return fields;
    do {
      this.space();
      const key = this.string();
      if (this.loose ? key in fields : !this.isKey(key, depth) || (last !== null && key <= last)) this.fail(`the key ${JSON.stringify(key)}`);
      this.expect(":");
      fields[key] = this.value(depth);
      last = key;
    } while (this.take(","));
    this.expect("}");
    return fields;
  }

  isKey(key, depth) {
    return KEY.test(key) || (this.typed && depth === 1 && key === "_type");
  }

  string() {
    this.expect('"');
    let result = "";
    let start = this.at;
    for (;;) {
      const unit = this.text.charCodeAt(this.at);
      if (!(unit >= 0x20)) this.fail("a string that does not end, or a control character in it");
      if (unit !== 0x22 && unit !== 0x5c) {
        this.at += 1;
        continue;
      }
      result += this.text.slice(start, this.at);
      this.at += 1;
      if (unit === 0x22) return result;
      result += this.escape();
      start = this.at;
    }
  }

  escape() {
    const letter = this.text[this.at];
    this.at += 1;
    if (LONG.has(letter)) return LONG.get(letter);
    if (this.loose && letter === "/") return "/";
    const digits = this.text.slice(this.at, this.at + 4);
    const form = this.loose ? /^[0-9a-fA-F]{4}$/ : /^00[01][0-9a-f]$/;
    if (letter !== "u" || !form.test(digits)) this.fail("an escape that need not be");
    const character = String.fromCharCode(parseInt(digits, 16));
    if (!this.loose && SHORT.has(character)) this.fail("a long escape of what has a short one");
    this.at += 4;
    return character;
  }

  whole() {
    const value = this.value(0);
    this.space();
    if (this.at !== this.text.length) this.fail("more text behind the value");
    return value;
  }
}

/**
 * Canonical bytes as a value.
 * @param {Uint8Array} bytes
 * @param {{typed?: boolean}} [options] `typed`: the top object may have the key `_type`.
 * @returns {any} objects have a null prototype. Rejects with V02.
 */
export function parse(bytes, { typed = false } = {}) {
  return new Reader(decode(bytes, "V02"), { loose: false, typed, code: "V02" }).whole();
}

/** The JSON of a safetensors header: duplicate keys are refused, the spelling is not looked at. Rejects with V07. */
export function parseLoosely(bytes) {
  return new Reader(decode(bytes, "V07"), { loose: true, typed: false, code: "V07" }).whole();
}

/** A string as canonical JSON spells it. */
export function quoted(text) {
  const escape = (character) => SHORT.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `"${text.replace(ESCAPED, escape)}"`;
}

function write(value, out) {
  if (typeof value === "string") out.push(quoted(value));
  else if (typeof value !== "object") out.push(String(value));
  else if (Array.isArray(value)) {
    out.push("[");
    value.forEach((item, i) => {
      if (i > 0) out.push(",");
      write(item, out);
    });
    out.push("]");
  } else {
    Object.keys(value).sort().forEach((key, i) => {
      out.push(i === 0 ? "{" : ",", quoted(key), ":");
      write(value[key], out);
    });
    out.push(Object.keys(value).length === 0 ? "{}" : "}");
  }
}

/** @returns {Uint8Array} the canonical bytes of a value. */
export function encode(value) {
  const out = [];
  write(value, out);
  return new TextEncoder().encode(out.join(""));
}

/** A *name* of section 2. */
export const isName = (text) => typeof text === "string" && /^[\x21-\x7e]{1,256}$/.test(text);
/** A *digest*: 64 lower-case hexadecimal digits. */
export const isDigest = (text) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
/** A *natural*: up to 39 digits without a leading zero. */
export const isNatural = (text) => typeof text === "string" && /^(?:0|[1-9][0-9]{0,38})$/.test(text);
/** A *dtype*. */
export const isDtype = (text) => ["F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"].includes(text);

function divisor(a, b) {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** A *rational* in lowest terms; there is one zero. */
export function isRational(text) {
  const match = typeof text === "string" ? /^-?([0-9]+)(?:\/([0-9]+))?$/.exec(text) : null;
  if (match === null || !isNatural(match[1]) || text.startsWith("-0")) return false;
  if (match[2] === undefined) return true;
  const below = match[2];
  return isNatural(below) && BigInt(below) > 1n && divisor(BigInt(match[1]), BigInt(below)) === 1n;
}

/** A *float*, spelled as Python's `float.hex()` does; not NaN. */
export function isFloat(text) {
  if (typeof text !== "string") return false;
  const value = hexFloat(text);
  return !Number.isNaN(value) && floatText(value) === text;
}

/**
 * Closed schemas: what a JSON value may look like, as values that check.
 *
 * A field that is not named is a rejection (V03), and so is one that is missing: an unknown field could carry a second truth. A list that is
 * too long is V20: whoever checks should not be kept busy for ever.
 */
import { Reject } from "./reject.js";

/** @typedef {(value: any, place: string) => void} Check */

/** A value as a person reads it, whatever it is; a long one cut short. */
export function shown(value) {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export function refuse(place, value, what) {
  throw new Reject("V03", `${place}: ${shown(value)} is not ${what}`);
}

const isObject = (value) => typeof value === "object" && !Array.isArray(value);

/** A check by a predicate. @returns {Check} */
export const kind = (what, test) => (value, place) => {
  if (!test(value)) refuse(place, value, what);
};

/** One of a few words or numbers. @returns {Check} */
export const word = (...words) => kind(words.map((item) => JSON.stringify(item)).join(" or "), (value) => words.includes(value));

/** An integer between bounds. @returns {Check} */
export const integer = (least = -Number.MAX_SAFE_INTEGER, most = Number.MAX_SAFE_INTEGER) =>
  kind(`an integer from ${least} to ${most}`, (value) => typeof value === "number" && value >= least && value <= most);

const TEXT = 65536;
const short = (value) => value.length <= TEXT || (value.length <= 2 * TEXT && [...value].length <= TEXT);

export const text = kind(`a text of at most ${TEXT} characters`, (value) => typeof value === "string" && short(value));
export const anything = () => {};

/** An array of so many items; a longer one is V20. @returns {Check} */
export const list = (item, most = Infinity, least = 0) => (value, place) => {
  if (!Array.isArray(value) || value.length < least) refuse(place, value, `an array of at least ${least}`);
  if (value.length > most) throw new Reject("V20", `${place}: ${value.length} items, at most ${most}`);
  value.forEach((element, i) => item(element, `${place}[${i}]`));
};

/** An array of so many items. @returns {Check} */
export const tuple = (...items) => (value, place) => {
  if (!Array.isArray(value) || value.length !== items.length) refuse(place, value, `an array of ${items.length}`);
  items.forEach((item, i) => item(value[i], `${place}[${i}]`));
};

/** An object with exactly these fields; those of `optional` may be absent. @returns {Check} */
export const object = (required, optional = {}) => {
  const fields = new Map([...Object.entries(required), ...Object.entries(optional)]);
  return (value, place) => {
    if (!isObject(value)) refuse(place, value, "an object");
    for (const key of Object.keys(value)) if (!fields.has(key)) throw new Reject("V03", `${place}: unknown field ${JSON.stringify(key)}`);
    for (const key of Object.keys(required)) if (!(key in value)) throw new Reject("V03", `${place}: the field ${key} is missing`);
    for (const [key, check] of fields) if (key in value) check(value[key], `${place}.${key}`);
  };
};

/** A check that depends on the value. @returns {Check} */
export const chosen = (choose) => (value, place) => choose(value, place)(value, place);

/** Rejects with V03 what does not rise strictly by a key. */
export function demandRising(items, place, key = (item) => item) {
  for (let i = 1; i < items.length; i += 1) if (!(key(items[i - 1]) < key(items[i]))) refuse(`${place}[${i}]`, items[i], "in order");
}

/** Whether the value is an object with that field. */
export const has = (value, key) => isObject(value) && key in value;

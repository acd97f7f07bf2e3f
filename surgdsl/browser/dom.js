/**
 * Elements of the page, made without markup: whatever a certificate says becomes text and nothing else (M74).
 */

// Controls, and the characters that turn the direction of writing: shown as what they are.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A text with characters that could not be seen, or would move others, written as escapes. */
export const visible = (text) => String(text).replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

/**
 * An element.
 * @param {string} tag the name, perhaps with classes: `p.quiet.small`.
 * @param {...(Node | string | null | [string, string])} parts children; a pair is an attribute.
 * @returns {HTMLElement}
 */
export function make(tag, ...parts) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  element.classList.add(...classes);
  for (const part of parts) {
    if (Array.isArray(part)) element.setAttribute(part[0], part[1]);
    else if (part !== null) element.append(typeof part === "string" ? visible(part) : part);
  }
  return element;
}

/** The element of the page with this id. */
export const find = (id) => document.getElementById(id);

/** Puts these children in the place of all others. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child !== null));
  element.hidden = false;
}

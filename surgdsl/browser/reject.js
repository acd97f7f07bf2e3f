/**
 * A rejection: a stable code and what was found where.
 *
 * It is the only exception that a check may mean; every other one is a fault of this program, and the verdict is then a rejection too (V20).
 */

/** One fault of a certificate. */
export class Reject extends Error {
  /**
   * @param {string} code `V01` to `V22`, section 9 of the page.
   * @param {string} message what was found, and where.
   */
  constructor(code, message) {
    super(message);
    this.name = "Reject";
    this.code = code;
  }
}

/**
 * Throws a rejection unless the condition holds.
 * @param {unknown} condition
 * @param {string} code
 * @param {string} message
 * @returns {asserts condition}
 */
export function demand(condition, code, message) {
  if (!condition) throw new Reject(code, message);
}

/**
 * Equality of JSON values.
 * @module
 */

/** Whether two values are the same; the keys of both are in one order, as those of all canonical JSON are. @param {any} a @param {any} b */
export const alike = (a, b) => JSON.stringify(a) === JSON.stringify(b);

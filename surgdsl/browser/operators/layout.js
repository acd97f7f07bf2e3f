/**
 * What one call makes of its dimensions: the shapes of its targets, which dimensions belong together, and what is multiplied.
 *
 * Typing asks for the shapes, the cost for the products, a cut for the rest. One description of each operator answers all three, so that they
 * cannot contradict each other.
 */

/**
 * @typedef {number | string} Extent
 *
 * @typedef {object} Place a dimension of a source or target
 * @property {"source" | "target"} side
 * @property {number} port
 * @property {number} dimension
 *
 * @typedef {object} Link index i of `from` is index `at(i)` of `to`, or none (null); without `at` it cannot be said in integers
 * @property {Place} from
 * @property {Place} to
 * @property {((index: number) => number | null) | null} at
 *
 * @typedef {object} Run dimensions, or factors of them, in row-major order on both sides, equally many elements
 * @property {(Place & {extent: Extent})[]} source
 * @property {(Place & {extent: Extent})[]} target
 *
 * @typedef {object} Blocks a weight [outer, inner, …] whose outer dimension falls into `groups` equal parts, each with its own `width` channels
 * @property {Place} outer
 * @property {Place} inner
 * @property {Place} channels
 * @property {number} groups
 * @property {Extent} extent of outer
 * @property {Extent} width extent of inner
 */

/** @param {number} port @param {number} dimension @returns {Place} */
export function source(port, dimension) {
  return { side: "source", port, dimension };
}

/** @param {number} port @param {number} dimension @returns {Place} */
export function target(port, dimension) {
  return { side: "target", port, dimension };
}

/** The layout of one call; functions of places fill it. */
export class Layout {
  constructor() {
    /** @type {Extent[][]} */
    this.shapes = [];
    /** Places of one kept set. @type {Place[][]} */
    this.ties = [];
    /** Places that no cut may touch. @type {Place[]} */
    this.whole = [];
    /** @type {Link[]} */
    this.links = [];
    /** @type {Run[]} */
    this.runs = [];
    /** @type {Blocks[]} */
    this.blocks = [];
    /** Kept in whole multiples of `size`. @type {{place: Place, size: number}[]} */
    this.multiples = [];
    /** Extents of the letters that a cost may name; a run is a list. @type {Map<string, Extent | Extent[]>} */
    this.letters = new Map();
    /** Products that a function of places states itself. @type {Extent[][] | null} */
    this.products = null;
  }

  /** Adds a target, and returns its port. @param {Extent[]} shape @returns {number} */
  add(shape) {
    this.shapes.push(shape);
    return this.shapes.length - 1;
  }

  /** @param {...Place} places */
  tie(...places) {
    this.ties.push(places);
  }

  /** @param {...Place} places */
  hold(...places) {
    this.whole.push(...places);
  }

  /** @param {Place} from @param {Place} to @param {Link["at"]} at */
  link(from, to, at) {
    this.links.push({ from, to, at });
  }
}

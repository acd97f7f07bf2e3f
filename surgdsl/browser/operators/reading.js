/**
 * A call of an operator, read by its schema: which source stands for which argument, and what the attributes say.
 *
 * Graphs write the arguments in two places, tensors as sources and the rest as attributes. Everything behind this module asks for them by name,
 * and knows that each has the kind that the page gives it, and that there are no others.
 */

import { extent, polynomial } from "../extent.js";
import { hexFloat } from "../number.js";
import { Reject, demand } from "../reject.js";

/** What the names of torch for dtypes are here. */
const DTYPES = new Map([
  ["float64", "F64"], ["float32", "F32"], ["float16", "F16"], ["bfloat16", "BF16"],
  ["int64", "I64"], ["int32", "I32"], ["int16", "I16"], ["int8", "I8"], ["uint8", "U8"], ["bool", "BOOL"],
]);

/** The dtype that an attribute names, `float32` or `torch.float32`; undefined for none. @param {unknown} name @returns {string | undefined} */
export function dtypeNamed(name) {
  return typeof name === "string" ? DTYPES.get(name.replace(/^torch\./, "")) : undefined;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isNone = (value) => isObject(value) && value.none === true;
const isFloat = (value) => isObject(value) && "float" in value;
const isExtent = (value) => isObject(value) && "extent" in value;
const isInteger = (value) => typeof value === "number";
const isSize = (value) => isInteger(value) || isExtent(value);
const isNumber = (value) => isInteger(value) || isFloat(value);
const every = (test) => (value) => Array.isArray(value) && value.every(test);

/** The kinds of attributes, and what belongs to each. */
const KINDS = {
  int: isInteger,
  size: isSize,
  number: isNumber,
  operand: (value) => isNumber(value) || isExtent(value) || typeof value === "boolean",
  flag: (value) => typeof value === "boolean",
  off: (value) => value === false,
  text: (value) => typeof value === "string",
  none: isNone,
  dims: (value) => isInteger(value) || every(isInteger)(value),
  dtype: (value) => dtypeNamed(value) !== undefined,
  any: () => true,
  ints: every(isInteger),
  sizes: every(isSize),
  numbers: every(isNumber),
};

/** What an attribute is to a computation: integers and floats are numbers, extents stay what they are, none is null. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (isNone(value)) return null;
  if (isFloat(value)) return hexFloat(value.float);
  if (isExtent(value)) return extent(polynomial(value.extent));
  return value;
}

/** Which category a number is of in promotion. @returns {"truth"|"integer"|"float"} */
function category(value) {
  if (typeof value === "boolean") return "truth";
  return isFloat(value) ? "float" : "integer";
}

/** One call, by the names of its arguments. */
export class Reading {
  /**
   * @param {import("./row.js").Row} row
   * @param {{operation: {op: string, attributes: Map<string, any>}, sources: {dtype: string, shape: (number|string)[]}[], targets: {dtype: string, shape: (number|string)[]}[]}} call
   */
  constructor(row, call) {
    this.row = row;
    this.sorts = call.sources;
    /** Ports of each tensor argument, -1 where one is absent. @type {Map<string, number[]>} */
    this.ports = new Map();
    this.values = new Map();
    /** Categories of the numbers that take part in promotion. @type {string[]} */
    this.operands = [];
    this.floats = new Set();
    this.next = 0;
    const left = new Map(call.operation.attributes);
    for (const argument of row.schema) this.read(argument, left);
    this.demand(left.size === 0, `has no argument ${[...left.keys()].join(", ")}`);
    this.demand(this.next === this.sorts.length, `reads ${this.next} tensors, not ${this.sorts.length}`);
    /** How many targets the row or its operation has. */
    this.targets = call.targets.length;
  }

  /** @param {unknown} condition @param {string} message @returns {asserts condition} */
  demand(condition, message) {
    demand(condition, "V09", `${this.row.name} ${message}`);
  }

  /** @param {string} message @returns {never} */
  refuse(message) {
    throw new Reject("V09", `${this.row.name} ${message}`);
  }

  /** Reads one argument, and takes what it says away from the attributes that are left. */
  read(argument, left) {
    const { name, written, kind } = argument;
    const value = left.get(written);
    const given = left.delete(written);
    if (kind === "tensor") {
      this.demand(!given, `takes ${name} as a tensor`);
      this.ports.set(name, [this.take()]);
    } else if (kind === "optional") {
      this.demand(!given || isNone(value), `takes ${name} as a tensor or none`);
      this.ports.set(name, given ? [-1] : [this.take()]);
    } else if (kind === "list" || kind === "holes") {
      this.ports.set(name, this.list(name, value, kind === "holes"));
    } else if (kind === "either" && !given) {
      this.ports.set(name, [this.take()]);
    } else {
      if (kind === "either") this.ports.set(name, [-1]);
      this.demand(given, `lacks the argument ${written}`);
      this.attribute(argument, kind === "either" ? "operand" : kind, value);
    }
  }

  /** @returns {number} the next port */
  take() {
    this.demand(this.next < this.sorts.length, "lacks a tensor");
    return this.next++;
  }

  /** @returns {number[]} ports of a list of tensors, -1 for holes */
  list(name, value, holes) {
    if (isObject(value) && isInteger(value.tensors)) {
      this.demand(value.tensors >= 0 && value.tensors <= this.sorts.length, `has no list of ${value.tensors} tensors`);
      return Array.from({ length: value.tensors }, () => this.take());
    }
    this.demand(holes && Array.isArray(value) && value.length > 0, `takes ${name} as a list of tensors`);
    return value.map((one) => {
      if (isNone(one)) return -1;
      this.demand(isObject(one) && one.tensors === 1, `takes ${name} as a list of tensors or none`);
      return this.take();
    });
  }

  attribute(argument, kind, value) {
    const { name, written, nullable } = argument;
    const fits = (nullable && isNone(value)) || KINDS[kind](value);
    this.demand(fits, `takes no such ${written}: ${JSON.stringify(value)}`);
    this.values.set(name, kind === "any" ? value : plain(value));
    if (isFloat(value)) this.floats.add(name);
    if (kind === "operand" && !isNone(value)) this.operands.push(category(value));
  }

  /** Whether the operator has an attribute of that name. */
  has(name) {
    return this.values.has(name);
  }

  /** @returns {any} an attribute; null for none */
  value(name) {
    return this.values.get(name) ?? null;
  }

  /** @returns {number} the port of an argument, -1 when it is absent */
  port(name) {
    return this.ports.get(name)[0];
  }

  /** @returns {(number|string)[]} the shape of the tensor at a port */
  shape(port) {
    return this.sorts[port].shape;
  }

  /** A dimension that an integer names, counted from the end when it is negative. @returns {number} */
  dimension(value, rank) {
    this.demand(value >= -rank && value < rank, `has no dimension ${value} of ${rank}`);
    return value < 0 ? value + rank : value;
  }

  /** Dimensions that one integer or several name, each once; null where there are none. @returns {number[] | null} */
  dimensions(value, rank) {
    if (value === null) return null;
    const named = (Array.isArray(value) ? value : [value]).map((one) => this.dimension(one, rank));
    this.demand(new Set(named).size === named.length && named.length > 0, "names no dimension, or one twice");
    return named;
  }
}

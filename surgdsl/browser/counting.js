/**
 * The four metrics of a net, recounted from its operations and the bytes of its weights (section 7).
 *
 * What an operation counts does not depend on the net around it, so it is counted once and kept for all the states that share it.
 */
import { callOf, weightsOf } from "./net.js";
import { macs } from "./operators.js";
import { demand } from "./reject.js";
import { METRICS } from "./statement.js";
import { bitsOf, inspect, size } from "./weights.js";

const COUNT = (shape) => shape.reduce((total, extent) => total * BigInt(extent), 1n);

/** Rejects with V08 parts whose bytes are there, but of another dtype or shape. */
export function checkBytes(parts, store) {
  for (const { digest, dtype, name, shape } of parts) {
    const row = store.has(digest) ? store.row(digest) : { dtype, shape };
    demand(row.dtype === dtype && row.shape.join() === shape.join(), "V08", `${name}: its bytes are of another dtype or shape`);
  }
}

/** Counts operations; each once. */
export class Counter {
  /** @param {import("./store.js").Store} store @param {Map<string, bigint>} binding */
  constructor(store, binding) {
    this.store = store;
    this.binding = binding;
    this.known = new WeakMap();
  }

  /** What one operation adds to each metric; for a weight, its properties too. Rejects with V08, V15. */
  async operation(operation, sort) {
    const known = this.known.get(operation);
    if (known !== undefined) return known;
    const counts = operation.op === "param" ? await this.weight(operation, sort(operation.targets[0])) : this.call(operation, sort);
    this.known.set(operation, counts);
    return counts;
  }

  call(operation, sort) {
    return { "macs/1": macs(callOf(operation, sort), this.binding), "nnz/1": 0n, "params/1": 0n, "size/1": 0n };
  }

  async weight(operation, sort) {
    const { nnz, infinite } = await inspect(operation, sort, this.store);
    return { "macs/1": 0n, "nnz/1": nnz, "params/1": COUNT(sort.shape), "size/1": size(operation), bits: bitsOf(operation, sort), infinite };
  }

  /** @returns {Promise<Map<string, bigint>>} the metrics of a net. */
  async net(net) {
    const totals = new Map(METRICS.map((id) => [id, 0n]));
    const sort = (wire) => net.wires.get(wire);
    for (const operation of net.operations.values()) {
      const counts = await this.operation(operation, sort);
      for (const id of METRICS) totals.set(id, totals.get(id) + counts[id]);
    }
    return totals;
  }

  /** How many stored floats of the weights of a net that was counted are not finite. */
  infinite(net) {
    return weightsOf(net).reduce((total, operation) => total + this.known.get(operation).infinite, 0n);
  }

  /** The properties of all weights of a net that was counted (section 10). */
  properties(net) {
    return weightsOf(net).map((operation) => {
      const counts = this.known.get(operation);
      return { count: counts["params/1"], nnz: counts["nnz/1"], size: counts["size/1"], bits: counts.bits };
    });
  }
}

/**
 * The boundary of a net and the interfaces that a surgery preserves (V16).
 */
import { demand } from "./reject.js";

const same = (a, b) => a.name === b.name && a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((extent, i) => extent === b.shape[i]);

/** The ends of the net are those of the boundary: names, dtypes, shapes, in order. */
export function checkBoundary(net, boundary) {
  for (const side of ["inputs", "outputs"]) {
    const ends = net[side].map(({ name, wire }) => ({ name, ...net.wires.get(wire) }));
    const fits = ends.length === boundary[side].length && ends.every((end, i) => same(end, boundary[side][i]));
    demand(fits, "V16", `the ${side} of the graph are not those of the boundary`);
  }
}

/** The inputs and outputs of every interface stand in the boundary, with equal dtype and shape. */
export function checkInterfaces(interfaces, boundary) {
  for (const { name, ...sides } of interfaces) {
    for (const side of ["inputs", "outputs"]) {
      for (const end of sides[side]) {
        demand(boundary[side].some((known) => same(known, end)), "V16", `the interface ${name}: ${end.name} is not on the boundary`);
      }
    }
  }
}

"""How the analysis grows with the net: synthetic residual nets of up to 100,000 operations. Part of `make bench`.

Prints a row for each size; the last column is the time per operation, which should not grow.
"""

import sys
import time

import numpy as np

from surgdsl.bridge.encoding import dense
from surgdsl.bridge.weight import State, Weight
from surgdsl.diagram.canonical import number
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.payload import Dense, Payload
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import Given
from surgdsl.operations.coupling import couple
from surgdsl.surgery.prune import Cutting

SIZES = (1_000, 10_000, 100_000)
WIDTH, INNER = 8, 16


def residual(blocks: int) -> State:
    """x → x + w₂·relu(w₁·x), `blocks` times: six operations each, one axis inside each and one along all."""
    wires = {"x": Sort("F32", (4, WIDTH))}
    operations: dict[str, Operation] = {}
    weights = dict[str, Weight]()
    for name, shape in (("first", (WIDTH, WIDTH)), ("last", (WIDTH, WIDTH))):
        weight(name, shape, wires, operations, weights)
    wires["h0"] = Sort("F32", (4, WIDTH))
    operations["enter"] = Operation("aten.linear.default", ("x", "first"), ("h0",), (("bias", None),), path="first")
    for block in range(blocks):
        weight(f"b{block}.up", (INNER, WIDTH), wires, operations, weights)
        weight(f"b{block}.down", (WIDTH, INNER), wires, operations, weights)
        for wire, width in (("u", INNER), ("r", INNER), ("d", WIDTH), ("h", WIDTH)):
            wires[f"{wire}{block + 1}"] = Sort("F32", (4, width))
        h, u, r, d = f"h{block}", *(f"{wire}{block + 1}" for wire in "urd")
        operations[f"up{block}"] = linear(h, f"b{block}.up", u)
        operations[f"relu{block}"] = Operation("aten.relu.default", (u,), (r,), path=f"b{block}")
        operations[f"down{block}"] = linear(r, f"b{block}.down", d)
        add = Operation("aten.add.Tensor", (h, d), (f"h{block + 1}",), (("alpha", 1),), path=f"b{block}")
        operations[f"add{block}"] = add
    wires["y"] = Sort("F32", (4, WIDTH))
    operations["leave"] = Operation(
        "aten.linear.default", (f"h{blocks}", "last"), ("y",), (("bias", None),), path="last"
    )
    return State(Net(Hypergraph(wires, operations), (("x", "x"),), (("y", "y"),)), weights)


def linear(source: str, name: str, target: str) -> Operation:
    """A call without bias."""
    return Operation("aten.linear.default", (source, name), (target,), (("bias", None),), path=name)


def weight(
    name: str,
    shape: tuple[int, int],
    wires: dict[str, Sort],
    operations: dict[str, Operation],
    weights: dict[str, Weight],
) -> None:
    """A weight and its wire."""
    wires[name] = Sort("F32", shape)
    payload = Payload(f"{name}.weight", "parameter", Dense(), Given(f"{name}.weight"))
    operations[f"w {name}"] = Operation(PARAM, (), (name,), (), payload, name)
    weights[f"w {name}"] = dense(np.zeros(shape, dtype=np.float32))


def main() -> None:
    """Measure every size."""
    sys.stdout.write("| operations | numbering s | analysis s | all axes cut s | analysis µs an operation |\n")
    sys.stdout.write("|---|---|---|---|---|\n")
    for size in SIZES:
        state = residual(size // 6)
        count = len(state.net.graph.operations)
        start = time.perf_counter()
        number(state.net)
        numbered = time.perf_counter()
        coupling = couple(state.net)
        coupled = time.perf_counter()
        Cutting(state, coupling, {axis: np.arange(int(str(axis.size)) // 2) for axis in coupling.prunable}).carry_out(0)
        cut = time.perf_counter()
        per = 1e6 * (coupled - numbered) / count
        row = f"| {count:,} | {numbered - start:.3f} | {coupled - numbered:.3f} | {cut - coupled:.3f} | {per:.1f} |"
        sys.stdout.write(row + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

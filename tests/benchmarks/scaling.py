"""How the analysis grows with the net: synthetic residual nets of up to 100,000 operations. Part of `make bench`.

Prints a row for each size; the last column is the time per operation, which should not grow. The same table and a plot
of it go to docs/speed.md.
"""

import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path

import numpy as np
from plot import plot

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

HOUSE = Path(__file__).resolve().parents[2]
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
REPEATS = 3
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
    rows: list[tuple[int, float, float, float]] = []
    sys.stdout.write(HEAD)
    for size in SIZES:
        rows.append(measured(size))
        sys.stdout.write(told(rows[-1]))
        sys.stdout.flush()
    sizes, numbering, analysis, cutting = (list(column) for column in zip(*rows, strict=True))
    drawn = {"all axes cut": cutting, "analysis": analysis, "its numbering": numbering}
    picture = plot("Analysis and cut grow linearly", SUMMARY, list(map(int, sizes)), drawn)
    (HOUSE / "docs" / "pictures" / "scaling.svg").write_text(picture, encoding="utf-8")
    page = HOUSE / "docs" / "speed.md"
    before, _, _ = page.read_text(encoding="utf-8").partition(f"\n{HEADING}")
    page.write_text(f"{before}\n{HEADING}{INTRODUCTION}{HEAD}{''.join(map(told, rows))}", encoding="utf-8")


def measured(size: int) -> tuple[int, float, float, float]:
    """Operations, and the least seconds of numbering, of analysis with its numbering, and of cutting every axis."""
    state = residual(size // 6)
    coupling = couple(state.net)
    keep = {axis: np.arange(int(str(axis.size)) // 2) for axis in coupling.prunable}
    return (
        len(state.net.graph.operations),
        least(lambda: number(state.net)),
        least(lambda: couple(state.net)),
        least(lambda: Cutting(state, coupling, keep).carry_out(0)),
    )


def least(work: Callable[[], object]) -> float:
    """The least seconds of the processor of a few runs, by timeit, which holds the collector of cycles still."""
    return min(timeit.repeat(work, timer=time.process_time, number=1, repeat=REPEATS))


def told(row: tuple[int, float, float, float]) -> str:
    """A line of the table."""
    count, numbered, coupled, cut = row
    return f"| {count:,} | {numbered:.3f} | {coupled:.3f} | {cut:.3f} | {1e6 * coupled / count:.1f} |\n"


HEADING = "## Growth\n"
"""Where this part of the page begins; peers.py keeps what stands from here on."""
SUMMARY = "seconds of one processor, for synthetic residual nets of so many operations"
INTRODUCTION = """
`make bench` makes this part. Nets are residual, x + w₂·relu(w₁·x) over and over, of six operations and one axis a
block, and one axis along all of them. Seconds are of one processor, the least of three runs by timeit, which holds
Python's collector of cycles still: left on, it walks over the whole net now and then, and doubles the largest.

![Seconds of analysis and of cutting every axis against operations, beside lines of slope one](pictures/scaling.svg)

"""
HEAD = """| operations | numbering s | analysis s | all axes cut s | analysis µs an operation |
|---|---|---|---|---|
"""


if __name__ == "__main__":
    main()

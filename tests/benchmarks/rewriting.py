"""How rewriting grows with the net: matching, steps one after another and at once, their order, the hash of the net.

Prints a row for each size. A net of n operations takes n/10 independent steps; the last column is the time for each of
them one after another, which should not grow. Times are of one core. Part of `make bench`.
"""

import sys
import time
from collections.abc import Iterator
from itertools import pairwise

from surgdsl.diagram.derivation import Derivation
from surgdsl.diagram.hashing import graph_hash
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.parallel import together
from surgdsl.diagram.pushout import Step, apply, numbered
from surgdsl.diagram.rule import Rule
from surgdsl.diagram.sort import Sort

SIZES = (1_000, 10_000, 100_000)
VECTOR = Sort("F32", (8,))
EVERY = 10
"""One operation in so many is the beginning of a match."""


def call(name: str, source: str, target: str) -> Operation:
    """An operation on one wire."""
    return Operation(f"aten.{name}.default", (source,), (target,), (), None, "m")


def chain(size: int) -> Net:
    """One long chain, in which every tenth pair of operations is relu after relu."""
    wires = {f"v{at}": VECTOR for at in range(size + 1)}
    names = ("relu", "relu", *("tanh", "neg") * (EVERY // 2 - 1))
    operations = {f"e{at}": call(names[at % EVERY], f"v{at}", f"v{at + 1}") for at in range(size)}
    return Net(Hypergraph(wires, operations), (("x", "v0"),), (("y", f"v{size}"),))


ENDS = {"p": VECTOR, "q": VECTOR}
TWICE = Rule(
    "relu after relu",
    Hypergraph({**ENDS, "h": VECTOR}, {"a": call("relu", "p", "h"), "b": call("relu", "h", "q")}),
    Hypergraph(ENDS),
    Hypergraph(ENDS, {"c": call("relu", "p", "q")}),
)


def found(net: Net) -> Iterator[Match]:
    """Every match of `TWICE`, by following its ports backwards from the second relu."""
    for name, second in net.graph.operations.items():
        if second.name != TWICE.left.operations["b"].name:
            continue
        (middle,) = second.sources
        for maker in net.graph.producers[middle]:
            first = net.graph.operations[maker]
            if first.name == second.name:
                wires = {"p": first.sources[0], "h": middle, "q": second.targets[0]}
                yield Match(TWICE, net, wires, {"a": maker, "b": name})


def sequence(net: Net, matches: list[Match]) -> Derivation:
    """All matches, one after another."""
    taken = list[Step]()
    for place, match in enumerate(matches):
        host = taken[-1].result if taken else net
        taken.append(apply(Match(TWICE, host, match.wires, match.operations), f"s{place}"))
    return Derivation(net, tuple(taken))


def main() -> None:
    """Measure every size."""
    columns = ("operations", "steps", "match s", "one by one s", "at once s", "order s", "hash s", "µs a step")
    sys.stdout.write(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n")
    for size in SIZES:
        net, clock = chain(size), [time.process_time()]
        matches = list(found(net))
        clock.append(time.process_time())
        derivation = sequence(net, matches)
        clock.append(time.process_time())
        step = together(net, matches, [numbered(TWICE, f"s{place}") for place in range(len(matches))])
        clock.append(time.process_time())
        layers = derivation.layers()
        clock.append(time.process_time())
        digest = graph_hash(net)
        clock.append(time.process_time())
        assert step.result == derivation.result
        assert len(step.result.graph.operations) == size - len(matches)
        assert (len(layers), len(digest)) == (1, 64)
        spent = [after - before for before, after in pairwise(clock)]
        figures = " | ".join(f"{seconds:.3f}" for seconds in spent)
        row = f"| {size:,} | {len(matches):,} | {figures} | {1e6 * spent[1] / len(matches):.0f} |"
        sys.stdout.write(row + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

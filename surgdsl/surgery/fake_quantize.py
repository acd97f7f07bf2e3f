"""Fake quantization of activations: what some layers read is rounded to a grid that data decides.

L is the layers that read one wire, K all their wires, R the grid and the same layers reading through it. Layers that
read the same wire share a grid, as they would share a buffer of integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

from attrs import evolve, field, frozen

from surgdsl.bridge.ranges import Histogram, chosen
from surgdsl.bridge.source import Rows
from surgdsl.bridge.watching import watch
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.hashing import plan_hash
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Attribute, Operation
from surgdsl.importance.reading import CHANNELS
from surgdsl.operations.fake_quantize import NAME
from surgdsl.surgery.adjusting import Account, stated
from surgdsl.surgery.rewrite import Replacement, Rewrite, around, created, replace
from surgdsl.surgery.single import Heard

RULE = "fake-quantize/1"
GRID = "grid"
Attributes = tuple[tuple[str, Attribute], ...]


@frozen
class FakeQuantize:
    """Round what the layers with the weights `bases` read to 2^`bits` points, ranges chosen by `method` on `rows`."""

    bases: tuple[str, ...]
    bits: int
    method: str
    share: Fraction
    data: str
    rows: Callable[[], Rows] = field(eq=False, repr=False)

    @property
    def note(self) -> str:
        """One line for people."""
        layers = f"{len(self.bases)} layer{'s' if len(self.bases) > 1 else ''}"
        return f"what {layers} read: {self.bits} bit, {self.method} on {self.data}"

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """The same operations, their grids not measured yet: in place of each is what it will depend on."""
        for place, wire in enumerate(readers(state.net, self.bases)):
            grid = self._attributes(f"{self!r} of {origin(state.net, wire)}", 0)
            done = self._rewrite(state, number + place, step, (wire, grid), {})
            yield done
            state = done.after

    def rewrites(self, state: State, number: int, step: str, heard: Heard) -> Iterator[Rewrite]:
        """Measure all wires in one pass over the rows, then put the grids in, one wire after the other.

        Raises:
            Refusal: E0506, what a layer reads is not finite.
        """
        rows, wires = self.rows(), readers(state.net, self.bases)
        seen = {wire: Histogram() for wire in wires}
        heard(f"measuring {len(wires)} wires on {len(rows)} rows of {self.data}")
        watch(state, rows, {wire: one.take for wire, one in seen.items()})
        for place, (wire, histogram) in enumerate(seen.items()):
            if not histogram.finite:
                told = f"what `{wires[wire][0]}` reads is not finite on the rows of `{self.data}`"
                raise Refusal(Diagnostic("E0506", told))
            grid = chosen(histogram, self.bits, self.method, self.share)
            figures = {"high": histogram.high, "low": histogram.low, "rows": len(rows)}
            done = self._rewrite(state, number + place, step, (wire, self._attributes(grid.scale, grid.zero)), figures)
            yield done
            state = done.after

    def _attributes(self, scale: Attribute, zero: int) -> Attributes:
        return (("quant_max", (1 << self.bits) - 1), ("quant_min", 0), ("scale", scale), ("zero_point", zero))

    def _rewrite(
        self, state: State, number: int, step: str, grid: tuple[str, Attributes], figures: Mapping[str, float]
    ) -> Rewrite:
        wire, attributes = grid
        bases = readers(state.net, self.bases)[wire]
        names = tuple(name for name in state.net.graph.consumers[wire] if base(state.net, name) in bases)
        left = around(state, tuple(dict.fromkeys(names)))
        first = next(iter(left.operations.values()))
        operations = {GRID: Operation(NAME, (wire,), (created(wire),), attributes, path=first.path)}
        operations |= {created(name): _reading(one, wire) for name, one in left.operations.items()}
        asked = Replacement(left, Hypergraph(left.wires), {created(wire): state.net.sort(wire)}, operations)
        derivation, after = replace(state, RULE, asked, number)
        method = f"percentile {self.share}" if self.method == "percentile" else self.method
        account = Account(method, self.data, {name: stated(value) for name, value in figures.items()})
        note = f"what {', '.join(bases)} read{'s' * (len(bases) == 1)}: {self.bits} bit"
        return Rewrite(
            RULE, step, "neutral", None, {"bits": self.bits, **account.arguments()}, note, derivation, state, after
        )


def _reading(operation: Operation, wire: str) -> Operation:
    """The same operation, reading `wire` through the grid."""
    sources = tuple(created(wire) if one == wire else one for one in operation.sources)
    return evolve(operation, sources=sources)


def base(net: Net, name: str) -> str:
    """The name of the weight of a layer that reads activations; empty where the operation is none."""
    operation = net.graph.operations[name]
    if operation.name not in CHANNELS:
        return ""
    makers = net.graph.producers[operation.sources[1]]
    payload = net.graph.operations[makers[0]].payload if makers else None
    return payload.base if payload else ""


def readers(net: Net, bases: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """By wire, which layers with these weights read it without a grid in between; in the order of the net."""
    found: dict[str, list[str]] = {}
    for name, operation in net.graph.operations.items():
        called = base(net, name)
        if called in bases and called and not through_grid(net, operation.sources[0]):
            found.setdefault(operation.sources[0], []).append(called)
    return {wire: tuple(dict.fromkeys(names)) for wire, names in found.items()}


def through_grid(net: Net, wire: str) -> bool:
    """Whether a wire carries what a grid gave."""
    return any(net.graph.operations[name].name == NAME for name in net.graph.producers[wire])


def origin(net: Net, wire: str) -> str:
    """What the values of a wire depend on, as a hash: two orders of steps that give the same there, give this."""
    return plan_hash(evolve(net, outputs=(("wire", wire),)))

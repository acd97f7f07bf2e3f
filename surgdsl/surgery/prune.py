"""Pruning: keep a subset of an axis, and cut every tensor in which the axis occurs.

L is every operation at a wire that shrinks, K the wires at its edge that do not, R the same skeleton with shorter
wires. The gluing condition then holds by construction: everything that touches a deleted wire is in L, and wires of
an interface, being pinned, are never in it.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from attrs import evolve, field, frozen

from surgdsl.axis.dim import Axis, Dim, Indices, axes, kept
from surgdsl.bridge.encoding import take
from surgdsl.bridge.weight import State, Weight
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.operation import PARAM, Operation
from surgdsl.diagram.pushout import Step
from surgdsl.diagram.sort import Sort
from surgdsl.diagram.term import sliced
from surgdsl.operations import BY_NAME
from surgdsl.operations.coupling import Coupling, couple
from surgdsl.operations.signature import Cut
from surgdsl.surgery.rewrite import Replacement, Rewrite, around, created, derived, replace, term_of
from surgdsl.surgery.single import Single

RULE = "prune-channels/1"


@frozen
class Prune(Single):
    """Keep the positions `keep` of an axis; `scores` (naturals, one for each position) are the reason."""

    axis: str
    size: int
    keep: tuple[int, ...]
    scores: tuple[int, ...] = ()
    tensors: tuple[tuple[str, int], ...] = ()
    """The tensors that are cut, each with the dimension."""

    @property
    def gone(self) -> tuple[int, ...]:
        """The positions that go."""
        kept = set(self.keep)
        return tuple(position for position in range(self.size) if position not in kept)

    @property
    def note(self) -> str:
        """One line for people."""
        return f"{self.axis}: {self.size} -> {len(self.keep)}"

    def rewrite(self, state: State, number: int, step: str) -> Rewrite:
        """Cut the axis out of `state`.

        Raises:
            Refusal: E0501, the net has no such axis.
        """
        coupling = couple(state.net)
        axis = self.found(coupling)
        cutting = Cutting(state, coupling, {axis: np.array(self.keep, dtype=np.intp)})
        derivation, after = cutting.carry_out(number)
        arguments = {
            "axis": self.axis,
            "keep": list(self.keep),
            "scores": [str(score) for score in self.scores],
            **cutting.witness(),
        }
        return Rewrite(RULE, step, "reduce", "params/1", arguments, self.note, derivation, state, after)

    def found(self, coupling: Coupling) -> Axis:
        """The axis of this name; or the only one in its tensors, where cutting another to 1 took the name away."""
        for axis in coupling.members:
            if axis.name == self.axis and axis.size == self.size:
                return axis
        alike = [
            axis
            for axis, members in coupling.members.items()
            if axis.size == self.size and {(one.tensor, one.dimension) for one in members} == set(self.tensors)
        ]
        if len(alike) != 1:
            raise Refusal(Diagnostic("E0501", f"there is no axis `{self.axis}` of size {self.size}"))
        return alike[0]


def ranked(scores: tuple[int, ...], count: int) -> tuple[int, ...]:
    """The positions of the `count` largest scores, the lower position first among equals, rising.

    >>> ranked((5, 9, 5, 1), 2)
    (0, 1)
    """
    return tuple(sorted(sorted(range(len(scores)), key=lambda position: (-scores[position], position))[:count]))


@frozen(slots=False, eq=False)
class Cutting:
    """What a choice of indices means for every wire and weight of a net."""

    state: State
    coupling: Coupling
    keep: dict[Axis, Indices]
    known: dict[Dim, Indices | None] = field(factory=dict[Dim, Indices | None])
    """The kept indices of each dim that was asked for: wires share few dims."""

    @cached_property
    def shrinking(self) -> tuple[str, ...]:
        """Wires that lose indices, in the order of the net."""
        return tuple(wire for wire in self.coupling.dims if any(one is not None for one in self.indices(wire)))

    def indices(self, wire: str) -> tuple[Indices | None, ...]:
        """The kept indices of each dimension; None where all are."""
        return tuple(self._indices(dim) for dim in self.coupling.dims[wire])

    def _indices(self, dim: Dim) -> Indices | None:
        if dim not in self.known:
            self.known[dim] = kept(dim, self.keep) if any(axis in self.keep for axis in axes(dim)) else None
        return self.known[dim]

    def sort(self, wire: str) -> Sort:
        """What the wire carries afterwards."""
        before = self.state.net.sort(wire)
        sizes = zip(before.shape, self.indices(wire), strict=True)
        return Sort(before.dtype, tuple(extent if index is None else len(index) for extent, index in sizes))

    def carry_out(self, number: int) -> tuple[Step, State]:
        """The step that cuts every axis of `keep` at once, as rewrite `number`."""
        return replace(self.state, RULE, self.replacement(), number)

    def replacement(self) -> Replacement:
        """L, K and R∖K, with the sliced weights."""
        shrinking = self.shrinking
        left = around(self.state, self.state.net.graph.touching(shrinking))
        inner = set(shrinking)
        glue = Hypergraph({wire: sort for wire, sort in left.wires.items() if wire not in inner})
        wires = {created(wire): self.sort(wire) for wire in left.wires if wire in inner}
        weights = {
            name: self.weight(name, operation) for name, operation in left.operations.items() if operation.name == PARAM
        }
        operations = {
            created(name): self._operation(operation, inner, weights.get(name))
            for name, operation in left.operations.items()
        }
        return Replacement(left, glue, wires, operations, {created(name): weight for name, weight in weights.items()})

    def weight(self, name: str, operation: Operation) -> Weight:
        """The weight with only its kept indices."""
        found = self.indices(operation.targets[0])
        return take(self.state.weights[name], {place: index for place, index in enumerate(found) if index is not None})

    def _operation(self, operation: Operation, inner: set[str], weight: Weight | None) -> Operation:
        sources = tuple(created(wire) if wire in inner else wire for wire in operation.sources)
        targets = tuple(created(wire) if wire in inner else wire for wire in operation.targets)
        if weight is not None:
            places = enumerate(self.indices(operation.targets[0]))
            kept = {place: tuple(index.tolist()) for place, index in places if index is not None}
            return evolve(
                operation, targets=targets, payload=derived(operation, weight, sliced(term_of(operation), kept))
            )
        cut = Cut(
            operation,
            tuple(map(self.sort, operation.sources)),
            tuple(map(self.sort, operation.targets)),
            tuple(map(self.indices, operation.sources)),
            tuple(map(self.state.net.sort, operation.sources)),
        )
        return evolve(operation, sources=sources, targets=targets, attributes=BY_NAME[operation.name].retune(cut))

    def witness(self) -> dict[str, object]:
        """Which indices every shrinking dimension keeps: what a verifier needs to check operation by operation."""
        lists: dict[tuple[int, ...], int] = {}
        places: list[list[object]] = []
        for wire in around(self.state, self.state.net.graph.touching(self.shrinking)).wires:
            for dimension, index in enumerate(self.indices(wire)):
                if index is not None:
                    places.append([wire, dimension, lists.setdefault(tuple(map(int, index)), len(lists))])
        return {"indices": [list(positions) for positions in lists], "kept": places}

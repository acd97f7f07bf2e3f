"""Lowering: weights of low rank, written as the products that they are.

The rules of the library say what a factored layer is and compute its weights; which weight of that rank comes closest
to the old one depends on what the layer reads, so with data the weights of a step are adjusted first: layer after
layer, each on what the layers before it then give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np
from attrs import evolve, field, frozen

from surgdsl.bridge.encoding import decode
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State, Weight
from surgdsl.curvature.gram import grams
from surgdsl.curvature.layer import Layer, layers
from surgdsl.curvature.lowrank import whitened
from surgdsl.curvature.solution import Solution, Values
from surgdsl.curvature.tucker import tucker
from surgdsl.surgery.adjusting import Account, adjust, refilled
from surgdsl.surgery.declared import Apply
from surgdsl.surgery.recode import param
from surgdsl.surgery.rewrite import Rewrite
from surgdsl.surgery.single import Heard
from surgdsl.surgery.solving import facts, rounds


@frozen
class Product:
    """A weight that becomes a product: its ranks over outputs and over input channels, and the rules that write it."""

    base: str
    outputs: int
    inputs: int
    rules: tuple[Apply, ...]

    @property
    def note(self) -> str:
        """One line for people."""
        return f"{self.base} in {len(self.rules) + 1} layers of rank {', '.join(str(one) for one in self._ranks)}"

    @property
    def _ranks(self) -> tuple[int, ...]:
        return tuple(value for rule in self.rules for _, value in reversed(rule.arguments))

    def solved(self, layer: Layer, values: Values, gram: Values) -> Solution:
        """The weight of these ranks whose outputs differ least."""
        if not layer.window:
            return whitened(values, gram, self.outputs)
        return tucker(values, gram, layer.shape[1], self.outputs, self.inputs)

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """What it does to forms."""
        for rule in self.rules:
            for rewrite in rule.foresee(state, number, step):
                yield rewrite
                state, number = rewrite.after, number + 1

    def rewrites(self, state: State, number: int, step: str, heard: Heard) -> Iterator[Rewrite]:
        """One layer for each factor."""
        for rule in self.rules:
            for rewrite in rule.rewrites(state, number, step, heard):
                yield rewrite
                state, number = rewrite.after, number + 1


@frozen
class Lower:
    """Weights of a step moved to low rank by what their layers read, and then written as products."""

    products: tuple[Product, ...]
    data: str
    rows: Rows = field(eq=False, repr=False)

    @property
    def note(self) -> str:
        """One line for people."""
        named = ", ".join(one.note for one in self.products[:4])
        more = f" and {len(self.products) - 4} more" if len(self.products) > 4 else ""
        return f"moved there on {self.data}: {named}{more}"

    @property
    def _account(self) -> Account:
        return Account("low rank, sequential", self.data)

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """An adjustment that keeps the old values, and the products."""
        held = {name: state.weights[name] for one in self.products for name in (param(state, one.base),)}
        yield (first := adjust(state, held, self._account, number, step))
        state, number = first.after, number + 1
        for one in self.products:
            for rewrite in one.foresee(state, number, step):
                yield rewrite
                state, number = rewrite.after, number + 1

    def rewrites(self, state: State, number: int, step: str, heard: Heard) -> Iterator[Rewrite]:
        """The adjustment, and the products."""
        weights, figures = self._solved(state, heard)
        account = evolve(self._account, figures={**figures, "rows": Fraction(len(self.rows))})
        yield (first := adjust(state, weights, account, number, step))
        state, number = first.after, number + 1
        for one in self.products:
            heard(one.note)
            for rewrite in one.rewrites(state, number, step, heard):
                yield rewrite
                state, number = rewrite.after, number + 1

    def _solved(self, state: State, heard: Heard) -> tuple[Mapping[str, Weight], Mapping[str, Fraction]]:
        """The weights of low rank by operation, and what is said of each."""
        products = {one.base: one for one in self.products}
        read: dict[str, Sequence[Layer]] = {base: layers(state.net, param(state, base)) or () for base in products}
        weights, figures = dict[str, Weight](), dict[str, Fraction]()
        for together in rounds(state.net, read):
            seen = grams(state, self.rows, [read[base][0] for base in together])
            for base in together:
                old = state.weights[param(state, base)]
                (layer,) = read[base]
                heard(f"low rank: {base}")
                matrices, moments = layer.matrices(decode(old)), seen[layer.name].moment
                found = products[base].solved(layer, matrices[0], moments[0])
                weights[layer.weight] = refilled(old, layer.tensor(np.stack([found.values])))
                figures |= {f"{base}.{name}": value for name, value in facts((found,)).items() if name != "damping"}
            state = evolve(state, weights={**state.weights, **weights})
        return weights, figures

"""Compensating: channels go, and the layers that read them move their other weights so that their outputs move least.

Each consumer solves the least squares over the columns that stay, on what it reads once the earlier consumers have
been solved (He, Zhang, Sun 2017; Kurtic et al. 2023, the update of ZipLM), its bias taking the means. That is one
adjustment; the cuts that follow are exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from surgdsl.bridge.encoding import decode, kept
from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State, Weight
from surgdsl.curvature.gram import Moments
from surgdsl.curvature.solution import Solution, Values, relative_error
from surgdsl.curvature.sparse import refit
from surgdsl.curvature.structured import without
from surgdsl.diagram.payload import Masked
from surgdsl.operations.coupling import couple
from surgdsl.surgery.adjusting import Account, adjust, refilled, stated
from surgdsl.surgery.consuming import Consumer, consumers
from surgdsl.surgery.prune import Prune
from surgdsl.surgery.rewrite import Rewrite
from surgdsl.surgery.single import Heard
from surgdsl.surgery.solving import curved, facts, rounds


@frozen
class Compensate:
    """Cut some axes after the layers that read them have made up for what goes."""

    prunes: tuple[Prune, ...]
    method: str
    damping: float
    data: str
    rows: Rows = field(eq=False, repr=False)

    @property
    def note(self) -> str:
        """One line for people."""
        return f"{self.method} on {self.data}, then {len(self.prunes)} cuts"

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """An adjustment that keeps the old values, and the cuts."""
        held = {name: state.weights[name] for one in self._reading(state).values() for name in _moved(one[0])}
        yield from self._done(state, held, Account(self.method, self.data), number, step)

    def rewrites(self, state: State, number: int, step: str, heard: Heard) -> Iterator[Rewrite]:
        """The adjustment and the cuts."""
        weights, figures = self._solved(state, heard)
        account = Account(self.method, self.data, {**figures, "rows": Fraction(len(self.rows))})
        yield from self._done(state, weights, account, number, step)

    def _done(
        self, state: State, weights: Mapping[str, Weight], account: Account, number: int, step: str
    ) -> Iterator[Rewrite]:
        if weights:
            yield (first := adjust(state, weights, account, number, step))
            state, number = first.after, number + 1
        for turn, prune in enumerate(self.prunes, number):
            yield (rewrite := prune.rewrite(state, turn, step))
            state = rewrite.after

    def _reading(self, state: State) -> Mapping[str, tuple[Consumer, NDArray[np.bool_]]]:
        """The layers that read what goes, by the names of their weights, each with the columns that stay."""
        coupling = couple(state.net)
        found: dict[str, tuple[Consumer, NDArray[np.bool_]]] = {}
        for prune in self.prunes:
            for one in consumers(state, coupling, prune.found(coupling)):
                stays = ~np.isin(one.places, prune.gone)
                found[one.base] = one, stays & found[one.base][1] if one.base in found else stays
        return found

    def _solved(self, state: State, heard: Heard) -> tuple[Mapping[str, Weight], Mapping[str, Fraction]]:
        """The weights and biases of the consumers with other values, by operation, and what is said of them."""
        reading = self._reading(state)
        read = {base: one.readers for base, (one, _) in reading.items()}
        news, figures = dict[str, Weight](), dict[str, Fraction]()
        for together in rounds(state.net, read):
            for base, seen in curved(state, self.rows, {base: read[base] for base in together}).items():
                heard(f"{self.method}: {base}")
                consumer, stays = reading[base]
                solution, plain = self._solution(state, consumer, seen, stays)
                news |= _weights(state, consumer, seen, solution)
                told = {**facts([solution]), "plain": stated(plain)}
                figures |= {f"{base}.{name}": value for name, value in told.items()}
            state = evolve(state, weights={**state.weights, **news})
        return news, figures

    def _solution(
        self, state: State, consumer: Consumer, seen: Moments, stays: NDArray[np.bool_]
    ) -> tuple[Solution, float]:
        """The values of a consumer without some columns, and how far its outputs would move if nothing made up."""
        weight = state.weights[consumer.weight]
        values, gram = seen.layer.matrices(decode(weight))[0], consumer.moment(seen)
        plain = relative_error(values, values * stays, gram)
        if isinstance(weight.encoding, Masked):
            stored = seen.layer.matrices(kept(weight))[0] > 0
            return refit(values, gram, stored & stays, self.damping), plain
        return without(values, gram, np.flatnonzero(~stays), self.damping), plain


def _moved(consumer: Consumer) -> tuple[str, ...]:
    """The operations of the weights that a consumer moves."""
    return (consumer.weight,) if consumer.bias is None else (consumer.weight, consumer.bias)


def _weights(state: State, consumer: Consumer, seen: Moments, solution: Solution) -> dict[str, Weight]:
    """The weight with the values of a solution, and the bias that makes up for what is lost on average."""
    values = seen.layer.tensor(solution.values[None])
    found = {consumer.weight: refilled(state.weights[consumer.weight], values)}
    if consumer.bias is not None:
        bias = state.weights[consumer.bias]
        lost: Values = (solution.weight - solution.values) @ seen.mean[0]
        found[consumer.bias] = refilled(bias, decode(bias).astype(np.float64) + lost)
    return found

"""Solving: the weights of a step changed layer after layer, each by the curvature of what its layer then reads.

A layer that comes later reads what the changed earlier ones give it, so that it can make up for some of their errors
("sequential"; Frantar and Alistarh 2023, section 3). All that data decides is one adjustment; the masks, codes or cuts
that follow it are plain steps of their own. A weight that no layer multiplies with what it reads has no curvature: it
is done plainly, and said to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np
from attrs import evolve, field, frozen

from surgdsl.bridge.source import Rows
from surgdsl.bridge.weight import State, Weight
from surgdsl.curvature.gram import Moments, grams
from surgdsl.curvature.layer import Layer, layers
from surgdsl.curvature.solution import Solution, loss
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.net import Net
from surgdsl.surgery.adjusting import Account, adjust, stated
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.recode import Quantize, param
from surgdsl.surgery.rewrite import Rewrite
from surgdsl.surgery.single import Heard, Single


@frozen(eq=False)
class Solved:
    """What a part proposes: a weight of the same form with other values, and the recoding that then follows."""

    weight: Weight
    action: Mask | Quantize
    figures: Mapping[str, Fraction]


class Part(Protocol):
    """What a step does to one weight."""

    @property
    def base(self) -> str:
        """The name of the weight."""
        ...

    @property
    def plain(self) -> Single:
        """What it does where no data is read."""
        ...

    def solved(self, state: State, curved: Moments) -> Solved:
        """What it does in `state`, in which everything that comes before is solved, where the layer reads this."""
        ...


@frozen
class Solve:
    """The weights of a step, solved in the order in which the net computes.

    `method` says how, with everything that decides besides the data.
    """

    method: str
    parts: tuple[Part, ...]
    data: str
    rows: Rows = field(eq=False, repr=False)

    @property
    def note(self) -> str:
        """One line for people."""
        named = ", ".join(part.base for part in self.parts[:2])
        more = f" and {len(self.parts) - 2} more" if len(self.parts) > 2 else ""
        return f"{self.method} on {self.data}: {named}{more}"

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """An adjustment that keeps the old values, and the plain actions."""
        able = [name for name in map(param_of(state), self.parts) if layers(state.net, name)]
        if able:
            held = {name: state.weights[name] for name in able}
            yield (first := adjust(state, held, Account(self.method, self.data), number, step))
            state, number = first.after, number + 1
        for part in self.parts:
            for rewrite in part.plain.foresee(state, number, step):
                yield rewrite
                state, number = rewrite.after, number + 1

    def rewrites(self, state: State, number: int, step: str, heard: Heard) -> Iterator[Rewrite]:
        """The adjustment, and what then follows, weight after weight."""
        solved = self._solved(state, heard)
        if solved:
            weights = {param(state, base): one.weight for base, one in solved.items()}
            figures = {f"{base}.{name}": value for base, one in solved.items() for name, value in one.figures.items()}
            account = Account(self.method, self.data, {**figures, "rows": Fraction(len(self.rows))})
            yield (first := adjust(state, weights, account, number, step))
            state, number = first.after, number + 1
        for part in self.parts:
            action = solved[part.base].action if part.base in solved else part.plain
            heard(action.note)
            for rewrite in action.rewrites(state, number, step, heard):
                yield rewrite
                state, number = rewrite.after, number + 1

    def _solved(self, state: State, heard: Heard) -> Mapping[str, Solved]:
        """What becomes of each weight that has a curvature, by its name."""
        found: dict[str, Solved] = {}
        name_of, parts = param_of(state), {part.base: part for part in self.parts}
        read = {part.base: kept for part in self.parts if (kept := layers(state.net, name_of(part)))}
        for turn, together in enumerate(rounds(state.net, read), 1):
            news: dict[str, Weight] = {}
            heard(f"round {turn}: what {together[0]}{' and others' if len(together) > 1 else ''} reads")
            for base, seen in curved(state, self.rows, {base: read[base] for base in together}).items():
                heard(f"round {turn}: {base}")
                one = _solution(parts[base], state, seen)
                coded = one.action.coded(one.weight)
                found[base] = evolve(one, action=evolve(one.action, ready=(one.weight, coded)))
                news[param(state, base)] = coded.weight
            state = evolve(state, weights={**state.weights, **news})
        return found


def param_of(state: State) -> Callable[[Part], str]:
    """From a part, the operation that produces its weight."""
    names = {one.payload.base: name for name, one in state.net.params().items() if one.payload}
    return lambda part: names[part.base]


def rounds(net: Net, read: Mapping[str, Sequence[Layer]]) -> Iterator[tuple[str, ...]]:
    """Which weights are solved together, round after round: those that depend on no other that is still to be solved.

    Weights that depend on each other, as where one is read twice, go one after the other in their order.

    Args:
        net: the net.
        read: for each weight, the layers that read it.
    """
    left = dict.fromkeys(read)
    above = {base: upstream(net, [one.wire for one in kept]) for base, kept in read.items()}
    made = {base: kept[0].weight for base, kept in read.items()}
    while left:
        ready = tuple(
            base for base in left if not any(made[other] in above[base] for other in left if other != base)
        ) or (next(iter(left)),)
        yield ready
        for base in ready:
            del left[base]


def upstream(net: Net, wires: Sequence[str]) -> frozenset[str]:
    """Every operation that some wires depend on."""
    found, waiting = set[str](), list(wires)
    while waiting:
        for name in net.graph.producers[waiting.pop()]:
            if name not in found:
                found.add(name)
                waiting += net.graph.operations[name].sources
    return frozenset(found)


def curved(state: State, rows: Rows, read: Mapping[str, Sequence[Layer]]) -> Mapping[str, Moments]:
    """What the layers of some weights read, in one pass over the rows, by the names of the weights."""
    seen = grams(state, rows, [one for kept in read.values() for one in kept])
    return {
        base: Moments(
            kept[0],
            np.sum([seen[one.name].moment for one in kept], axis=0),
            np.sum([seen[one.name].total for one in kept], axis=0),
            sum(seen[one.name].count for one in kept),
        )
        for base, kept in read.items()
    }


def _solution(part: Part, state: State, curved: Moments) -> Solved:
    try:
        return part.solved(state, curved)
    except Refusal as refusal:
        told = (evolve(one, message=f"{one.message}: `{part.base}`") for one in refusal.diagnostics)
        raise Refusal(*told, exit_code=refusal.exit_code) from refusal


def facts(solutions: Sequence[Solution]) -> Mapping[str, Fraction]:
    """What a certificate records of the solutions of a layer, one for each of its groups.

    ``error`` is Σ tr(ΔHΔᵀ) / Σ tr(WHWᵀ) of all groups, ``damping`` the largest that was added to a diagonal,
    ``failures`` how many factorizations failed before one held, ``dead`` how many inputs were zero in every row.
    """
    lost = sum(loss(one.values - one.weight, one.gram) for one in solutions)
    whole = sum(loss(one.weight, one.gram) for one in solutions)
    figures = {
        "damping": stated(max(one.damping for one in solutions)),
        "error": stated(lost / whole if whole else 0.0),
        "failures": Fraction(sum(one.attempts - 1 for one in solutions)),
        "dead": Fraction(sum(one.dead for one in solutions)),
    }
    return {name: value for name, value in figures.items() if value or name in ("damping", "error")}

"""Signatures: what an operator takes, what it gives, how its indices are related, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from surgdsl.verifier.digest import FLOATING
from surgdsl.verifier.extent import Extent, product
from surgdsl.verifier.net import Sort
from surgdsl.verifier.operations.call import Call
from surgdsl.verifier.operations.dtypes import settle
from surgdsl.verifier.operations.letters import Indices, Map, Places, Sets, Shape
from surgdsl.verifier.reject import Reject, need

POSITIONS = 1 << 24


@dataclass(frozen=True, slots=True)
class Cut:
    """One operation before and after a restriction; kept sets and shapes, before it, of sources and targets."""

    before: Call
    after: Call
    sets: tuple[Sets, ...]
    shapes: tuple[Shape, ...]

    def kept(self, port: int, dim: int) -> tuple[int, ...]:
        """The kept indices of a dimension, written out."""
        return full(self.sets[port][dim], self.shapes[port][dim])

    def follows(self, old: Map, new: Map) -> bool:
        """Whether what a map says of kept indices is what the map of the cut operation says of their ranks."""
        (port, dim), (other, at), to = old
        if self.sets[port][dim] is None and self.sets[other][at] is None:
            return True
        rank: dict[int | None, int | None] = {index: place for place, index in enumerate(self.kept(other, at))}
        rank[None] = None
        return all(rank.get(to(index), -1) == new[2](place) for place, index in enumerate(self.kept(port, dim)))


@dataclass(frozen=True, slots=True)
class Signature:
    """An operator: a row of the table, and where letters do not say it, a function for places, relation or cost.

    `cost` is a sum of products of letters; those behind a point are summed over, and over 1 nothing is summed.
    """

    schema: str
    dtypes: str
    places: str | Callable[[Call], Places]
    cost: str | Callable[[Call, Places], list[Extent]]
    also: Callable[[Cut], bool] | None = None

    @property
    def forced(self) -> list[str]:
        """The attributes that a cut may change."""
        return [written or name for name, written in re.findall(r"(\w+)!=?(\w*)", self.schema)]

    def located(self, call: Call) -> Places:
        """The places of a call, a target that is given for several being that of each; V09 when there are none."""
        try:
            found = call.places(self.places) if isinstance(self.places, str) else self.places(call)
        except (ValueError, IndexError, ZeroDivisionError):
            raise Reject("V09", f"`{call.name}`: its sources and attributes do not fit") from None
        count = len(self.dtypes.partition(">")[2]) if len(found.targets) == 1 else 1
        return replace(found, targets=found.targets * max(1, count))

    def type(self, call: Call) -> list[Sort]:
        """The sorts of the targets; V09 when the sources do not fit."""
        sources = [(at, sort.dtype, bool(sort.shape)) for at, sort in zip(call.order, call.sorts, strict=True)]
        found = settle(self.dtypes, sources, call.numbers, call.values.get("dtype"))
        fine = found[0] in FLOATING or type(call.values.get("alpha")) is not float
        need(fine, "V09", "a float as alpha asks for a floating source")
        shapes = enumerate(self.located(call).shapes(call.shapes))
        return [Sort(found[min(at, len(found) - 1)], shape) for at, shape in shapes]

    def related(self, cut: Cut) -> bool:
        """The index relation: letters agree, and whatever else is said of this operator."""
        places, after = self.located(cut.before), self.located(cut.after)
        agree = places.agree(cut.shapes, cut.sets)
        agree = agree and all(cut.follows(*pair) for pair in zip(places.maps, after.maps, strict=True))
        return agree and (self.also is None or self.also(cut))

    def macs(self, call: Call) -> list[Extent]:
        """Products whose sum is what the operation costs; none when it costs nothing."""
        places = self.located(call)
        if not isinstance(self.cost, str):
            return self.cost(call, places)
        letters, (products, _, summed) = places.extents(call.shapes), self.cost.partition(".")
        if not self.cost or (summed and all(letters[letter] == 1 for letter in summed)):
            return []
        runs = [extent for letter, extent in letters.items() if letter[0] == "*"]
        return [
            product(*(letters.get(letter, 1) for letter in term), *(runs if "*" in term else ()))
            for term in (each + summed for each in products.split("+"))
        ]


def full(kept: Indices, extent: Extent) -> tuple[int, ...]:
    """A kept set written out; V14 when the dimension is symbolic, V20 when it is too long."""
    if not isinstance(extent, int):
        raise Reject("V14", f"the indices of the symbolic extent `{extent}` cannot be listed")
    need(kept is not None or extent <= POSITIONS, "V20", f"{extent} indices are too many to list")
    return tuple(range(extent)) if kept is None else kept

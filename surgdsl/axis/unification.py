"""Unification: operations say which dims are equal, and the coarsest common structure falls out.

Where two dims do not nest, both are pinned with the reason. Pinning is always sound: it can only make an axis
unprunable, never a result wrong.

>>> u = Unification()
>>> channels, fused = u.fresh("conv:out", 4), u.fresh("fc:in", 12)
>>> u.unify(fused, fuse(channels, u.fresh("h", 3)), "flatten")
>>> print(u.resolve(fused))
conv:out*h
>>> q, packed = u.fresh("q:out", 6), u.fresh("qkv:out", 18)
>>> u.unify(packed, concat(q, u.fresh("k:out", 6), u.fresh("v:out", 6)), "split")
>>> u.unify(packed, fuse(u.fresh("three", 3), u.fresh("d", 6)), "view")       # 3 * X against X1 + X2 + X3
>>> print(u.resolve(packed))
q:out + q:out + q:out
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from attrs import field, frozen

from surgdsl.axis.dim import UNIT, Axis, Dim, Product, Sum, axes, concat, fuse, size
from surgdsl.axis.extent import Extent

SLACK, STEPS = 64, 8
"""Steps that an equation may take, and steps more for each part of its dims."""

DEPTH = 16
"""How often a part may be parted again."""


@frozen
class Pin:
    """Why an axis cannot shrink, and where that was met."""

    reason: str
    place: str

    def __str__(self) -> str:
        return f"{self.reason} at {self.place}" if self.place else self.reason


class Clash(Exception):
    """Dims that were said to be equal differ in size: the relation is wrong here, so its dims must be pinned."""


@frozen(eq=False)
class Unification:
    """The state of an analysis: what each axis was found to be, which are pinned. The room's only mutable object."""

    bound: dict[Axis, Dim] = field(factory=dict[Axis, Dim])
    pins: dict[Axis, Pin] = field(factory=dict[Axis, Pin])
    born: dict[str, tuple[bool, int]] = field(factory=dict[str, tuple[bool, int]])
    """The rank of each name: what a layer writes goes before what one reads, the older before the newer."""
    work: list[int] = field(factory=list[int])
    """How many steps the equation at hand may still take; nothing where there is no limit."""
    blurs: list[tuple[Dim, Pin]] = field(factory=list[tuple[Dim, Pin]])
    """Dims that an operation works over, so that cutting them is only approximate, with the reason."""

    def fresh(self, name: str, extent: Extent) -> Dim:
        """A new axis; an extent of 1 is `UNIT`. A name that is taken gets a number."""
        if extent == 1:
            return UNIT
        unique, number = name, 1
        while unique in self.born:
            number += 1
            unique = f"{name}~{number}"
        self.born[unique] = not unique.endswith(":out"), len(self.born)
        return Axis(unique, extent)

    def resolve(self, dim: Dim) -> Dim:
        """`dim` with everything put in that is known of its axes."""
        if isinstance(dim, Axis):
            found = self.bound.get(dim)
            if found is None:
                return dim
            self.bound[dim] = result = self.resolve(found)
            return result
        parts = dim.terms if isinstance(dim, Sum) else dim.factors
        found = [self.resolve(part) for part in parts]
        if all(map(operator.is_, parts, found)):
            return dim
        return concat(*found) if isinstance(dim, Sum) else fuse(*found)

    def pin(self, dim: Dim, reason: str, place: str = "") -> None:
        """Forbid every axis in `dim` to shrink; the first reason is kept."""
        for axis in axes(self.resolve(dim)):
            if axis not in self.pins:
                self.pins[axis] = Pin(reason, place)

    def joined(self, left: Dim, right: Dim) -> bool:
        """Make two dims equal if that is no more than two axes becoming one, which it nearly always is."""
        left, right = self.resolve(left), self.resolve(right)
        if left is right:
            return True
        if isinstance(left, Axis) and isinstance(right, Axis) and left.size == right.size:
            self._merge(left, right)
            return True
        return False

    def equate(self, left: Dim, right: Dim, place: str) -> None:
        """`unify`, but where parts that share an axis would refine each other without end, it ends.

        Raises:
            Clash: their sizes differ, or they have no common refinement that is near.
        """
        if self.joined(left, right):
            return
        left, right = self.resolve(left), self.resolve(right)
        self.work[:] = [SLACK + STEPS * sum(1 for dim in (left, right) for _ in axes(dim))]
        self.unify(left, right, place)

    def unify(self, left: Dim, right: Dim, place: str) -> None:
        """Make two dims equal, refining axes into sums and products where needed, pinning what does not nest.

        Raises:
            Clash: their sizes differ, or the work that `equate` allowed is done.
        """
        self._spend(place)
        left, right = self.resolve(left), self.resolve(right)
        if left == right:
            return
        if size(left) != size(right):
            raise Clash(f"{left} of size {size(left)} against {right} of size {size(right)} at {place}")
        self._meet(left, right, place)

    def _spend(self, place: str) -> None:
        if self.work:
            self.work[0] -= 1
            if self.work[0] < 0:
                raise Clash(f"dims that refine each other without end at {place}")

    def _meet(self, left: Dim, right: Dim, place: str) -> None:
        """Unify two dims that are resolved, differ, and have one size."""
        match left, right:
            case Axis(), Axis():
                self._merge(left, right)
            case Axis(), _:
                self._bind(left, right, place)
            case _, Axis():
                self._bind(right, left, place)
            case Product(first), Product(second):
                self._align(list(first), list(second), self._divide, fuse, place)
            case Sum(first), Sum(second):
                self._align(list(first), list(second), self._cut, concat, place)
            case Product(factors), Sum(terms):
                self._distribute(factors, terms, place)
            case Sum(terms), Product(factors):
                self._distribute(factors, terms, place)

    def _merge(self, left: Axis, right: Axis) -> None:
        if left == right:
            return
        first = self.born[left.name] < self.born[right.name]
        older, newer = (left, right) if first else (right, left)
        self.bound[newer] = older
        if newer in self.pins:
            self.pins.setdefault(older, self.pins.pop(newer))

    def _bind(self, axis: Axis, structure: Dim, place: str) -> None:
        if axis in axes(structure):
            self.pin(structure, "it would contain itself", place)
            return
        self.bound[axis] = structure
        if axis in self.pins:
            pin = self.pins.pop(axis)
            self.pin(structure, pin.reason, pin.place)

    def _align(
        self,
        left: list[Dim],
        right: list[Dim],
        split: Callable[[Dim, Dim], Dim | None],
        join: Callable[..., Dim],
        place: str,
    ) -> None:
        """Walk two sums or two products from the left, splitting the larger part until the parts pair up."""
        while left and right:
            self._spend(place)
            if size(left[0]) == size(right[0]):
                self.unify(left.pop(0), right.pop(0), place)
            elif split(left[0], right[0]) is None and split(right[0], left[0]) is None:
                for rest in (*left, *right):
                    self.pin(rest, "its parts do not nest", place)
                return
            now = self.resolve(join(*left)), self.resolve(join(*right))
            if join is fuse and any(isinstance(dim, Sum) for dim in now):
                self.unify(*now, place)
                return
            left, right = (_parts(dim, Sum if join is concat else Product) for dim in now)

    def _divide(self, large: Dim, small: Dim) -> Dim | None:
        """Split an axis into a factor as large as `small` and the rest."""
        whole, part = size(large), size(small)
        if (
            not isinstance(large, Axis)
            or _worn(large)
            or not isinstance(whole, int)
            or not isinstance(part, int)
            or part >= whole
            or whole % part
        ):
            return None
        result = fuse(self.fresh(f"{large}/outer", part), self.fresh(f"{large}/inner", whole // part))
        self._bind(large, result, "")
        return result

    def _cut(self, large: Dim, small: Dim) -> Dim | None:
        """Split a dim into a term as large as `small` and the rest; a product is cut along its outermost factor."""
        whole, part = size(large), size(small)
        if not isinstance(whole, int) or not isinstance(part, int) or part >= whole:
            return None
        if isinstance(large, Axis):
            if _worn(large):
                return None
            result = concat(self.fresh(f"{large}/low", part), self.fresh(f"{large}/high", whole - part))
            self._bind(large, result, "")
            return result
        if not isinstance(large, Product):
            return None
        outer, inner = large.factors[0], size(fuse(*large.factors[1:]))
        if not isinstance(outer, Axis) or _worn(outer) or not isinstance(inner, int) or part % inner:
            return None
        first = self.fresh(f"{outer}/low", part // inner)
        second = self.fresh(f"{outer}/high", (whole - part) // inner)
        self._bind(outer, concat(first, second), "")
        rest = large.factors[1:]
        return concat(fuse(first, *rest), fuse(second, *rest))

    def _distribute(self, factors: tuple[Dim, ...], terms: tuple[Dim, ...], place: str) -> None:
        """A product against a sum: (a₁ + a₂)·b = a₁·b + a₂·b, with the outermost factor cut where the terms end."""
        outer, rest = factors[0], fuse(*factors[1:])
        inner = size(rest)
        sizes = [size(term) for term in terms]
        if (
            not isinstance(outer, Axis)
            or _worn(outer)
            or not isinstance(inner, int)
            or any(not isinstance(n, int) or n % inner for n in sizes)
        ):
            for part in (*factors, *terms):
                self.pin(part, "its parts do not nest", place)
            return
        cuts = [self.fresh(f"{outer}/{number}", n // inner) for number, n in enumerate(sizes) if isinstance(n, int)]
        self._bind(outer, concat(*cuts), place)
        for cut, term in zip(cuts, terms, strict=True):
            self.unify(fuse(cut, rest), term, place)


def _worn(axis: Axis) -> bool:
    """Whether an axis is the part of a part of a part … of another: parts that share an axis can be cut for ever."""
    return axis.name.count("/") > DEPTH


def _parts(dim: Dim, kind: type[Sum | Product]) -> list[Dim]:
    """The terms of a sum or the factors of a product; anything else is its own only part."""
    match dim:
        case Sum(parts) | Product(parts) if isinstance(dim, kind):
            return list(parts)
        case _:
            return [dim]

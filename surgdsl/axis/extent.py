"""Extents: how long a dimension is, as a natural number or a polynomial in symbols such as the batch size.

A model is captured once for every batch size; so shapes must be compared, added and multiplied without choosing one.
Polynomials with natural coefficients in normal form are closed under what shapes do (concatenate, merge), and equality
is equality of normal forms:

>>> b, t = symbol("B"), symbol("T")
>>> add(multiply(2, b), b) == multiply(3, b), multiply(b, t) == multiply(t, b), add(b, b) == b
(True, True, False)
>>> show(add(multiply(multiply(b, t), 4), add(b, 1)))
'4*B*T+B+1'
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from attrs import frozen

Monomial = tuple[str, ...]
"""Symbols sorted by name and repeated by their power; the empty one is the constant 1."""


@frozen
class Polynomial:
    """A sum of monomials with positive coefficients, by falling degree and then by symbols; not a constant."""

    terms: tuple[tuple[Monomial, int], ...]

    def __str__(self) -> str:
        return show(self)


Extent = int | Polynomial


def symbol(name: str) -> Polynomial:
    """The extent that `name` stands for."""
    return Polynomial((((name,), 1),))


def terms(extent: Extent) -> dict[Monomial, int]:
    """Coefficient by monomial."""
    return dict(extent.terms) if isinstance(extent, Polynomial) else ({(): extent} if extent else {})


def normal(coefficients: Mapping[Monomial, int]) -> Extent:
    """The normal form of a sum of monomials; a constant comes back as an integer."""
    kept = {monomial: count for monomial, count in coefficients.items() if count}
    if not any(kept):
        return kept.get((), 0)
    return Polynomial(tuple(sorted(kept.items(), key=lambda term: (-len(term[0]), term[0]))))


def add(left: Extent, right: Extent) -> Extent:
    """Their sum: what concatenation does to a dimension."""
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    total = terms(left)
    for monomial, count in terms(right).items():
        total[monomial] = total.get(monomial, 0) + count
    return normal(total)


def multiply(left: Extent, right: Extent) -> Extent:
    """Their product: what merging two dimensions does."""
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    total: dict[Monomial, int] = {}
    for first, count in terms(left).items():
        for second, times in terms(right).items():
            monomial = tuple(sorted(first + second))
            total[monomial] = total.get(monomial, 0) + count * times
    return normal(total)


def product(extents: Iterable[Extent]) -> Extent:
    """The number of elements of a tensor of this shape."""
    total: Extent = 1
    for extent in extents:
        total = multiply(total, extent)
    return total


def evaluate(extent: Extent, binding: Mapping[str, int]) -> int:
    """The natural number that `extent` is when its symbols have these values.

    Raises:
        KeyError: a symbol has no value.
    """
    return sum(count * math.prod(binding[name] for name in monomial) for monomial, count in terms(extent).items())


def symbols(extent: Extent) -> frozenset[str]:
    """The names that occur in `extent`."""
    return frozenset(name for monomial in terms(extent) for name in monomial)


def show(extent: Extent) -> str:
    """The normal form as text: ``4*B*T+B+1``."""
    if isinstance(extent, int):
        return str(extent)
    return "+".join(
        "*".join(([str(count)] if count != 1 or not monomial else []) + list(monomial))
        for monomial, count in extent.terms
    )

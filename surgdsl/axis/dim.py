"""Dims: what one dimension of a tensor is, an axis, or a sum or product of dims.

A shape says how long a dimension is; a dim also says how it was built, and so what happens to it when an axis shrinks.

>>> a, b, c = Axis("a", 2), Axis("b", 3), Axis("c", 4)
>>> concat(concat(a, b), c) == concat(a, concat(b, c)), fuse(fuse(a, b), c) == fuse(a, fuse(b, c))    # associative
(True, True)
>>> fuse(a, UNIT) == a, fuse() == UNIT, concat(a) == a                                                # units
(True, True, True)
>>> fuse(concat(a, b), c) == concat(fuse(a, c), fuse(b, c))                                           # distribution
True
>>> print(concat(fuse(a, b), c), size(concat(fuse(a, b), c)))
a*b + c 10
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.axis.extent import Extent, add, product

Indices = NDArray[np.intp]
"""Distinct positions along a dimension, rising."""


@frozen
class Axis:
    """An independent index set, the smallest thing that surgery can shrink; named after its birthplace."""

    name: str
    size: Extent

    def __hash__(self) -> int:  # tables of axes are asked all the time, and a name is enough to tell them apart
        return hash(self.name)

    def __str__(self) -> str:
        return self.name


@frozen
class Sum:
    """A concatenation, in order. Make one with `concat`."""

    terms: tuple[Dim, ...]

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms))


@frozen
class Product:
    """A row-major reshape, outermost first. Make one with `fuse`."""

    factors: tuple[Dim, ...]

    def __str__(self) -> str:
        return "*".join(f"({factor})" if isinstance(factor, Sum) else str(factor) for factor in self.factors) or "1"


Dim = Axis | Sum | Product

UNIT = Product(())
"""The dim of extent 1, which nothing can shrink."""


def concat(*dims: Dim) -> Dim:
    """The dims side by side; sums inside are flattened."""
    terms = tuple(term for dim in dims for term in (dim.terms if isinstance(dim, Sum) else (dim,)))
    return terms[0] if len(terms) == 1 else Sum(terms)


def fuse(*dims: Dim) -> Dim:
    """The dims merged row-major; products inside are flattened, extents of 1 vanish, a sum takes in what follows it.

    So a sum is only ever the last factor, and the normal form does not depend on the order of merging.
    """
    parts = [part for dim in dims for part in (dim.factors if isinstance(dim, Product) else (dim,))]
    if not any(isinstance(part, Sum) for part in parts):
        return parts[0] if len(parts) == 1 else Product(tuple(parts)) if parts else UNIT
    result: Dim = UNIT
    for factor in reversed(parts):
        if result == UNIT:
            result = factor
        elif isinstance(factor, Sum):
            result = concat(*(fuse(term, result) for term in factor.terms))
        else:
            result = Product((factor, *(result.factors if isinstance(result, Product) else (result,))))
    return result


def size(dim: Dim) -> Extent:
    """The number of indices along `dim`."""
    if isinstance(dim, Axis):
        return dim.size
    if isinstance(dim, Product):
        return product([size(factor) for factor in dim.factors])
    total: Extent = 0
    for term in dim.terms:
        total = add(total, size(term))
    return total


def axes(dim: Dim) -> tuple[Axis, ...]:
    """The axes in `dim`, from the left, with repetitions."""
    if isinstance(dim, Axis):
        return (dim,)
    return tuple([axis for part in (dim.terms if isinstance(dim, Sum) else dim.factors) for axis in axes(part)])


def whole(dim: Dim) -> int:
    """The size of a dim without symbols.

    Raises:
        TypeError: the size is symbolic.
    """
    extent = size(dim)
    if isinstance(extent, int):
        return extent
    raise TypeError(f"{dim} has the symbolic size {extent}")


def kept(dim: Dim, keep: Mapping[Axis, Indices]) -> Indices:
    """Positions of `dim` that survive when each axis in `keep` keeps those of its own; other axes are kept whole.

    The functor from axes to dims applied to inclusions: ``kept(A + B)`` is ``kept(A)`` beside ``|A| + kept(B)``, and
    ``kept(A * B)`` is ``kept(A)·|B| + kept(B)``.

    >>> heads, width = Axis("heads", 2), Axis("width", 3)
    >>> kept(fuse(heads, width), {heads: np.array([1])}).tolist()
    [3, 4, 5]
    >>> kept(concat(heads, width), {width: np.array([0, 2])}).tolist()
    [0, 1, 2, 4]
    """
    match dim:
        case Axis():
            return keep[dim] if dim in keep else np.arange(whole(dim))
        case Sum(terms):
            starts = np.cumsum([0, *map(whole, terms)])
            return np.concatenate([start + kept(term, keep) for start, term in zip(starts, terms, strict=False)])
        case Product(factors):
            positions = np.zeros(1, dtype=np.intp)
            for factor in factors:
                positions = np.add.outer(positions * whole(factor), kept(factor, keep)).ravel()
            return positions


def restricted(dim: Dim, keep: Mapping[Axis, Indices]) -> Extent:
    """The size of `dim` after each axis in `keep` kept so many indices.

    >>> a, b = Axis("a", 4), Axis("b", 3)
    >>> restricted(concat(fuse(a, b), a), {a: np.array([0, 2])})
    8
    """
    match dim:
        case Axis():
            return len(keep[dim]) if dim in keep else dim.size
        case Sum(terms):
            total: Extent = 0
            for term in terms:
                total = add(total, restricted(term, keep))
            return total
        case Product(factors):
            return product(restricted(factor, keep) for factor in factors)


def positions(dim: Dim, axis: Axis) -> Indices:
    """For each position along `dim` the index of `axis` that it belongs to, or −1.

    >>> heads, width = Axis("heads", 2), Axis("width", 2)
    >>> positions(concat(fuse(heads, width), width), heads).tolist(), positions(concat(heads, width), width).tolist()
    ([0, 0, 1, 1, -1, -1], [-1, -1, 0, 1])
    """
    match dim:
        case Axis():
            return np.arange(whole(dim)) if dim == axis else np.full(whole(dim), -1)
        case Sum(terms):
            return np.concatenate([positions(term, axis) for term in terms])
        case Product(factors):
            found = np.full(1, -1)
            for factor in factors:
                inner = positions(factor, axis)
                found = np.maximum.outer(found, inner).ravel()
            return found

"""Functions and reductions of tensors in a field of numbers, in the one order that a formula means.

A reduction goes from the first element to the last; what is done at once here gives the same bits as a loop would.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from surgdsl.formula.fields import Field, Floats, Undefined
from surgdsl.formula.tensor import Tensor, Values, aligned, union, unrolled
from surgdsl.formula.tree import EVERY

LARGEST = 1 << 28
"""Elements of a tensor on the way; larger ones would not fit into the memory of a common machine."""
STEPS = {"sum": "add", "mean": "add", "prod": "mul", "max": "max", "min": "min"}
SLAB = 1 << 20
"""Elements that a running sum holds at a time."""
BLOCK = 1 << 15
"""Elements of a contraction that are summed up together: what a cache holds."""


def applied(op: str, terms: Sequence[Tensor], field: Field) -> Tensor:
    """A function of tensors, over the union of their axes.

    Raises:
        Misfit: axes of one name differ in extent.
        Undefined: it has no value, or is too large.
    """
    arrays = aligned(*terms)
    size = math.prod(max(lengths) for lengths in zip(*(array.shape for array in arrays), strict=True))
    if size > LARGEST:
        raise Undefined(f"a tensor of {size} elements, more than {LARGEST}")
    return Tensor(union(*terms), field.apply(op, *arrays))


def reduced(kind: str, axes: tuple[str, ...], body: Tensor, field: Field) -> Tensor:
    """`kind` of `body`, row-major over `axes` as listed.

    Raises:
        Misfit: an axis is not there.
        Undefined: a mean, maximum or minimum of nothing.
    """
    rest, values = unrolled(body, body.axes if axes == (EVERY,) else axes)
    return Tensor(rest, folded(kind, values, field))


def folded(kind: str, values: Values, field: Field) -> Values:
    """`kind` along dimension 0, from the first element on."""
    count = _full(field, values.shape[1:], Fraction(len(values)))
    if kind == "count":
        return count
    if not len(values):
        return _empty(kind, field, values.shape[1:])
    if kind in ("sum", "mean") and isinstance(field, Floats):
        with np.errstate(all="ignore"):
            found = _summed(values) if field.sequential else np.asarray(values.sum(axis=0))
    else:
        found = _fold(kind, values, field)
    return field.apply("div", found, count) if kind == "mean" else found


def _empty(kind: str, field: Field, shape: tuple[int, ...]) -> Values:
    if kind not in ("sum", "prod"):
        raise Undefined(f"the {kind} of nothing")
    return _full(field, shape, Fraction(kind == "prod"))


def _full(field: Field, shape: tuple[int, ...], value: Fraction) -> Values:
    return np.full(shape, field.number(value), dtype=field.dtype)


def _fold(kind: str, values: Iterable[Values], field: Field) -> Values:
    first, *others = values
    found = np.asarray(first, dtype=field.dtype)
    for one in others:
        found = field.apply(STEPS[kind], found, np.asarray(one, dtype=field.dtype))
    return found


def _summed(values: Values) -> Values:
    """Running sums, whose order numpy defines, a slab at a time; its `sum` adds in pairs."""
    width = max(1, SLAB // max(1, values[0].size))
    found = values[0]
    for start in range(1, len(values), width):
        slab = np.concatenate([found[None], values[start : start + width]])
        found = np.add.accumulate(slab, axis=0)[-1]
    return np.asarray(found)


def contracted(axes: tuple[str, ...], left: Tensor, right: Tensor, field: Field) -> Tensor:
    """Σ of products as `reduced` has it, without holding them all where that would be larger than the factors."""
    chosen = union(left, right) if axes == (EVERY,) else axes
    sizes = left.extents | right.extents
    whole = math.prod(sizes.values())
    shared = all(axis in left.axes and axis in right.axes for axis in chosen)
    if not shared or not whole or whole <= max(left.values.size, right.values.size):
        return reduced("sum", chosen, applied("mul", [left, right], field), field)
    (first, mine), (second, theirs) = unrolled(left, chosen), unrolled(right, chosen)
    terms = Tensor((EVERY, *first), mine), Tensor((EVERY, *second), theirs)
    multiply = _multiplied if isinstance(field, Floats) else _each_multiplied
    a, b = aligned(*terms)
    return Tensor(union(*terms)[1:], multiply(a, b, field))


def _each_multiplied(left: Values, right: Values, field: Field) -> Values:
    """Σ left[k]·right[k] over k, one after the other."""
    return _fold("sum", (field.apply("mul", a, b) for a, b in zip(left, right, strict=True)), field)


def _multiplied(left: Values, right: Values, field: Field) -> Values:
    """The same in floats, a block of the result at a time."""
    del field
    shape = np.broadcast_shapes(left.shape, right.shape)[1:]
    found, width = np.empty(shape), max(1, BLOCK // math.prod(shape[1:]))
    with np.errstate(all="ignore"):
        for start in range(0, shape[0], width):
            a, b = (one if one.shape[1] == 1 else one[:, start : start + width] for one in (left, right))
            total = a[0] * b[0]
            product = np.empty_like(total)
            for k in range(1, len(a)):
                np.multiply(a[k], b[k], out=product)
                np.add(total, product, out=total)
            found[start : start + width] = total
    return found

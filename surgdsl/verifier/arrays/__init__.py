"""What weights need of many numbers at once: by numpy where it is there, else in plain Python, with equal results.

A *column* is a sequence of integers, floats or truth values: an array of numpy's, or a list. What is given to `each`
is written once, for a single element and for a whole column alike, so that no check exists twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVarTuple

try:
    ops: Any = import_module("surgdsl.verifier.arrays.by_numpy")
except ImportError:
    ops = import_module("surgdsl.verifier.arrays.plain")

Column = Any
Elements = TypeVarTuple("Elements")


def each(function: Callable[[*Elements], Any], *columns: *Elements) -> Column:
    """A function of elements that stand side by side."""
    return ops.each(function, *columns)


def agree(test: Callable[[*Elements], Any], *columns: *Elements) -> bool:
    """Whether a test of elements that stand side by side is true of all."""
    return bool(ops.every(ops.each(test, *columns)))


def finite(values: Column) -> bool:
    """Whether all floats are finite."""
    return agree(lambda value: abs(value) < math.inf, values)


def steps(shape: tuple[int, ...]) -> list[int]:
    """How far apart the neighbours along each dimension lie, row-major.

    >>> steps((2, 3, 4))
    [12, 4, 1]
    """
    found = [1]
    for extent in reversed(shape[1:]):
        found.append(found[-1] * extent)
    return found[: len(shape)][::-1]

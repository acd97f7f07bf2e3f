"""Extents: how long a dimension is, as an integer or a polynomial with positive coefficients over the declared symbols.

The normal form is a string, so equality of extents is equality of values.

>>> product("B", 7, 7), product("B", "B"), total(["B", 1, "B"])
('49*B', 'B*B', '2*B+1')
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from surgdsl.verifier.reject import need

Extent = int | str
Terms = dict[tuple[str, ...], int]

LARGEST = 2**40
SYMBOL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
COEFFICIENT = re.compile(r"[1-9][0-9]*")


def is_extent(value: Any) -> bool:
    """Whether a JSON value is an extent in normal form.

    >>> is_extent("2*B+1"), is_extent("B*2"), is_extent("7"), is_extent(0), is_extent(True)
    (True, False, False, False, False)
    """
    if type(value) is int:
        return 1 <= value < LARGEST
    if type(value) is not str or not 1 <= len(value) <= 256:
        return False
    try:
        return normal(found := terms(value)) == value and max(found.values()) < LARGEST
    except ValueError:
        return False


def gathered(pairs: Iterable[tuple[tuple[str, ...], int]]) -> Terms:
    """Coefficients by monomial, its symbols sorted; those of one monomial add."""
    found: Terms = {}
    for symbols, coefficient in pairs:
        key = tuple(sorted(symbols))
        found[key] = found.get(key, 0) + coefficient
    return found


@lru_cache(1 << 12)
def terms(extent: Extent) -> Terms:
    """Monomial (its symbols, sorted) to coefficient."""
    if isinstance(extent, int):
        return {(): extent}
    pairs = list[tuple[tuple[str, ...], int]]()
    for text in extent.split("+"):
        head, *rest = text.split("*")
        number = COEFFICIENT.fullmatch(head) is not None
        symbols = tuple(rest if number else [head, *rest])
        if not all(SYMBOL.fullmatch(symbol) for symbol in symbols):
            raise ValueError(extent)
        pairs.append((symbols, int(head) if number else 1))
    return gathered(pairs)


def normal(found: Terms) -> Extent:
    """The normal form: falling degree, then symbols; the constant last; a constant alone is an integer."""
    if set(found) <= {()}:
        return found.get((), 0)
    ordered = sorted(found.items(), key=lambda term: (-len(term[0]), term[0]))
    return "+".join("*".join([str(c)] * (c != 1 or not symbols) + list(symbols)) for symbols, c in ordered)


def product(*extents: Extent) -> Extent:
    """The product of extents, 1 for none."""
    result: Terms = {(): 1}
    for extent in extents:
        factor = terms(extent).items()
        result = gathered((left + right, a * b) for left, a in result.items() for right, b in factor)
        need(len(result) <= 64, "V20", "an extent has more than 64 terms")
    return normal(result)


def total(extents: Iterable[Extent]) -> Extent:
    """The sum of extents."""
    return normal(gathered(pair for extent in extents for pair in terms(extent).items()))


def value(extent: Extent, binding: Mapping[str, int]) -> int:
    """The extent at a binding of its symbols.

    >>> value("2*B*T+1", {"B": 3, "T": 5})
    31
    """
    need(binding.keys() >= symbols(extent), "V09", f"extent `{extent}` uses a symbol that has no binding")
    return sum(count * math.prod(map(binding.__getitem__, names)) for names, count in terms(extent).items())


def symbols(extent: Extent) -> set[str]:
    """The symbols of an extent."""
    return {symbol for monomial in terms(extent) for symbol in monomial}


def integers(extents: Iterable[Extent], what: str) -> tuple[int, ...]:
    """The extents when all are integers; V09 otherwise."""
    found = tuple(extents)
    need(all(isinstance(extent, int) for extent in found), "V09", f"{what} must be integers")
    return tuple(int(extent) for extent in found)

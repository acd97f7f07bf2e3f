"""Shapes as pictures print them: stretches of text, each with the axis that it is the size of, if that can be cut.

Only axes that can be cut are told apart; whatever is pinned is a plain number, so that colour always means freedom.

>>> a, b, c = Axis("a", 8), Axis("b", 12), Axis("c", 7)
>>> runs = shape((c, concat(a, b), fuse(a, c)), {a, b})
>>> plain(runs), [run.axis.name for run in runs if run.axis]
('7×(8+12)×8·7', ['a', 'b', 'a'])
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby

from attrs import frozen

from surgdsl.axis.dim import Axis, Dim, Product, Sum, axes, concat, fuse, size
from surgdsl.axis.extent import Extent, show

TERMS = 4
"""Terms of a concatenation that are written out; longer ones are abbreviated in the middle."""


@frozen
class Run:
    """A stretch of text, and the axis that it is the size of."""

    text: str
    axis: Axis | None = None


Runs = tuple[Run, ...]


def plain(runs: Iterable[Run]) -> str:
    """The text alone."""
    return "".join(run.text for run in runs)


def shape(dims: Sequence[Dim], free: Collection[Axis]) -> Runs:
    """The sizes of a tensor, with the axes among `free` marked."""
    parts = [tuple(_dim(dim, free)) for dim in dims]
    return joined(parts, "×") if parts else (Run("scalar"),)


def joined(parts: Sequence[Iterable[Run]], between: str) -> Runs:
    """`parts` with text between them, plain neighbours merged."""
    found = [run for number, part in enumerate(parts) for run in ((Run(between),) if number else ()) + tuple(part)]
    return tuple(merged(found))


def merged(runs: Iterable[Run]) -> Iterator[Run]:
    """The same text with plain neighbours as one run."""
    for marked, group in groupby(runs, key=lambda run: run.axis is not None):
        together = tuple(group)
        yield from together if marked else (Run(plain(together)),)


def _dim(dim: Dim, free: Collection[Axis]) -> Iterator[Run]:
    if not any(axis in free for axis in axes(dim)):
        yield Run(_number(size(dim)))
        return
    match dim:
        case Axis():
            yield Run(_number(dim.size), dim)
        case Product(factors):
            yield from joined([tuple(_dim(part, free)) for part in collapsed(factors, free, fuse)], "·")
        case Sum(terms):
            yield Run("(")
            yield from _terms(collapsed(terms, free, concat), free)
            yield Run(")")


def _number(extent: Extent) -> str:
    text = show(extent).replace("*", "·")
    return f"({text})" if "+" in text else text


def _terms(terms: Sequence[Dim], free: Collection[Axis]) -> Iterator[Run]:
    parts = [tuple(_dim(term, free)) for term in terms]
    if len(parts) > TERMS:
        parts = [*parts[:2], (Run("…"),), parts[-1]]
    yield from joined(parts, "+")


def collapsed(parts: Iterable[Dim], free: Collection[Axis], join: Callable[..., Dim]) -> list[Dim]:
    """Neighbours that nothing can cut, as one dim."""
    found: list[Dim] = []
    for cuttable, group in groupby(parts, key=lambda part: any(axis in free for axis in axes(part))):
        together = list(group)
        found += together if cuttable else [join(*together)]
    return found

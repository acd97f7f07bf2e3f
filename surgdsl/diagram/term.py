"""Terms: where the bytes of a weight come from, in a normal form: equal terms mean equal bytes.

Steps that reach a weight in another order are compared by them without a tensor being read. A slice sinks as deep as it
is exact, so cuts of different axes commute, and stays outside of what was fitted to all elements at once:

>>> w, rows, columns = Given("w"), {0: (1, 2, 3)}, {1: (0, 2)}
>>> sliced(sliced(w, rows), columns) == sliced(sliced(w, columns), rows)               # different axes commute
True
>>> sliced(sliced(w, {0: (1, 3, 4)}), {0: (0, 2)}) == sliced(w, {0: (1, 4)})           # cuts of one axis compose
True
>>> thinned(thinned(w, 5), 3) == thinned(thinned(w, 3), 5) == thinned(w, 3)            # masks compose
True
>>> by_row = lambda term: made("grid", (along(term, 0),), natural=(0,))
>>> sliced(by_row(w), rows) == by_row(sliced(w, rows)), sliced(by_row(w), columns) == by_row(sliced(w, columns))
(True, False)
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

Kept = Mapping[int, tuple[int, ...]]
"""The positions that are kept, by dimension; dimensions that are kept whole are left out."""
Argument = int | str


@frozen
class Given:
    """The tensor of this name in the input file."""

    name: str


@frozen
class Slice:
    """Some positions of some dimensions, in the order of the dimensions. Make one with `sliced`."""

    kept: tuple[tuple[int, tuple[int, ...]], ...]
    of: Given | Mask | Made


@frozen
class Mask:
    """The `keep` elements of largest magnitude, the earlier one among equals. Make one with `thinned`."""

    keep: int
    of: Term


@frozen
class Read:
    """A term that a rule reads; `along` pairs a dimension of the result with the one of the term that it runs along."""

    term: Term
    along: tuple[tuple[int, int], ...] = ()


@frozen
class Made:
    """What a rule makes of what it reads. Make one with `made`."""

    how: str
    """The rule, by its identifier."""
    reads: tuple[Read, ...]
    arguments: tuple[tuple[str, Argument], ...] = ()
    natural: tuple[int, ...] = ()
    """Dimensions of which every index is computed from that index alone: along them, a slice sinks to what is read."""


Term = Given | Slice | Mask | Made


def sliced(term: Term, kept: Kept) -> Term:
    """`term` with only the `kept` positions of each dimension, as they are counted in `term`."""
    match term:
        case Slice(inner, of):
            return sliced(of, _after(dict(inner), kept))
        case Made(natural=natural) if any(dim in natural for dim in kept):
            sunk = {dim: index for dim, index in kept.items() if dim in natural}
            reads = tuple(evolve(one, term=sliced(one.term, _seen(one, sunk))) for one in term.reads)
            return sliced(evolve(term, reads=reads), {dim: kept[dim] for dim in kept if dim not in sunk})
        case _:
            return Slice(tuple(sorted(kept.items())), term) if kept else term


def _after(inner: Kept, outer: Kept) -> Kept:
    """First `inner`, then `outer`, as one."""
    composed = {dim: tuple([inner[dim][place] for place in index]) for dim, index in outer.items() if dim in inner}
    return {**inner, **outer, **composed}


def _seen(read: Read, kept: Kept) -> Kept:
    """What a slice of the result is for a term that it was computed from."""
    return {place: kept[dim] for dim, place in read.along if dim in kept}


def thinned(term: Term, keep: int) -> Term:
    """`term` with all but its `keep` largest elements left out: the largest of the largest are the fewer of both."""
    return Mask(min(keep, term.keep), term.of) if isinstance(term, Mask) else Mask(keep, term)


def along(term: Term, *dims: int) -> Read:
    """A term that is read along the same dimensions as the result has."""
    return Read(term, tuple((dim, dim) for dim in dims))


def made(
    how: str, reads: tuple[Read, ...], arguments: Mapping[str, Argument] | None = None, natural: tuple[int, ...] = ()
) -> Made:
    """What the rule `how` makes of `reads`, in normal form.

    Args:
        how: the identifier of the rule.
        reads: everything that decides a byte of the result: a term that is left out is promised to have no say.
        arguments: what else decides.
        natural: see `Made`. A dimension may only stand here if slicing first gives the same bytes as slicing last.
    """
    return Made(how, reads, tuple(sorted((arguments or {}).items())), tuple(sorted(natural)))

"""Contractions: products of tensors summed over the letters that they share, from a matrix product to any einsum.

A sum over activations is exact under neutralisation where one factor is zero at the cut indices; elsewhere such a cut
is approximate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from attrs import frozen

from surgdsl.axis.extent import Extent, evaluate, product
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, Signature, demand
from surgdsl.operations.subscripts import Letter, Subscript, aligned, carried, extents, meet, widest


@frozen
class Pattern:
    """A subscript for each source, and the target's. An addend, where there is one, comes first."""

    sources: tuple[Subscript, ...]
    target: Subscript
    addend: bool = False

    @property
    def factors(self) -> tuple[int, ...]:
        """The sources that are multiplied."""
        return tuple(range(int(self.addend), len(self.sources)))

    @property
    def summed(self) -> tuple[Letter, ...]:
        """The letters that the target does not have."""
        return tuple(dict.fromkeys(letter for one in self.sources for letter in one if letter not in self.target))


FIXED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "aten.mm.default": (("ik", "kj"), "ij"),
    "aten.bmm.default": (("bik", "bkj"), "bij"),
    "aten.mv.default": (("ik", "k"), "i"),
    "aten.dot.default": (("k", "k"), ""),
    "aten.outer.default": (("i", "j"), "ij"),
    "aten.addmm.default": (("ik", "kj"), "ij"),
    "aten.baddbmm.default": (("bik", "bkj"), "bij"),
}
"""Factors and target; `add` in the name says that an addend stands before them, broadcast to the target."""


def pattern(operation: Operation, sources: tuple[Sort, ...]) -> Pattern:
    """How a call contracts its sources.

    Raises:
        IllTyped: the equation is not one that is read here.
    """
    ranks = [len(sort.shape) for sort in sources]
    if operation.name == "aten.matmul.default":
        return _matmul(*ranks)
    if operation.name == "aten.einsum.default":
        return _einsum(str(operation.attribute("equation")).replace(" ", ""), ranks)
    factors, target = FIXED[operation.name]
    if "add" not in operation.name:
        return Pattern(tuple(map(tuple, factors)), tuple(target))
    demand(ranks[0] <= len(target), "the addend has more dimensions than the product")
    return Pattern((tuple(target)[len(target) - ranks[0] :], *map(tuple, factors)), tuple(target), addend=True)


def _matmul(left: int, right: int) -> Pattern:
    demand(min(left, right) > 0, "a matrix product needs dimensions")
    rows: Subscript = ("i",) if left > 1 else ()
    columns: Subscript = ("j",) if right > 1 else ()
    first, second = aligned(max(left - 2, 0), max(right - 2, 0))
    return Pattern(
        ((*first, *rows, "k"), (*second, "k", *columns)), (*widest(len(first), len(second)), *rows, *columns)
    )


def _einsum(equation: str, ranks: list[int]) -> Pattern:
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    demand(len(terms) == len(ranks), "the equation has another number of operands")
    hidden = [
        rank - len(term.replace("...", "")) if "..." in term else 0 for term, rank in zip(terms, ranks, strict=True)
    ]
    sources = tuple(_letters(term, count) for term, count in zip(terms, hidden, strict=True))
    if arrow:
        return Pattern(sources, _letters(right, max(hidden)))
    seen = Counter(letter for term in terms for letter in term if letter != ".")
    return Pattern(sources, (*aligned(max(hidden))[0], *sorted(letter for letter, times in seen.items() if times == 1)))


def _letters(term: str, hidden: int) -> Subscript:
    before, dots, after = term.partition("...")
    demand(all(letter.isalpha() for letter in before + after), f"the term `{term}` of an equation is not of letters")
    return (*before, *aligned(hidden if dots else 0)[0], *after)


def typing(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """a[…, k], b[k, …] → the letters that are left."""
    demand(len({sort.dtype for sort in sources}) == 1, "the operands have different dtypes")
    found = pattern(operation, sources)
    lengths = extents(found.sources, [sort.shape for sort in sources])
    if operation.name != "aten.einsum.default":
        for number in found.factors:
            demand(_fits(found, number, lengths, sources[number]), "the factors do not have the same inner size")
    shape = tuple(lengths[letter] for letter in found.target)
    if found.addend:
        bare = extents(found.sources[1:], [sort.shape for sort in sources[1:]])
        demand(shape == tuple(bare[letter] for letter in found.target), "the addend is larger than the product")
    return (Sort(sources[0].dtype, shape),)


def _fits(found: Pattern, number: int, lengths: Mapping[Letter, Extent], sort: Sort) -> bool:
    """A factor is never stretched along a letter of a matrix."""
    pairs = zip(found.sources[number], sort.shape, strict=True)
    return all(extent == lengths[letter] for letter, extent in pairs if isinstance(letter, str))


def relation(call: Call) -> tuple[Dims, ...]:
    """Equal letters are tied."""
    found = pattern(call.operation, call.sources)
    dims = meet(call, found.sources)
    for letter in found.summed:
        if not carried(call, found.sources, (letter,), found.factors, any):
            call.blur((dims[letter],), "a product is summed over it in which no factor is zero")
    return (tuple(dims[letter] for letter in found.target),)


def zero(call: Call) -> bool:
    """Zero where a factor is, and the addend too."""
    found = pattern(call.operation, call.sources)
    held = not found.addend or call.operation.attribute("beta") == 0
    return carried(call, found.sources, found.target, found.factors, any) and (
        held or carried(call, found.sources, found.target, (0,), all)
    )


def cost(operation: Operation, sources: tuple[Sort, ...], targets: tuple[Sort, ...], binding: Mapping[str, int]) -> int:
    """Two factors at a time, from the left or as `path` says: ∏ of all letters. What sums nothing is free."""
    del targets
    found = pattern(operation, sources)
    lengths = extents(found.sources, [sort.shape for sort in sources])
    spans = [
        {letter for letter, extent in zip(found.sources[i], sources[i].shape, strict=True) if extent != 1}
        for i in found.factors
    ]
    total = 0
    for first, second in _pairs(operation, len(spans)):
        left, right = spans[first], spans[second]
        spans = [span for place, span in enumerate(spans) if place not in (first, second)]
        needed = set(found.target).union(*spans)
        joint = (left & right) | ((left | right) & needed)
        if (left & right) - needed:
            total += evaluate(product(lengths[letter] for letter in joint), binding)
        spans.insert(len(spans) if _path(operation) else 0, joint & needed)
    return total


def _pairs(operation: Operation, count: int) -> list[tuple[int, int]]:
    path = _path(operation)
    ordered = [(min(pair), max(pair)) for pair in zip(path[::2], path[1::2], strict=True)]
    return ordered or [(0, 1)] * (count - 1)


def _path(operation: Operation) -> tuple[int, ...]:
    found = dict(operation.attributes).get("path")
    return tuple(number for number in found if isinstance(number, int)) if isinstance(found, tuple) else ()


CONTRACTION = Signature(("aten.matmul.default", "aten.einsum.default", *FIXED), typing, relation, cost, zero=zero)

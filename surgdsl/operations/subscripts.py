"""Subscripts: which dimensions of an operation's wires are the same one, as letters say it in Einstein's notation.

What multiplies or adds wires that line up is told this way once: its extents, what is coupled, where zero is carried.

>>> extents((("i", "k"), ("k",)), ((2, 3), (3,)))
{'i': 2, 'k': 3}
>>> aligned(3, 1)
((-3, -2, -1), (-1,))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from surgdsl.axis.dim import UNIT, Dim, axes
from surgdsl.axis.extent import Extent
from surgdsl.operations.signature import Call, demand

Letter = str | int
"""A letter names a dimension; broadcasting counts them from the right, −1 being the last."""

Subscript = tuple[Letter, ...]
"""One letter for each dimension of a wire."""


def aligned(*ranks: int) -> tuple[Subscript, ...]:
    """The subscripts of wires that broadcast: aligned at their last dimension."""
    return tuple(tuple(range(-rank, 0)) for rank in ranks)


def widest(*ranks: int) -> Subscript:
    """The subscript of what wires broadcast to."""
    return aligned(max(ranks, default=0))[0]


def extents(subscripts: Sequence[Subscript], shapes: Sequence[tuple[Extent, ...]]) -> dict[Letter, Extent]:
    """How long each letter is; an extent of 1 is stretched.

    Raises:
        IllTyped: a letter has two extents, or a wire another rank than its subscript.
    """
    found: dict[Letter, Extent] = {}
    for subscript, shape in zip(subscripts, shapes, strict=True):
        demand(len(subscript) == len(shape), "an operand has another rank than the operation asks for")
        for letter, extent in zip(subscript, shape, strict=True):
            known = found.get(letter, 1)
            if known == 1:
                found[letter] = extent
            elif extent != 1:
                demand(known == extent, "the operands do not line up")
    return found


def meet(call: Call, subscripts: Sequence[Subscript]) -> dict[Letter, Dim]:
    """Tie all dims under the same letter; an extent of 1 that is stretched couples nothing."""
    found: dict[Letter, Dim] = {}
    for subscript, dims in zip(subscripts, call.dims, strict=True):
        for letter, dim in zip(subscript, dims, strict=True):
            known = found.get(letter)
            if known is None or known == UNIT:
                found[letter] = dim
            elif dim is not known and dim != UNIT:
                call.tie(known, dim)
    return found


def loose(call: Call, dim: Dim) -> bool:
    """Whether surgery may still shrink `dim`, as far as is known here. If not, nobody asks what a cut would do."""
    found = axes(call.unification.resolve(dim))
    return any(axis not in call.unification.pins and isinstance(axis.size, int) for axis in found)


def carried(
    call: Call,
    subscripts: Sequence[Subscript],
    letters: Iterable[Letter],
    operands: Sequence[int],
    rule: Callable[[Iterable[bool]], bool],
) -> bool:
    """Whether zero is carried along every letter that may shrink.

    Args:
        call: the operation.
        subscripts: one for each source.
        letters: the letters asked about.
        operands: the sources that count.
        rule: `any` for a product of the operands, `all` for a sum. An operand that does not extend along the letter
            carries no zero along it.
    """
    places = {
        number: {letter: dim for letter, dim in zip(subscripts[number], call.dims[number], strict=True) if dim != UNIT}
        for number in range(len(subscripts))
    }

    def asked(letter: Letter) -> bool:
        return any(letter in place and loose(call, place[letter]) for place in places.values())

    return all(
        rule(call.zeros[number] and letter in places[number] for number in operands)
        for letter in dict.fromkeys(letters)
        if asked(letter)
    )

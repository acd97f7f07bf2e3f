"""Terms and encodings in their normal forms, spelled out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from surgdsl.diagram.payload import Affine, Codebook, Dense, Encoding, Masked, innermost, masked
from surgdsl.diagram.term import Given, Made, Mask, Read, Slice, Term, along, made, sliced, thinned

W, V = Given("w"), Given("v")


def grid(first: Read, second: Read) -> Made:
    return Made("grid", (first, second), (("axis", 0), ("bits", 4)), (0, 2))


GRID = grid(Read(W, ((0, 0), (2, 2))), Read(V, ((0, 1),)))
MASK = Mask(3, W)
SPELLED: list[tuple[Callable[[], Term | Read], Term | Read]] = [
    (lambda: sliced(W, {}), W),
    (lambda: sliced(W, {1: (0,), 0: (2, 3)}), Slice(((0, (2, 3)), (1, (0,))), W)),
    (lambda: sliced(Slice(((0, (2, 3, 5)),), W), {0: (0, 2)}), Slice(((0, (2, 5)),), W)),
    (lambda: sliced(Slice(((0, (2, 3)),), W), {1: (4,)}), Slice(((0, (2, 3)), (1, (4,))), W)),
    (lambda: thinned(W, 3), MASK),
    (lambda: thinned(MASK, 5), MASK),
    (lambda: thinned(MASK, 2), Mask(2, W)),
    (lambda: sliced(MASK, {0: (1,)}), Slice(((0, (1,)),), MASK)),
    (lambda: along(W), Read(W, ())),
    (lambda: along(W, 0, 2), Read(W, ((0, 0), (2, 2)))),
    (lambda: made("sum", (Read(W),)), Made("sum", (Read(W, ()),), (), ())),
    (lambda: made("grid", GRID.reads, {"bits": 4, "axis": 0}, natural=(2, 0)), GRID),
    (
        lambda: sliced(GRID, {0: (1,), 1: (2,)}),
        Slice(
            ((1, (2,)),),
            grid(Read(Slice(((0, (1,)),), W), ((0, 0), (2, 2))), Read(Slice(((1, (1,)),), V), ((0, 1),))),
        ),
    ),
    (
        lambda: sliced(GRID, {2: (0, 1)}),
        grid(Read(Slice(((2, (0, 1)),), W), ((0, 0), (2, 2))), Read(V, ((0, 1),))),
    ),
    (lambda: sliced(GRID, {1: (5,)}), Slice(((1, (5,)),), GRID)),
]


@pytest.mark.parametrize(("make", "wanted"), SPELLED)
def test_the_normal_form(make: Callable[[], Term | Read], wanted: Term | Read) -> None:
    assert make() == wanted
    assert eval(repr(wanted)) == wanted  # noqa: S307 - the law is about eval


ENCODINGS: tuple[tuple[Encoding, Encoding, Encoding], ...] = (
    (Dense(), Masked(Dense()), Dense()),
    (Codebook(4), Masked(Codebook(4)), Codebook(4)),
    (Affine(8, 0), Masked(Affine(8, 0)), Affine(8, 0)),
    (Masked(Dense()), Masked(Dense()), Dense()),
)


@pytest.mark.parametrize(("encoding", "thin", "inner"), ENCODINGS)
def test_masks_are_outermost_and_one(encoding: Encoding, thin: Encoding, inner: Encoding) -> None:
    assert masked(encoding) == thin
    assert innermost(encoding) == innermost(thin) == inner

"""Terms of provenance: equal terms mean equal bytes, in whatever order a weight was cut, masked and quantized."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.bridge.encoding import decode, dense, take
from surgdsl.bridge.weight import Weight
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.term import Given, Term, sliced
from surgdsl.surgery.mask import Mask
from surgdsl.surgery.recode import Quantize

ROWS, COLUMNS = 6, 5


@frozen
class Cut:
    """Keep some indices of a dimension, as they were counted at the start."""

    dimension: int
    keep: frozenset[int]


Deed = Cut | Mask | Quantize


@frozen(eq=False)
class Known:
    """A weight, its term, and which of its first indices are left."""

    weight: Weight
    term: Term
    left: tuple[tuple[int, ...], ...] = (tuple(range(ROWS)), tuple(range(COLUMNS)))

    def after(self, deed: Deed) -> Known:
        """The weight and its term after one more deed."""
        if not isinstance(deed, Cut):
            return Known(deed.recode(self.weight), deed.term(self.weight, self.term), self.left)
        before = self.left[deed.dimension]
        places = tuple(place for place, index in enumerate(before) if index in deed.keep)
        if not places or len(places) == len(before):
            return self
        kept = {deed.dimension: places}
        left = list(self.left)
        left[deed.dimension] = tuple(before[place] for place in places)
        return Known(take(self.weight, kept), sliced(self.term, kept), tuple(left))


CUTS = st.builds(Cut, st.just(0), st.frozensets(st.integers(0, ROWS - 1), min_size=2)) | st.builds(
    Cut, st.just(1), st.frozensets(st.integers(0, COLUMNS - 1), min_size=2)
)
MASKS = st.integers(1, 12).map(lambda keep: Mask("w", keep, ROWS * COLUMNS))
CODES = st.builds(Quantize, st.just("w"), st.integers(1, 3), st.sampled_from(["kmeans", "affine"])) | st.builds(
    Quantize,
    st.just("w"),
    st.integers(2, 3),
    st.sampled_from(["affine", "symmetric"]),
    st.sampled_from([0, -1]),
    st.sampled_from([0, 2]),
    st.sampled_from(["range", "mse"]),
)
DEEDS = st.lists(CUTS | CUTS | MASKS | CODES, min_size=2, max_size=5)
WEIGHTS = st.integers(0, 999).map(
    lambda seed: dense(np.round(np.random.default_rng(seed).normal(size=(ROWS, COLUMNS)), 1).astype(np.float32))
)


def done(weight: Weight, deeds: list[Deed]) -> Known | None:
    """All deeds in turn; None where encodings do not compose or a mask asks for more than there is."""
    known = Known(weight, Given("w"))
    try:
        for deed in deeds:
            if isinstance(deed, Mask) and deed.keep >= decode(known.weight).size:
                return None
            known = known.after(deed)
    except Refusal:
        return None
    return known


def same(one: Weight, other: Weight) -> bool:
    return (one.encoding, one.dtype, one.shape) == (other.encoding, other.dtype, other.shape) and all(
        np.array_equal(part, other.parts[role]) for role, part in one.parts.items()
    )


@given(st.data())
def test_equal_terms_mean_equal_bytes(data: st.DataObject) -> None:
    weight, deeds = data.draw(WEIGHTS), data.draw(DEEDS)
    one, other = done(weight, deeds), done(weight, data.draw(st.permutations(deeds)))
    if one is not None and other is not None and one.term == other.term:
        assert same(one.weight, other.weight)


ROW, COLUMN = Cut(0, frozenset({0, 2, 5})), Cut(1, frozenset({1, 2}))
GRID, CODE = Quantize("w", 3, "affine"), Quantize("w", 2, "kmeans")
FEW, FEWER = Mask("w", 12, 30), Mask("w", 6, 30)
PAIRS: dict[str, tuple[Deed, Deed, bool]] = {
    "cuts of two dimensions": (ROW, COLUMN, True),
    "cuts of one dimension": (ROW, Cut(0, frozenset({0, 5})), True),
    "a cut of rows and scales by row": (ROW, GRID, True),
    "a cut of columns and scales by row": (COLUMN, GRID, False),
    "a cut and a codebook": (ROW, CODE, False),
    "a cut and a mask": (ROW, FEWER, False),
    "two masks": (FEW, FEWER, True),
    "a mask and a codebook": (FEW, CODE, False),
    "a mask and scales": (FEW, GRID, False),
}


@pytest.mark.parametrize("name", PAIRS)
def test_deeds_that_commute_have_one_term(name: str) -> None:
    first, second, commute = PAIRS[name]
    weight = dense(np.random.default_rng(1).normal(size=(ROWS, COLUMNS)).astype(np.float32))
    one, other = done(weight, [first, second]), done(weight, [second, first])
    assert one is not None
    assert other is not None
    assert (one.term == other.term) == commute
    assert same(one.weight, other.weight) == commute

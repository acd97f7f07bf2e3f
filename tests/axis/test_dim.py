"""Dims: the laws of sums and products, and restriction against an array that is really joined and reshaped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.axis.dim import (
    UNIT,
    Axis,
    Dim,
    Indices,
    Product,
    Sum,
    axes,
    concat,
    fuse,
    kept,
    positions,
    restricted,
    size,
    whole,
)
from surgdsl.axis.extent import add, multiply, symbol
from tests.strategies import AXES, dims


@given(dims(), dims(), dims())
def test_sums_and_products_are_associative(a: Dim, b: Dim, c: Dim) -> None:
    assert concat(concat(a, b), c) == concat(a, concat(b, c)) == concat(a, b, c)
    assert fuse(fuse(a, b), c) == fuse(a, fuse(b, c)) == fuse(a, b, c)


@given(dims())
def test_units(a: Dim) -> None:
    assert fuse(a, UNIT) == fuse(UNIT, a) == fuse(a) == concat(a) == a


@given(dims(), dims(), dims())
def test_a_product_distributes_over_a_sum_on_its_left(a: Dim, b: Dim, c: Dim) -> None:
    assert fuse(concat(a, b), c) == concat(fuse(a, c), fuse(b, c))


@given(dims())
def test_normal_form_has_no_sum_in_a_sum_and_no_product_in_a_product(dim: Dim) -> None:
    def flat(one: Dim) -> bool:
        match one:
            case Axis():
                return True
            case Sum(terms):
                return len(terms) > 1 and all(not isinstance(term, Sum) and flat(term) for term in terms)
            case Product(factors):
                return len(factors) != 1 and all(not isinstance(factor, Product) and flat(factor) for factor in factors)

    assert flat(dim)


@given(dims(), dims())
def test_sizes_add_and_multiply(a: Dim, b: Dim) -> None:
    assert size(concat(a, b)) == add(size(a), size(b))
    assert size(fuse(a, b)) == multiply(size(a), size(b))


def keeping(data: st.DataObject) -> dict[Axis, Indices]:
    """Some indices of some axes."""
    chosen = data.draw(st.lists(st.sampled_from(AXES), unique=True))
    found: dict[Axis, Indices] = {}
    for axis in chosen:
        subset = data.draw(st.sets(st.integers(0, whole(axis) - 1), min_size=1))
        found[axis] = np.array(sorted(subset), dtype=np.intp)
    return found


def survives(dim: Dim, keep: dict[Axis, Indices]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """For each position whether all indices that it is made of are kept: an array joined and reshaped as the dim is."""
    match dim:
        case Axis():
            return np.isin(np.arange(whole(dim)), keep[dim]) if dim in keep else np.ones(whole(dim), dtype=np.bool_)
        case Sum(terms):
            return np.concatenate([survives(term, keep) for term in terms])
        case Product(factors):
            grid = np.ones((), dtype=np.bool_)
            for factor in factors:
                grid = grid[..., None] & survives(factor, keep)
            return grid.reshape(-1)


@given(dims(), st.data())
def test_kept_positions_are_those_of_a_joined_and_reshaped_array(dim: Dim, data: st.DataObject) -> None:
    keep = keeping(data)
    assert kept(dim, keep).tolist() == np.flatnonzero(survives(dim, keep)).tolist()


@given(dims(), st.data())
def test_restricted_is_the_number_of_kept_positions(dim: Dim, data: st.DataObject) -> None:
    keep = keeping(data)
    assert restricted(dim, keep) == len(kept(dim, keep))


@given(dims(), st.data())
def test_keeping_twice_is_keeping_what_both_keep(dim: Dim, data: st.DataObject) -> None:
    first, second = keeping(data), keeping(data)
    both = {axis: np.intersect1d(first.get(axis, full(axis)), second.get(axis, full(axis))) for axis in AXES}
    assert set(kept(dim, both)) == set(kept(dim, first)) & set(kept(dim, second))


def full(axis: Axis) -> Indices:
    return np.arange(whole(axis), dtype=np.intp)


@given(dims(), st.sampled_from(AXES), st.data())
def test_positions_say_which_index_a_position_belongs_to(dim: Dim, axis: Axis, data: st.DataObject) -> None:
    if list(axes(dim)).count(axis) > 1 and isinstance(dim, Product):
        return
    index = data.draw(st.integers(0, whole(axis) - 1))
    gone = np.setdiff1d(full(axis), [index])
    found = positions(dim, axis)
    if all(list(axes(factor)).count(axis) <= 1 for factor in (dim.terms if isinstance(dim, Sum) else (dim,))):
        assert np.flatnonzero(found == index).tolist() == np.flatnonzero(~survives(dim, {axis: gone})).tolist()


@given(dims())
def test_repr_evaluates(dim: Dim) -> None:
    assert eval(repr(dim)) == dim  # noqa: S307 - the law is about eval


def test_a_symbolic_dim_has_no_whole_size() -> None:
    with pytest.raises(TypeError, match="B"):
        whole(fuse(Axis("batch", symbol("B")), Axis("a", 2)))

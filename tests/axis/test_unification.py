"""Unification: the same structure from equations in any order, sizes kept, pins kept, and an end to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.axis.dim import UNIT, Axis, Dim, axes, concat, fuse, kept, size, whole
from surgdsl.axis.unification import Clash, Unification
from tests.strategies import equations

Equations = tuple[Unification, list[tuple[Dim, Dim]], list[Dim]]


def told(start: Unification, pairs: list[tuple[Dim, Dim]], pinned: list[Dim]) -> Unification:
    """A fresh unification with the same axes born, told these equations."""
    found = Unification({}, {}, dict(start.born))
    for dim in pinned:
        found.pin(dim, "held", "here")
    for left, right in pairs:
        found.unify(left, right, "there")
    return found


@given(equations())
def test_equal_dims_resolve_alike_or_are_pinned(drawn: Equations) -> None:
    start, pairs, _ = drawn
    found = told(start, pairs, [])
    for left, right in pairs:
        one, other = found.resolve(left), found.resolve(right)
        if one != other:
            free = [axis for axis in (*axes(one), *axes(other)) if axis not in found.pins]
            assert all(aligned(one, other, axis) for axis in free)


def aligned(one: Dim, other: Dim, axis: Axis) -> bool:
    """Whether cutting `axis` takes the same positions from both."""
    keep = {axis: np.arange(1, dtype=np.intp)}
    return kept(one, keep).tolist() == kept(other, keep).tolist()


@given(equations())
def test_whatever_is_free_is_cut_at_the_same_positions_on_both_sides(drawn: Equations) -> None:
    start, pairs, pinned = drawn
    found = told(start, pairs, pinned)
    resolved = [(found.resolve(left), found.resolve(right)) for left, right in pairs]
    free = dict.fromkeys(axis for pair in resolved for dim in pair for axis in axes(dim) if axis not in found.pins)
    keep = {axis: np.arange(0, whole(axis), 2, dtype=np.intp) for axis in free}
    for one, other in resolved:
        assert kept(one, keep).tolist() == kept(other, keep).tolist()


@given(equations())
def test_sizes_are_preserved(drawn: Equations) -> None:
    start, pairs, pinned = drawn
    found = told(start, pairs, pinned)
    for dim in (dim for pair in pairs for dim in pair):
        assert size(found.resolve(dim)) == size(dim)


@given(equations())
def test_resolving_is_idempotent(drawn: Equations) -> None:
    start, pairs, pinned = drawn
    found = told(start, pairs, pinned)
    for dim in (dim for pair in pairs for dim in pair):
        assert found.resolve(found.resolve(dim)) == found.resolve(dim)
        assert all(axis not in found.bound for axis in axes(found.resolve(dim)))


@given(equations())
def test_telling_it_again_changes_nothing(drawn: Equations) -> None:
    start, pairs, pinned = drawn
    found = told(start, pairs, pinned)
    before = [found.resolve(dim) for pair in pairs for dim in pair]
    settled = [(left, right) for left, right in pairs if found.resolve(left) == found.resolve(right)]
    for left, right in settled:
        found.unify(left, right, "again")
    assert [found.resolve(dim) for pair in pairs for dim in pair] == before


def groups(found: Unification, pairs: list[tuple[Dim, Dim]]) -> list[tuple[object, ...]]:
    """What positions of the dims can be cut together, up to the names of axes."""
    dims = [found.resolve(dim) for pair in pairs for dim in pair]
    free = dict.fromkeys(axis for dim in dims for axis in axes(dim) if axis not in found.pins)
    cuts: list[tuple[object, ...]] = []
    for axis in free:
        keep = {axis: np.zeros(0, dtype=np.intp)}
        cuts.append((whole(axis), *(tuple(kept(dim, keep).tolist()) for dim in dims)))
    return sorted(cuts, key=repr)


@given(equations())
def test_the_order_of_arguments_does_not_matter(drawn: Equations) -> None:
    start, pairs, pinned = drawn
    swapped = [(right, left) for left, right in pairs]
    assert groups(told(start, pairs, pinned), pairs) == groups(told(start, swapped, pinned), pairs)


@given(equations())
def test_pins_survive_refinement(drawn: Equations) -> None:
    start, pairs, pinned = drawn
    found = told(start, pairs, pinned)
    for dim in pinned:
        assert all(axis in found.pins for axis in axes(found.resolve(dim)))


@given(equations(), st.integers(1, 3))
def test_dims_of_other_sizes_clash(drawn: Equations, more: int) -> None:
    start, pairs, _ = drawn
    left, _ = pairs[0]
    with pytest.raises(Clash):
        start.unify(left, concat(left, start.fresh("more", more)), "here")


def test_a_name_that_is_taken_gets_a_number() -> None:
    found = Unification()
    assert [str(found.fresh("a", 2)), str(found.fresh("a", 2)), str(found.fresh("a", 3))] == ["a", "a~2", "a~3"]
    assert found.fresh("unit", 1) == UNIT


def test_an_axis_that_would_contain_itself_is_pinned() -> None:
    found = Unification()
    empty, two = found.fresh("empty", 0), found.fresh("two", 2)
    found.unify(empty, fuse(empty, two), "here")
    assert {axis.name for axis in found.pins} == {"empty", "two"}


def test_parts_that_do_not_nest_are_pinned_with_the_place() -> None:
    found = Unification()
    found.unify(
        fuse(found.fresh("f", 4), found.fresh("g", 6)), fuse(found.fresh("h", 6), found.fresh("i", 4)), "the view"
    )
    assert str(found.pins[Axis("f", 4)]) == "its parts do not nest at the view"

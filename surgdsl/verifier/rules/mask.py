"""mask/1: some elements of one weight become zero, every other keeps its bits; a pattern that is stated is kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from surgdsl.verifier.arrays import Column, agree, each, ops
from surgdsl.verifier.content import Content, Load
from surgdsl.verifier.reject import need
from surgdsl.verifier.rewrite import Rewrite
from surgdsl.verifier.rules.schema import recoded


def check(rewrite: Rewrite, load: Load) -> str:
    """Every element is bit-equal to before or zero, as many are kept as stated, the inner encoding is the old one."""
    before, after = recoded(rewrite)
    need(after.coding == (*before.coding[:-1], True), "V14", f"`{after.base}` does not become its masked encoding")
    new, last = load(after), load(before)
    for old, found in zip(last.decoded(), new.decoded(), strict=True):
        same = agree(same_or_none, old, found)
        need(same, "V15", f"an element of `{after.base}` that is kept changes")
    kept, stated = ops.scan(new.parts["mask"], 1, True, 0)[0], rewrite.arguments
    need(str(kept) == stated["keep"], "V15", f"the mask of `{after.base}` keeps {kept} elements")
    need(len(stated) == 1 or len(after.shape) > 1, "V14", f"`{after.base}` has no neighbours and no tiles")
    if "few" in stated:
        fits = agree(lambda count: count <= stated["few"][0], few(new, stated["few"][1]))
        need(fits, "V15", f"the mask of `{after.base}` keeps more of some neighbours")
    if "tile" in stated:
        counts = (tiled(content, *stated["tile"]) for content in (last, new))
        whole = agree(same_or_none, *counts)
        need(whole, "V15", f"the mask of `{after.base}` cuts a tile")
    return ""


def same_or_none(was: Any, now: Any) -> Any:
    """Whether there is now as much as there was, or nothing."""
    return (now == was) | (now == 0)


def few(content: Content, neighbours: int) -> Column:
    """How many elements are kept of every so many neighbours along dimension 1, counted from index 0 on."""
    rows, width, *others = content.weight.shape
    inner, groups = math.prod(others), -(-width // neighbours)

    def group(at: Any) -> Any:
        row, column = at // inner // width, at // inner % width
        return (row * groups + column // neighbours) * inner + at % inner

    return counted(content, group, rows * groups * inner)


def tiled(content: Content, height: int, width: int) -> Column:
    """How many elements are kept of each tile of rows (dimension 0) and columns (the others, row-major)."""
    rows, columns = content.weight.shape[0], math.prod(content.weight.shape[1:])
    across = -(-columns // width)
    size = -(-rows // height) * across
    return counted(content, lambda at: at // columns // height * across + at % columns // width, size)


def counted(content: Content, place: Callable[[Any], Any], size: int) -> Column:
    """How many elements are kept of each group, `place` being the number of an element's group."""
    return ops.tally((each(place, at) for at, _ in content.runs()), size)

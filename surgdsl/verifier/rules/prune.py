"""prune-channels/1: the same operations over fewer indices, the weights selected accordingly, byte for byte."""

from __future__ import annotations

from surgdsl.verifier.canonical import rising
from surgdsl.verifier.content import Load, check_parts, select
from surgdsl.verifier.extent import Extent, integers
from surgdsl.verifier.net import Operation, Sort
from surgdsl.verifier.operations import CATALOGUE, related
from surgdsl.verifier.operations.letters import Sets
from surgdsl.verifier.reject import need
from surgdsl.verifier.rewrite import Rewrite, in_place
from surgdsl.verifier.weight import Weight


def check(rewrite: Rewrite, load: Load) -> str:
    """R is L over proper kept sets, every operation obeys its index relation, every weight is the selection."""
    arguments, left, right = rewrite.arguments, rewrite.left, rewrite.right
    kept = kept_sets(rewrite)
    placed = {(number, integers(left.wires[wire].shape[dim:][:1], "")) for wire, dim, number in arguments["kept"]}
    lists = [(arguments["indices"][number], extent) for number, (extent,) in sorted(placed)]
    check_choice(arguments["keep"], arguments["scores"], lists)
    paired = in_place(rewrite)
    need(paired, "V14", "R has not one wire for each that shrinks and one operation for each of L, wired alike")
    for wire, new in zip(rewrite.deleted, right.wires.values(), strict=True):
        old, sets = left.wires[wire], kept[wire]
        shape = tuple(extent if some is None else len(some) for extent, some in zip(old.shape, sets, strict=True))
        need(new == Sort(old.dtype, shape), "V14", f"the wire {wire} does not shrink to its kept sets")
    for before, after in zip(left.operations.values(), right.operations.values(), strict=True):
        idle = rewrite.glue.issuperset(before.sources + before.targets)
        need(not idle, "V14", f"`{before.name}` is in L and touches nothing that shrinks")
        need(before.name == after.name, "V14", f"`{before.name}` becomes another operation")
        if before.weight is not None and after.weight is not None:
            check_weight(before.weight, after.weight, kept[before.targets[0]], load)
            continue
        check_attributes(before, after)
        agrees = related(before, after, (left.wires, rewrite.visible()), kept)
        need(agrees, "V14", f"the kept sets around `{before.name}` contradict each other")
    return ""


def kept_sets(rewrite: Rewrite) -> dict[str, Sets]:
    """The kept sets of every wire of L; V14 unless each is rising, proper and on a wire that shrinks."""
    lists, left = rewrite.arguments["indices"], rewrite.left.wires
    found: dict[str, list[tuple[int, ...] | None]] = {wire: [None] * len(sort.shape) for wire, sort in left.items()}
    for wire, dim, number in rewrite.arguments["kept"]:
        what = f"the kept set of {wire}, dimension {dim},"
        known = wire in rewrite.deleted and dim < len(found[wire]) and number < len(lists)
        need(known and found[wire][dim] is None, "V14", f"{what} has no place or stands there twice")
        extent: Extent = left[wire].shape[int(dim)]
        indices = tuple(lists[number])
        need(rising(indices), "V14", f"{what} is not strictly rising")
        fits = isinstance(extent, int) and indices[-1] < extent and len(indices) < extent
        need(fits, "V14", f"{what} is not a proper part of the extent {extent}")
        found[wire][dim] = indices
    need(all(any(found[wire]) for wire in rewrite.deleted), "V14", "a wire that K leaves out does not shrink")
    used = {number for _, _, number in rewrite.arguments["kept"]}
    need(len(used) == len(lists), "V14", "an index list is used nowhere")
    return {wire: tuple(sets) for wire, sets in found.items()}


def check_choice(keep: list[int], scores: list[str], lists: list[tuple[list[int], int]]) -> None:
    """`keep` are the largest scores, the lower index first among equals, and some kept set lays it out."""
    ranked = sorted(range(len(scores)), key=lambda index: (-int(scores[index]), index))
    need(keep == sorted(ranked[: len(keep)]), "V14", "keep is not the set of the largest scores")
    chosen = any(laid_out(set(keep), len(scores), indices, extent) for indices, extent in lists)
    need(chosen, "V14", "no kept set is what keep chooses")


def laid_out(keep: set[int], width: int, indices: list[int], extent: int) -> bool:
    """Whether the indices are those with ⌊i/r⌋ mod width in keep, for some r: an axis as one factor of a dimension.

    >>> laid_out({1}, 2, [1, 3], 4), laid_out({1}, 2, [2, 3], 4), laid_out({1}, 2, [0, 1], 4)
    (True, True, False)
    """
    if extent % width or len(indices) * width != len(keep) * extent:
        return False
    inner = (r for r in range(1, extent // width + 1) if extent // width % r == 0)
    return any(indices == [at for at in range(extent) if at // r % width in keep] for r in inner)


def check_attributes(before: Operation, after: Operation) -> None:
    """The attributes are the same, but for those that typing forces."""
    old, new = before.attributes, after.attributes
    forced = CATALOGUE[before.name].forced
    same = old.keys() == new.keys() and all(repr(old[key]) == repr(new[key]) for key in old if key not in forced)
    need(same, "V14", f"`{before.name}` changes an attribute")


def check_weight(old: Weight, new: Weight, kept: Sets, load: Load) -> None:
    """The new parts are the index selection of the old ones, encoding, name and role kept."""
    need((old.base, old.role) == (new.base, new.role), "V14", f"`{old.base}` changes its name or its role")
    need(old.coding == new.coding, "V14", f"`{old.base}` changes its encoding")
    check_parts(new, select(load(old), kept), load)

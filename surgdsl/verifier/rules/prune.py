"""prune-channels/1: the same operations over fewer indices, the weights selected accordingly, byte for byte."""

from __future__ import annotations

from surgdsl.verifier.content import Load, check_parts, select
from surgdsl.verifier.net import Operation, Sort
from surgdsl.verifier.operations import related
from surgdsl.verifier.operations.signature import Sets
from surgdsl.verifier.reject import Reject, need
from surgdsl.verifier.rewrite import Rewrite
from surgdsl.verifier.rules.schema import Rule
from surgdsl.verifier.schema import array, integer, name, natural, record, row

INDICES = array(integer(0, 2**40), 1 << 20, 1)
ARGUMENTS = record({
    "axis": name, "keep": INDICES, "kept": array(row(name, integer(0, 7), integer(0)), 200_000, 1),
    "indices": array(INDICES, 200_000, 1), "scores": array(natural, 1 << 20, 1),
})  # fmt: skip
FORCED = ("groups", "size", "shape", "start", "end")


def check(rewrite: Rewrite, load: Load) -> str:
    """Kept sets are proper, R is L over them, every operation obeys its index relation, every weight is the selection."""
    kept = kept_sets(rewrite)
    extents = {(n, int(rewrite.left.wires[wire].shape[dim])) for wire, dim, n in rewrite.arguments["kept"]}
    check_choice(
        rewrite.arguments["keep"],
        rewrite.arguments["scores"],
        [(rewrite.arguments["indices"][n], size) for n, size in sorted(extents)],
    )
    shrinking = rewrite.deleted
    need(len(shrinking) == len(rewrite.right.wires), "V14", "R does not have one wire for each that shrinks")
    place = {wire: wire for wire in rewrite.glue} | dict(zip(shrinking, rewrite.right.wires, strict=True))
    for wire, new in zip(shrinking, rewrite.right.wires.values(), strict=True):
        old, sets = rewrite.left.wires[wire], kept[wire]
        shape = tuple(extent if some is None else len(some) for extent, some in zip(old.shape, sets, strict=True))
        need(new == Sort(old.dtype, shape), "V14", f"the wire {wire} does not shrink to its kept sets")
    need(
        len(rewrite.left.operations) == len(rewrite.right.operations),
        "V14",
        "R does not have one operation for each of L",
    )
    wires = (rewrite.left.wires, rewrite.visible())
    for before, after in zip(rewrite.left.operations.values(), rewrite.right.operations.values(), strict=True):
        ports = before.sources + before.targets
        need(
            any(wire not in rewrite.glue for wire in ports),
            "V14",
            f"`{before.name}` is in L and touches nothing that shrinks",
        )
        need(
            tuple(place[wire] for wire in ports) == after.sources + after.targets,
            "V14",
            f"`{before.name}` is wired differently in R",
        )
        if before.weight is None:
            check_skeleton(before, after)
            need(
                related(before, after, wires, kept),
                "V14",
                f"the kept sets around `{before.name}` contradict each other",
            )
        else:
            check_weight(before, after, kept[before.targets[0]], load)
    return ""


def kept_sets(rewrite: Rewrite) -> dict[str, Sets]:
    """The kept sets of every wire of L; V14 unless each is rising, proper and on a wire that shrinks."""
    arguments, left = rewrite.arguments, rewrite.left.wires
    found: dict[str, list[tuple[int, ...] | None]] = {wire: [None] * len(sort.shape) for wire, sort in left.items()}
    for wire, dim, number in arguments["kept"]:
        known = (
            wire in found and wire not in rewrite.glue and dim < len(found[wire]) and number < len(arguments["indices"])
        )
        need(
            known and found[wire][dim] is None,
            "V14",
            f"the kept set of {wire}, dimension {dim}, has no place or stands there twice",
        )
        extent, indices = left[wire].shape[dim], tuple(arguments["indices"][number])
        rising = all(a < b for a, b in zip(indices, indices[1:], strict=False))
        need(rising, "V14", f"the kept set {number} is not strictly rising")
        need(
            isinstance(extent, int) and indices[-1] < extent and len(indices) < extent,
            "V14",
            f"the kept set {number} does not fit its wire",
        )
        found[wire][dim] = indices
    need(all(any(found[wire]) for wire in rewrite.deleted), "V14", "a wire of L∖K does not shrink")
    need(
        {n for _, _, n in arguments["kept"]} == set(range(len(arguments["indices"]))),
        "V14",
        "an index list is used nowhere",
    )
    return {wire: tuple(sets) for wire, sets in found.items()}


def check_choice(keep: list[int], scores: list[str], lists: list[tuple[list[int], int]]) -> None:
    """`keep` are the largest scores, the lower index first among equals, and some kept set is `keep` laid out along its dimension."""
    ranked = sorted(range(len(scores)), key=lambda index: (-int(scores[index]), index))
    need(keep == sorted(ranked[: len(keep)]), "V14", "keep is not the set of the largest scores")
    need(
        any(laid_out(set(keep), len(scores), indices, extent) for indices, extent in lists),
        "V14",
        "no kept set is what keep chooses",
    )


def laid_out(keep: set[int], width: int, indices: list[int], extent: int) -> bool:
    """Whether the indices are those with ⌊i/r⌋ mod width in keep, for some r: an axis as one factor of a dimension.

    >>> laid_out({1}, 2, [1, 3], 4), laid_out({1}, 2, [2, 3], 4), laid_out({1}, 2, [0, 1], 4)
    (True, True, False)
    """
    if extent % width or len(indices) * width != len(keep) * extent:
        return False
    inner = (r for r in range(1, extent // width + 1) if extent // width % r == 0)
    return any(indices == [at for at in range(extent) if at // r % width in keep] for r in inner)


def check_skeleton(before: Operation, after: Operation) -> None:
    """The operator is the same, its attributes too but for those that typing forces."""
    old, new = before.attributes, after.attributes
    same = old.keys() == new.keys() and all(repr(old[key]) == repr(new[key]) for key in old if key not in FORCED)
    need(
        before.name == after.name and same, "V14", f"`{before.name}` becomes another operation or changes an attribute"
    )


def check_weight(before: Operation, after: Operation, kept: Sets, load: Load) -> None:
    """The new parts are the index selection of the old ones, encoding, name and role kept."""
    old, new = before.weight, after.weight
    if old is None or new is None:
        raise Reject("V14", "a weight is replaced by an operation")
    need((old.base, old.role) == (new.base, new.role), "V14", f"`{old.base}` changes its name or its role")
    need(
        (old.kind, old.bits, old.axis, old.masked) == (new.kind, new.bits, new.axis, new.masked),
        "V14",
        f"`{old.base}` changes its encoding",
    )
    check_parts(new, select(load(old), kept))


PRUNE = Rule("exact", "params/1", ARGUMENTS, check)

"""A rewrite: one step read as a rule L ← K → R with a match, and the pushout that it denotes.

Complement and pushout are formed here from L, R and the match; nothing about the result is read from the certificate.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from surgdsl.verifier.net import Net, Operation, Sort, parse_operation
from surgdsl.verifier.operations import check_type
from surgdsl.verifier.reject import need


@dataclass(frozen=True, slots=True)
class Fragment:
    """The wires and operations of one side of a rule, by local id."""

    wires: dict[str, Sort]
    operations: dict[str, Operation]


@dataclass(frozen=True)
class Rewrite:
    """A rule and its match: L, the wires of K, R∖K, where wires of L lie in the net, and the net before."""

    arguments: dict[str, Any]
    left: Fragment
    glue: frozenset[str]
    right: Fragment
    at: dict[str, str]
    net: Net

    @cached_property
    def deleted(self) -> dict[str, Sort]:
        """The wires of L∖K."""
        return {wire: sort for wire, sort in self.left.wires.items() if wire not in self.glue}

    def only(self, side: Fragment) -> Operation:
        """The single operation of a side; V14 when there are more or none."""
        need(len(side.operations) == 1, "V14", "this rule takes exactly one operation")
        return next(iter(side.operations.values()))

    def visible(self) -> dict[str, Sort]:
        """The wires that R∖K may name: those of K and its own."""
        return {wire: sort for wire, sort in self.left.wires.items() if wire in self.glue} | self.right.wires


def fragment(raw: dict[str, Any], letter: str, outer: dict[str, Sort]) -> Fragment:
    """One side of a rule, its ids being letter + 0, 1, … over wires, then operations; V10 when they are not."""
    ids = [item["id"] for item in (*raw["wires"], *raw["operations"])]
    need(ids == [f"{letter}{number}" for number in range(len(ids))], "V10", "local ids are not numbered in order")
    wires = {wire["id"]: Sort(wire["dtype"], tuple(wire["shape"])) for wire in raw["wires"]}
    known = outer | wires
    named = {wire for row in raw["operations"] for side in ("sources", "targets") for wire in row[side]}
    need(named <= known.keys(), "V10", "an operation of the rule names a wire that the rule does not have")
    return Fragment(wires, {row["id"]: parse_operation(row, known, "") for row in raw["operations"]})


def parse(raw: dict[str, Any], net: Net) -> tuple[Rewrite, list[str]]:
    """The rewrite that a step records, and the operations of the net that it deletes; V10, V11 (section 8, 1 and 2)."""
    left = fragment(raw["left"], "l", {})
    glue = raw["glue"]["wires"]
    plain = not raw["glue"]["operations"] and glue == [wire for wire in left.wires if wire in glue]
    need(plain, "V10", "K is not a list of wires of L")
    outer = {wire: left.wires[wire] for wire in glue}
    right = fragment(raw["right"], "r", outer)
    wires, operations = (dict(map(tuple, raw["match"][side])) for side in ("wires", "operations"))
    for found, items, side in ((wires, left.wires, "wires"), (operations, left.operations, "operations")):
        total = [pair[0] for pair in raw["match"][side]] == list(items)
        need(total, "V11", f"the match is not total on the {side} of L, in order")
        need(len(set(found.values())) == len(found), "V11", "the match is not injective")
    alike = all(net.wires.get(wires[wire]) == sort for wire, sort in left.wires.items())
    need(alike, "V11", "a wire is matched to one of another sort")
    for identity, operation in left.operations.items():
        image = net.operations.get(operations[identity])
        moved = [tuple(wires[wire] for wire in side) for side in (operation.sources, operation.targets)]
        fits = image is not None and image.label == operation.label and [image.sources, image.targets] == moved
        need(fits, "V11", f"`{operation.name}` is matched to an operation that is not its like")
    return Rewrite(raw["arguments"], left, frozenset(glue), right, wires, net), list(operations.values())


def glued(rewrite: Rewrite) -> None:
    """The gluing condition: nothing outside L touches what is deleted, and K keeps its producers; V11."""
    glue, created, deleted = rewrite.glue, rewrite.right.wires, {rewrite.at[wire] for wire in rewrite.deleted}
    ends = {wire for _, wire in (*rewrite.net.inputs, *rewrite.net.outputs)}
    need(not deleted & ends, "V11", "interface: an input or output of the net would be deleted")
    told, inside = rewrite.net.numbering, rewrite.left.operations.values()
    within = Counter(wire for op in inside for wire in op.sources + op.targets)
    alone = all(told.uses[told.wires[rewrite.at[wire]]] == within[wire] for wire in rewrite.deleted)
    need(alone, "V11", "dangling: an operation outside L touches a wire that is deleted")
    before, after = (
        sorted(wire for op in side.operations.values() for wire in op.targets) for side in (rewrite.left, rewrite.right)
    )  # fmt: skip
    need([w for w in before if w in glue] == [w for w in after if w in glue], "V11", "K loses or gains a producer")
    need([w for w in after if w not in glue] == sorted(created), "V11", "a created wire is not produced exactly once")


def in_place(rewrite: Rewrite) -> bool:
    """Whether each operation of R∖K has the ports of that of L, created wires standing for deleted ones, in order."""
    created, sides = rewrite.right.wires, [[*side.operations.values()] for side in (rewrite.left, rewrite.right)]
    if len(created) != len(rewrite.deleted) or len(sides[0]) != len(sides[1]):
        return False
    place = {wire: wire for wire in rewrite.glue} | dict(zip(rewrite.deleted, created, strict=True))
    ports = [[[place[wire] for wire in side] for side in (op.sources, op.targets)] for op in sides[0]]
    return ports == [[[*op.sources], [*op.targets]] for op in sides[1]]


def pushout(rewrite: Rewrite, gone: list[str], index: int) -> Net:
    """The net after step `index`, in which its items `rk` are `s{index}.k`; V09 when one of them is ill-typed."""
    glued(rewrite)
    visible, before = rewrite.visible(), rewrite.net
    for operation in rewrite.right.operations.values():
        check_type(operation, visible)
    place = {wire: rewrite.at[wire] for wire in rewrite.glue}
    place |= {item: f"s{index}.{item[1:]}" for item in (*rewrite.right.wires, *rewrite.right.operations)}
    deleted = [rewrite.at[wire] for wire in rewrite.deleted]
    wires, operations = {**before.wires}, {**before.operations}
    for items, old in ((wires, deleted), (operations, gone)):
        for one in old:
            del items[one]
    wires |= {place[wire]: sort for wire, sort in rewrite.right.wires.items()}
    for identity, op in rewrite.right.operations.items():
        sources, targets = (tuple(place[wire] for wire in side) for side in (op.sources, op.targets))
        operations[place[identity]] = Operation(op.name, op.label, op.raw, sources, targets, op.weight)
    net = Net(wires, operations, before.inputs, before.outputs)
    if not in_place(rewrite):
        return net
    new = {old: place[one] for old, one in zip(gone, rewrite.right.operations, strict=True)}
    ends = {old: place[one] for old, one in zip(deleted, rewrite.right.wires, strict=True)}
    return replace(net, known=before.numbering.renewed((before, net), new, ends))

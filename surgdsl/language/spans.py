"""Spans: whether L, K and R of a declared rule make a linear rule, told at the wire or the box that is wrong.

What a rule may do is decided when it is declared; whether it may be done in a place, when it is matched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from surgdsl.axis.extent import Extent, symbols
from surgdsl.diagnostic import Note
from surgdsl.language.boxes import Side
from surgdsl.language.scope import Scope
from surgdsl.rules.schema import Box, Port, variables

Glue = dict[str, Port]


def check_span(scope: Scope, sides: tuple[Side, Side], glue: Glue, parameters: Iterable[str]) -> None:
    """Reports every breach of R1 to R5 and of dims(R) ⊆ dims(L) ∪ parameters."""
    for side, letter in zip(sides, "LR", strict=True):
        _once_written(scope, side, letter)
        _acyclic(scope, side, letter)
        _used(scope, side, glue, letter)
    _glued(scope, sides, glue)
    _sources(scope, sides, glue)
    _known(scope, sides, glue, frozenset(parameters))


def writers(side: Side) -> dict[str, list[Box]]:
    """The boxes that write each wire of a side."""
    found: dict[str, list[Box]] = {wire: [] for wire in side.wires}
    for box in side.boxes.values():
        for wire in box.targets:
            found[wire].append(box)
    return found


def _once_written(scope: Scope, side: Side, letter: str) -> None:
    for wire, boxes in writers(side).items():
        if len(boxes) > 1:
            notes = (Note(boxes[0].span, "written here first"),)
            scope.refuse("E0346", f"two boxes of {letter} write `{wire}`", boxes[1].span, notes=notes)


def _acyclic(scope: Scope, side: Side, letter: str) -> None:
    """R4, and the same for L, which could lie in no net."""
    written, waiting = writers(side), dict(side.boxes)
    while waiting:
        ready = [
            name
            for name, box in waiting.items()
            if not any(one.name in waiting for wire in box.sources for one in written[wire])
        ]
        if not ready:
            first = next(iter(waiting.values()))
            scope.refuse("E0346", f"the boxes of {letter} go round in a circle", first.span)
            return
        for name in ready:
            del waiting[name]


def _used(scope: Scope, side: Side, glue: Glue, letter: str) -> None:
    """R5: what a box makes is read or kept; in L, it could not lie in a net otherwise."""
    read = {wire for box in side.boxes.values() for wire in box.sources}
    for box in side.boxes.values():
        if box.targets and not any(wire in read or wire in glue for wire in box.targets):
            label = "no box reads it, and K does not keep it"
            scope.refuse("E0346", f"nothing uses what a box of {letter} makes", box.span, label)


def _glued(scope: Scope, sides: tuple[Side, Side], glue: Glue) -> None:
    """R1 and R2: a wire of K lies in L, and is written in both sides or in neither; R need not read it."""
    if not _read(*sides):
        return
    for wire, port in glue.items():
        if wire not in sides[0].wires:
            scope.refuse("E0345", f"`{wire}` is kept, but L has no such wire", port.span)
            continue
        left, right = (bool(writers(side).get(wire)) for side in sides)
        if left != right:
            told = "L writes it and R does not" if left else "R writes it and L does not"
            scope.refuse("E0346", f"`{wire}` would lose its writer or get a second one", port.span, told)


def _read(*sides: Side) -> bool:
    """Whether the sides could be read whole, so that what is missing is missing in the text."""
    return all(all(side.whole) for side in sides)


def _sources(scope: Scope, sides: tuple[Side, Side], glue: Glue) -> None:
    """A wire that no box of its side writes comes from outside, so it must be kept: deleting it would always dangle."""
    told: set[str] = set()
    for side, letter in zip(sides, "LR", strict=True):
        for wire, boxes in writers(side).items():
            if boxes or wire in glue or wire in told or not _read(side):
                continue
            told.add(wire)
            label = "L would delete a wire that others write" if letter == "L" else "nothing writes it"
            lines = (f"keep it: K {{ {wire}: real[…] }}",)
            message = f"`{wire}` comes from outside and K does not keep it"
            scope.refuse("E0345", message, side.wires[wire][0], label, help=lines)


def _known(scope: Scope, sides: tuple[Side, Side], glue: Glue, parameters: frozenset[str]) -> None:
    """Every variable of R has a value from L, from the types of K or from the arguments of a step."""
    left, right = sides
    known = parameters | {name for box in left.boxes.values() for name in box.variables}
    known |= {name for port in glue.values() for name in port.variables}
    if not _read(left):
        return
    for box in right.boxes.values():
        for name in sorted(_names(box) - known):
            label = "neither L, nor a type in K, nor a parameter gives it a value"
            scope.refuse("E0347", f"`{name}` is known only to R", box.span, label)
        known |= _names(box)


def _names(box: Box) -> frozenset[str]:
    return frozenset(_sizes(box.sizes)) | {name for _, value in box.attributes for name in variables(value)}


def _sizes(sizes: tuple[Extent, ...]) -> Iterator[str]:
    for size in sizes:
        yield from symbols(size)

"""Chains of boxes and wires: from what a rule spells in L and R to boxes with their wires.

A box names an operation, its sizes by position and its arguments by name; two boxes side by side are joined by a wire
without a name.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from attrs import field, frozen

from surgdsl.axis.extent import Extent
from surgdsl.diagnostic import Note, Span, hint
from surgdsl.diagram.operation import Attribute
from surgdsl.language import tree
from surgdsl.language.scope import Scope
from surgdsl.language.sizes import extent
from surgdsl.language.value import constant
from surgdsl.rules.boxes import KINDS, Kind, Unsaid, kind_of
from surgdsl.rules.schema import Box
from surgdsl.units import PLAIN, Quantity

LARGEST_INTEGER = 2**53 - 1


@frozen
class Side:
    """L or R as it is read: its boxes, and every wire with the places where it is named."""

    boxes: dict[str, Box] = field(factory=dict[str, Box])
    wires: dict[str, list[Span]] = field(factory=dict[str, list[Span]])
    whole: list[bool] = field(factory=list[bool])
    """One entry for each chain: whether all of it could be read."""


def side(scope: Scope, chains: tuple[tree.Chain, ...], letter: str) -> Side:
    """The boxes of all chains of a side; what has a fault is left out."""
    made = Side()
    for chain in chains:
        before = len(scope.faults)
        _chain(scope, chain, made, letter)
        made.whole.append(len(scope.faults) == before)
    return made


def _chain(scope: Scope, chain: tree.Chain, made: Side, letter: str) -> None:
    nodes = chain.nodes
    for one, after in pairwise(nodes):
        if not isinstance(one, tree.Box) and not isinstance(after, tree.Box):
            label = "between two wires stands a box; `[identity]` is one that changes nothing"
            scope.refuse("E0344", "two wires without a box", after.span, label)
    for at, node in enumerate(nodes):
        for word in _words(node):
            made.wires.setdefault(word.text, []).append(word.span)
        if isinstance(node, tree.Box):
            before = _ports(nodes, at, -1, letter, made)
            _box(scope, node, made, (before, _ports(nodes, at, 1, letter, made)), letter)


def _words(node: tree.Wire | tree.Wires | tree.Box) -> tuple[tree.Word, ...]:
    match node:
        case tree.Wire(name):
            return (name,)
        case tree.Wires(names):
            return names
        case tree.Box():
            return ()


def _ports(
    nodes: tuple[tree.Wire | tree.Wires | tree.Box, ...], at: int, step: int, letter: str, made: Side
) -> tuple[str, ...]:
    """The wires of a box on one side; beside another box a wire without a name, called by its place in the text."""
    if not 0 <= at + step < len(nodes):
        return ()
    other = nodes[at + step]
    if not isinstance(other, tree.Box):
        return tuple(word.text for word in _words(other))
    left = nodes[min(at, at + step)]
    name = f"{letter}{sum(box.span.start < left.span.start for box in made.boxes.values())}->"
    made.wires.setdefault(name, [left.span])
    return (name,)


def _box(scope: Scope, node: tree.Box, made: Side, ends: tuple[tuple[str, ...], tuple[str, ...]], letter: str) -> None:
    name = node.name.text if node.name else f"{letter}{len(made.boxes)}"
    if name in made.boxes and node.name is not None:
        notes = (Note(made.boxes[name].span, "declared here first"),)
        scope.refuse("E0102", f"`{name}` is declared twice", node.name.span, notes=notes)
        name = f"{letter}{len(made.boxes)}"  # the first keeps its name
    word, given = (
        (node.operation.function, node.operation.arguments)
        if isinstance(node.operation, tree.Call)
        else (node.operation, ())
    )
    spelled = _operation(word)
    kind = kind_of(spelled) if spelled else None
    if kind is None:
        known = [one.name for one in KINDS]
        lines = ("any operator can be named as aten.NAME.OVERLOAD",)
        label = hint(spelled or "", known) or f"there are {', '.join(known)}"
        return scope.refuse("E0341", f"unknown box `{word.span.text}`", word.span, label, help=lines)
    if _fits(scope, node, kind, ends):
        sizes = _sizes(scope, node, kind, given)
        stated = _arguments(scope, node, kind, given, letter)
        if sizes is not None and stated is not None:
            made.boxes[name] = Box(name, kind.name, *ends, sizes, stated, span=node.span)
    return None


def _operation(expr: tree.Expr) -> str | None:
    match expr:
        case tree.Name(text):
            return text
        case tree.Member(value, word):
            inner = _operation(value)
            return f"{inner}.{word}" if inner else None
        case _:
            return None


def _fits(scope: Scope, node: tree.Box, kind: Kind, ends: tuple[tuple[str, ...], tuple[str, ...]]) -> bool:
    wanted = (kind.inputs, 1)
    for count, wires, verb in zip(wanted, ends, ("reads", "writes"), strict=True):
        if kind.generic and wires:
            continue
        if len(wires) != count:
            label = f"it {verb} {count} wire{'s' if count > 1 else ''} here and not {len(wires)}"
            label = label.replace("0 wire ", "0 wires ") if not kind.generic else f"it {verb} nothing"
            scope.refuse("E0342", f"`{kind.name}` stands wrongly in its chain", node.span, label)
            return False
    return True


Given = tuple[tree.Expr | tree.Keyword | tree.Each, ...]


def _sizes(scope: Scope, node: tree.Box, kind: Kind, given: Given) -> tuple[Extent, ...] | None:
    written = [one for one in given if not isinstance(one, tree.Keyword | tree.Each)]
    if len(written) != len(kind.sizes):
        wanted = f"expected {kind.name}({', '.join(kind.sizes)})" if kind.sizes else "it has none"
        return scope.refuse("E0342", f"`{kind.name}` has {len(kind.sizes)} sizes", node.operation.span, wanted)
    found = [extent(scope, one) for one in written]
    good = tuple(one for one in found if one is not None)
    return good if len(good) == len(found) else None


def _arguments(
    scope: Scope, node: tree.Box, kind: Kind, given: Given, letter: str
) -> tuple[tuple[str, Attribute], ...] | None:
    faults, found = len(scope.faults), dict[str, Attribute]()
    for one in given:
        if isinstance(one, tree.Each):
            scope.refuse("E0342", "a box takes sizes and arguments", one.span)
        if not isinstance(one, tree.Keyword):
            continue
        argument = kind.argument(one.word.text)
        if argument is None or argument.default is Unsaid.DERIVED:
            known = [each.name for each in kind.arguments if each.default is not Unsaid.DERIVED]
            label = hint(one.word.text, known) or (f"it has {', '.join(known)}" if known else "it has none")
            scope.refuse("E0342", f"`{kind.name}` has no argument `{one.word}`", one.word.span, label)
        elif one.word.text in found:
            scope.refuse("E0203", f"`{one.word}` is given twice", one.span)
        else:
            value = _attribute(scope, one.value)
            found[one.word.text] = value[0] if value else None
    if letter == "R":
        _complete(scope, node, kind, found)
    return tuple(sorted(found.items())) if len(scope.faults) == faults else None


def _complete(scope: Scope, node: tree.Box, kind: Kind, found: dict[str, Attribute]) -> None:
    """In R nothing may be left open."""
    missing = [one.name for one in kind.arguments if one.default is Unsaid.STATED and one.name not in found]
    if missing:
        scope.refuse("E0342", f"`{kind.name}` in R needs `{missing[0]}`", node.span, "nothing else says what it is")


def _attribute(scope: Scope, expr: tree.Expr) -> tuple[Attribute] | None:
    """The value or the pattern that an argument is, in a tuple of its own since it may be nothing."""
    match expr:
        case tree.Listing(items):
            found = [_attribute(scope, one) for one in items]
            return (tuple(one[0] for one in found if one),) if all(found) else None
        case tree.Text(text):
            return (text,)
        case tree.Name("true" | "false" as text):
            return (text == "true",)
        case tree.Name("none"):
            return (None,)
        case tree.Number() | tree.Unary():
            value = constant(scope, expr)
            return _literal(scope, expr, value) if isinstance(value, Quantity) else None
        case _:
            size = extent(scope, expr)
            return None if size is None else (size,)


def _literal(scope: Scope, expr: tree.Expr, value: Quantity) -> tuple[Attribute] | None:
    """A whole number as an integer, any other as the nearest float."""
    if value.dimension != PLAIN or abs(value.value) > LARGEST_INTEGER:
        return scope.refuse("E0343", "an argument is a plain number", expr.span)
    whole = value.value.denominator == 1 and not any(mark in expr.span.text for mark in ".eE")
    return (int(value.value) if whole else _float(value.value),)


def _float(value: Fraction) -> float:
    return value.numerator / value.denominator

"""Rules of a file: from a declaration to a schema, everything about it judged where it is declared.

A rule that does not type, does not end, or is called exact and is not, is refused before any model is loaded.
"""

from __future__ import annotations

from functools import cache
from itertools import islice

from attrs import evolve

from surgdsl.axis.extent import Extent
from surgdsl.diagnostic import Note, hint
from surgdsl.language import tree
from surgdsl.language.boxes import side
from surgdsl.language.clauses import claused
from surgdsl.language.library import Signature, declaration, signed
from surgdsl.language.scaling import ASKED
from surgdsl.language.scope import DTYPES, Declared, Scope, home, scope_of
from surgdsl.language.sizes import extent
from surgdsl.language.spans import check_span
from surgdsl.rules.itinerary import itinerary
from surgdsl.rules.schema import Port, Schema

NUMBERS = ("int", "bit")
"""Types that a parameter of a rule can have: whole numbers, since they may be sizes."""


def rule(scope: Scope, node: tree.Rule, *, test: bool = True) -> Schema | None:
    """The schema of a declaration, or nothing where it has a fault.

    Args:
        scope: the names of the file, and its faults.
        node: the declaration.
        test: whether to look for instances that are ill-typed, and to test that an exact rule is.
    """
    faults = len(scope.faults)
    parameters = _parameters(scope, node)
    left, right = side(scope, node.left, "L"), side(scope, node.right, "R")
    glue = _glue(scope, node)
    check_span(scope, (left, right), glue, [name for name, _ in parameters])
    known = Schema(
        node.name.text, node.grade.text, parameters, tuple(left.boxes.values()), tuple(glue.values()),
        tuple(right.boxes.values()), span=node.name.span,
    )  # fmt: skip
    made = claused(scope, node, known, right)
    if len(scope.faults) > faults:
        return None
    if made.left and itinerary(made) is None:
        label = "nothing would say which parts of a net belong together"
        return scope.refuse("E0351", f"L of `{node.name}` is in pieces", made.left[-1].span, label)
    if test:
        _tested(scope, made)
    return made if len(scope.faults) == faults else None


def applied(scope: Scope, found: Declared) -> tuple[Signature | None, tuple[Schema, ...]]:
    """What a step that names a rule is checked against, and what it applies: nothing of the latter for a primitive.

    A rule with faults has neither; they are told where it is declared.
    """
    signature = found.signature or (signed(found.node) if isinstance(found.node, tree.Rule) else None)
    if signature is None or not isinstance(signature.node, tree.Rule):
        return signature, ()
    nodes = declaration(found.target)[0].file.declarations if found.target else (signature.node,)
    inside = evolve(home(scope, found), faults=[])
    schemas = [rule(inside, one, test=False) for one in nodes if isinstance(one, tree.Rule)]
    good = tuple(one for one in schemas if one is not None)
    return (signature, good) if len(good) == len(schemas) else (None, ())


@cache
def standard(target: str) -> tuple[Schema, ...]:
    """The alternatives of a rule of the library, such as ``std.rules.factor``."""
    scope = scope_of(*declaration(target))
    found = [
        rule(scope, one, test=False) for one in declaration(target)[0].file.declarations if isinstance(one, tree.Rule)
    ]
    return tuple(one for one in found if one is not None)


def _parameters(scope: Scope, node: tree.Rule) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for port in node.ports or ():
        if port.type.word.text not in (*NUMBERS, *ASKED) or port.type.axes is not None:
            label = f"expected {' or '.join((*NUMBERS, *ASKED))}"
            scope.refuse("E0201", "a parameter of a rule is a number, or data", port.type.span, label)
        elif port.name.text in found:
            scope.refuse("E0102", f"`{port.name}` is declared twice", port.name.span)
        else:
            found[port.name.text] = port.type.word.text
    return tuple((name, kind) for name, kind in found.items() if kind in NUMBERS)


def _glue(scope: Scope, node: tree.Rule) -> dict[str, Port]:
    found: dict[str, Port] = {}
    for one in node.glue:
        name, word = one.name.text, one.type.word
        if name in found:
            notes = (Note(found[name].span, "declared here first"),)
            scope.refuse("E0102", f"`{name}` is declared twice", one.name.span, notes=notes)
        else:
            if word.text not in (*DTYPES, "real"):
                scope.refuse("E0101", f"unknown dtype `{word}`", word.span, hint(word.text, (*DTYPES, "real")))
            axes = one.type.axes
            shape = None if axes is None else tuple(_size(scope, axis) for axis in axes)
            found[name] = Port(name, word.text, shape, span=one.name.span)
    return found


# ---- instances ----------------------------------------------------------------------------------


def _size(scope: Scope, axis: tree.Expr | tree.AnyAxis) -> Extent | None:
    return None if isinstance(axis, tree.AnyAxis) else extent(scope, axis)


def _tested(scope: Scope, made: Schema) -> None:
    """Small instances: that both sides are well-typed, and of an exact rule that they are the same function."""
    from surgdsl.rules.discharge import Refuted, discharge
    from surgdsl.rules.instances import Misbuilt, instances

    try:
        for _ in islice(instances(made), 6):
            pass
        found = discharge(made)
    except Misbuilt as why:
        scope.refuse("E0352", "the boxes do not fit", why.what.span if why.what else made.span, why.reason)
        return
    if isinstance(found, Refuted) and made.bound:
        scope.refuse("E0349", f"the bound of `{made.name}` does not hold", made.bound.span, found.reason)
    elif isinstance(found, Refuted):
        lines = ("call it `bounded` with a bound, or `lossy`",)
        scope.refuse("E0353", f"`{made.name}` is called exact and is not", made.span, found.reason, help=lines)

"""Constructs of edition 1 that are read and formatted, but that no later room executes yet.

They are refused by name and never ignored. When one comes to be executed, its row leaves this table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from surgdsl.language import tree
from surgdsl.language.scope import Scope
from surgdsl.language.tree.walking import nodes


@frozen
class Unexecuted:
    """One construct: the class of its node, its code, its name, and where its caret goes (nowhere: it is not meant)."""

    node: type[tree.Node]
    code: str
    name: str
    where: Callable[[Any], tree.Node | None]


def _field(node: tree.Recover, name: str) -> tree.Node | None:
    return next((one for one in node.block.fields if one.name.text == name), None)


def _live(node: tree.Scoring) -> tree.Node | None:
    return node.reading if node.reading is not None and node.reading.text == "live" else None


def beyond_weights(node: tree.Require) -> bool:
    """Whether a promise is made for all of something else than the weights of a model."""
    match node.domain:
        case None | tree.Call(tree.Name("weights")):
            return False
        case _:
            return True


TABLE: tuple[Unexecuted, ...] = (
    Unexecuted(
        tree.Require, "E0411", "`for all` of this set", lambda node: node.domain if beyond_weights(node) else None
    ),
    Unexecuted(tree.Cut, "E0412", "`cut`, an interface inside the model,", lambda node: node),
    Unexecuted(
        tree.Recover, "E0416", "recovery other than fine-tuning", lambda node: node.method or _field(node, "loss")
    ),
    Unexecuted(tree.Scoring, "E0417", "`live`", _live),
)

OPAQUE = (tree.Rule, tree.Function)
"""Refused as a whole: what is inside is not judged twice."""


def refuse_unexecuted(scope: Scope, file: tree.File, *, library: bool = False) -> None:
    """Reports every construct of `file` that is not executed. Only the `library` declares rules and primitives."""
    for node in nodes(file, OPAQUE):
        if isinstance(node, tree.PrimitiveRule | tree.PrimitiveFunction) and not library:
            scope.refuse("E0421", "only the standard library declares primitives", node.name.span)
        for row in TABLE:
            where = row.where(node) if isinstance(node, row.node) else None
            if where is not None:
                message = f"{row.name} is understood, but not executed in this version of surgdsl"
                scope.refuse(row.code, message, where.span)

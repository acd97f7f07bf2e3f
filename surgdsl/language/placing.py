"""From the text of a `where` in a selector to its condition, units checked.

Which kinds of layers there are, only a model knows: an unknown one is told when a plan is made.
"""

from __future__ import annotations

from surgdsl.diagnostic import hint
from surgdsl.language import tree
from surgdsl.language.condition import RELATIONS, Called, Condition, Denied, Joined, Kind, Measure
from surgdsl.language.fitting import called
from surgdsl.language.pattern import PathPattern
from surgdsl.language.scope import Scope
from surgdsl.language.value import constant
from surgdsl.units import BIT, PLAIN, Quantity

MEASURES = {"params": PLAIN, "size": BIT}
PROPERTIES = ("kind", "path", *MEASURES)


def condition(scope: Scope, expr: tree.Expr) -> Condition | None:
    """The condition that `expr` spells."""
    match expr:
        case tree.Unary("not", operand):
            inner = condition(scope, operand)
            return inner and Denied(inner)
        case tree.Binary(("and" | "or") as word, left, right):
            sides = condition(scope, left), condition(scope, right)
            return None if sides[0] is None or sides[1] is None else Joined(word, sides[0], sides[1])
        case tree.Binary(relation, tree.Name(name) as word, right) if relation in RELATIONS:
            return _compared(scope, expr, word, right) if name in PROPERTIES else _unknown(scope, word)
        case _:
            label = f"expected for example kind == linear; there are {', '.join(PROPERTIES)}"
            return scope.refuse("E0201", "this asks nothing of a layer", expr.span, label)


def _unknown(scope: Scope, word: tree.Name) -> None:
    label = hint(word.text, PROPERTIES) or f"there are {', '.join(PROPERTIES)}"
    scope.refuse("E0101", f"a layer has no `{word.text}`", word.span, label)


def _compared(scope: Scope, expr: tree.Binary, word: tree.Name, right: tree.Expr) -> Condition | None:
    equal = expr.operator in ("==", "!=")
    match word.text, right:
        case "kind", tree.Name(name) if equal:
            return Kind(name, expr.operator == "==", span=right.span)
        case "path", tree.Path(text) if equal:
            return Called(PathPattern(text, span=right.span), expr.operator == "==")
        case (("kind" | "path"), _):
            wanted = "kind == linear" if word.text == "kind" else "path == @blocks.*"
            return scope.refuse("E0201", f"`{word.text}` is compared in another way", expr.span, f"expected {wanted}")
        case _:
            return _measured(scope, expr, word, right)


def _measured(scope: Scope, expr: tree.Binary, word: tree.Name, right: tree.Expr) -> Measure | None:
    value = constant(scope, right)
    if value is None:
        return None
    wanted = MEASURES[word.text]
    if not isinstance(value, Quantity) or value.dimension != wanted or value.percent:
        label = "expected a size such as 4KiB" if wanted == BIT else "expected a number"
        return scope.refuse("E0302", f"this is {called(value)}", right.span, label)
    return Measure(word.text, expr.operator, value.value / (8 if wanted == BIT else 1))

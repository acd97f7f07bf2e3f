"""The constants of a file (`let`, `param`), each computed once and after those that it uses.

The order comes from a sort of the references and not from recursion: names that use names twice would double the work
with every line, and a long chain of them would exhaust the stack.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from surgdsl.diagnostic import hint
from surgdsl.language import tree
from surgdsl.language.fitting import WANTED, typed
from surgdsl.language.scope import Scope
from surgdsl.language.tree.walking import nodes
from surgdsl.language.value import constant

MOST_CIRCLES = 50


def compute(scope: Scope, file: tree.File) -> None:
    """Puts the value of every constant of `file` into `scope`; what has a fault has none."""
    lets = {
        name: one.node
        for name, one in scope.names.items()
        if one.home is None and isinstance(one.node, tree.Let | tree.Param)
    }
    uses = {name: [word for word in _names(node) if word.text in lets] for name, node in lets.items()}
    for name in _sorted(scope, uses):
        value = constant(scope, lets[name].value)
        if value is not None:
            scope.constants[name] = value
    for node in file.declarations:
        if isinstance(node, tree.Let | tree.Param) and node.type is not None:
            _typed(scope, node, node.type.word)


def _names(node: tree.Let | tree.Param) -> list[tree.Name]:
    found = [one for one in nodes(node.value) if isinstance(one, tree.Name)]
    return sorted(found, key=lambda one: one.span.start)


def _sorted(scope: Scope, uses: dict[str, list[tree.Name]]) -> list[str]:
    """The names in an order in which they can be computed; every circle is reported once and left out."""
    for _ in range(MOST_CIRCLES):
        try:
            graph = {name: sorted({word.text for word in words}) for name, words in uses.items()}
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle: list[str] = error.args[1][1:][::-1]  # each uses the next, the last uses the first
            _report(scope, uses, circle)
            left = {name: words for name, words in uses.items() if name not in circle}
            uses = {name: [word for word in words if word.text in left] for name, words in left.items()}
    return []


def _report(scope: Scope, uses: dict[str, list[tree.Name]], circle: list[str]) -> None:
    """Tells a circle from its first member in the file on."""
    first = next(name for name in uses if name in circle)
    at = circle.index(first)
    turned = [*circle[at:], *circle[:at], first]
    word = next(word for word in uses[first] if word.text == turned[1])
    scope.refuse("E0105", "these declarations refer to each other in a circle", word.span, " -> ".join(turned))


def _typed(scope: Scope, node: tree.Let | tree.Param, kind: tree.Word) -> None:
    value = scope.constants.get(node.name.text)
    if kind.text not in WANTED:
        scope.refuse("E0101", f"unknown type `{kind}`", kind.span, hint(kind.text, WANTED))
    elif value is not None:
        typed(scope, value, kind, node.value.span)

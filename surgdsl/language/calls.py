"""Calls: the arguments that a file gives to a rule or a criterion, each checked against the parameter that it is for.

An argument is given by name and once, is of the type of its parameter and within its domain.
"""

from __future__ import annotations

from surgdsl.diagnostic import Note, hint
from surgdsl.language import tree
from surgdsl.language.library import Signature
from surgdsl.language.program import Value
from surgdsl.language.scope import Scope
from surgdsl.language.value import argument, options

Given = tuple[tree.Expr | tree.Keyword | tree.Each, ...]
Options = dict[str, tuple[Value, ...]]


def arguments(scope: Scope, rule: tree.Name, signature: Signature, given: Given) -> tuple[dict[str, Value], Options]:
    """The arguments of a call by name, defaults included, and those that it leaves open.

    What is optional and absent stays absent.
    """
    faults = len(scope.faults)
    first: dict[str, tree.Keyword] = {}
    for one in given:
        good = _acceptable(scope, rule, signature, one, first)
        if good is not None:
            first[good.word.text] = good
    misnamed = len(scope.faults) > faults  # then what seems to be missing may be what was misnamed
    values: dict[str, Value | None] = {}
    choices: dict[str, tuple[Value, ...] | None] = {}
    for each in signature.parameters:
        written = first.get(each.name.text)
        value = each.default if written is None else written.value
        if isinstance(value, tree.Choose):
            choices[each.name.text] = options(scope, each, value)
        elif value is not None:
            values[each.name.text] = argument(scope, each, value)
        elif not (each.optional or misnamed):
            scope.refuse("E0205", f"`{rule.text}` needs `{each.name}`", rule.span, f"{each.name}: {each.type.word}")
    good = {name: value for name, value in values.items() if value is not None}
    return good, {name: value for name, value in choices.items() if value is not None}


def _acceptable(
    scope: Scope,
    rule: tree.Name,
    signature: Signature,
    one: tree.Expr | tree.Keyword | tree.Each,
    first: dict[str, tree.Keyword],
) -> tree.Keyword | None:
    """`one`, if it is an argument that the rule has and that was not given before."""
    known = [each.name.text for each in signature.parameters]
    if not isinstance(one, tree.Keyword):
        scope.refuse("E0206", "an argument is given by name", one.span, f"expected {known[0]} = …" if known else "")
    elif one.word.text not in known:
        label = hint(one.word.text, known) or (f"it has {', '.join(known)}" if known else "it has none")
        scope.refuse("E0204", f"`{rule.text}` has no argument `{one.word}`", one.word.span, label)
    elif one.word.text in first:
        notes = (Note(first[one.word.text].span, "given here first"),)
        scope.refuse("E0203", f"`{one.word}` is given twice", one.span, notes=notes)
    else:
        return one
    return None

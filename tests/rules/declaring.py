"""Rules written as text, for tests: the schema of one, or the faults that it has."""

from __future__ import annotations

from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Source, render
from surgdsl.language import check, tree
from surgdsl.language.library import declaration
from surgdsl.language.parsing import parse
from surgdsl.language.rules import rule
from surgdsl.language.scope import scope_of
from surgdsl.rules.matching import Site
from surgdsl.rules.schema import Schema
from surgdsl.surgery.declared import Apply, paths, sites

POINTWISE = "K { x: real  y: real }"

FUSE = """rule exact join {
  L { x -> [A: linear(h, i)] -> m -> [B: linear(o, h)] -> y }
  K { x: real  y: real }
  R { x -> [C: linear(o, i)] -> y }
  with C.weight = sum[h](A.weight * B.weight)
       C.bias = sum[h](A.bias * B.weight) + B.bias
  decreases count(linear)
}"""


def schema(text: str, *, test: bool = False) -> Schema:
    """The schema of the only rule in `text`."""
    (made,) = schemas(text, test=test)
    return made


def schemas(text: str, *, test: bool = False) -> tuple[Schema, ...]:
    """The schemas of all rules in `text`, which has no faults."""
    source = Source("rule.surg", text if text.startswith("surg") else f"surg 1\n{text}\n")
    parsed = parse(source)
    scope = scope_of(parsed, source)
    made = [rule(scope, node, test=test) for node in parsed.file.declarations if isinstance(node, tree.Rule)]
    assert scope.faults == [], render(scope.faults)
    return tuple(one for one in made if one is not None)


def standard(name: str) -> tuple[Schema, ...]:
    """The rules of the library called `name`: its alternatives."""
    return schemas(declaration(f"std.rules.{name}")[1].text)


def applications(name: str, state: State) -> list[Apply]:
    """The rules of the library called `name` at every place where they apply now."""
    return [
        Apply(one, (), paths(one, state, found.form), f"{one.name} at {paths(one, state, found.form)}")
        for one in standard(name)
        for found in sites(one, state, {})
        if isinstance(found, Site)
    ]


def faults(text: str) -> tuple[Diagnostic, ...]:
    """What `surg check` says of a file with this rule."""
    _, found = check(Source("rule.surg", f"surg 1\n{text}\n"))
    return found

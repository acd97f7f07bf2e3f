"""The standard library: what each of its declarations is called with and gives back.

Its files are `.surg` like any other and are read by the same parser, one declaration in each, only when a file uses it.
Several rules in one file are alternatives: they have one name, that of the first, and apply where any of them does.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from attrs import field, frozen

from surgdsl.diagnostic import Source, shipped
from surgdsl.language import tree
from surgdsl.language.parsing import Parsed, parse


@frozen
class Signature:
    """What a call is checked against. `kind` is rule, criterion or metric."""

    kind: str
    name: str
    parameters: tuple[tree.Parameter, ...]
    grade: str = ""
    score: str | None = None
    criterion: str | None = None
    decreases: bool = False
    result: str = ""
    doc: str = ""
    node: tree.Declaration | None = field(default=None, eq=False, repr=False)

    def parameter(self, name: str) -> tree.Parameter | None:
        """The parameter called `name`, if there is one."""
        return next((one for one in self.parameters if one.name.text == name), None)

    @property
    def measured(self) -> bool:
        """Whether a metric needs data, so that its value is measured and not counted."""
        return self.kind == "metric" and any(one.type.word.text == "data" for one in self.parameters)


def standard_file(path: Path) -> bool:
    """Whether `path` is a file of the library, which alone may declare rules and primitives."""
    return path.resolve().is_relative_to(shipped("stdlib").resolve())


@cache
def catalogue() -> tuple[str, ...]:
    """Every name of the library, dotted, in alphabetical order: ``std.rules.quantize`` and so on."""
    root = shipped("stdlib")
    return tuple(sorted(".".join(file.relative_to(root).with_suffix("").parts) for file in root.rglob("*.surg")))


@cache
def declaration(target: str) -> tuple[Parsed, Source]:
    """The file of the library's `target`, read.

    Raises:
        KeyError: where `catalogue` has no such name.
    """
    if target not in catalogue():
        raise KeyError(target)
    path = shipped("stdlib").joinpath(*target.split(".")).with_suffix(".surg")
    source = Source(str(path), path.read_text(encoding="utf-8"))
    return parse(source), source


@cache
def signature(target: str) -> Signature:
    """The signature of the library's `target`.

    Raises:
        KeyError: where `catalogue` has no such name.
    """
    parsed, source = declaration(target)
    doc = " ".join(
        comment.text.removeprefix("##").strip() for comment in parsed.comments if comment.text.startswith("##")
    )
    found = [one for one in (signed(node, doc) for node in parsed.file.declarations) if one is not None]
    assert not parsed.faults, f"{source.path} has a syntax error"
    assert found, f"{source.path} must hold a declaration"
    assert len(found) == 1 or all(isinstance(one.node, tree.Rule) for one in found), f"{source.path} holds two things"
    return found[0]


def unusual(rule: str, arguments: Mapping[str, str]) -> tuple[str, ...]:
    """Arguments of a rule, as text, but for those that are as the library has them: ``bits = 4`` and so on.

    >>> unusual("quantize", {"bits": "4", "scheme": '"kmeans"', "clip": '"mse"'})
    ('bits = 4', 'clip = "mse"')
    """
    target = f"std.rules.{rule}"
    parameters = signature(target).parameters if target in catalogue() else ()
    usual = {one.name.text: one.default.span.text for one in parameters if one.default is not None}
    return tuple(f"{name} = {text}" for name, text in arguments.items() if text != usual.get(name))


def signed(node: tree.Declaration, doc: str = "") -> Signature | None:
    """The signature of a declaration that can be called."""
    match node:
        case tree.PrimitiveRule():
            score = None if node.score is None else spell(node.score)
            criterion = None if node.criterion is None else node.criterion.text
            grade = node.grade.text
            return Signature("rule", node.name.text, node.parameters, grade, score, criterion, doc=doc, node=node)
        case tree.PrimitiveFunction():
            return Signature(node.kind, node.name.text, node.parameters, result=spell(node.result), doc=doc, node=node)
        case tree.Function():
            parameters = tuple(tree.Parameter(one.name, False, one.type, span=one.span) for one in node.ports)
            return Signature(node.kind, node.name.text, parameters, result=spell(node.result), doc=doc, node=node)
        case tree.Rule():
            parameters = tuple(tree.Parameter(one.name, False, one.type, span=one.span) for one in node.ports or ())
            decreases = any(isinstance(one, tree.Proviso) and one.kind == "decreases" for one in node.provisos)
            grade = node.grade.text
            return Signature("rule", node.name.text, parameters, grade, decreases=decreases, doc=doc, node=node)
        case _:
            return None


def spell(written: tree.Type) -> str:
    """A type of names and stars as text: ``score[cout]``."""
    if written.axes is None:
        return written.word.text
    axes = ("*" if isinstance(one, tree.AnyAxis) else one.span.text for one in written.axes)
    return f"{written.word.text}[{', '.join(axes)}]"

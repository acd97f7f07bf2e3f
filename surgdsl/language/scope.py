"""The names that a file can see: its own, those that it uses, and the prelude. One namespace, no shadowing.

Every fault of a name is reported here, so that "unknown", "wrong kind" and "taken" read the same wherever they are met.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from attrs import evolve, field, frozen

from surgdsl.diagnostic import Diagnostic, Note, Source, Span, suggest
from surgdsl.language import tree
from surgdsl.language.library import Signature, catalogue, declaration, signature
from surgdsl.language.parsing import KEYWORDS, Parsed

DTYPES = ("bf16", "bool", "f16", "f32", "f64", "i16", "i32", "i64", "i8", "u8")
TYPES = ("bit", "bool", "count", "data", "dtype", "int", "model", "path", "pattern", "ratio", "score", "tensor", "text")
FUNCTIONS = ("abs", "activation", "exp", "file", "grad", "log", "max", "mean", "min", "python", "sqrt", "sum")
VALUES = ("after", "before", "false", "true")
PRELUDE = frozenset((*DTYPES, *TYPES, *FUNCTIONS, *VALUES, "std"))
BATCH = "B"
"""The only name that needs no declaration: the rows of a batch. A file that declares it says how many."""
HINTED = 20
"""Faults after which no nearest name is looked for: in a file of thousands, that would take minutes."""


@frozen
class Declared:
    """What a name stands for. `kind` is a word of the language; `signature` is there for names of the library."""

    kind: str
    name: str
    node: tree.Declaration | None = None
    span: Span | None = None
    target: str = ""
    signature: Signature | None = None
    home: Scope | None = field(default=None, eq=False, repr=False)
    """The names of the file that declares it, where that is another one."""


@frozen
class Scope:
    """The names of one file, the faults found so far, and the constants computed so far.

    `broken` are names whose declarations cannot be read: not to know them is no second fault. `turns` counts how often
    an expression is computed, within the comprehensions around it.
    """

    source: Source
    names: dict[str, Declared] = field(factory=dict[str, Declared])
    faults: list[Diagnostic] = field(factory=list[Diagnostic])
    broken: set[str] = field(factory=set[str])
    constants: dict[str, Any] = field(factory=dict[str, Any])
    turns: int = 1

    def refuse(
        self, code: str, message: str, span: Span | None, label: str = "", *, notes: tuple[Note, ...] = (),
        help: tuple[str, ...] = (),  # noqa: A002 - the field of Diagnostic
    ) -> None:  # fmt: skip
        """Adds a diagnostic."""
        self.faults.append(Diagnostic(code, message, span, label, notes, help))

    def declare(self, word: tree.Word, made: Declared) -> None:
        """Binds `word`, unless it is a keyword, taken, or of the prelude."""
        if self.keyword(word):
            self.broken.add(word.text)
            return None
        if word.text in PRELUDE:
            return self.refuse(
                "E0103", f"`{word}` is built in and cannot be declared again", word.span, "choose another name"
            )
        before = self.names.get(word.text)
        if before is None:
            self.names[word.text] = made
            return None
        notes = () if before.span is None else (Note(before.span, "declared here first"),)
        code = "E0102" if before.kind == made.kind else "E0103"
        message = (
            f"`{word}` is declared twice" if code == "E0102" else f"`{word}` is already the name of {spoken(before)}"
        )
        return self.refuse(code, message, word.span, notes=notes)

    def fresh(self, word: tree.Word) -> bool:
        """Whether `word` can name something for a while, within one expression; otherwise reports why not."""
        before = len(self.faults)
        if word.text in self.names:
            taken = self.names[word.text]
            notes = () if taken.span is None else (Note(taken.span, "declared here"),)
            self.refuse("E0103", f"`{word}` is already the name of {spoken(taken)}", word.span, notes=notes)
        elif word.text in PRELUDE:
            self.refuse("E0103", f"`{word}` is built in and cannot be declared again", word.span)
        else:
            self.keyword(word)
        return len(self.faults) == before

    @contextmanager
    def binding(self, word: tree.Word, turns: int) -> Generator[Scope]:
        """The same scope for a while, in which `word` names a constant that the caller sets."""
        self.names[word.text] = Declared("constant", word.text, None, word.span)
        try:
            yield evolve(self, turns=turns)
        finally:
            del self.names[word.text]
            self.constants.pop(word.text, None)

    def keyword(self, word: tree.Word) -> bool:
        """Whether `word` is a keyword, which is reported: no name may be one."""
        if word.text in KEYWORDS:
            self.refuse("E0104", f"`{word}` is a keyword and cannot be a name", word.span)
        return word.text in KEYWORDS

    def find(self, word: tree.Word | tree.Name, *kinds: str) -> Declared | None:
        """What `word` stands for, if it is one of `kinds`; otherwise reports and gives nothing."""
        found = self.names.get(word.text)
        if found is not None and found.kind in kinds:
            return found
        if found is not None:
            notes = () if found.span is None else (Note(found.span, "declared here"),)
            self.refuse("E0202", f"`{word.text}` is {spoken(found)}", word.span, f"expected {_any(kinds)}", notes=notes)
        elif word.text in PRELUDE:
            self.refuse("E0202", f"`{word.text}` is built in", word.span, f"expected {_any(kinds)}")
        elif not {word.text, word.text.partition(".")[0]} & self.broken:
            self._unknown(word, kinds)
        return None

    def _unknown(self, word: tree.Word | tree.Name, kinds: tuple[str, ...]) -> None:
        if len(self.faults) >= HINTED:
            return self.refuse("E0101", f"unknown name `{word.text}`", word.span)
        known = [name for name, one in self.names.items() if one.kind in kinds]
        near = suggest(word.text, known)
        library = {target.rpartition(".")[2]: target for target in catalogue() if signature(target).kind in kinds}
        offer = library.get(word.text) or library.get(suggest(word.text, library) or "")
        lines = (f"the library has it: `use {offer}`",) if offer and not near and offer not in _targets(self) else ()
        what = kinds[0] if len(kinds) == 1 else "name"
        return self.refuse(
            "E0101",
            f"unknown {what} `{word.text}`",
            word.span,
            f"did you mean `{near}`?" if near else "",
            help=lines,
        )


def _targets(scope: Scope) -> set[str]:
    return {one.target for one in scope.names.values()}


def spoken(one: Declared) -> str:
    """``a rule``, ``data``, ``an interface``."""
    return one.kind if one.kind == "data" else ("an " if one.kind[0] in "aeiou" else "a ") + one.kind


def _any(kinds: tuple[str, ...]) -> str:
    return " or ".join(spoken(Declared(kind, "")) for kind in kinds)


def scope_of(parsed: Parsed, source: Source, files: Mapping[str, Scope] | None = None) -> Scope:
    """Every name that `parsed` declares or uses, with the faults of the file so far; `files` are those that it uses."""
    scope = Scope(source, faults=list(parsed.faults), broken=set(parsed.broken))
    for node in parsed.file.declarations:
        match node:
            case tree.UseOne(path, alias):
                _use(scope, path.words, alias or path.words[-1], path.span)
            case tree.UseSome(path, names):
                for name in names:
                    _use(scope, (*path.words, name), name, name.span)
            case tree.UseFile(_, alias):
                scope.declare(alias, Declared("file", alias.text, node, alias.span))
                if files and alias.text in files:
                    _import(scope, alias.text, files[alias.text])
            case tree.Function() | tree.PrimitiveFunction():
                scope.declare(node.name, Declared(node.kind, node.name.text, node, node.name.span))
            case _:
                scope.declare(node.name, Declared(KINDS[type(node)], node.name.text, node, node.name.span))
    scope.names.setdefault(BATCH, Declared("dim", BATCH))
    return scope


def home(scope: Scope, declared: Declared) -> Scope:
    """The names that the declaration itself can see: those of its own file, which may be one of the library."""
    return declared.home or (_library_scope(declared.target) if declared.target else scope)


@cache
def _library_scope(target: str) -> Scope:
    return scope_of(*declaration(target))


KINDS: dict[type[tree.Node], str] = {
    tree.Dim: "dim", tree.Let: "constant", tree.Param: "param", tree.Model: "model", tree.Data: "data",
    tree.Interface: "interface",
    tree.PrimitiveRule: "rule", tree.Rule: "rule", tree.Surgery: "surgery", tree.Sweep: "sweep",
}  # fmt: skip


def _import(scope: Scope, alias: str, other: Scope) -> None:
    """The names that another file declares itself, as ``alias.name``."""
    for name, one in other.names.items():
        if one.node is not None and not one.target and one.kind != "file" and "." not in name:
            scope.names[f"{alias}.{name}"] = evolve(one, name=f"{alias}.{name}", home=other)
            if name in other.constants:
                scope.constants[f"{alias}.{name}"] = other.constants[name]


def _use(scope: Scope, words: tuple[tree.Word, ...], alias: tree.Word, span: Span) -> None:
    target = ".".join(word.text for word in words)
    if target in catalogue():
        found = signature(target)
        return scope.declare(alias, Declared(found.kind, found.name, found.node, alias.span, target, found))
    scope.broken.add(alias.text)
    leaf = [one for one in catalogue() if one.rpartition(".")[2] == words[-1].text]
    near = leaf[0] if leaf else suggest(target, catalogue())
    scope.refuse("E0106", f"the standard library has no `{target}`", span, f"did you mean `{near}`?" if near else "")
    return None

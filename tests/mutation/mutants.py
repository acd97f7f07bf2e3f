"""Mutants of a module: its text with one check weakened, one limit moved, one thing no longer collected.

Each is a replacement in the text, so that a person sees what was done. Nothing depends on chance: the same text has the
same mutants in the same order, and a name stays while the function around it does.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from itertools import chain
from typing import Any, NamedTuple

KINDS = {
    "check": "a check deleted", "condition": "a condition negated", "part": "a part of a condition or a filter dropped",
    "comparison": "a comparison moved", "answer": "an answer that is always the same",
    "quantifier": "all for any, least for greatest", "effect": "a statement deleted",
    "number": "a number moved by one", "element": "an element of a literal dropped",
}  # fmt: skip
OTHER: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
QUANTIFIERS = {"all": "any", "any": "all", "min": "max", "max": "min"}
Simple = ast.Expr | ast.Raise | ast.AugAssign | ast.Assign | ast.Continue | ast.Delete
Change = tuple[str, ast.AST, str]
"""The kind, the node that is replaced, and by what."""


class Mutant(NamedTuple):
    """One change of a module's text: from a byte to a byte, what stood there, what stands there instead.

    `first` and `last` are the lines of the statement around it.
    """

    module: str
    function: str
    kind: str
    first: int
    last: int
    start: int
    stop: int
    before: str
    after: str
    name: str

    def applied(self, text: str) -> str:
        """The text of the mutant."""
        raw = text.encode()
        return (raw[: self.start] + self.after.encode() + raw[self.stop :]).decode()


def mutants(module: str, text: str) -> list[Mutant]:
    """All mutants of a module, in the order of its text."""
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found, seen = list[Mutant](), Counter[tuple[str, str]]()
    for function, around, statement in statements(ast.parse(text)):
        for number, (kind, node, after) in enumerate(changes(statement, around)):
            at: ast.expr = node  # pyright: ignore[reportAssignmentType] - statements have the same places
            start, stop = (
                starts[at.lineno - 1] + at.col_offset,
                starts[(at.end_lineno or 0) - 1] + (at.end_col_offset or 0),
            )
            before = text.encode()[start:stop].decode()
            own = (
                ast.unparse(around or statement),
                ast.unparse(statement),
                str(number),
                after,
                str(seen[function, before]),
            )
            seen[function, before] += 1
            name = hashlib.sha256("\0".join((module, function, kind, before, *own)).encode()).hexdigest()[:16]
            lines = (
                statement.lineno,
                max(part.end_lineno or 0 for part in shallow(statement) if isinstance(part, ast.expr | Simple)),
            )
            found.append(Mutant(module, function, kind, *lines, start, stop, before, after, name))
    return found


def statements(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | None, ast.stmt]]:
    """Every statement with the function that it is in; what only types need is left out."""

    def inside(
        body: list[ast.stmt], name: str, around: ast.FunctionDef | None
    ) -> Iterator[tuple[str, ast.FunctionDef | None, ast.stmt]]:
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                own = statement if isinstance(statement, ast.FunctionDef) else around
                yield from inside(statement.body, f"{name}.{statement.name}".lstrip("."), own)
            elif not (isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"):
                yield name, around, statement
                for below in blocks(statement):
                    yield from inside(below, name, around)

    return inside(tree.body, "", None)


def blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The lists of statements in a statement."""
    for field in ("body", "orelse", "finalbody"):
        yield getattr(statement, field, [])
    for handler in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield handler.body


def shallow(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and what it consists of, without other statements, patterns, annotations and formatted texts."""
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "pattern", "returns", "type_params"):
            continue
        children: list[Any] = value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]
        for child in children:
            if isinstance(child, ast.AST) and not isinstance(child, ast.stmt | ast.JoinedStr | ast.ExceptHandler):
                yield from shallow(child)


def changes(statement: ast.stmt, around: ast.FunctionDef | None) -> Iterator[Change]:
    """What can be changed in a statement, not in those that it contains."""
    yield from whole(statement, around)
    tests = [node.test for node in shallow(statement) if isinstance(node, ast.If | ast.IfExp)]
    tests += [node.args[0] for node in shallow(statement) if isinstance(node, ast.Call) and called(node, ("need",))]
    for test in tests:
        yield "condition", test, f"(not ({ast.unparse(test)}))"
    for node in shallow(statement):
        yield from chain(parts(node), comparisons(node), quantified(node))
        if around is None or isinstance(node, ast.Set):
            yield from elements(node)
        if around is None or isinstance(node, ast.Compare):
            yield from numbers(node)


def called(node: ast.AST, names: tuple[str, ...]) -> bool:
    """Whether a node is a call of one of these functions."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def whole(statement: ast.stmt, around: ast.FunctionDef | None) -> Iterator[Change]:
    """The statement deleted, or the answer of a test made constant."""
    match statement:
        case ast.Raise():
            yield "check", statement, "pass"
        case ast.Expr(value=ast.Call() as call):
            yield ("check" if called(call, ("need",)) else "effect"), statement, "pass"
        case ast.AugAssign() | ast.Continue() | ast.Delete():
            yield "effect", statement, "pass"
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield "effect", statement, "pass"
        case ast.Return(value=ast.expr() as value) if (
            around and around.returns and ast.unparse(around.returns) == "bool"
        ):
            for answer in ("True", "False"):
                if ast.unparse(value) != answer:
                    yield "answer", value, answer
        case _:
            pass


def parts(node: ast.AST) -> Iterator[Change]:
    """A disjunct, a conjunct or a filter dropped."""
    if isinstance(node, ast.BoolOp):
        for at in range(len(node.values)):
            less = deepcopy(node)
            del less.values[at]
            yield "part", node, f"({ast.unparse(less if less.values[1:] else less.values[0])})"
    if isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield "part", test, "True"


def comparisons(node: ast.AST) -> Iterator[Change]:
    """A comparison that takes the edge in or leaves it out, or is the opposite."""
    for at, operator in enumerate(node.ops if isinstance(node, ast.Compare) else ()):
        other = deepcopy(node)
        assert isinstance(other, ast.Compare)
        other.ops[at] = OTHER[type(operator)]()
        yield "comparison", node, f"({ast.unparse(other)})"


def numbers(node: ast.AST) -> Iterator[Change]:
    """An integer moved up or down; those of a comparison, or of a constant of the module."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.Constant) and type(part.value) is int:
            yield "number", part, f"({part.value + 1})"
            yield "number", part, f"({part.value - 1})"


def elements(node: ast.AST) -> Iterator[Change]:
    """A table, a set or a list with one element less."""
    size = 0
    if isinstance(node, ast.Dict):
        size = len(node.values)
    elif isinstance(node, ast.Set | ast.List | ast.Tuple) and not isinstance(getattr(node, "ctx", None), ast.Store):
        size = len(node.elts)
    for at in range(size if size > 1 else 0):
        less = deepcopy(node)
        for field in ("keys", "values", "elts"):
            del getattr(less, field, [None] * size)[at]
        yield "element", node, f"({ast.unparse(less)})"


def quantified(node: ast.AST) -> Iterator[Change]:
    """All for any, the least for the greatest."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in QUANTIFIERS:
        yield "quantifier", node.func, QUANTIFIERS[node.func.id]

"""Words, expressions, types, ports and blocks: what declarations and clauses are made of.

Two nodes are equal when they say the same; where they stand in the file does not count.
"""

from __future__ import annotations

from attrs import field, frozen

from surgdsl.diagnostic import NOWHERE, Span


@frozen
class Node:
    """Anything that a file spells."""

    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)


@frozen
class Word(Node):
    """A bare word or number that stands for itself: a declared name, a keyword with a choice, a count."""

    text: str

    def __str__(self) -> str:
        return self.text


@frozen
class Dotted(Node):
    """Words joined by dots: ``std.rules.quantize``."""

    words: tuple[Word, ...]

    def __str__(self) -> str:
        return ".".join(word.text for word in self.words)


@frozen
class Name(Node):
    """A reference to something declared."""

    text: str


@frozen
class Number(Node):
    """A plain number, as it was spelled."""

    text: str


@frozen
class Amount(Node):
    """A number with its unit: ``4.25bit``, ``50%``."""

    digits: str
    unit: str


@frozen
class Text(Node):
    """A quoted text, without its quotes."""

    text: str


@frozen
class Path(Node):
    """A place in a model, with its ``@``."""

    text: str


@frozen
class Pattern(Node):
    """An N:M sparsity pattern."""

    text: str


@frozen
class Unary(Node):
    """``-x`` or ``not x``."""

    operator: str
    operand: Expr


@frozen
class Binary(Node):
    """``x + y`` and its kin, among them ``and``, ``or`` and the comparisons."""

    operator: str
    left: Expr
    right: Expr


@frozen
class Member(Node):
    """``value.word``."""

    value: Expr
    word: Word


@frozen
class Over(Node):
    """``value[axis, …]``."""

    value: Expr
    axes: tuple[Expr, ...]


@frozen
class Keyword(Node):
    """``word = value`` in a call."""

    word: Word
    value: Expr


@frozen
class Each(Node):
    """``word in domain: body`` in a call."""

    word: Word
    domain: Expr
    body: Expr


@frozen
class Call(Node):
    """``function(argument, …)``."""

    function: Expr
    arguments: tuple[Expr | Keyword | Each, ...]


@frozen
class Listing(Node):
    """``(x, y, …)``, two or more."""

    items: tuple[Expr, ...]


@frozen
class Choice(Node):
    """``{x, y, …}``."""

    items: tuple[Expr, ...]


@frozen
class Range(Node):
    """``low..high every step``, both ends included."""

    low: Expr
    high: Expr
    every: Expr | None = None


@frozen
class Choose(Node):
    """``choose domain``: the compiler picks."""

    domain: Expr


@frozen
class Conditional(Node):
    """``if test then yes else no``."""

    test: Expr
    yes: Expr
    no: Expr


Expr = (
    Name | Number | Amount | Text | Path | Pattern | Unary | Binary | Member | Over | Call | Listing | Choice | Range
    | Choose | Conditional
)  # fmt: skip


@frozen
class AnyAxis(Node):
    """``*``: an axis of any size."""


@frozen
class Type(Node):
    """``f32[B, 10]``; `axes` is absent where no brackets were written."""

    word: Word
    axes: tuple[Expr | AnyAxis, ...] | None = None


@frozen
class Port(Node):
    """``name: type``."""

    name: Word
    type: Type


@frozen
class Field(Node):
    """``name = value`` in a block."""

    name: Word
    value: Expr


@frozen
class Block(Node):
    """``{ field … }``."""

    fields: tuple[Field, ...]

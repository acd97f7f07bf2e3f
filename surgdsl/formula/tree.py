"""Formulas: what a criterion, a metric or a rule computes, as a closed tree that anyone can evaluate again.

A formula has no names of the language left, no units and no text: those are checked before it is made. It is what
certificates carry, so every node has one form in JSON, and every constant is a rational.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from attrs import evolve, frozen

EVERY = "*"
"""In place of the axes of a reduction: all that the body has, in its order."""


@frozen
class Number:
    """A rational constant."""

    value: Fraction


@frozen
class Variable:
    """A tensor of the environment by its name, such as ``C.weight``."""

    name: str


@frozen
class Metric:
    """A counted metric (`id`: params, nnz, macs, or size in bytes) of the model ``before`` or ``after``."""

    id: str
    state: str


@frozen
class Of:
    """A property (`name`: count, nnz, bits, or size in bytes) of the weight that an `Each` binds to `variable`."""

    name: str
    variable: str


@frozen
class Extern:
    """A figure that Python outside of the house gives for the model in `state`; it has no value until it is asked.

    `file` is the one that declares it: the Python is looked for beside that.
    """

    reference: str
    state: str
    file: str


@frozen
class Attested:
    """What the Python of `reference`, whose source has the digest `sha256`, gave for the model in `state`."""

    value: Fraction
    reference: str
    sha256: str
    state: str


@frozen
class Apply:
    """A function of `FUNCTIONS` of its terms, element by element; tensors are aligned by the names of their axes."""

    op: str
    terms: tuple[Formula, ...]


@frozen
class Reduce:
    """`kind` (of `REDUCTIONS`) over `axes` of `body`: in row-major order of the axes as they are listed."""

    kind: str
    axes: tuple[str, ...]
    body: Formula


@frozen
class Each:
    """`kind` over the members of the set `over` (weights) of a state, each bound to `variable` in `body`."""

    kind: str
    variable: str
    over: str
    state: str
    body: Formula


@frozen
class Spectral:
    """A part of the singular value decomposition of `body`, whose first axis counts rows and whose others columns.

    `part` is ``left`` (U·√S, the new axis called `axis`), ``right`` (√S·Vᵀ), or ``sigma``, the singular value with the
    number `rank`, counted from 1.
    """

    part: str
    body: Formula
    rank: Formula
    axis: str = ""


Formula = Number | Variable | Metric | Of | Extern | Attested | Apply | Reduce | Each | Spectral

FUNCTIONS: Mapping[str, int] = {
    "add": 2, "sub": 2, "mul": 2, "div": 2, "pow": 2, "neg": 1, "abs": 1, "min": 2, "max": 2,
    "sqrt": 1, "exp": 1, "log": 1,
    "lt": 2, "le": 2, "gt": 2, "ge": 2, "eq": 2, "ne": 2, "and": 2, "or": 2, "not": 1, "if": 3,
}  # fmt: skip
"""Every function with the number of its terms. The exponent of ``pow`` is a whole constant from −64 to 64."""

REDUCTIONS = ("sum", "mean", "prod", "max", "min", "count")
LARGEST_POWER = 64


def children(formula: Formula) -> tuple[Formula, ...]:
    """The formulas right below."""
    match formula:
        case Apply(_, terms):
            return terms
        case Reduce(_, _, body) | Each(_, _, _, _, body):
            return (body,)
        case Spectral(_, body, rank):
            return (body, rank)
        case _:
            return ()


def walk(formula: Formula) -> Iterator[Formula]:
    """The formula and everything below it, parents first, without recursion."""
    waiting = [formula]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(children(one)))


def variables(formula: Formula) -> tuple[str, ...]:
    """The names of the tensors that a formula reads, each once, in order.

    >>> variables(Apply("mul", (Variable("b"), Apply("add", (Variable("a"), Variable("b"))))))
    ('b', 'a')
    """
    return tuple(dict.fromkeys(one.name for one in walk(formula) if isinstance(one, Variable)))


def rewritten(formula: Formula, leaf: Callable[[Formula], Formula]) -> Formula:
    """The formula with every leaf replaced by what `leaf` gives for it.

    >>> rewritten(Apply("neg", (Variable("x"),)), lambda one: Number(Fraction(1)))
    Apply(op='neg', terms=(Number(value=Fraction(1, 1)),))
    """
    match formula:
        case Apply(_, terms):
            return evolve(formula, terms=tuple(rewritten(term, leaf) for term in terms))
        case Reduce(_, _, body) | Each(_, _, _, _, body):
            return evolve(formula, body=rewritten(body, leaf))
        case Spectral(_, body, rank):
            return evolve(formula, body=rewritten(body, leaf), rank=rewritten(rank, leaf))
        case _:
            return leaf(formula)

"""The clauses of a surgery: steps, their order, recovery, and what is required of the result.

Every clause is one class, so that a construct which is not executed yet can be refused by its class.
"""

from __future__ import annotations

from attrs import frozen

from surgdsl.language.tree.expression import Block, Dotted, Expr, Node, Path, Text, Word


@frozen
class Preserve(Node):
    """``preserve api, trunk``."""

    names: tuple[Dotted, ...]


@frozen
class Seed(Node):
    """``seed 7``."""

    value: Word


@frozen
class Budget(Node):
    """``budget wall <= 20min, evals <= 300``."""

    limits: tuple[Expr, ...]


@frozen
class Paths(Node):
    """``@a | @b``."""

    paths: tuple[Path, ...]


@frozen
class Selector(Node):
    """``@a | @b except @c where kind == linear``."""

    include: Paths
    exclude: Paths | None = None
    where: Expr | None = None


@frozen
class Scoring(Node):
    """``by taylor live``; `reading` is absent where neither ``frozen`` nor ``live`` was written."""

    criterion: Expr
    reading: Word | None = None


@frozen
class Stages(Node):
    """``in 5 stages cubic``."""

    count: Word
    shape: Word | None = None


@frozen
class Recover(Node):
    """``recover distill { … }``; `method` is absent for plain fine-tuning."""

    method: Word | None
    block: Block


@frozen
class Step(Node):
    """``step a = apply exhaustively rule(…) @path by criterion in N stages then recover { … }``."""

    name: Word
    exhaustively: bool
    rule: Expr
    selector: Selector
    scoring: Scoring | None = None
    stages: Stages | None = None
    recover: Recover | None = None


@frozen
class Parallel(Node):
    """``a | b``: side by side."""

    arrows: tuple[Word | Sequence, ...]


@frozen
class Sequence(Node):
    """``a >> b``: one after the other."""

    stages: tuple[Parallel, ...]


@frozen
class Order(Node):
    """``order a >> (b | c)``."""

    sequence: Sequence


@frozen
class Target(Node):
    """``target size(after) <= 1MB`` or ``target minimize damage on train``."""

    sense: Word | None
    goal: Expr
    data: Word | None = None


@frozen
class Confidence(Node):
    """``with confidence 95% among 4 candidates registered "plan.md"``."""

    level: Expr
    candidates: Word | None = None
    registered: Text | None = None


@frozen
class Require(Node):
    """``require claim for all w in domain on data with confidence 95%``."""

    claim: Expr
    each: Word | None = None
    domain: Expr | None = None
    data: Word | None = None
    confidence: Confidence | None = None


@frozen
class Emit(Node):
    """``emit { model = "…" }``."""

    block: Block


Clause = Preserve | Seed | Budget | Step | Order | Recover | Target | Require | Emit

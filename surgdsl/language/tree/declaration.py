"""The declarations of a file, and the file itself.

One class for each construct of the grammar, in the order of the grammar.
"""

from __future__ import annotations

from attrs import frozen

from surgdsl.language.tree.clause import Clause
from surgdsl.language.tree.expression import Block, Dotted, Expr, Node, Path, Port, Type, Word


@frozen
class UseOne(Node):
    """``use std.rules.quantize as q``."""

    path: Dotted
    alias: Word | None = None


@frozen
class UseSome(Node):
    """``use std.metric.{size, macs}``."""

    path: Dotted
    names: tuple[Word, ...]


@frozen
class UseFile(Node):
    """``use "./serving.surg" as serving``; the path without its quotes."""

    path: Word
    alias: Word


@frozen
class Dim(Node):
    """``dim B in 1..64``."""

    name: Word
    domain: Expr


@frozen
class Let(Node):
    """``let half: ratio = 50%``."""

    name: Word
    type: Type | None
    value: Expr


@frozen
class Param(Node):
    """``param average: bit = 4bit``."""

    name: Word
    type: Type
    value: Expr


@frozen
class Model(Node):
    """``model m : (inputs) -> (outputs) { … }``."""

    name: Word
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    block: Block


@frozen
class Data(Node):
    """``data test { … }``."""

    name: Word
    block: Block


@frozen
class InPort(Node):
    """``in x: f32[B, 4]``."""

    port: Port


@frozen
class OutPort(Node):
    """``out y: f32[B, 4]``."""

    port: Port


@frozen
class Cut(Node):
    """``cut @layer3.out: f32[B, 4]``."""

    path: Path
    type: Type


@frozen
class Interface(Node):
    """``interface api on m { … }``."""

    name: Word
    model: Word
    boundary: tuple[InPort | OutPort | Cut, ...]


@frozen
class Function(Node):
    """A criterion or metric of the file (`kind`), in Python where `extern`."""

    kind: str
    name: Word
    ports: tuple[Port, ...]
    result: Type
    body: Expr
    extern: bool = False


@frozen
class Parameter(Node):
    """``keep?: ratio in 0%..100% = 50%`` of a primitive."""

    name: Word
    optional: bool
    type: Type
    domain: Expr | None = None
    default: Expr | None = None


@frozen
class PrimitiveRule(Node):
    """``primitive rule lossy mask(keep: ratio) by score[*] = magnitude``: a rule that Python implements."""

    grade: Word
    name: Word
    parameters: tuple[Parameter, ...]
    score: Type | None = None
    criterion: Word | None = None


@frozen
class PrimitiveFunction(Node):
    """``primitive metric size(m: model) -> bit``: a metric or criterion that Python implements."""

    kind: str
    name: Word
    parameters: tuple[Parameter, ...]
    result: Type


@frozen
class Wire(Node):
    """One wire in a chain of a rule."""

    name: Word


@frozen
class Wires(Node):
    """Several wires side by side in a chain."""

    names: tuple[Word, ...]


@frozen
class Box(Node):
    """An operation in a chain: ``[C: conv2d(cout, cin, 1, 1)]``."""

    name: Word | None
    operation: Expr


@frozen
class Chain(Node):
    """``x -> [C: conv2d(…)] -> y``."""

    nodes: tuple[Wire | Wires | Box, ...]


@frozen
class Binding(Node):
    """``U.weight, V.weight = svd(W.weight)``."""

    targets: tuple[Dotted, ...]
    value: Expr


@frozen
class Proviso(Node):
    """``where``, ``bound`` or ``decreases`` (`kind`) of a rule."""

    kind: str
    value: Expr


@frozen
class With(Node):
    """``with`` of a rule: where the payloads of R come from."""

    bindings: tuple[Binding, ...]


@frozen
class Rule(Node):
    """``rule exact fold { L … K … R … }``: a span of diagrams."""

    grade: Word
    name: Word
    ports: tuple[Port, ...] | None
    left: tuple[Chain, ...]
    glue: tuple[Port, ...]
    right: tuple[Chain, ...]
    provisos: tuple[Proviso | With, ...] = ()


@frozen
class Surgery(Node):
    """``surgery slim on m { clause … }``."""

    name: Word
    model: Word
    clauses: tuple[Clause, ...]


@frozen
class Vary(Node):
    """``vary average in {3bit, 4bit}``."""

    name: Word
    domain: Expr


@frozen
class Sweep(Node):
    """``sweep frontier over shrink { … keep … limit 6 runs }``."""

    name: Word
    surgery: Word
    varies: tuple[Vary, ...]
    keep: Expr
    limit: Word


Declaration = (
    UseOne | UseSome | UseFile | Dim | Let | Param | Model | Data | Interface | Function | PrimitiveRule
    | PrimitiveFunction | Rule | Surgery | Sweep
)  # fmt: skip


@frozen
class File(Node):
    """A whole file, as far as it could be read."""

    edition: Word
    declarations: tuple[Declaration, ...]

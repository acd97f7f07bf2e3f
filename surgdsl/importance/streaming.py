"""Streaming: what a criterion sums over rows of data is summed batch by batch, so that no data need fit into memory.

A reduction over B takes in every row, and its result is put in afterwards; a formula that reads the gradient of a batch
is evaluated for each batch, and the scores of the batches are added. The gradient of a row needs a run of its own for
each row; where a formula only sums it up, or takes its mean, batches give the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, field, frozen

from surgdsl.formula import Apply, Each, Formula, Reduce, Spectral, Variable, variables
from surgdsl.formula.evaluation import Environment, evaluate
from surgdsl.formula.fields import Floats
from surgdsl.formula.tensor import Tensor
from surgdsl.language.criterion import BATCH

ADVICE = Floats(sequential=False)
"""Scores choose and prove nothing, so their last bits need not be anyone's but ours."""
ROW, TOTAL, COUNT = "grad[B]", "total grad", "rows seen"
"""The gradient of each row, their sum over a batch, and how many they are."""
COMBINED = {"sum": "add", "count": "add", "prod": "mul", "max": "max", "min": "min"}


@frozen(eq=False)
class Stream:
    """A formula cut at what is added over batches: `outer` reads what `inner` comes to, by name, summed up so far."""

    outer: Formula
    inner: Mapping[str, tuple[str, Formula]]
    """How the batches are combined, and what is evaluated for each."""
    sums: dict[str, Tensor] = field(factory=dict[str, Tensor])

    def take(self, tensors: Mapping[str, Tensor]) -> None:
        """Take in one batch of rows."""
        for name, (op, formula) in self.inner.items():
            part = evaluate(formula, Environment(tensors), ADVICE)
            before = self.sums.get(name)
            self.sums[name] = part if before is None else _combined(op, before, part)

    def value(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """The formula over everything that was taken in; 0 where nothing was."""
        if not self.sums and self.inner:
            return Tensor((), 0.0)
        return evaluate(self.outer, Environment({**tensors, **self.sums}), ADVICE)


def stream(formula: Formula, *, per_batch: bool = False) -> Stream:
    """The formula, ready to take in rows; as a whole for each batch, or only its reductions over rows.

    >>> rows = Variable("activation(w)")
    >>> stream(Apply("sqrt", (Reduce("mean", ("B",), rows),))).outer
    Apply(op='sqrt', terms=(Apply(op='div', terms=(Variable(name='rows 0'), Variable(name='rows 1'))),))
    """
    if per_batch:
        return Stream(Variable("batches"), {"batches": ("add", formula)})
    inner: dict[str, tuple[str, Formula]] = {}
    return Stream(_cut(formula, inner), inner)


def _cut(formula: Formula, inner: dict[str, tuple[str, Formula]]) -> Formula:
    match formula:
        case Reduce(kind, _, Variable(name)) if name.startswith(TOTAL):
            total = _added(Variable(name), inner)
            return Apply("div", (total, _added(Variable(COUNT), inner))) if kind == "mean" else total
        case Reduce("mean", axes) if BATCH in axes:
            return Apply("div", tuple(_cut(evolve(formula, kind=kind), inner) for kind in ("sum", "count")))
        case Reduce(kind, axes) if BATCH in axes:
            return _added(formula, inner, COMBINED[kind])
        case Apply(_, terms):
            return evolve(formula, terms=tuple(_cut(term, inner) for term in terms))
        case Reduce() | Each() | Spectral():
            return evolve(formula, body=_cut(formula.body, inner))
        case _:
            return formula


def _added(formula: Formula, inner: dict[str, tuple[str, Formula]], op: str = "add") -> Variable:
    name = f"rows {len(inner)}"
    inner[name] = op, formula
    return Variable(name)


def totalled(formula: Formula) -> Formula:
    """The formula with the gradients of rows put together batch by batch, where that comes to the same.

    >>> row = Variable("grad[B](w)")
    >>> totalled(Reduce("sum", ("B",), row))
    Reduce(kind='sum', axes=('B',), body=Variable(name='total grad(w)'))
    >>> totalled(Reduce("sum", ("B",), Apply("mul", (row, row)))) == Reduce("sum", ("B",), Apply("mul", (row, row)))
    True
    """
    made = _totalled(formula)
    return formula if any(name.startswith(ROW) for name in variables(made)) else made


def _totalled(formula: Formula) -> Formula:
    match formula:
        case Reduce("sum" | "mean", (axis,), Variable(name)) if axis == BATCH and name.startswith(ROW):
            return evolve(formula, body=Variable(TOTAL + name.removeprefix(ROW)))
        case Apply(_, terms):
            return evolve(formula, terms=tuple(_totalled(term) for term in terms))
        case Reduce() | Each() | Spectral():
            return evolve(formula, body=_totalled(formula.body))
        case _:
            return formula


def _combined(op: str, one: Tensor, other: Tensor) -> Tensor:
    return Tensor(one.axes, ADVICE.apply(op, one.values, other.laid(one.axes).values))

"""Two programs that share no code agree: on every figure, or that it has no value, and on every bit of a tensor."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.formula import REDUCTIONS, Apply, Each, Formula, Metric, Number, Of, as_json
from surgdsl.formula.evaluation import Environment, exactly
from surgdsl.formula.evaluation import evaluate as tensor_value
from surgdsl.formula.fields import RATIONALS, Undefined
from surgdsl.formula.tensor import Tensor
from surgdsl.verifier import named
from surgdsl.verifier.formula import Ground, evaluate, figure
from surgdsl.verifier.reject import Reject
from tests.formula.formulas import formulas, values
from tests.verifier.columns import tensor

METRICS, PROPERTIES = ("macs", "nnz", "params", "size"), ("bits", "count", "nnz", "size")
ARITHMETIC, RELATIONS = ("add", "sub", "mul", "div", "min", "max"), ("lt", "le", "gt", "ge", "eq", "ne")
states = st.sampled_from(["before", "after"])
numbers: st.SearchStrategy[Formula] = st.builds(Number, st.builds(Fraction, st.integers(-9, 9), st.integers(1, 9)))
"""Small ones, so that divisions by zero are met."""


def applied(op: str, *terms: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    return st.tuples(*terms).map(lambda found: Apply(op, found))


def conditions(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    compared = st.sampled_from(RELATIONS).flatmap(lambda op: applied(op, inner, inner))
    return (
        compared
        | st.sampled_from(["and", "or"]).flatmap(lambda op: applied(op, compared, compared))
        | applied("not", compared)
    )


def larger(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    exponents: st.SearchStrategy[Formula] = st.builds(Number, st.integers(-64, 64).map(Fraction))
    return st.one_of(
        st.sampled_from(ARITHMETIC).flatmap(lambda op: applied(op, inner, inner)),
        st.sampled_from(["neg", "abs"]).flatmap(lambda op: applied(op, inner)),
        applied("pow", inner, exponents), applied("if", conditions(inner), inner, inner),
    )  # fmt: skip


def figures() -> st.SearchStrategy[Formula]:
    of: st.SearchStrategy[Formula] = st.builds(Of, st.sampled_from(PROPERTIES), st.just("p"))
    bodies = st.recursive(numbers | of, larger, max_leaves=5)
    each: st.SearchStrategy[Formula] = st.builds(
        Each, st.sampled_from(REDUCTIONS), st.just("p"), st.just("weights"), states, bodies
    )
    metric: st.SearchStrategy[Formula] = st.builds(Metric, st.sampled_from(METRICS), states)
    return st.recursive(numbers | metric | each, larger, max_leaves=8)


records = st.lists(st.fixed_dictionaries({name: st.integers(0, 12) for name in PROPERTIES}), max_size=3)
counts = st.fixed_dictionaries({name: st.integers(0, 12) for name in METRICS})


@given(figures(), st.tuples(counts, counts), st.tuples(records, records))
def test_compiler_and_verifier_agree(
    formula: Formula, metrics: tuple[dict[str, int], ...], weights: tuple[list[dict[str, int]], ...]
) -> None:
    written = as_json(formula)
    figure(written, "here")
    named: dict[str, dict[str, int]] = dict(zip(("before", "after"), metrics, strict=True))
    found: dict[str, list[dict[str, int]]] = dict(zip(("before", "after"), weights, strict=True))
    flat = {(name, state): count for state, one in named.items() for name, count in one.items()}
    ground = Ground(
        {state: {f"{name}/1": n for name, n in one.items()} for state, one in named.items()}, found, frozenset()
    )
    expected: Fraction | None
    try:
        expected = exactly(formula, Environment(metrics=flat, weights=found), RATIONALS)
    except Undefined:
        expected = None
    try:
        actual = evaluate(written, ground)
    except Reject as reject:
        assert reject.code == "V18"  # noqa: PT017 - the reason is what is asked
        assert expected is None
    else:
        assert expected == actual


WEIGHTS = ("add", "sub", "mul", "div", "neg", "abs", "min", "max", "pow", "sqrt")


@given(formulas(WEIGHTS, ("sum", "prod", "mean", "max", "min", "count"), depth=4), values())
def test_the_weights_that_a_rule_makes_have_the_same_bits(formula: Formula, exact: dict[str, Tensor]) -> None:
    given = {name: Tensor(one.axes, one.values.astype(np.float64)) for name, one in exact.items()}
    expected = tensor_value(formula, Environment(given))
    actual = named.evaluate(as_json(formula), {name: tensor(one.axes, one.values) for name, one in given.items()})
    extents = dict(zip(expected.axes, expected.values.shape, strict=True))
    assert extents == actual.extents
    mine, theirs = expected.values, np.asarray(actual.along(extents)).reshape(expected.values.shape)
    assert np.isnan(mine).tolist() == np.isnan(theirs).tolist()
    number = ~np.isnan(mine)
    assert mine[number].tobytes() == np.asarray(theirs[number], dtype=np.float64).tobytes()

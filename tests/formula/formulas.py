"""Random formulas over small tensors, and a slow evaluator to compare with: dictionaries and plain loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from surgdsl.formula import REDUCTIONS, Apply, Each, Formula, Metric, Number, Of, Reduce, Spectral, Variable
from surgdsl.formula.tensor import Tensor

EXTENTS = {"i": 2, "j": 3, "k": 1}
TENSORS = {"s": (), "v": ("i",), "m": ("i", "j"), "t": ("k", "j", "i")}
"""The tensors that formulas speak of, with their axes."""

Table = dict[tuple[int, ...], Any]


def rationals() -> st.SearchStrategy[Fraction]:
    return st.builds(Fraction, st.integers(-9, 9), st.integers(1, 9))


@st.composite
def values(draw: st.DrawFn) -> dict[str, Tensor]:
    """A value for every tensor, in exact rationals."""
    found: dict[str, Tensor] = {}
    for name, axes in TENSORS.items():
        shape = tuple(EXTENTS[axis] for axis in axes)
        numbers = draw(st.lists(rationals(), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
        array = np.empty(len(numbers), dtype=object)
        array[:] = numbers
        found[name] = Tensor(axes, array.reshape(shape))
    return found


def axes_of(formula: Formula) -> tuple[str, ...]:
    match formula:
        case Variable(name):
            return TENSORS[name]
        case Apply(_, terms):
            return tuple(dict.fromkeys(axis for term in terms for axis in axes_of(term)))
        case Reduce(_, axes, body):
            return tuple(axis for axis in axes_of(body) if axis not in axes)
        case _:
            return ()


@st.composite
def formulas(draw: st.DrawFn, functions: tuple[str, ...], kinds: tuple[str, ...], depth: int = 3) -> Formula:
    """A formula over `TENSORS` of these functions and reductions."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        leaf: st.SearchStrategy[Formula] = st.builds(Variable, st.sampled_from(sorted(TENSORS)))
        return draw(leaf | st.builds(Number, rationals()))
    inner = formulas(functions, kinds, depth - 1)
    op = draw(st.sampled_from((*functions, "reduce")))
    if op == "reduce":
        body = draw(inner)
        found = draw(st.permutations(axes_of(body)))
        count = draw(st.integers(0, len(found)))
        return Reduce(draw(st.sampled_from(kinds)), tuple(found[:count]), body) if count else body
    if op == "pow":
        return Apply("pow", (draw(inner), Number(Fraction(draw(st.integers(0, 3))))))
    unary = op in ("neg", "abs", "sqrt")
    return Apply(op, (draw(inner),) if unary else (draw(inner), draw(inner)))


def any_formula() -> st.SearchStrategy[Formula]:
    """Every kind of node, whatever it would mean."""
    names, states = st.sampled_from(["a", "w.values"]), st.sampled_from(["before", "after"])
    leaves: st.SearchStrategy[Formula] = st.one_of(
        st.builds(Number, st.fractions()), st.builds(Variable, names),
        st.builds(Metric, st.sampled_from(["size", "macs"]), states),
        st.builds(Of, st.sampled_from(["bits", "count"]), names),
    )  # fmt: skip
    kinds, one_axis = st.sampled_from(REDUCTIONS), st.lists(st.sampled_from("ijk"), min_size=1, max_size=3, unique=True)

    def larger(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
        pairs, triples = st.tuples(inner, inner), st.tuples(inner, inner, inner)
        return st.one_of(
            st.builds(Apply, st.sampled_from(["add", "pow", "lt"]), pairs), st.builds(Apply, st.just("if"), triples),
            st.builds(Reduce, kinds, one_axis.map(tuple), inner), st.builds(Each, kinds, names, st.just("weights"),
            states, inner), st.builds(Spectral, st.sampled_from(["left", "sigma"]), inner, inner, names),
        )  # fmt: skip

    return st.recursive(leaves, larger, max_leaves=12)


# ---- the evaluator to compare with --------------------------------------------------------------


def table(tensor: Tensor, convert: Callable[[Fraction], Any]) -> Table:
    return {place: convert(tensor.values[place]) for place in product(*map(range, tensor.values.shape))}


def looped(
    formula: Formula,
    given: Mapping[str, Tensor],
    convert: Callable[[Fraction], Any],
    functions: Mapping[str, Callable[..., Any]],
) -> Table:
    """The value at each place of `axes_of(formula)`."""
    axes = axes_of(formula)
    places = list(product(*(range(EXTENTS[axis]) for axis in axes)))
    match formula:
        case Number(value):
            return {(): convert(value)}
        case Variable(name):
            return table(given[name], convert)
        case Apply("pow", (base, Number(exponent))):
            found = looped(base, given, convert, functions)
            return {place: _power(found[place], int(exponent), convert, functions) for place in places}
        case Apply(op, terms):
            sides = [(axes_of(term), looped(term, given, convert, functions)) for term in terms]
            return {
                place: functions[op](*(found[_picked(place, axes, own)] for own, found in sides)) for place in places
            }
        case Reduce(kind, gone, body):
            inner = looped(body, given, convert, functions)
            return {place: _folded(kind, place, (axes, gone, axes_of(body)), inner, functions) for place in places}
        case _:
            raise AssertionError(formula)


def _power(value: Any, exponent: int, convert: Callable[[Fraction], Any], functions: Mapping[str, Any]) -> Any:
    made = value if exponent else convert(Fraction(1))
    for _ in range(exponent - 1):
        made = functions["mul"](made, value)
    return made


def _picked(place: tuple[int, ...], axes: tuple[str, ...], own: tuple[str, ...]) -> tuple[int, ...]:
    where = dict(zip(axes, place, strict=True))
    return tuple(where[axis] for axis in own)


def _folded(
    kind: str, place: tuple[int, ...], axes: tuple[tuple[str, ...], ...], inner: Table, functions: Mapping[str, Any]
) -> Any:
    (rest, gone, own), step = axes, {"sum": "add", "prod": "mul", "max": "max", "min": "min"}[kind]
    made: Any = None
    for other in product(*(range(EXTENTS[axis]) for axis in gone)):
        one = inner[_picked((*place, *other), (*rest, *gone), own)]
        made = one if made is None else functions[step](made, one)
    return made

"""Formulas in JSON: one form each, and nothing else is read."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given

from surgdsl.formula import (
    Apply,
    Attested,
    Each,
    Extern,
    Formula,
    Metric,
    Number,
    Of,
    Reduce,
    Spectral,
    Variable,
    as_json,
    from_json,
    rewritten,
    walk,
)
from tests.formula.formulas import any_formula

NAMES = {one.__name__: one for one in (Apply, Attested, Each, Extern, Metric, Number, Of, Reduce, Spectral, Variable)}


@given(any_formula())
def test_a_formula_comes_back_from_json(formula: Formula) -> None:
    assert formula == from_json(json.loads(json.dumps(as_json(formula))))


@given(any_formula())
def test_a_formula_is_what_its_representation_evaluates_to(formula: Formula) -> None:
    assert formula == eval(repr(formula), {**NAMES, "Fraction": Fraction})  # noqa: S307 - the law of our values


@given(any_formula())
def test_rewriting_nothing_changes_nothing_and_every_leaf_is_met(formula: Formula) -> None:
    met: list[Formula] = []

    def leaf(one: Formula) -> Formula:
        met.append(one)
        return one

    assert formula == rewritten(formula, leaf)
    assert met == [one for one in walk(formula) if not isinstance(one, Apply | Each | Reduce | Spectral)]


EXTERNS = (Extern("a:b", "after", "folder/c.surg"), Attested(Fraction(1, 3), "a:b", "0" * 64, "before"))


@pytest.mark.parametrize("formula", EXTERNS, ids=str)
def test_what_python_gives_is_written_too(formula: Formula) -> None:
    assert formula == from_json(as_json(formula))


WRONG: tuple[Any, ...] = (
    None, 3, [], {}, {"number": 3}, {"number": "2/4"}, {"number": "1", "unit": "bit"}, {"metric": "size", "state":
    "after"}, {"metric": "size/1", "state": "now"}, {"apply": "sin", "terms": [{"number": "1"}]},
    {"apply": "add", "terms": [{"number": "1"}]}, {"apply": "add", "terms": {}}, {"of": "colour", "variable": "p"},
    {"reduce": "sum", "axes": [], "body": {"number": "1"}}, {"reduce": "sum", "axes": ["i", "i"], "body": {"number":
    "1"}}, {"reduce": "sum", "axes": ["i"]}, {"each": "sum", "variable": "p", "over": "layers", "state": "after",
    "body": {"number": "1"}}, {"number": "one"}, {"number": "1/0"},
)  # fmt: skip


@pytest.mark.parametrize("value", WRONG, ids=str)
def test_what_is_no_form_of_a_formula_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"is no|are no|is a|takes|none of|literal"):
        from_json(value)

"""Measuring: promises are judged by exact counts of rows, and by a bound that covers what it says."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from attrs import evolve
from torch import nn

from surgdsl.bridge.capture import capture
from surgdsl.bridge.source import Rows
from surgdsl.diagnostic import Refusal
from surgdsl.execution.measuring import Comparison, Finding, Losing, check_classes, check_measured, compare, judge, key
from surgdsl.language import Measured, Require
from surgdsl.language.claim import Counted, Number


def comparison(lost: int, gained: int, right: int = 90, rows: int = 100) -> Comparison:
    """`right` rows were right, `lost` of them no longer are, `gained` others are now."""
    labels = np.zeros(rows, dtype=np.int64)
    before = np.where(np.arange(rows) < right, 0, 1)
    after = before.copy()
    after[:lost] = 1
    after[right : right + gained] = 0
    return Comparison(Rows("test", (np.zeros((rows, 1), dtype=np.float32),), labels), before, after)


def finding(measure: str, relation: str, limit: Fraction, confidence: Fraction | None, given: Comparison) -> Finding:
    (found,) = judge([Require("as written", Measured(measure, relation, limit, "test", confidence))], {"test": given})
    return found


@pytest.mark.parametrize(
    ("lost", "gained", "limit", "kept"), [(3, 1, 2, True), (3, 0, 2, False), (1, 5, -4, True), (0, 0, 0, True)]
)
def test_a_drop_is_a_share_of_rows(lost: int, gained: int, limit: int, *, kept: bool) -> None:
    found = finding("accuracy.drop", "<=", Fraction(limit, 100), None, comparison(lost, gained))
    assert (found.figure, found.bound, found.kept) == (Fraction(lost - gained, 100), None, kept)


@pytest.mark.parametrize(("relation", "kept"), [("<=", True), ("<", False), (">=", True), (">", False)])
def test_a_limit_that_is_met_exactly(relation: str, *, kept: bool) -> None:
    assert finding("accuracy.after", relation, Fraction(88, 100), None, comparison(3, 1)).kept == kept


def test_with_a_confidence_the_bound_decides() -> None:
    given, limit = comparison(3, 1), Fraction(3, 100)
    found = finding("accuracy.drop", "<=", limit, Fraction(95, 100), given)
    assert found.figure < limit
    assert found.bound == given.counts.bound(Fraction(95, 100))
    assert found.bound is not None
    assert found.bound > limit
    assert not found.kept


def test_counted_promises_are_not_judged_here() -> None:
    counted = Require("1 <= 2", Counted(Number(Fraction(1)), "<=", Number(Fraction(2))))
    assert judge([counted], {}) == ()


def test_every_broken_promise_is_told_with_what_was_reached() -> None:
    given = comparison(3, 1)
    found = [
        finding("accuracy.drop", "<=", Fraction(limit, 100), confidence, given)
        for limit, confidence in ((1, None), (2, None), (0, Fraction(95, 100)))
    ]
    with pytest.raises(Refusal) as refused:
        check_measured(found)
    assert refused.value.exit_code == 3
    assert [one.code for one in refused.value.diagnostics] == ["E0802", "E0802"]
    assert refused.value.diagnostics[0].label == "reached 2.0000%"
    assert refused.value.diagnostics[1].label.startswith("reached 2.0000%, at most ")
    check_measured(found[1:2])


def test_predictions_are_those_of_torch_ties_to_the_lowest() -> None:
    module = nn.Linear(2, 3, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    state = capture(module, (torch.zeros(2, 2),), dynamic={"input": {0: "B"}})
    rows = Rows("test", (np.array([[1, 0], [0, 1], [0, 0]], dtype=np.float32),), np.array([0, 1, 0]))
    asked = Require("as written", Measured("accuracy.drop", "<=", Fraction(0), "test"))
    found = compare(state, state, [asked], lambda _: rows)["test"]
    assert isinstance(found, Comparison)
    assert found.before.tolist() == found.after.tolist() == [0, 1, 0]
    assert (found.counts.before, found.counts.lost, found.counts.gained) == (3, 0, 0)


@pytest.mark.parametrize(
    "labels", [np.zeros((3, 1), dtype=np.int64), np.zeros(3, dtype=np.float32), np.zeros(3, dtype=bool)]
)
def test_labels_that_are_no_classes_are_refused(labels: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> None:
    with pytest.raises(Refusal, match="E0721"):
        check_classes(Rows("test", (np.zeros((3, 1), dtype=np.float32),), labels))


def test_a_loss_of_a_row_is_its_cross_entropy_in_bytes_rounded_up() -> None:
    module = nn.Linear(2, 3, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[4.0, 0.0], [0.0, 4.0], [-900.0, 0.0]]))
    state = capture(module, (torch.zeros(2, 2),), dynamic={"input": {0: "B"}})
    inputs = np.array([[1, 0], [0, 1], [0, 0], [1, 0], [0, 0], [np.nan, 0]], dtype=np.float32)
    labels = np.array([0, 0, 1, 2, 7, 0])
    asked = Require("as written", Measured("loss.rise", "<=", Fraction(0), "test"))
    found = compare(state, state, [asked], lambda _: Rows("test", (inputs,), labels))["test loss"]
    assert isinstance(found, Losing)
    bits = [math.log2(sum(math.exp(one) for one in logits)) for logits in ((4, 0, -900), (0, 4, 0), (0, 0, 0))]
    expected = [bits[0] - 4 / math.log(2), bits[1], bits[2], 8, 8, 8]
    assert found.after.tolist() == [math.ceil(one / 8 * 10**6) for one in expected]
    assert found.counts.rise == 0


@pytest.mark.parametrize(("measure", "relation"), [("loss.after", "<="), ("loss.rise", "<"), ("accuracy.after", ">=")])
def test_the_bound_of_a_measure_decides_and_candidates_widen_it(measure: str, relation: str) -> None:
    claim = Measured(measure, relation, Fraction(1, 2), "test", Fraction(9, 10))
    given: Comparison | Losing = comparison(3, 1, 60)
    if measure.startswith("loss"):
        losses = np.full(100, 300_000), np.full(100, 310_000)
        given = Losing(given.rows, *losses)
    one, many = (judge([Require("as written", each)], {key(each): given})[0] for each in (claim, among(claim, 10**4)))
    assert one.bound is not None
    assert many.bound is not None
    assert abs(one.bound - one.figure) < abs(many.bound - one.figure)
    assert (one.kept, many.kept) == ((True, False) if measure != "loss.rise" else (True, True))


def among(claim: Measured, candidates: int) -> Measured:
    return evolve(claim, candidates=candidates)

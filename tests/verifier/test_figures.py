"""Figures: every function and reduction against numbers worked out by hand, and every way in which they can lie."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.verifier.formula import WORK, Ground, apply, evaluate, figure, fold, spell
from surgdsl.verifier.main import main
from surgdsl.verifier.reject import Reject
from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, verdict
from tests.verifier.forge import Forge

Formula = dict[str, Any]
SHA, OTHER = "a" * 64, "b" * 64


def n(value: Any) -> Formula:
    return {"number": str(Fraction(value))}


def ap(function: str, *terms: Formula) -> Formula:
    return {"apply": function, "terms": list(terms)}


def of(key: str) -> Formula:
    return {"of": key, "variable": "p"}


def each(kind: str, body: Formula, state: str = "after") -> Formula:
    return {"each": kind, "variable": "p", "over": "weights", "state": state, "body": body}


def metric(name: str, state: str = "after") -> Formula:
    return {"metric": name, "state": state}


def python(value: str = "3/2", sha: str = SHA) -> Formula:
    return {"attested": value, "reference": "house.power:watts", "sha256": sha, "state": "after"}


TRUE, FALSE = ap("lt", n(0), n(1)), ap("lt", n(1), n(0))
AVERAGE_BITS = ap("div", each("sum", ap("mul", of("count"), of("bits"))), each("sum", of("count")))


def job(*claims: tuple[Formula, str, Formula]) -> Forge:
    """fc1.weight [4, 5] masked to its last 8 elements, 2 bits each; fc2.weight [2, 4] 4 bits each; dense biases."""
    f = s.mlp()
    s.mask(f, "fc1.weight", np.arange(20).reshape(4, 5) >= 12)
    s.quantize(f, "fc1.weight", 2)
    s.quantize_affine(f, "fc2.weight", 4, -1)
    told = [{"left": left, "relation": sign, "right": right} for left, sign, right in claims]
    f.claims = [{"counted": claim, "text": "it holds"} for claim in told]
    return f


def asked(folder: Path, formula: Formula, value: Formula, *arguments: str) -> str:
    """The verdict on the claim that a formula has a value, told as two claims."""
    return code_of(job((formula, "<=", value), (formula, ">=", value)).write(folder / "job"), *arguments)


STORED = {"fc1.weight": 3 + 2 + 16, "fc1.bias": 16, "fc2.weight": 4 + 4 + 1, "fc2.bias": 8}  # bytes, worked out by hand
VALUES: list[tuple[Formula, Any]] = [
    (AVERAGE_BITS, Fraction(20 * 2 + 4 * 32 + 8 * 4 + 2 * 32, 34)),
    (each("sum", of("size")), sum(STORED.values())),
    (each("sum", of("size")), 54),
    (ap("sub", each("sum", of("nnz"), "before"), metric("nnz/1", "before")), 0),
    (ap("sub", each("sum", of("count")), metric("params/1")), 0),
    (ap("sub", each("sum", of("size")), metric("size/1")), 0),
    (each("max", of("count")), 20),
    (each("min", of("count")), 2),
    (each("mean", of("count")), Fraction(34, 4)),
    (each("prod", of("count")), 20 * 4 * 8 * 2),
    (each("count", of("count")), 4),
    (each("sum", of("bits"), "before"), 128),
    (each("sum", ap("if", ap("eq", of("bits"), n(32)), of("count"), n(0))), 6),
    (ap("if", TRUE, n(3), ap("div", n(1), n(0))), 3),
    (ap("pow", n("-2/3"), n(-3)), Fraction(-27, 8)),
    (ap("pow", n(0), n(0)), 1),
    (ap("neg", ap("abs", n(-4))), -4),
    (ap("add", ap("min", n(2), n(3)), ap("mul", n(10), ap("max", n(2), n(3)))), 32),
    (ap("if", ap("and", TRUE, ap("not", FALSE)), n(1), n(2)), 1),
    (ap("if", ap("or", FALSE, ap("ne", n(1), n(1))), n(1), n(2)), 2),
    (ap("if", ap("and", ap("le", n(1), n(1)), ap("ge", n(1), n(1))), n(5), n(2)), 5),
    (ap("if", ap("gt", n(1), n(1)), n(1), n(5)), 5),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "value"), VALUES)
def test_a_figure_has_the_value_worked_out_by_hand(formula: Formula, value: Any, tmp_path: Path) -> None:
    assert asked(tmp_path, formula, n(value)) == ""


@pytest.mark.parametrize(("formula", "value"), VALUES)
def test_a_figure_has_no_other_value(formula: Formula, value: Any, tmp_path: Path) -> None:
    assert asked(tmp_path, formula, n(value + Fraction(1, 10**9))) == "V18"


BIG = ap("pow", n(10**38), n(32))
UNDEFINED: list[tuple[str, Formula]] = [
    ("V18", ap("div", n(1), n(0))),
    ("V18", ap("pow", n(0), n(-1))),
    ("V18", ap("pow", ap("pow", n(7), n(64)), n(64))),
    ("V18", ap("mul", BIG, BIG)),
    ("V18", ap("add", n(1), ap("mul", n(0), ap("div", n(1), n(0))))),
    ("V18", each("sum", ap("div", n(1), ap("sub", of("count"), n(20))))),
    ("V18", each("count", ap("div", n(1), ap("sub", of("count"), n(20))))),
    ("V18", each("prod", ap("mul", BIG, of("count")))),
    ("V18", ap("if", ap("and", FALSE, ap("lt", ap("div", n(1), n(0)), n(1))), n(0), n(0))),
    ("V18", ap("if", TRUE, ap("div", n(1), n(0)), n(0))),
]


@pytest.mark.parametrize(("code", "formula"), UNDEFINED)
def test_what_is_undefined_is_a_promise_not_kept(code: str, formula: Formula, tmp_path: Path) -> None:
    figure(formula, "it")
    assert code_of(job((ap("mul", n(0), formula), "<=", n(0))).write(tmp_path / "job")) == code
    with pytest.raises(Reject, match=code):
        evaluate(formula, Ground({}, {"after": [{"count": 20}, {"count": 3}, {"count": 8}]}, frozenset()))


ILL: list[Formula] = [
    {},
    {"number": "1", "metric": "size/1", "state": "after"},
    {"number": "2/4"},
    {"number": 1},
    {"number": "1e3"},
    {"number": "inf"},
    metric("watts/1"),
    metric("size/1", "between"),
    {**metric("size/1"), "note": "x"},
    ap("sqrt", n(4)),
    ap("exp", n(1)),
    ap("log", n(1)),
    ap("mod", n(4), n(3)),
    ap("add", n(1)),
    ap("add", n(1), n(1), n(1)),
    ap("neg", n(1), n(1)),
    ap("if", n(1), n(2), n(3)),
    ap("if", TRUE, TRUE, n(3)),
    ap("add", TRUE, n(1)),
    ap("and", n(1), n(1)),
    ap("eq", TRUE, TRUE),
    ap("not", n(0)),
    TRUE,
    ap("pow", n(2), n(65)),
    ap("pow", n(2), n("1/2")),
    ap("pow", n(2), metric("size/1")),
    ap("pow", n(2), ap("add", n(1), n(1))),
    of("count"),
    each("sum", {"of": "count", "variable": "q"}),
    each("sum", of("bytes")),
    each("median", of("count")),
    each("sum", each("sum", of("count"))),
    each("sum", ap("add", n(1), each("sum", of("count")))),
    each("sum", ap("lt", of("count"), n(1))),
    {**each("sum", of("count")), "over": "operations"},
    ap("add", each("sum", of("count")), of("count")),
    {"variable": "p"},
    {"reduce": "sum", "axes": ["*"], "body": n(1)},
    {"spectral": "sigma", "body": n(1), "rank": n(1), "axis": "r"},
    {**python(), "sha256": "A" * 64},
    {**python(), "attested": "0.5"},
    {key: value for key, value in python().items() if key != "reference"},
]


@pytest.mark.parametrize("formula", ILL, ids=[json.dumps(formula)[:60] for formula in ILL])
def test_what_is_no_figure_is_refused(formula: Formula, tmp_path: Path) -> None:
    assert code_of(job((n(0), "<=", formula)).write(tmp_path / "job"), "--trust", SHA) == "V03"


def test_the_exponent_of_a_power_is_in_lowest_terms_and_small() -> None:
    for good in ("-64", "0", "64"):
        figure(ap("pow", n(2), {"number": good}), "it")
    for bad in ("-0", "065", "65", "-65"):
        with pytest.raises(Reject, match="V03"):
            figure(ap("pow", n(2), {"number": bad}), "it")


def test_a_number_of_4096_bits_is_a_number_and_one_of_4097_is_not() -> None:
    assert apply("add", Fraction(2**4094), Fraction(0)) == 2**4094  # 4095 bits, and one for the denominator
    for far in (Fraction(2**4095), Fraction(1, 2**4095), Fraction(2**2048, 2**2048 + 1)):
        with pytest.raises(Reject, match="V18"):
            apply("add", far, Fraction(0))


@given(st.fractions(max_denominator=2**70), st.integers(-64, 64))
def test_a_power_is_exact_or_has_too_many_bits(base: Fraction, exponent: int) -> None:
    wide = base == 0 and exponent < 0
    wide = wide or sum(part.bit_length() for part in (base**exponent).as_integer_ratio()) > 4096
    if wide:
        with pytest.raises(Reject, match="V18"):
            apply("pow", base, Fraction(exponent))
    else:
        assert apply("pow", base, Fraction(exponent)) == base**exponent


def test_claims_that_take_too_long_are_refused() -> None:
    ground = Ground({}, {"after": [{"count": 1}] * 1000}, frozenset())
    assert evaluate(each("sum", of("count")), ground) == 1000
    assert ground.work == WORK - 1001
    ground.work = 1000
    with pytest.raises(Reject, match="V20"):
        evaluate(each("sum", of("count")), ground)


@pytest.mark.parametrize("kind", ["mean", "max", "min"])
def test_nothing_has_no_mean_and_no_extremes(kind: str) -> None:
    with pytest.raises(Reject, match="V18"):
        evaluate(each(kind, of("count")), Ground({}, {"after": []}, frozenset()))


RATIONALS = st.fractions(max_denominator=10**6)


@given(st.lists(RATIONALS, min_size=1, max_size=6), st.randoms())
def test_reductions_are_exact_and_do_not_depend_on_the_order(terms: list[Fraction], random: Any) -> None:
    moved = random.sample(terms, len(terms))
    for kind in ("sum", "mean", "prod", "max", "min", "count"):
        assert fold(kind, terms) == fold(kind, moved)
    assert fold("mean", terms) * len(terms) == fold("sum", terms) == sum(terms)


def test_a_number_of_python_needs_the_auditor_s_trust(tmp_path: Path) -> None:
    folder = job((python("3/2"), "<=", n(2)), (metric("size/1"), "<=", n(54))).write(tmp_path / "job")
    assert code_of(folder) == "V21"
    assert code_of(folder, "--trust", OTHER) == "V21"
    code, line = verdict(folder, "--trust", SHA, "--trust", OTHER)
    assert code == 0
    assert [claim["grade"] for claim in line["claims"]] == ["trusted", "proved"]
    assert f"trusts house.power:watts, SHA-256 {SHA}" in line["claims"][0]["detail"]
    assert code_of(job((python("5/2"), "<=", n(2))).write(tmp_path / "high"), "--trust", SHA) == "V18"


def test_trust_is_needed_for_each_file_and_wherever_a_number_stands(tmp_path: Path) -> None:
    two = ap("if", TRUE, n(1), each("sum", ap("mul", n(0), python("1", OTHER))))
    folder = job((ap("add", python("1"), two), "<=", n(2))).write(tmp_path / "job")
    assert code_of(folder, "--trust", SHA) == code_of(folder, "--trust", OTHER) == "V21"
    assert code_of(folder, "--trust", SHA, "--trust", OTHER) == ""


def test_what_is_trusted_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job((python("3/2"), "<=", n(2))).write(tmp_path / "job")
    assert main([str(folder), "--trust", SHA]) == 0
    text = capsys.readouterr().out
    assert f"house.power:watts(after) <= 2: 1.5 <= 2; trusts house.power:watts, SHA-256 {SHA}" in text
    assert "1 claim (1 trusted)" in text
    assert main([str(folder)]) == 4
    assert f"--trust {SHA}" in capsys.readouterr().out


def test_a_person_reads_a_figure() -> None:
    assert spell(AVERAGE_BITS) == "sum(p in weights(after): count(p) * bits(p)) / sum(p in weights(after): count(p))"
    assert spell(ap("mul", ap("add", n(1), metric("size/1", "before")), n(2))) == "(1 + size(before)) * 2"
    assert (
        spell(ap("if", ap("not", TRUE), ap("neg", n(1)), ap("max", n(1), n(2)))) == "if(not(0 < 1), neg(1), max(1, 2))"
    )

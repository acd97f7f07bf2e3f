"""Metrics of the user's own: what they come to as formulas, and that the library's counts are what it says they are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from attrs import evolve

from surgdsl.bridge.encoding import dense, with_codebook, with_mask
from surgdsl.diagnostic import Source
from surgdsl.execution.canonical import Json, encode
from surgdsl.formula import Apply, Each, Extern, Formula, Metric, Number, Of, as_json
from surgdsl.formula.evaluation import Environment, exactly
from surgdsl.formula.fields import RATIONALS
from surgdsl.importance.primitive import PRIMITIVES
from surgdsl.language import Counted, check
from surgdsl.language.deciding import DAMAGES
from surgdsl.language.figures import COUNTED, Context, term
from surgdsl.language.library import catalogue, declaration, signature
from surgdsl.language.scope import scope_of
from surgdsl.language.tree import Function, PrimitiveFunction
from surgdsl.metrics import Record, properties

HEAD = """surg 1
use std.metric.{macs, nnz, params, size}
use std.rules.quantize
model net : (x: f32[B, 4]) -> (y: f32[B, 2]) { source = python("net:build") }
"""

SURGERY = "surgery s on net {\n  step code = apply quantize(bits = 4bit) @**\n"


def claim(declarations: str, require: str) -> Counted:
    text = f"{HEAD}{declarations}\n{SURGERY}  require {require}\n}}\n"
    program, faults = check(Source("f.surg", text))
    assert program is not None, faults
    found = program.surgeries[0].requires[0].claim
    assert isinstance(found, Counted)
    return found


def codes(declarations: str, require: str) -> list[str]:
    text = f"{HEAD}{declarations}\n{SURGERY}  require {require}\n}}\n"
    return [one.code for one in check(Source("f.surg", text))[1]]


def number(value: str) -> Number:
    return Number(Fraction(value))


def apply(op: str, *terms: Formula) -> Apply:
    return Apply(op, terms)


SIZE = [Metric("size", "after"), Metric("size", "before")]
SUM = "sum(p in weights(m): count(p) * bits(p)) / sum(p in weights(m): count(p))"
STORED = Each("sum", "p", "weights", "after", apply("mul", Of("count", "p"), Of("bits", "p")))
COUNT = Each("sum", "p", "weights", "after", Of("count", "p"))


def test_a_metric_is_put_in_where_it_is_called() -> None:
    found = claim("metric cost(m: model) -> ratio = 0.7 * size(m) / size(before) + 0.3", "cost(after) <= 45%")
    expected = apply("add", apply("div", apply("mul", number("7/10"), SIZE[0]), SIZE[1]), number("3/10"))
    assert Counted(expected, "<=", number("9/20")) == found


def test_sizes_are_in_bytes_but_where_bits_are_spoken_of() -> None:
    found = claim(f"metric average(m: model) -> bit = {SUM}", "average(after) <= 4.25bit")
    assert Counted(apply("div", STORED, COUNT), "<=", number("17/4")) == found
    mixed = claim(f"metric average(m: model) -> bit = {SUM}", "average(after) + size(after) <= 1B")
    assert apply("mul", number("8"), SIZE[0]) == mixed.left.terms[1] if isinstance(mixed.left, Apply) else None
    assert number("8") == mixed.right
    assert Counted(SIZE[0], "<=", number("1")) == claim("", "size(after) <= 1B")


def test_a_metric_may_use_another_and_both_models() -> None:
    text = (
        "metric a(m: model) -> ratio = size(m) / size(before)\nmetric b(n: model) -> ratio = max(a(n), 1 - a(before))"
    )
    ratio = apply("div", SIZE[0], SIZE[1])
    other = apply("sub", number("1"), apply("div", SIZE[1], SIZE[1]))
    assert apply("max", ratio, other) == claim(text, "b(after) < 1").left


def test_differences_of_a_metric_are_of_both_models() -> None:
    text = "metric a(m: model) -> ratio = size(m) / size(before)"
    before, after = apply("div", SIZE[1], SIZE[1]), apply("div", SIZE[0], SIZE[1])
    assert apply("sub", before, after) == claim(text, "a.drop > 1%").left
    assert apply("div", apply("sub", after, before), before) == claim(text, "a.relative_rise < 1%").left


def test_python_is_named_and_its_unit_kept() -> None:
    text = 'extern metric cost(m: model) -> {} = python("house:cost")'
    asked = Extern("house:cost", "after", "f.surg")
    assert asked == claim(text.format("ratio"), "cost(after) < 1").left
    assert apply("mul", number("1/8"), asked) == claim(text.format("bit"), "cost(after) < 1B").left


def test_for_all_is_a_promise_of_the_worst() -> None:
    bits, limit = Of("bits", "p"), number("8")
    worst = Each("max", "p", "weights", "after", apply("sub", bits, limit))
    assert Counted(worst, "<=", number("0")) == claim("", "bits(p) <= 8bit for all p in weights(after)")
    share = apply("div", Of("nnz", "q"), Of("count", "q"))
    least = Each("min", "q", "weights", "before", apply("sub", number("1/2"), share))
    assert Counted(least, ">", number("0")) == claim("", "50% > nnz(q) / count(q) for all q in weights(before)")


CONDITION = "if size(m) <= 1KiB and not (params(m) > 7) then nnz(m)^2 / params(m) else params(m)"


def test_conditions_powers_and_counts() -> None:
    found = claim(f"metric a(m: model) -> count = {CONDITION}", "a(after) <= 7").left
    nnz, params = Metric("nnz", "after"), Metric("params", "after")
    test = apply("and", apply("le", SIZE[0], number("1024")), apply("not", apply("gt", params, number("7"))))
    assert apply("if", test, apply("div", apply("pow", nnz, number("2")), params), params) == found


def records() -> list[Record]:
    """Properties of a dense, a coded and a masked weight."""
    values = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    values[0] = 0
    plain = dense(values)
    coded = with_codebook(plain, np.linspace(-2, 2, 4, dtype=np.float32), 2)
    return [properties(one) for one in (plain, coded, with_mask(plain, values > 0))]


@pytest.mark.parametrize("name", [name for name in COUNTED if name != "macs"])
def test_the_counts_of_certificates_are_what_the_library_says_they_are(name: str) -> None:
    parsed, source = declaration(f"std.metric.{name}")
    node = signature(f"std.metric.{name}").node
    assert isinstance(node, Function)
    made = term(Context(scope_of(parsed, source), {"m": "after"}), node.body)
    assert made is not None
    key = {"params": "count"}.get(name, name)
    weights = records()
    expected = sum(one[key] for one in weights)
    assert expected == exactly(made.expr, Environment(weights={"after": weights}), RATIONALS)
    assert [one["bits"] for one in weights] != [1, 1, 1]


def chain(length: int) -> str:
    lines = (f"metric a{n}(m: model) -> ratio = a{n - 1}(m) + size(m) / size(before)" for n in range(1, length))
    return "\n".join(["metric a0(m: model) -> ratio = size(m) / size(before)", *lines])


def test_the_deepest_formula_that_is_accepted_fits_into_a_certificate() -> None:
    found = claim(chain(12), "a11(after) < 1e6")
    inside: Json = {"counted": {"left": as_json(found.left), "relation": "<"}}
    for _ in range(2):
        inside = [inside]
    assert encode({"predicate": inside})
    assert codes(chain(13), "a12(after) < 1e6") == ["E0007"]


def test_metrics_that_double_each_other_are_refused_before_they_grow() -> None:
    lines = (f"metric a{n}(m: model) -> ratio = a{n - 1}(m) + a{n - 1}(m)" for n in range(1, 60))
    text = "\n".join(["metric a0(m: model) -> ratio = size(m) / size(before)", *lines])
    assert set(codes(text, "a59(after) < 1")) <= {"E0007", "E0305"}
    assert codes(text, "a59(after) < 1")


def test_only_the_four_counts_have_a_word_of_their_own() -> None:
    mine = "metric size2(m: model) -> bit = sum(p in weights(m): size(p))"
    assert Each("sum", "p", "weights", "after", Of("size", "p")) == claim(mine, "size2(after) < 1B").left
    assert evolve(Metric("size", "after"), state="before") == SIZE[1]


def test_python_implements_only_what_the_language_cannot_say() -> None:
    nodes = {target: signature(target).node for target in catalogue() if ".rules." not in target}
    primitive = {target for target, node in nodes.items() if isinstance(node, PrimitiveFunction)}
    measured = {f"std.metric.{name}" for name in (*DAMAGES, "accuracy", "loss")}
    ranking = {f"std.importance.{one.name}" for one in PRIMITIVES}
    assert primitive == {*measured, *ranking, "std.metric.macs"}

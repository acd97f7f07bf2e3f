"""Declarations: what is wrong with a rule is told at the very characters, and everything at once."""

from __future__ import annotations

import pytest

from tests.rules.declaring import FUSE, POINTWISE, faults, schema, standard


def lossy(left: str, right: str, glue: str = POINTWISE, after: str = "", head: str = "lossy r") -> str:
    return f"rule {head} {{\n  L {{ {left} }}\n  {glue}\n  R {{ {right} }}\n  {after}\n}}"


RELU = "x -> [relu] -> y"

WRONG = {
    "an unknown box": (lossy("x -> [rellu] -> y", RELU), "E0341", "rellu"),
    "an operator that is spelled badly": (lossy("x -> [aten.relu] -> y", RELU), "E0341", "aten.relu"),
    "too few sizes": (lossy("x -> [linear(o)] -> y", RELU), "E0342", "linear(o)"),
    "an unknown argument": (lossy('x -> [gelu(approx = "tanh")] -> y', RELU), "E0342", "approx"),
    "an argument that follows from the sizes": (
        lossy("x -> [layernorm(c, normalized_shape = 3)] -> y", RELU), "E0342", "normalized_shape"
    ),
    "an argument twice": (
        lossy("x -> [leaky_relu(negative_slope = 1, negative_slope = 2)] -> y", RELU), "E0203", "negative_slope = 2"
    ),
    "one input too few": (lossy("x -> [add] -> y", RELU), "E0342", "[add]"),
    "one input too many": (
        lossy("(x, z) -> [relu] -> y", "(x, z) -> [add] -> y", "K { x: real  y: real  z: real }"), "E0342", "[relu]"
    ),
    "an argument of R that nothing says": (lossy(RELU, "x -> [softmax] -> y"), "E0342", "[softmax]"),
    "half a size": (lossy("x -> [linear(o / 2, i)] -> y", RELU), "E0343", "o / 2"),
    "wire after wire": (lossy(RELU, "x -> y"), "E0344", "y"),
    "a box called twice alike": (lossy("x -> [A: relu] -> [A: relu] -> y", RELU), "E0102", "A"),
    "a wire of K that is nowhere": (lossy(RELU, RELU, "K { x: real  y: real  z: real }"), "E0345", "z"),
    "a wire kept twice": (lossy(RELU, RELU, "K { x: real  y: real  y: real }"), "E0102", "y"),
    "a dtype that is none": (lossy(RELU, RELU, "K { x: float  y: real }"), "E0101", "float"),
    "an input that is not kept": (lossy(RELU, RELU, "K { y: real }"), "E0345", "x"),
    "two writers": (lossy(RELU, "x -> [relu] -> y  x -> [tanh] -> y"), "E0346", "[tanh]"),
    "a writer less": (
        lossy("x -> [relu] -> y -> [relu] -> z", "(x, y) -> [add] -> z", "K { x: real  y: real  z: real }"),
        "E0346", "y"
    ),
    "a circle": (lossy(RELU, "(x, b) -> [add] -> a -> [relu] -> b  a -> [tanh] -> y"), "E0346", "[add]"),
    "a result that nothing uses": (lossy(RELU, "x -> [relu] -> y  x -> [tanh] -> z"), "E0346", "[tanh]"),
    "a size that only R knows": (
        lossy("x -> [linear(o, i)] -> y", "x -> [B: linear(o, k)] -> y", after="with B.weight = 1"),
        "E0347", "[B: linear(o, k)]"
    ),
    "a weight without a value": (lossy("x -> [linear(o, i)] -> y", "x -> [B: linear(o, i)] -> y"), "E0348",
                                 "[B: linear(o, i)]"),
    "a value for nothing": (lossy(RELU, "x -> [B: relu] -> y", after="with B.weight = 1"), "E0348", "B.weight"),
    "a value for no box": (lossy(RELU, "x -> [B: relu] -> y", after="with C.weight = 1"), "E0348", "C"),
    "a value over other axes": (
        lossy("x -> [A: linear(o, i)] -> y", "x -> [A: linear(o, i)] -> y",
              after="with A.weight = A.weight\n A.bias = A.weight"), "E0348", "A.weight"
    ),
    "a value with bits of its own": (
        lossy("x -> [A: linear(o, i)] -> y", "x -> [A: linear(o, i)] -> y", after="with A.weight = exp(A.weight)"),
        "E0348", "exp(A.weight)"
    ),
    "a sum over no axis of it": (
        lossy("x -> [A: linear(o, i)] -> y", "x -> [A: linear(o, i)] -> y",
              after="with A.weight = sum[k](A.weight)"), "E0324", "k"
    ),
    "a name that is nothing": (
        lossy("x -> [A: linear(o, i)] -> y", "x -> [A: linear(o, i)] -> y", after="with A.weight = A.wait"),
        "E0101", "A.wait"
    ),
    "a condition that is a number": (lossy(RELU, RELU, after="where 1 + 1"), "E0201", "1 + 1"),
    "a bounded rule without a bound": (lossy(RELU, RELU, head="bounded r"), "E0349", "bounded"),
    "a bound of a wire inside": (
        lossy(RELU, RELU, after="bound l2(z.before - z.after) <= 1 * l2(x)", head="bounded r"), "E0349",
        "l2(z.before - z.after) <= 1 * l2(x)"
    ),
    "a bound that does not hold": (
        lossy("x -> [A: linear(o, i)] -> y", "x -> [A: linear(o, i)] -> y", "K { x: real[*, i]  y: real[*, o] }",
              "with A.weight = 2 * A.weight\n bound l2(y.before - y.after) <= 0 * l2(x)", "bounded r"),
        "E0349", "l2(y.before - y.after) <= 0 * l2(x)"
    ),
    "nothing decreases": (lossy(RELU, "x -> [tanh] -> y", after="decreases count(tanh)"), "E0350", "count(tanh)"),
    "no number that decreases": (lossy(RELU, RELU, after="decreases 1 - count(relu)"), "E0350", "1 - count(relu)"),
    "two pieces": (
        lossy("x -> [A: relu] -> y  a -> [B: relu] -> b", "x -> [relu] -> y  a -> [relu] -> b",
              "K { x: real  y: real  a: real  b: real }"), "E0351", "[B: relu]"
    ),
    "boxes that do not fit": (
        lossy("x -> [A: linear(o, i)] -> y", "x -> [B: linear(i, o)] -> y", "K { x: real[*, i]  y: real[*, o] }",
              "with B.weight = 1"), "E0352", "[B: linear(i, o)]"
    ),
    "a type that L does not write": (
        lossy("x -> [A: linear(o, i)] -> y", "x -> [relu] -> y", "K { x: real[*, i]  y: real[*, o, 2] }"), "E0352", "y"
    ),
    "a result of another shape": (
        lossy("x -> [A: linear(o, i)] -> y", "x -> [relu] -> y", "K { x: real[*, i]  y: real[*, o] }"), "E0352", "y"
    ),
    "dropout while training": (lossy("x -> [dropout(train = true)] -> y", RELU), "E0352", "[dropout(train = true)]"),
    "a condition that nothing meets": (
        lossy("x -> [A: linear(o, i)] -> y", "x -> [A: linear(o, i)] -> y", after="where o < 0\n with A.weight = 1"),
        "E0352", "r"
    ),
    "a value that is nested too deeply": (
        lossy("x -> [A: linear(o, i)] -> y", "x -> [A: linear(o, i)] -> y",
              after=f"with A.weight = {'abs(' * 12}A.weight{')' * 12}"), "E0007", f"{'abs(' * 12}A.weight{')' * 12}"
    ),
    "an exact rule that is not": (lossy(RELU, "x -> [tanh] -> y", head="exact r"), "E0353", "r"),
    "a parameter that is no number": (lossy(RELU, RELU, head="lossy r(w: text)"), "E0201", "text"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_at_its_characters(name: str) -> None:
    text, code, place = WRONG[name]
    found = faults(text)
    assert [(code, place)] == [(one.code, one.span.text if one.span else "") for one in found]


def test_all_faults_of_a_rule_are_told_at_once() -> None:
    text = lossy("x -> [rellu] -> m -> [linear(o)] -> y", "x -> [tanhh] -> y", after="decreases count(reluu)")
    assert [one.span.text for one in faults(text) if one.span] == ["rellu", "linear(o)", "tanhh", "reluu"]


def test_a_counterexample_names_the_sizes_and_both_values() -> None:
    text = FUSE.replace("+ B.bias", "- B.bias")
    (fault,) = faults(text)
    assert fault.code == "E0353"
    assert "in L and" in fault.label
    assert "h = " in fault.label


def test_exhaustively_needs_something_that_decreases() -> None:
    head = 'model net : (x: f32[B, 4]) -> (y: f32[B, 2]) { source = python("net:build") }\n'
    body = "surgery s on net { step one = apply exhaustively join @** }"
    assert [one.code for one in faults(f"{FUSE}\n{head}{body}")] == []
    without = FUSE.replace("  decreases count(linear)\n", "")
    assert [one.code for one in faults(f"{without}\n{head}{body}")] == ["E0213"]


def test_a_rule_of_the_file_is_called_with_its_parameters() -> None:
    (factor, _) = standard("factor")
    assert factor.parameters == (("r", "int"),)
    head = 'use std.rules.factor\nmodel net : (x: f32[B, 4]) -> (y: f32[B, 2]) { source = python("net:build") }\n'
    assert [one.code for one in faults(f"{head}surgery s on net {{ step one = apply factor @** }}")] == ["E0205"]
    assert [one.code for one in faults(f"{head}surgery s on net {{ step one = apply factor(r = 2) @** }}")] == []


@pytest.mark.parametrize("name", ["fold_batchnorm", "fuse", "factor", "remove_dropout"])
def test_the_rules_of_the_library_are_right(name: str) -> None:
    assert standard(name)


def test_schemas_are_values() -> None:
    first, second = schema(FUSE), schema(FUSE.replace("m", "m"))
    assert first == second
    assert hash(first) == hash(second)
    assert first != schema(FUSE.replace("[h]", "[h]").replace("+ B.bias", "+ B.bias + 0"))

"""Discharge: true rules pass with their figure, false ones are refused with a place where the sides differ."""

from __future__ import annotations

import pytest

from surgdsl.rules.discharge import CONFIDENCE, Discharged, Refuted, discharge
from tests.rules.declaring import FUSE, POINTWISE, schema, standard

FLAT = "K { x: real[*, i]  y: real[*, o] }"


def exact(left: str, right: str, after: str = "", glue: str = POINTWISE) -> str:
    return f"rule exact r {{\n L {{ {left} }}\n {glue}\n R {{ {right} }}\n {after}\n}}"


IDENTITIES = {
    "two linear maps are one": FUSE,
    "a norm after a convolution": exact(
        "x -> [C: conv2d(o, i, a, b, stride = s)] -> [N: batchnorm(o)] -> y",
        "x -> [C: conv2d(o, i, a, b, stride = s)] -> y",
        "with C.weight = scale[o](C.weight, N.gamma / sqrt(N.var + N.eps))\n"
        " C.bias = (C.bias - N.mean) * (N.gamma / sqrt(N.var + N.eps)) + N.beta",
        "K { x: real[*, i, h, w]  y: real[*, o, h2, w2] }",
    ),
    "a norm before a linear map": exact(
        "x -> [N: batchnorm(i)] -> [A: linear(o, i)] -> y",
        "x -> [A: linear(o, i)] -> y",
        "with A.weight = scale[i](A.weight, N.gamma / sqrt(N.var + N.eps))\n"
        " A.bias = A.bias + sum[i](A.weight * (N.beta - N.mean * (N.gamma / sqrt(N.var + N.eps))))",
        FLAT,
    ),
    "the affine part of a layer norm": exact(
        "x -> [N: layernorm(i, eps = e)] -> [A: linear(o, i)] -> y",
        "x -> [N: layernorm(i, eps = e)] -> [A: linear(o, i)] -> y",
        "with A.weight = A.weight * N.gamma\n A.bias = A.bias + sum[i](A.weight * N.beta)",
    ),
    "functions are applied to the same": exact(
        "x -> [gelu] -> a -> [dropout] -> y", "x -> [dropout] -> a -> [gelu] -> y"
    ),
    "addition commutes": exact("(x, z) -> [add] -> y", "(z, x) -> [add] -> y", "", "K { x: real  z: real  y: real }"),
    "multiplication distributes": exact(
        "(a, b) -> [add] -> s  (s, c) -> [mul] -> y",
        "(a, c) -> [mul] -> p  (b, c) -> [mul] -> q  (p, q) -> [add] -> y",
        "",
        "K { a: real[2, 3]  b: real[2, 3]  c: real[2, 3]  y: real[2, 3] }",
    ),
    "an operator that nobody knows": exact("x -> [relu] -> a -> [aten.cumsum.default(dim = 1, dtype = none)] -> y",
                                            "x -> [relu] -> a -> [aten.cumsum.default(dim = 1, dtype = none)] -> y",
                                            "", "K { x: real[2, 3]  y: real[2, 3] }"),
}  # fmt: skip

SAMPLED = {
    "relu twice": exact("x -> [relu] -> [relu] -> y", "x -> [relu] -> y"),
    "relu of an absolute value": exact("x -> [abs] -> [relu] -> y", "x -> [abs] -> y"),
    "relu6 after relu": exact("x -> [relu] -> [relu6] -> y", "x -> [relu6] -> y"),
}

FALSE = {
    "gelu twice": exact("x -> [gelu] -> [gelu] -> y", "x -> [gelu] -> y"),
    "relu is not the identity": exact("x -> [relu] -> y", "x -> [identity] -> y"),
    "a sign": FUSE.replace("+ B.bias", "- B.bias"),
    "a factor": FUSE.replace("sum[h](A.weight * B.weight)", "2 * sum[h](A.weight * B.weight)"),
    "a forgotten bias": exact(
        "x -> [A: linear(o, i)] -> y", "x -> [A: linear(o, i)] -> y", "with A.weight = A.weight", FLAT
    ),
    "an epsilon that R does not take over": exact(
        "x -> [N: layernorm(i)] -> y",
        "x -> [N: layernorm(i)] -> y",
        "with N.gamma = N.gamma\n N.beta = N.beta",
    ),
    "a root of a square": exact(
        "x -> [A: linear(o, i)] -> y",
        "x -> [A: linear(o, i)] -> y",
        "with A.weight = sqrt(A.weight ^ 2)\n A.bias = A.bias",
        FLAT,
    ),
    "a transposed weight": exact(
        "x -> [A: linear(o, i)] -> [B: linear(i, o)] -> y",
        "x -> [B: linear(o, i)] -> [A: linear(i, o)] -> y",
        "with B.weight = B.weight\n A.weight = A.weight\n A.bias = B.bias",
        "K { x: real[*, i]  y: real[*, i] }",
    ),
    "subtraction does not commute": exact(
        "(x, z) -> [sub] -> y", "(z, x) -> [sub] -> y", "", "K { x: real  z: real  y: real }"
    ),
    "what an operator does is not known": exact(
        "x -> [aten.cumsum.default(dim = 1, dtype = none)] -> y",
        "x -> [aten.cumsum.default(dim = 0, dtype = none)] -> y",
        "",
        "K { x: real[2, 3]  y: real[2, 3] }",
    ),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_holds_with_the_confidence_that_is_stated(name: str) -> None:
    found = discharge(schema(IDENTITIES[name]))
    assert isinstance(found, Discharged)
    assert (found.method, found.instances) == ("identity", 8)
    assert found.bits >= CONFIDENCE


@pytest.mark.parametrize("name", SAMPLED)
def test_what_only_holds_piece_by_piece_is_sampled_in_exact_arithmetic(name: str) -> None:
    assert Discharged("samples", 64, 0) == discharge(schema(SAMPLED[name]))


@pytest.mark.parametrize("name", FALSE)
def test_a_false_rule_is_refuted(name: str) -> None:
    found = discharge(schema(FALSE[name]))
    assert isinstance(found, Refuted)
    assert "in L and" in found.reason


def test_a_decomposition_is_never_exact() -> None:
    text = """rule exact f(r: int) {
      L { x -> [W: linear(o, i)] -> y }
      K { x: real[*, i]  y: real[*, o] }
      R { x -> [V: linear(r, i)] -> [U: linear(o, r)] -> y }
      with U.weight, V.weight = svd(W.weight, rank = r)
           U.bias = W.bias
    }"""
    found = discharge(schema(text))
    assert isinstance(found, Refuted)
    assert "singular values are not rational" in found.reason


def test_a_bound_is_sampled_and_a_wrong_one_refuted() -> None:
    (factor, _) = standard("factor")
    assert Discharged("samples", 64, 0) == discharge(factor)
    text = """rule bounded f(r: int) {
      L { x -> [W: linear(o, i)] -> y }
      K { x: real[*, i]  y: real[*, o] }
      R { x -> [V: linear(r, i)] -> [U: linear(o, r)] -> y }
      with U.weight, V.weight = svd(W.weight, rank = r)
           U.bias = W.bias
      bound l2(y.before - y.after) <= 1 / 2 * sigma(W.weight, r + 1) * l2(x)
    }"""
    found = discharge(schema(text))
    assert isinstance(found, Refuted)
    assert "is more than" in found.reason


def test_a_lossy_rule_claims_nothing() -> None:
    text = exact("x -> [relu] -> y", "x -> [tanh] -> y").replace("exact", "lossy")
    assert Discharged("none", 0, 0) == discharge(schema(text))

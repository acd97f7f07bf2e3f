"""Elements that line up: arithmetic, bounds, masks, connectives, casts and gates, exact where zero gives zero."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from surgdsl.operations import BY_NAME, CATALOGUE
from surgdsl.operations.signature import IllTyped
from tests.operations.calling import Two, agree, said
from tests.operations.neutralising import Checked, check


def summed(function: Two) -> Checked:
    """Two layers whose outputs line up, summed over what they share: exact only if what comes out is zero."""
    layers = nn.Linear(8, 6), nn.Linear(8, 6)
    return check(lambda x, a, b: function(a(x), b(x)).mul(1.0).sum(1), *layers, shape=(8,))


EXACT: dict[str, Two] = {
    "sum": lambda a, b: a + b,
    "difference": lambda a, b: torch.sub(a, b, alpha=0.5),
    "nothing added": lambda a, b: a * b + 0,
    "product": lambda a, b: a * b.exp(),
    "scaled": lambda a, b: 3 * a - b,
    "quotient": lambda a, b: a / (b.square() + 1),
    "by a number": lambda a, b: a / 3 + b,
    "whole quotient": lambda a, b: a // 0.3 + b,
    "rounded quotient": lambda a, b: torch.div(a, 0.3, rounding_mode="trunc") + b,
    "remainder": lambda a, b: a % 0.3 + b,
    "square": lambda a, b: a**2 + b**3,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "angle": torch.atan2,
    "interpolation": lambda a, b: torch.lerp(a, b, 0.3),
    "interpolation by a tensor": lambda a, b: torch.lerp(a, b, b.sigmoid()),
    "sum of a quotient": lambda a, b: torch.addcdiv(a, b, a.exp()),
    "sum of a product": lambda a, b: torch.addcmul(a, b, b.exp()),
    "bounded": lambda a, b: a.clamp(-0.2, 0.3) + b.clamp(min=0),
    "bounded from below": lambda a, b: a.clamp_min(-0.1) + b.clamp_max(0.1),
    "bounded by tensors": lambda a, b: torch.clamp(a, min=b),
    "hard tangent": lambda a, b: F.hardtanh(a) + b,
    "threshold below zero": lambda a, b: F.threshold(a, -0.1, 5.0) + b,
    "zero under a threshold": lambda a, b: F.threshold(a, 0.1, 0.0) + b,
    "chosen": lambda a, b: torch.where(a > 0, a, b),
    "chosen or zero": lambda a, b: torch.where(a > 0, b, 0.0),
    "zero or chosen": lambda a, b: torch.where(a > 0, 0.0, b),
    "filled with zero": lambda a, b: a.masked_fill(b < 0.2, 0.0),
    "filled where no zero is": lambda a, b: a.masked_fill(b > 0.2, -1.0),
    "compared": lambda a, b: (a > b) * (a != 0) * b,
    "both": lambda a, b: ((a > 0.1) & (b > -0.5)) * 1.0 + a,
    "either": lambda a, b: ((a > 0.1) | (b < -0.5)) * 1.0 + a,
    "either but not both": lambda a, b: torch.logical_xor(a > 0.1, b < -0.5) * 1.0 + a,
    "double": lambda a, b: a.double().type_as(b).to(torch.float16).float() * b.to("cpu"),
    "not a number": lambda a, b: a.isnan() + a * b,
    "written over": lambda a, b: torch.ops.aten.copy(b.exp(), a) + b,
    "trigonometry": lambda a, b: a.sin() + b.asinh(),
}


@pytest.mark.parametrize("name", EXACT)
def test_zero_gives_zero(name: str) -> None:
    found = summed(EXACT[name])
    assert (found.free, found.approximate) == ((6,), ())


APPROXIMATE: dict[str, Two] = {
    "shifted": lambda a, b: a + b + 1,
    "subtracted from a number": lambda a, b: 1 - a * b,
    "power of a number": lambda a, b: 2**a + b,
    "zeroth power": lambda a, b: (a**0) * b.exp(),
    "one that is not zero": lambda a, b: a + b.exp(),
    "quotient of what is not zero": lambda a, b: a.exp() / (b.square() + 1),
    "quotient of zeros": lambda a, b: a / b.exp().sub(1).mul(b),
    "remainder of zeros": torch.remainder,
    "negative power": lambda a, b: (a.abs() ** -0.5) + b,
    "power of a power": lambda a, b: a.abs() ** b,
    "logarithm": lambda a, b: a.abs().log() + b,
    "reciprocal root": lambda a, b: a.abs().rsqrt() + b,
    "bounded away from zero": lambda a, b: a.clamp(0.1, 0.5) + b,
    "bounded by one that is not zero": lambda a, b: torch.clamp(a, max=b.exp() - 2),
    "hard tangent": lambda a, b: F.hardtanh(a, 0.1, 0.5) + b,
    "threshold": lambda a, b: F.threshold(a, 0.1, 0.3) + b,
    "chosen or one": lambda a, b: torch.where(a > 0, b, 1.0),
    "one or two": lambda a, b: torch.where(a > 0, 2.0, 1.0) + b,
    "filled with one": lambda a, b: a.masked_fill(b > -0.2, 1.0),
    "filled with what is no zero": lambda a, b: a.masked_fill(b > -0.2, b.exp().mean()),
    "compared": lambda a, b: (a >= b) * 1.0 + a,
    "compared with a number": lambda a, b: (a < 0.5) * b.exp(),
    "neither": lambda a, b: ((a > 0) | (b > 0)).logical_not() * 1.0 + a,
    "not": lambda a, b: (~(a > 0.5)) * b.exp(),
    "either with one that is not false": lambda a, b: ((a > 0.1) | (b < 0.5)) * 1.0 + a,
    "sum of a quotient of no zero": lambda a, b: torch.addcdiv(a, b.exp(), b.exp()),
    "sum of a product of no zero": lambda a, b: torch.addcmul(a, b.exp(), b.exp()),
    "interpolation to no zero": lambda a, b: torch.lerp(a, b.exp(), 0.3),
    "written over by no zero": lambda a, b: torch.ops.aten.copy(a, b.exp()),
    "exponential": lambda a, b: a.exp2() + b.erfc(),
}


@pytest.mark.parametrize("name", APPROXIMATE)
def test_zero_gives_something_else(name: str) -> None:
    found = summed(APPROXIMATE[name])
    assert 6 in found.approximate


STRETCHED: dict[str, tuple[Two, tuple[int, ...]]] = {
    "sum": (lambda a, b: a + b, (6, 4)),
    "product": (lambda a, b: a * b, ()),
    "maximum": (torch.maximum, (6, 4)),
    "product with one that is not zero": (lambda a, b: a.sigmoid() * b, (6, 4)),
    "masked": (lambda a, b: a.masked_fill(b > 0.1, 0.0), (6, 4)),
    "filled": (lambda a, b: a.masked_fill(b > 0.1, 1.0), (6, 4)),
}


@pytest.mark.parametrize("name", STRETCHED)
def test_what_is_stretched_carries_no_zero_there(name: str) -> None:
    function, approximate = STRETCHED[name]
    found = check(
        lambda x, a, b: function(a(x).unsqueeze(2), b(x).unsqueeze(1)).square().sum((1, 2)),
        nn.Linear(8, 6),
        nn.Linear(8, 4),
        shape=(8,),
    )
    assert (found.free, found.approximate) == ((6, 4), approximate)


def test_a_shift_by_a_weight_without_channels_is_no_zero() -> None:
    def function(x: torch.Tensor, a: Any, b: Any) -> torch.Tensor:
        return (a(x) + b.bias.sum()).sum(1)

    assert 6 in check(function, nn.Linear(8, 6), nn.Linear(8, 4), shape=(8,)).approximate


def test_a_quotient_by_a_weight_is_approximate() -> None:
    def function(x: torch.Tensor, a: Any, b: Any) -> torch.Tensor:
        return b(a(x) / a.bias)

    assert check(function, nn.Linear(8, 6), nn.Linear(6, 4), shape=(8,)).approximate == (6,)


def test_layers_over_other_dimensions_shift_what_is_zero() -> None:
    mixer = check(lambda x, a, b: b(a(x).mT).sum(1), nn.Linear(8, 6), nn.Linear(5, 4), shape=(5, 8), batch=False)
    assert mixer.approximate == (6,)
    bare = nn.Linear(5, 4, bias=False)
    assert check(lambda x, a, b: b(a(x).mT).sum(1), nn.Linear(8, 6), bare, shape=(5, 8)).approximate == ()


def test_halves_of_a_gate_go_together() -> None:
    layers = nn.Linear(8, 12), nn.Linear(6, 4)
    found = check(lambda x, a, b: b(F.glu(a(x))) + F.glu(a(x)).sum(1, keepdim=True), *layers, shape=(8,))
    assert (found.free, found.approximate) == ((6,), ())


@pytest.mark.parametrize("slopes", [6, 1])
def test_slopes(slopes: int) -> None:
    layers = nn.Conv2d(3, 6, 1), nn.PReLU(slopes), nn.Conv2d(6, 2, 1)
    found = check(lambda x, a, n, b: b(n(a(x))) + n(a(x)).sum(1, keepdim=True), *layers, knows="aten.prelu.default")
    assert (found.free, found.approximate) == ((6,), ())


DTYPES = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
)
PAIRS = "add.Tensor mul.Tensor div.Tensor eq.Tensor lt.Tensor maximum.default logical_and.default"


@pytest.mark.parametrize("name", PAIRS.split())
def test_typing_of_pairs_of_dtypes_is_torchs(name: str) -> None:
    for left, right in product(DTYPES, repeat=2):
        agree(f"aten.{name}", torch.ones(2, 3, dtype=left), torch.ones(3, dtype=right))
        agree(f"aten.{name}", torch.ones(2, 3, dtype=left), torch.ones((), dtype=right))


SCALARS = "add.Tensor mul.Tensor div.Tensor add.Scalar mul.Scalar div.Scalar gt.Scalar ne.Scalar"


@pytest.mark.parametrize("name", SCALARS.split())
def test_typing_with_a_number_is_torchs(name: str) -> None:
    for dtype, number in product(DTYPES, (2, 0.5)):
        agree(f"aten.{name}", torch.ones(2, 3, dtype=dtype), number)


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.booleans()), max_size=4), st.integers(0, 4))
def test_typing_of_shapes_that_broadcast_is_torchs(dims: list[tuple[int, bool, bool]], dropped: int) -> None:
    a = torch.ones([1 if left else size for size, left, _ in dims])
    b = torch.ones([1 if right else size for size, _, right in dims][dropped:])
    for name in ("add.Tensor", "pow.Tensor_Tensor", "atan2.default", "remainder.Tensor", "min.other"):
        agree(f"aten.{name}", a, b)
    agree("aten.where.self", a > 0, b, a)
    agree("aten.lerp.Scalar", a, b, 0.5)
    agree("aten.addcmul.default", b, a, b)
    agree("aten.addcdiv.default", b, a, b, value=0.5)
    agree("aten.masked_fill.Scalar", a, b > 0, 2)
    agree("aten.bitwise_or.Tensor", a > 0, b > 0)
    agree("aten.clamp.Tensor", a, b)


def test_typing_of_the_others_is_torchs() -> None:
    x, i, m = torch.ones(2, 3), torch.ones(2, 3, dtype=torch.int32), torch.ones(2, 3, dtype=torch.bool)
    agree("aten.rsub.Scalar", i, 0.5)
    agree("aten.pow.Scalar", 2, x)
    agree("aten.pow.Tensor_Scalar", i, 2)
    agree("aten.floor_divide.default", i, torch.ones(3, dtype=torch.int64))
    agree("aten.div.Tensor_mode", i, i, rounding_mode="floor")
    agree("aten.remainder.Scalar", i, 2)
    agree("aten.where.ScalarOther", m, x, 2)
    agree("aten.where.ScalarSelf", m, 0.5, i)
    agree("aten.where.Scalar", m, 1.0, 0)
    agree("aten.where.Scalar", m, 1, 0)
    agree("aten.masked_fill.Tensor", i, m, torch.tensor(2))
    agree("aten.clamp.default", i, 0.5)
    agree("aten.hardtanh.default", x)
    agree("aten.threshold.default", x, 0.1, 2)
    agree("aten.__and__.Tensor", i, m)
    agree("aten.bitwise_and.Scalar", i, 3)
    agree("aten.bitwise_not.default", m)
    agree("aten.to.dtype", x, torch.int64)
    agree("aten._to_copy.default", x, dtype=torch.float16)
    agree("aten.type_as.default", x, i)
    agree("aten.lift_fresh_copy.default", i)
    agree("aten.glu.default", torch.ones(2, 4))
    agree("aten.copy.default", i, torch.ones(3))
    agree("aten.copy.default", x, torch.ones(2, 1, dtype=torch.int64))
    agree("aten.prelu.default", x, torch.ones(3))


def test_calls_that_do_not_fit_are_ill_typed() -> None:
    x, y, m = torch.ones(2, 3), torch.ones(2, 4), torch.ones(2, 3) > 0
    wrong = [
        said("aten.add.Tensor", x, y),
        said("aten.where.self", x, x, x),
        said("aten.masked_fill.Tensor", x, m, y),
        said("aten.masked_fill.Scalar", x, x, 0),
        said("aten.bitwise_and.Tensor", x, x),
        said("aten.glu.default", x),
        said("aten.copy.default", x, y),
        said("aten.copy.default", x[:1], x),
        said("aten.copy.default", x[0], x[:1]),
        said("aten.prelu.default", x, torch.ones(2)),
    ]
    for operation, sources in wrong:
        with pytest.raises(IllTyped):
            BY_NAME[operation.name].typing(operation, sources)


def test_no_operator_is_in_two_families() -> None:
    names = [name for signature in CATALOGUE for name in signature.names]
    assert sorted(set(names)) == sorted(names)


def test_every_operator_is_one_of_torchs() -> None:
    for name in BY_NAME:
        if name.startswith("aten."):
            _, base, form = name.split(".")
            assert form in getattr(torch.ops.aten, base).overloads(), name

"""Nets with batch norms: those that can be folded into what feeds them, and those that cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn
from torch.nn import functional

from tests.bridge.zoo import Conv, Linear, Norm

Case = tuple[tuple[int, ...], Callable[[Any, Any], Any], Mapping[str, nn.Module]]


def shared_weight() -> Mapping[str, nn.Module]:
    first, second = Conv(3, 3, 1), Conv(3, 3, 1)
    second.weight = first.weight
    return {"c": first, "d": second, "n": Norm(3)}


def read_elsewhere(m: Any, x: Any) -> Any:
    y = m.c(x)
    return m.n(y) + y


def given_away(m: Any, x: Any) -> Any:
    y = m.c(x)
    return m.n(y), y


FOLDED: Mapping[str, Case] = {
    "convolution": ((3, 6, 6), lambda m, x: m.n(m.c(x)).relu(), {"c": Conv(3, 4, 3), "n": Norm(4)}),
    "convolution without a bias": ((3, 6, 6), lambda m, x: m.n(m.c(x)), {"c": Conv(3, 4, 3, bias=False), "n": Norm(4)}),
    "grouped convolution": ((4, 6, 6), lambda m, x: m.n(m.c(x)), {"c": Conv(4, 6, 3, groups=2), "n": Norm(6)}),
    "norm without scale": ((3, 6, 6), lambda m, x: m.n(m.c(x)), {"c": Conv(3, 4, 3), "n": Norm(4, affine=False)}),
    "linear": ((5,), lambda m, x: m.n(m.c(x)).relu(), {"c": Linear(5, 4), "n": nn.BatchNorm1d(4)}),
    "one dimension": ((5, 7), lambda m, x: m.n(m.c(x)), {"c": nn.Conv1d(5, 4, 3), "n": nn.BatchNorm1d(4)}),
    "three dimensions": ((2, 4, 4, 4), lambda m, x: m.n(m.c(x)), {"c": nn.Conv3d(2, 4, 3), "n": nn.BatchNorm3d(4)}),
    "two in a row": (
        (3, 6, 6),
        lambda m, x: m.n(m.c(m.m(m.b(x)).relu())),
        {"b": Conv(3, 4, 3), "m": Norm(4), "c": Conv(4, 3, 3), "n": Norm(3)},
    ),
}

LEFT: Mapping[str, Case] = {
    "a norm over rows": ((6, 5), lambda m, x: m.n(m.c(x)), {"c": Linear(5, 6), "n": nn.BatchNorm1d(6)}),
    "a weight that is shared": ((3, 6, 6), lambda m, x: m.n(m.c(x)) + m.d(x), shared_weight()),
    "a layer called twice": ((3, 6, 6), lambda m, x: m.n(m.c(x)) + m.c(x), {"c": Conv(3, 3, 1), "n": Norm(3)}),
    "a norm called twice": (
        (3, 6, 6), lambda m, x: m.n(m.c(x)) + m.n(m.d(x)), {"c": Conv(3, 3, 1), "d": Conv(3, 3, 1), "n": Norm(3)}
    ),
    "a value that is read elsewhere": ((3, 6, 6), read_elsewhere, {"c": Conv(3, 3, 1), "n": Norm(3)}),
    "a value that is an output": ((3, 6, 6), given_away, {"c": Conv(3, 3, 1), "n": Norm(3)}),
    "something in between": ((3, 6, 6), lambda m, x: m.n(m.c(x).relu()), {"c": Conv(3, 3, 1), "n": Norm(3)}),
    "a weight that is computed": (
        (3, 6, 6), lambda m, x: m.n(functional.conv2d(x, m.c.weight * 2.0)), {"c": Conv(3, 3, 1), "n": Norm(3)}
    ),
    "statistics of the batch": (
        (3, 6, 6), lambda m, x: m.n(m.c(x)), {"c": Conv(3, 4, 3), "n": Norm(4, track_running_stats=False)}
    ),
    "double precision": (
        (3, 6, 6), lambda m, x: m.n(m.c(x.double())), {"c": Conv(3, 4, 3).double(), "n": Norm(4).double()}
    ),
}  # fmt: skip

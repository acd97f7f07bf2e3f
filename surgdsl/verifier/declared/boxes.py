"""Kinds of boxes: what a rule of the file may be made of, each an operator with its weights and its arguments.

An argument that a box does not state has its default: nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

STATED = object()  # an argument without a default
SIZES = object()  # one that is the sizes of the box
NONE = {"none": True}
ANY = -1  # as many inputs and targets as a box has, and every argument stated


def written(number: float) -> dict[str, str]:
    """A float as a graph holds it."""
    return {"float": number.hex()}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A weight of a box: its port, over how many of the sizes it lies, and what it reads as where it may be absent."""

    port: str
    rank: int
    neutral: float | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind: its operator, what its sizes are called, its weights in order, its arguments, and which are free.

    `spread` is how often a single integer is written in the arguments that are lists; `ahead` says that weights stand
    before what the box reads.
    """

    operator: str
    words: tuple[str, ...] = ()
    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    free: tuple[str, ...] = ()
    inputs: int = 1
    spread: int = 0
    ahead: bool = False


def _weighed(rank: int) -> dict[str, Tensor]:
    return {"weight": Tensor("weight", rank), "bias": Tensor("bias", 1, 0.0)}


def _conv(rank: int) -> Kind:
    words = ("cout", "cin", *("kd", "kh", "kw")[-rank:])
    arguments = {"dilation": [1] * rank, "groups": 1, "padding": [0] * rank, "stride": [1] * rank}
    return Kind(f"aten.conv{rank}d.default", words, _weighed(rank + 2), arguments, spread=rank)


NORM = {
    "gamma": Tensor("weight", 1, 1.0), "beta": Tensor("bias", 1, 0.0),
    "mean": Tensor("running_mean", 1), "var": Tensor("running_var", 1),
}  # fmt: skip
AFFINE = {name: NORM[name] for name in ("gamma", "beta")}
LAYER = {"cudnn_enable": False, "eps": written(1e-5), "normalized_shape": SIZES}
GROUP = {"cudnn_enabled": False, "eps": written(1e-5), "num_groups": STATED}
TABLE = {"padding_idx": -1, "scale_grad_by_freq": False, "sparse": False}
NORMED = {"cudnn_enabled": False, "eps": written(1e-5), "momentum": written(0.1), "training": False}
WINDOW = {"kernel_size": STATED, "stride": STATED, "padding": [0, 0], "ceil_mode": False}
AVERAGE = {**WINDOW, "count_include_pad": True, "divisor_override": NONE}
PLAIN = "relu relu6 abs neg exp sqrt sigmoid tanh silu mish hardswish hardsigmoid"
KINDS = {
    **{f"conv{rank}d": _conv(rank) for rank in (1, 2, 3)},
    "linear": Kind("aten.linear.default", ("cout", "cin"), _weighed(2)),
    "batchnorm": Kind("aten.batch_norm.default", ("c",), NORM, NORMED, ("cudnn_enabled", "eps", "momentum")),
    "layernorm": Kind("aten.layer_norm.default", ("c",), AFFINE, LAYER, ("cudnn_enable", "eps")),
    "groupnorm": Kind("aten.group_norm.default", ("c",), AFFINE, GROUP, ("cudnn_enabled", "eps")),
    "embedding": Kind(
        "aten.embedding.default", ("n", "d"), {"weight": Tensor("weight", 2)}, TABLE, (*TABLE,), ahead=True
    ),
    **{name: Kind(f"aten.{name}.Tensor", arguments={"alpha": 1}, inputs=2) for name in ("add", "sub")},
    **{name: Kind(f"aten.{name}.Tensor", inputs=2) for name in ("mul", "div")},
    "gelu": Kind("aten.gelu.default", arguments={"approximate": "none"}),
    "leaky_relu": Kind("aten.leaky_relu.default", arguments={"negative_slope": written(0.01)}),
    "softmax": Kind("aten.softmax.int", arguments={"dim": STATED, "dtype": NONE}),
    "flatten": Kind("aten.flatten.using_ints", arguments={"start_dim": 0, "end_dim": -1}),
    "maxpool2d": Kind("aten.max_pool2d.default", arguments={**WINDOW, "dilation": [1, 1]}, spread=2),
    "avgpool2d": Kind("aten.avg_pool2d.default", arguments=AVERAGE, spread=2),
    "dropout": Kind("aten.dropout.default", arguments={"p": written(0.5), "train": False}, free=("p",)),
    "identity": Kind("aten.alias.default"),
    **{name: Kind(f"aten.{name}.default") for name in PLAIN.split()},
}

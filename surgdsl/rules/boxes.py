"""Kinds of boxes: what a name in a chain of a rule stands for, operator by operator.

One row says which ports a box has, which of them are weights and of what shape, and which arguments it takes. What a
rule does not say of an argument is its default, never whatever the net happens to have.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from attrs import evolve, frozen

from surgdsl.diagram.operation import Attribute


class Unsaid(Enum):
    """What holds of an argument that a rule does not mention and that has no default."""

    STATED = "a rule must state it"
    DERIVED = "it follows from the sizes"


@frozen
class Tensor:
    """A weight of a box: its name in rules, its port in the operator, its dims as positions among the sizes."""

    name: str
    port: str
    dims: tuple[int, ...]
    absent: int | None = None
    """What every element reads as where the tensor may be absent; None where it may not."""


@frozen
class Argument:
    """An argument that is not a tensor."""

    name: str
    default: Attribute | Unsaid
    free: bool = False
    """Whether any value matches: the box means the same with all, or tells the rule (``N.eps``); R has the default."""
    spread: int = 0
    """How long the list is that one integer stands for; 0 where it is no list."""


@frozen
class Kind:
    """A row: `sizes` names the positional sizes, `inputs` counts the data ports, and `ports` orders all of them."""

    name: str
    operator: str
    inputs: int = 1
    sizes: tuple[str, ...] = ()
    tensors: tuple[Tensor, ...] = ()
    arguments: tuple[Argument, ...] = ()
    commutes: bool = False
    tensors_first: bool = False
    generic: bool = False
    """Whether it stands for an operator by its ATen name: every argument is stated, every port is data."""

    def tensor(self, name: str) -> Tensor | None:
        """The weight called so in rules."""
        return next((one for one in self.tensors if one.name == name), None)

    def argument(self, name: str) -> Argument | None:
        """The argument called so; a generic kind has every one."""
        found = next((one for one in self.arguments if one.name == name), None)
        return Argument(name, Unsaid.STATED) if found is None and self.generic else found


def _convolution(rank: int) -> Kind:
    kernel = tuple(f"k{axis}" for axis in "dhw"[3 - rank :])
    ones, zeros = (1,) * rank, (0,) * rank
    return Kind(
        f"conv{rank}d",
        f"aten.conv{rank}d.default",
        sizes=("cout", "cin", *kernel),
        tensors=(Tensor("weight", "weight", tuple(range(rank + 2))), Tensor("bias", "bias", (0,), 0)),
        arguments=(
            Argument("dilation", ones, spread=rank),
            Argument("groups", 1),
            Argument("padding", zeros, spread=rank),
            Argument("stride", ones, spread=rank),
        ),
    )


LINEAR = Kind(
    "linear",
    "aten.linear.default",
    sizes=("cout", "cin"),
    tensors=(Tensor("weight", "weight", (0, 1)), Tensor("bias", "bias", (0,), 0)),
)

BATCHNORM = Kind(
    "batchnorm",
    "aten.batch_norm.default",
    sizes=("c",),
    tensors=(
        Tensor("gamma", "weight", (0,), 1),
        Tensor("beta", "bias", (0,), 0),
        Tensor("mean", "running_mean", (0,)),
        Tensor("var", "running_var", (0,)),
    ),
    arguments=(
        Argument("cudnn_enabled", False, free=True),
        Argument("eps", 1e-05, free=True),
        Argument("momentum", 0.1, free=True),
        Argument("training", False),
    ),
)

LAYERNORM = Kind(
    "layernorm",
    "aten.layer_norm.default",
    sizes=("c",),
    tensors=(Tensor("gamma", "weight", (0,), 1), Tensor("beta", "bias", (0,), 0)),
    arguments=(
        Argument("cudnn_enable", False, free=True),
        Argument("eps", 1e-05, free=True),
        Argument("normalized_shape", Unsaid.DERIVED),
    ),
)

GROUPNORM = Kind(
    "groupnorm",
    "aten.group_norm.default",
    sizes=("c",),
    tensors=(Tensor("gamma", "weight", (0,), 1), Tensor("beta", "bias", (0,), 0)),
    arguments=(
        Argument("cudnn_enabled", False, free=True),
        Argument("eps", 1e-05, free=True),
        Argument("num_groups", Unsaid.STATED),
    ),
)

EMBEDDING = Kind(
    "embedding",
    "aten.embedding.default",
    sizes=("n", "d"),
    tensors=(Tensor("weight", "weight", (0, 1)),),
    arguments=(
        Argument("padding_idx", -1, free=True),
        Argument("scale_grad_by_freq", False, free=True),
        Argument("sparse", False, free=True),
    ),
    tensors_first=True,
)

SUM = Kind("add", "aten.add.Tensor", 2, arguments=(Argument("alpha", 1),), commutes=True)
DIFFERENCE = Kind("sub", "aten.sub.Tensor", 2, arguments=(Argument("alpha", 1),))
DROPOUT = Kind("dropout", "aten.dropout.default", arguments=(Argument("p", 0.5, free=True), Argument("train", False)))


def _pool(name: str) -> Kind:
    more = (Argument("count_include_pad", True), Argument("divisor_override", None)) if name == "avg" else ()
    dilation = (Argument("dilation", (1, 1), spread=2),) if name == "max" else ()
    return Kind(
        f"{name}pool2d",
        f"aten.{name}_pool2d.default",
        arguments=(
            Argument("ceil_mode", False),
            *more,
            *dilation,
            Argument("kernel_size", Unsaid.STATED, spread=2),
            Argument("padding", (0, 0), spread=2),
            Argument("stride", Unsaid.STATED, spread=2),
        ),
    )


KINDS: tuple[Kind, ...] = (
    _convolution(1),
    _convolution(2),
    _convolution(3),
    LINEAR,
    BATCHNORM,
    LAYERNORM,
    GROUPNORM,
    EMBEDDING,
    SUM,
    DIFFERENCE,
    Kind("mul", "aten.mul.Tensor", 2, commutes=True),
    Kind("div", "aten.div.Tensor", 2),
    Kind("relu", "aten.relu.default"),
    Kind("relu6", "aten.relu6.default"),
    Kind("abs", "aten.abs.default"),
    Kind("neg", "aten.neg.default"),
    Kind("exp", "aten.exp.default"),
    Kind("sqrt", "aten.sqrt.default"),
    Kind("sigmoid", "aten.sigmoid.default"),
    Kind("tanh", "aten.tanh.default"),
    Kind("silu", "aten.silu.default"),
    Kind("mish", "aten.mish.default"),
    Kind("hardswish", "aten.hardswish.default"),
    Kind("hardsigmoid", "aten.hardsigmoid.default"),
    Kind("gelu", "aten.gelu.default", arguments=(Argument("approximate", "none"),)),
    Kind("leaky_relu", "aten.leaky_relu.default", arguments=(Argument("negative_slope", 0.01),)),
    Kind("softmax", "aten.softmax.int", arguments=(Argument("dim", Unsaid.STATED), Argument("dtype", None))),
    Kind(
        "flatten",
        "aten.flatten.using_ints",
        arguments=(Argument("end_dim", -1), Argument("start_dim", 0)),
    ),
    _pool("max"),
    _pool("avg"),
    DROPOUT,
    Kind("identity", "aten.alias.default"),
)
"""Every kind that a rule can name without spelling an operator; by name, each once."""

BY_NAME: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in KINDS})
GENERIC = Kind("", "", 0, generic=True)


def kind_of(name: str) -> Kind | None:
    """The kind called `name`: of the table, or the generic one of an operator spelled ``aten.….…``."""
    if name.startswith("aten.") and name.count(".") == 2:
        return evolve(GENERIC, name=name, operator=name)
    return BY_NAME.get(name)

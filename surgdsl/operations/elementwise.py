"""Operations that treat every element by itself. A dropout that is switched off and a copy are among them."""

from __future__ import annotations

from surgdsl.diagram.operation import Operation
from surgdsl.diagram.sort import Sort
from surgdsl.operations.signature import Call, Dims, Signature, demand, loses_zero, makes_zero
from surgdsl.operations.subscripts import aligned, carried


def same(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """x → the same."""
    del operation
    return (sources[0],)


def same_dims(call: Call) -> tuple[Dims, ...]:
    """Every dim as it is."""
    return (call.dims[0],)


def inactive(operation: Operation, sources: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """A dropout in eval mode → the same."""
    demand(operation.attribute("train") is False, "dropout in use: capture the model in eval mode")
    return (sources[0],)


def first_zero(call: Call) -> bool:
    """Zero where the first source is."""
    return call.zeros[0]


def pole_dims(call: Call) -> tuple[Dims, ...]:
    """Every dim as it is; where the source is neutralised there is no number to compare with."""
    (x,) = call.dims
    for letter, dim in zip(*aligned(len(x)), x, strict=True):
        if carried(call, aligned(len(x)), (letter,), (0,), any):
            call.blur((dim,), "it has no value at zero")
    return (x,)


def _named(text: str, overload: str = "default") -> tuple[str, ...]:
    return tuple(f"aten.{name}.{overload}" for name in text.split())


STEADY = (
    "relu relu6 tanh silu hardswish mish neg abs sqrt clone contiguous detach alias gelu leaky_relu elu selu celu "
    "square erf sin sinh sign sgn floor ceil round hardshrink softshrink tan asin asinh atan expm1 "
    "log1p trunc frac nan_to_num"
)
"""f(0) = 0."""
SHIFTING = "sigmoid exp exp2 hardsigmoid softplus cos acos cosh erfc log_sigmoid"
"""f(0) ≠ 0."""
POLES = "rsqrt reciprocal log log2 log10 logit"
"""f(0) is not a number that one can compute with."""

UNARY = Signature(_named(STEADY), same, same_dims)
SHIFTING_UNARY = Signature(_named(SHIFTING), same, same_dims, zero=loses_zero)
POLE = Signature(_named(POLES), same, pole_dims, zero=loses_zero)
DROPOUT = Signature(("aten.dropout.default", "aten.feature_dropout.default"), inactive, same_dims)
BLANK = Signature(("aten.zero.default",), same, same_dims, zero=makes_zero)
FILL = Signature(("aten.fill.Scalar",), same, same_dims, zero=loses_zero)

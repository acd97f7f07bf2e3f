"""batch_norm in evaluation mode: an affine map for each channel."""

from __future__ import annotations

from surgdsl.verifier.operations.signature import Call, Cut, Shape, Signature
from surgdsl.verifier.reject import need

GIVEN = ("weight", "bias", "running_mean", "running_var")


def infer(call: Call) -> Shape:
    """The shape of x; every given tensor is [x[1]]."""
    x = call.shape("input")
    need(len(x) >= 2, "V09", "batch_norm: x has no channels")
    need(all(call.shape(name) == x[1:2] for name in call.given(*GIVEN)), "V09", "batch_norm: a tensor is not [x[1]]")
    return x


def relate(cut: Cut) -> bool:
    """x ~ y, and x[1] ~ every given tensor."""
    x = cut.of("input")
    return x == cut.target and all(cut.of(name) == x[1:2] for name in cut.before.given(*GIVEN))


BATCH_NORM = Signature(
    "input weight? bias? running_mean? running_var? training:off momentum:number eps:number cudnn_enabled:flag",
    infer,
    relate,
)

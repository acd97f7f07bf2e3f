"""linear: y = x·wᵀ + b over the last dimension."""

from __future__ import annotations

from surgdsl.verifier.operations.signature import Call, Cut, Shape, Signature
from surgdsl.verifier.reject import need


def infer(call: Call) -> Shape:
    """x[:-1] + [w[0]]."""
    x, w = call.shape("input"), call.shape("weight")
    need(len(x) >= 1 and len(w) == 2 and x[-1] == w[1], "V09", "linear: x[-1] is not w[1]")
    need(all(call.shape(name) == w[:1] for name in call.given("bias")), "V09", "linear: the bias is not [w[0]]")
    return (*x[:-1], w[0])


def relate(cut: Cut) -> bool:
    """x[-1] ~ w[1]; w[0] ~ b[0] ~ y[-1]; the rest of x ~ the rest of y."""
    x, w = cut.of("input"), cut.of("weight")
    biases = all(cut.of(name)[0] == w[0] for name in cut.before.given("bias"))
    return x[-1] == w[1] and cut.target == (*x[:-1], w[0]) and biases


LINEAR = Signature(
    "input weight bias?", infer, relate, lambda call, _: (*call.shape("input")[:-1], *call.shape("weight"))
)

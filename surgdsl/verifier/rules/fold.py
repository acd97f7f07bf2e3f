"""fold-batchnorm/1: batch_norm(conv(x, W, b)) → conv(x, W·s, (b − mean)·s + β) with s = γ/√(var + eps).

Computed in float64, element by element, and rounded once to F32: byte for byte, or not at all.
"""

from __future__ import annotations

import numpy as np

from surgdsl.verifier.content import Array, Load, check_parts
from surgdsl.verifier.net import Operation
from surgdsl.verifier.operations import call_of
from surgdsl.verifier.operations.conv import CONV
from surgdsl.verifier.operations.signature import Call
from surgdsl.verifier.reject import Reject, need
from surgdsl.verifier.rewrite import Fragment, Rewrite
from surgdsl.verifier.rules.schema import Rule
from surgdsl.verifier.schema import record
from surgdsl.verifier.weight import Weight

FEEDERS = (*CONV, "aten.linear.default")


def check(rewrite: Rewrite, load: Load) -> str:
    """L is a conv or linear, the batch_norm that alone reads it, and their params; the new weights are recomputed."""
    feeder, norm = pattern(rewrite)
    made, x, y = _one(rewrite.right, *FEEDERS), feeder.sources[0], norm.targets[0]
    alike = made.name == feeder.name and made.targets == (y,) and made.sources[:1] == (x,)
    need(alike, "V14", "R is not the same conv from x to y")
    kept = [sorted(pair for pair in op.attributes.items() if pair[0] != "bias") for op in (feeder, made)]
    need(repr(kept[0]) == repr(kept[1]), "V14", "the attributes of the conv change")
    old, bn = (_values(op, rewrite, load) for op in (feeder, norm))
    need({"running_mean", "running_var"} <= bn.keys(), "V14", "a batch_norm without statistics cannot be folded")
    eps = call_of(norm, rewrite.left.wires).values["eps"]
    _compare(rewrite, made, fold(old, bn, float(eps)), load)
    return ""


def pattern(rewrite: Rewrite) -> tuple[Operation, Operation]:
    """The conv and the batch_norm of L; V14 when L and K are not theirs, their params' and nothing else's."""
    left, glue = rewrite.left, rewrite.glue
    feeder, norm = _one(left, *FEEDERS), _one(left, "aten.batch_norm.default")
    x, between, y = feeder.sources[0], feeder.targets[0], norm.targets[0]
    need(between == norm.sources[0] and between not in glue, "V14", "the norm does not read the conv alone")
    flat = feeder.name in CONV or len(left.wires[y].shape) == 2
    need(flat, "V14", "the norm's channels are not the linear's features")
    params = {*feeder.sources[1:], *norm.sources[1:]}
    fed = {op.targets[0] for op in left.operations.values() if op.weight}
    whole = fed == params - glue and len(left.operations) == 2 + len(fed)
    need(whole and left.wires.keys() == {x, between, y, *params}, "V14", "L holds more than conv, norm and params")
    need({x, y} <= glue <= {x, y, *params}, "V14", "K is not the input, the target and shared params")
    return feeder, norm


def fold(old: dict[str, Array], bn: dict[str, Array], eps: float) -> tuple[Array, Array]:
    """The folded weight and bias, in float64, element by element."""
    with np.errstate(all="ignore"):
        scale = bn.get("weight", np.float64(1.0)) / np.sqrt(bn["running_var"] + eps)
        weight = old["weight"] * scale.reshape(-1, *[1] * (old["weight"].ndim - 1))
        bias = (old.get("bias", np.float64(0.0)) - bn["running_mean"]) * scale + bn.get("bias", np.float64(0.0))
        return weight.astype("<f4"), bias.astype("<f4")


def _compare(rewrite: Rewrite, made: Operation, folded: tuple[Array, Array], load: Load) -> None:
    params = {op.targets[0]: op.weight for op in rewrite.right.operations.values() if op.weight}
    fits = len(made.sources) == 3 and set(made.sources[1:]) == set(params) == set(rewrite.right.wires)
    need(fits and len(rewrite.right.operations) == 3, "V14", "R is not a conv with a new weight and a new bias")
    for wire, values in zip(made.sources[1:], folded, strict=True):
        _dense(params[wire])
        need(params[wire].shape == values.shape, "V14", "the weight or the bias changes its shape")
        check_parts(params[wire], {"values": values.tobytes()}, load)


def _values(op: Operation, rewrite: Rewrite, load: Load) -> dict[str, Array]:
    call: Call = call_of(op, rewrite.left.wires)
    producers, found = rewrite.net.producers(), dict[str, Array]()
    for name, port in call.ports.items():
        if name != "input":
            producer = producers[rewrite.at[op.sources[port]]]
            weight = rewrite.net.operations[producer].weight if producer else None
            if weight is None:
                raise Reject("V14", f"`{name}` of `{op.name}` is no param")
            _dense(weight)
            values = load(weight).arrays["values"].view("<f4").astype(np.float64)
            found[name] = values.reshape(weight.shape)
    return found


def _dense(weight: Weight) -> None:
    plain = weight.kind == "dense" and not weight.masked and weight.dtype == "F32"
    need(plain, "V14", f"`{weight.base}` is not dense F32")


def _one(side: Fragment, *names: str) -> Operation:
    found = [op for op in side.operations.values() if op.name in names]
    need(len(found) == 1, "V14", f"the rule takes exactly one of {', '.join(names)}")
    return found[0]


FOLD = Rule("exact", "params/1", record({}), check)

"""The catalogue: every operation that the verifier can type, cut and count. What is not here is refused, never guessed.

Written from the ATen operators' definitions, in a literal table.
"""

from __future__ import annotations

from surgdsl.verifier.extent import product, value
from surgdsl.verifier.net import Operation, Sort
from surgdsl.verifier.operations.arrange import ARRANGE
from surgdsl.verifier.operations.conv import CONV
from surgdsl.verifier.operations.elementwise import BINARY, UNARY
from surgdsl.verifier.operations.fake_quantize import FAKE_QUANTIZE
from surgdsl.verifier.operations.linear import LINEAR
from surgdsl.verifier.operations.norm import BATCH_NORM
from surgdsl.verifier.operations.pool import POOLS
from surgdsl.verifier.operations.reduce import MEAN, SOFTMAX
from surgdsl.verifier.operations.signature import Call, Cut, Sets, Signature
from surgdsl.verifier.reject import Reject, need

CATALOGUE: dict[str, Signature] = {
    "aten.linear.default": LINEAR,
    **CONV,
    "aten.batch_norm.default": BATCH_NORM,
    "aten.fake_quantize_per_tensor_affine.default": FAKE_QUANTIZE,
    **UNARY,
    **BINARY,
    **POOLS,
    **ARRANGE,
    "aten.mean.dim": MEAN,
    "aten.softmax.int": SOFTMAX,
    "aten.log_softmax.int": SOFTMAX,
}


def call_of(operation: Operation, wires: dict[str, Sort]) -> Call:
    """The arguments of an operation by name; V09 when the operation is unknown."""
    if operation.name not in CATALOGUE:
        raise Reject("V09", f"the operation `{operation.name}` is unknown")
    return CATALOGUE[operation.name].bind(operation, wires)


def check_type(operation: Operation, wires: dict[str, Sort]) -> None:
    """N1 for one operation: the sort of its target is what follows from its sources."""
    if operation.weight is None:
        call = call_of(operation, wires)
        found = CATALOGUE[operation.name].type(call)
        need(found == wires[operation.targets[0]], "V09", f"the target of `{operation.name}` is of another sort")


def macs(operation: Operation, wires: dict[str, Sort], binding: dict[str, int]) -> int:
    """Multiply-accumulates of one operation at a binding."""
    signature = CATALOGUE.get(operation.name)
    if signature is None or signature.macs is None:
        return 0
    factors = signature.macs(signature.bind(operation, wires), wires[operation.targets[0]].shape)
    return value(product(*factors), binding)


def related(
    before: Operation, after: Operation, wires: tuple[dict[str, Sort], dict[str, Sort]], kept: dict[str, Sets]
) -> bool:
    """The index relation of section 7 between an operation and its restriction; `kept` is by wires of the former."""
    old, new = (call_of(operation, side) for operation, side in zip((before, after), wires, strict=True))
    sources = tuple(kept[wire] for wire in before.sources)
    cut = Cut(old, new, sources, kept[before.targets[0]], wires[0][before.targets[0]].shape)
    return CATALOGUE[before.name].relate(cut)

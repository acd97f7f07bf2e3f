"""Element-wise operations: one source, or two that broadcast."""

from __future__ import annotations

from surgdsl.verifier.digest import FLOATING, ITEMSIZE
from surgdsl.verifier.operations.signature import Call, Cut, Shape, Signature, same
from surgdsl.verifier.reject import need

NUMERIC = frozenset(ITEMSIZE) - {"BOOL"}
PLAIN = "relu relu6 sigmoid tanh silu hardswish hardsigmoid mish neg abs exp sqrt detach alias"
MORE = {
    "clone": "self memory_format:format", "contiguous": "self memory_format:format", "gelu": "self approximate:text",
    "leaky_relu": "self negative_slope:number", "elu": "self alpha:number scale:number input_scale:number",
    "hardtanh": "self min_val:number max_val:number", "softplus": "self beta:number threshold:number",
    "dropout": "input p:number train:off",
}  # fmt: skip
DTYPES = {
    **dict.fromkeys(("relu", "neg", "abs"), NUMERIC),
    **dict.fromkeys(("clone", "contiguous", "detach", "alias"), None),
}


def first(call: Call) -> Shape:
    """The shape of the only source."""
    return call.sorts[0].shape


def broadcast(call: Call) -> Shape:
    """Extents aligned from the right, equal or 1; a number as `other` changes nothing."""
    numbers = [call.values[name] for name in ("other", "alpha") if name in call.values]
    floating = call.sorts[0].dtype in FLOATING
    need(floating or all(isinstance(number, int) for number in numbers), "V09", "a float meets an integer tensor")
    rank = max(len(sort.shape) for sort in call.sorts)
    columns = zip(*(((1,) * (rank - len(sort.shape)) + sort.shape) for sort in call.sorts), strict=True)
    found: list[int | str] = []
    for column in columns:
        wide = [extent for extent in column if extent != 1]
        need(len(set(wide)) <= 1, "V09", f"extents {column[0]} and {column[-1]} do not broadcast")
        found.append(wide[0] if wide else 1)
    return tuple(found)


def relate(cut: Cut) -> bool:
    """Dimensions agree, aligned from the right; an extent 1 is whole and binds nothing."""
    for sort, sets in zip(cut.before.sorts, cut.sources, strict=True):
        for extent, kept, wanted in zip(reversed(sort.shape), reversed(sets), reversed(cut.target), strict=False):
            if kept != (None if extent == 1 else wanted):
                return False
    return True


UNARY = {
    f"aten.{name}.default": Signature(MORE.get(name, "self"), first, same, dtypes=DTYPES.get(name, FLOATING))
    for name in (*PLAIN.split(), *MORE)
}
BINARY = {
    "aten.add.Tensor": Signature("self other/ alpha:number", broadcast, relate, dtypes=NUMERIC),
    "aten.sub.Tensor": Signature("self other/ alpha:number", broadcast, relate, dtypes=NUMERIC),
    "aten.mul.Tensor": Signature("self other/", broadcast, relate, dtypes=NUMERIC),
    "aten.div.Tensor": Signature("self other/", broadcast, relate),
}

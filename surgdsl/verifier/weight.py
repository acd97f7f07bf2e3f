"""Weights as structure: the encoding and the parts that it must have, before any byte is read.

Parts are listed in the order mask, then values | codes, codebook | codes, scale, zero | codes, scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from surgdsl.verifier import digest as digests
from surgdsl.verifier.reject import need

ROLES = {
    "dense": ("values",), "codebook": ("codes", "codebook"), "affine": ("codes", "scale", "zero"),
    "symmetric": ("codes", "scale"),
}  # fmt: skip
BYTES = ("mask", "codes", "zero")


@dataclass(frozen=True, slots=True)
class Part:
    """One stored tensor of a weight."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight: its sort, how it is encoded, and its parts by role."""

    base: str
    role: str
    dtype: str
    shape: tuple[int, ...]
    kind: str
    bits: int
    axis: int
    group: int
    masked: bool
    parts: dict[str, Part]

    @property
    def count(self) -> int:
        """Number of elements, zeros included."""
        return math.prod(self.shape)

    @property
    def plain(self) -> bool:
        """Whether the weight is stored as it is."""
        return self.kind == "dense" and not self.masked

    @property
    def stored(self) -> int:
        """Bytes of all parts."""
        return sum(digests.nbytes(part.dtype, part.shape) for part in self.parts.values())

    @property
    def coding(self) -> tuple[str, int, int, int, bool]:
        """What distinguishes an encoding: kind, bits, axis, group, and whether there is a mask."""
        return self.kind, self.bits, self.axis, self.group, self.masked

    @property
    def runs(self) -> tuple[int, ...]:
        """How many scales there are: for each index of the axis, and where there are groups for each of its runs."""
        rows = self.shape[self.axis] if self.axis >= 0 else 1
        return (rows, -(-(self.count // rows) // self.group)) if self.group else (rows,)

    def part_shape(self, role: str, kept: int) -> tuple[int, ...]:
        """The shape that a part must have when a mask keeps `kept` elements; of a codebook the extent is free."""
        packed = {"mask": self.count, "codes": kept * self.bits}
        if role in packed:
            return ((packed[role] + 7) // 8,)
        if role == "values":
            return (kept,) if self.masked else self.shape
        return self.parts[role].shape[:1] or (0,) if role == "codebook" else self.runs


def parse(raw: dict[str, Any], dtype: str, shape: tuple[int, ...]) -> Weight:
    """The weight that a `param` states, for a wire of this sort; V09 when its parts are not those of its encoding."""
    inner = raw["encoding"].get("inner", raw["encoding"])
    kind, masked = inner["kind"], "inner" in raw["encoding"]
    roles = ("mask",) * masked + ROLES[kind]
    found = tuple(part["role"] for part in raw["parts"])
    need(found == roles, "V09", f"the parts of a {kind} weight are {', '.join(roles)}")
    names = [part["name"] for part in raw["parts"]]
    suffixes = ["." + role if kind != "dense" or masked else "" for role in roles]
    base = names[0][: len(names[0]) - len(suffixes[0])]
    fits = bool(base) and names == [base + suffix for suffix in suffixes]
    need(fits, "V09", f"the parts beside `{names[0]}` are not named after one base")
    parts = {
        part["role"]: Part(part["name"], part["dtype"], tuple(part["shape"]), part["digest"]) for part in raw["parts"]
    }
    form = (kind, inner.get("bits", 0), inner.get("axis", -1), inner.get("group", 0), masked)
    weight = Weight(base, raw["role"], dtype, shape, *form, parts)
    need(weight.axis < len(shape), "V09", f"`{base}` has no dimension {weight.axis}")
    need(dtype == "F32" or (kind == "dense" and not masked), "V09", f"`{base}` is encoded but not F32")
    for role, part in parts.items():
        narrow = role == "scale" and weight.group > 0 and part.dtype == "F16"
        fits = narrow or part.dtype == ("U8" if role in BYTES else dtype)
        need(fits, "V09", f"the dtype of `{part.name}` is wrong")
        free = masked and role in ("values", "codes")  # how many elements a mask keeps, only its bytes tell
        fits = len(part.shape) == 1 if free else part.shape == weight.part_shape(role, weight.count)
        need(fits, "V09", f"the shape of `{part.name}` is wrong")
    return weight

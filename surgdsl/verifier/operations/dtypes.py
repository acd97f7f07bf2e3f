"""Dtypes: what the sources of an operation may be, and what its targets then are.

An operation says it in letters, one for each tensor argument (the last for all that follow), `>`, one for each target:

- `f` floating, `n` any but BOOL, `a` any: these sources have one dtype, T; `p` any, `q` no BOOL in the end, `e` not
  floating: T is what they promote to, numbers included
- `i` I64 or I32, `b` BOOL, `m` BOOL or T, `x` anything, `y` anything but U8: by itself
- `=` the attribute `dtype` if it is given, else T; `F` likewise, but F32 for a T that is not floating; `S` likewise,
  but I64; `B` BOOL; `L` I64

>>> promoted(["I64"], [], ["F32"]), promoted(["F16"], ["F64"], []), promoted(["BF16", "F16"], [], [])
('F32', 'F16', 'F32')
"""

from __future__ import annotations

from collections.abc import Sequence

from surgdsl.verifier.digest import FLOATING, ITEMSIZE
from surgdsl.verifier.reject import need

ORDER = ("BOOL", "U8", "I8", "I16", "I32", "I64", "F16", "BF16", "F32", "F64")
TORCH = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")
WORDS = dict(zip(TORCH, ORDER, strict=True))
ALONE = {"i": ("I64", "I32"), "b": ("BOOL",), "y": tuple({*ITEMSIZE} - {"U8"})}


def joined(dtypes: Sequence[str]) -> str:
    """The least dtype that holds all; "" for none."""
    if {"F16", "BF16"} <= set(dtypes) <= {*ORDER[:8]}:
        return "F32"
    if {"U8", "I8"} <= set(dtypes) <= {"BOOL", "U8", "I8"}:
        return "I16"
    return max(dtypes, key=ORDER.index, default="")


def level(dtype: str) -> int:
    """0 for BOOL, 1 for integers, 2 for floating dtypes."""
    return (dtype != "BOOL") + (dtype in FLOATING) if dtype else -1


def promoted(tensors: Sequence[str], scalars: Sequence[str], numbers: Sequence[str]) -> str:
    """What dtypes promote to: of tensors without dimensions, and of numbers, only where they are of a higher kind."""
    found = joined(tensors)
    for others in (scalars, numbers):
        found = joined(others) if level(joined(others)) > level(found) else found
    return found


def settle(
    rule: str, sources: Sequence[tuple[int, str, bool]], numbers: Sequence[str], given: str | None
) -> tuple[str, ...]:
    """The dtypes of the targets; V09 when a source is of another one.

    Args:
        rule: the letters.
        sources: for each source the place of its argument, its dtype, and whether it has dimensions.
        numbers: dtypes of the numbers that take part.
        given: the attribute `dtype`.
    """
    takes, _, gives = rule.partition(">")
    codes = [takes[min(place, len(takes) - 1)] for place, _, _ in sources]
    shared = [(dtype, deep) for code, (_, dtype, deep) in zip(codes, sources, strict=True) if code in "fnapqe"]
    tensors, scalars = ([dtype for dtype, deep in shared if deep is wanted] for wanted in (True, False))
    common = promoted(tensors, scalars, numbers)
    for code, (_, dtype, _) in zip(codes, sources, strict=True):
        alike = dtype == common if code in "fna" else dtype in ALONE.get(code, (dtype,))
        need(alike and (code != "m" or dtype in ("BOOL", common)), "V09", "the sources differ in dtype")
    base = given or common
    wrong = ("f" in takes and min(level(common), level(base)) < 2) or (bool({*"nq"} & {*takes}) and common == "BOOL")
    need(not wrong and ("e" not in takes or level(common) < 2), "V09", f"dtype {common} is not computed with here")
    found = {"=": base, "B": "BOOL", "L": "I64"}
    found |= {code: base if given or level(base) == 2 else other for code, other in (("F", "F32"), ("S", "I64"))}
    return tuple(found[code] for code in gives or "=")

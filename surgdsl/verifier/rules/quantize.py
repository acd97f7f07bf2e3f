"""quantize-codebook/1, quantize-affine/1: each element becomes its nearest code; the error is measured, not read."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from surgdsl.verifier.arrays import Column, agree, each, finite, ops
from surgdsl.verifier.content import Content, Load
from surgdsl.verifier.reject import need
from surgdsl.verifier.rewrite import Rewrite
from surgdsl.verifier.rules.schema import recoded

Codes = Callable[[Column, Column], Column]
"""The codes that values at some positions must get."""


def check(kind: str, rewrite: Rewrite, load: Load) -> str:
    """One dense or masked dense F32 weight gets codes that are recomputed one by one; returns the error."""
    before, after = recoded(rewrite)
    told = rewrite.arguments
    stated = (told["bits"], told.get("axis", -1), told.get("group", 0))
    need(before.kind == "dense" and before.dtype == "F32", "V14", f"`{before.base}` is not dense F32")
    fits = after.kind == ("symmetric" if "symmetric" in told else kind) and after.masked == before.masked
    need(fits, "V14", f"`{after.base}` does not get the encoding of the rule")
    need(after.coding[1:4] == stated, "V14", f"the encoding of `{after.base}` is not what the arguments say")
    old, new = load(before), load(after)
    same = not after.masked or before.parts["mask"].digest == after.parts["mask"].digest
    need(same, "V15", f"the mask of `{after.base}` changes")
    code = nearest(new) if kind == "codebook" else rounded(new)
    count, largest, squares = 0, 0.0, 0.0
    for at, run in new.runs():
        values = old.stored(at, run, "f")
        need(finite(values), "V15", f"`{before.base}` is not finite")
        same = agree(operator.eq, code(values, at), ops.column(new.parts["codes"][run], "B"))
        need(same, "V15", f"a code of `{after.base}` is not the nearest one")
        error = each(lambda made, value: abs(made - value), new.stored(at, run, "f"), values)
        count, largest = count + len(at), max(largest, ops.top(error))
        squares += float(sum(ops.dots(error, error, max(1, len(error)))))
    said = f"{after.base}: error at most {largest:.3g}, root mean square {math.sqrt(squares / max(1, count)):.3g}"
    return said + beside(float.fromhex(told.get("least", "0x0.0p+0")), squares, after.base)


def beside(least: float, squares: float, base: str) -> str:
    """How near the error is to a stated least one; V15 when it lies below what no codebook is said to go below."""
    need(least <= squares * (1 + 2**-20), "V15", f"the error of `{base}` is smaller than the least that is stated")
    return f", at most {squares / least:.6f} times the least possible (attested)" if least > 0 else ""


def nearest(new: Content) -> Codes:
    """The number of k with 2w > c_k + c_{k+1}: the nearest entry, ties to the lower."""
    book = ops.column(new.parts["codebook"], "f")
    bounds = each(operator.add, book[:-1], book[1:])
    return lambda values, _: ops.nearest(bounds, each(lambda value: 2 * value, values))


def rounded(new: Content) -> Codes:
    """clamp(round_half_even(w / scale) + zero, 0, 2^b − 1)."""
    most = (1 << new.weight.bits) - 1

    def code(value: Any, at: Any) -> Any:
        scale, zero = new.grid(at)
        found = ops.rint(value / scale) + zero
        return ops.where(found < 0, 0, ops.where(found > most, most, found))

    return lambda values, at: each(code, values, at)

"""quantize-codebook/1, quantize-affine/1: each element becomes its nearest code; the error is measured, not read."""

from __future__ import annotations

import math

import numpy as np

from surgdsl.verifier.content import Array, Content, Load
from surgdsl.verifier.reject import need
from surgdsl.verifier.rewrite import Rewrite
from surgdsl.verifier.rules.schema import Rule, recoded
from surgdsl.verifier.schema import integer, is_float, record, where


def nearest(new: Content, values: Array) -> Array:
    """The number of k with 2w > c_k + c_{k+1}: the nearest entry, ties to the lower."""
    book = new.arrays["codebook"].astype(np.float64)
    return np.searchsorted(book[:-1] + book[1:], 2 * values, side="left")


def rounded(new: Content, values: Array, at: Array) -> Array:
    """clamp(round_half_even(w / scale) + zero, 0, 2^b − 1)."""
    scale, zero = new.grid(at)
    return np.clip(np.rint(values / scale) + zero, 0, (1 << new.weight.bits) - 1).astype(np.int64)


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
    count, largest, squares = 0, 0.0, 0.0
    for at, run in new.runs():
        values = old.packed(at, run).view("<f4").astype(np.float64)
        need(bool(np.all(np.isfinite(values))), "V15", f"`{before.base}` is not finite")
        expected = nearest(new, values) if kind == "codebook" else rounded(new, values, at)
        same = bool(np.array_equal(expected, new.arrays["codes"][run]))
        need(same, "V15", f"a code of `{after.base}` is not the nearest one")
        error = np.abs(new.packed(at, run).view("<f4").astype(np.float64) - values)
        count, largest, squares = count + len(at), max(largest, error.max(initial=0.0)), squares + float(error @ error)
    said = f"{after.base}: error at most {largest:.3g}, root mean square {math.sqrt(squares / max(1, count)):.3g}"
    return said + beside(float.fromhex(told.get("least", "0x0.0p+0")), squares, after.base)


def beside(least: float, squares: float, base: str) -> str:
    """How near the error is to a stated least one; V15 when it lies below what no codebook is said to go below."""
    need(least <= squares * (1 + 2**-20), "V15", f"the error of `{base}` is smaller than the least that is stated")
    return f", at most {squares / least:.6f} times the least possible (attested)" if least > 0 else ""


BITS = integer(1, 8)
LEAST = where(lambda value: is_float(value) and 0 <= float.fromhex(value) < math.inf, "a finite float, not negative")
CODEBOOK = Rule(
    "bounded",
    "size/1",
    record({"bits": BITS}, {"least": LEAST}),
    lambda rewrite, load: check("codebook", rewrite, load),
)
AFFINE = Rule(
    "bounded",
    "size/1",
    record(
        {"axis": integer(-1, 7), "bits": BITS}, {"group": integer(1), "symmetric": where(lambda v: v is True, "true")}
    ),
    lambda rewrite, load: check("affine", rewrite, load),
)

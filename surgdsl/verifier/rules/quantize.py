"""quantize-codebook/1, quantize-affine/1: each element becomes its nearest code; the error is measured, not read."""

from __future__ import annotations

import numpy as np

from surgdsl.verifier.content import Array, Content, Load
from surgdsl.verifier.reject import need
from surgdsl.verifier.rewrite import Rewrite
from surgdsl.verifier.rules.schema import Rule, recoded
from surgdsl.verifier.schema import integer, record


def nearest(new: Content, values: Array) -> Array:
    """The number of k with 2w > c_k + c_{k+1}: the nearest entry, ties to the lower."""
    book = new.arrays["codebook"].astype(np.float64)
    return np.searchsorted(book[:-1] + book[1:], 2 * values, side="left")


def rounded(new: Content, values: Array) -> Array:
    """clamp(round_half_even(w / scale) + zero, 0, 2^b − 1)."""
    at = new.channel(new.kept)
    steps = np.rint(values / new.arrays["scale"][at].astype(np.float64)) + new.arrays["zero"][at]
    return np.clip(steps, 0, (1 << new.weight.bits) - 1).astype(np.int64)


def check(kind: str, rewrite: Rewrite, load: Load) -> str:
    """One dense or masked dense F32 weight gets codes that are recomputed one by one; returns the error."""
    before, after = recoded(rewrite)
    stated = (rewrite.arguments["bits"], rewrite.arguments.get("axis", -1))
    need(before.kind == "dense" and before.dtype == "F32", "V14", f"`{before.base}` is not dense F32")
    fits = after.kind == kind and after.masked == before.masked
    need(fits, "V14", f"`{after.base}` does not get the encoding of the rule")
    need((after.bits, after.axis) == stated, "V14", f"the encoding of `{after.base}` is not what the arguments say")
    old, new = load(before), load(after)
    same = not after.masked or before.parts["mask"].digest == after.parts["mask"].digest
    need(same, "V15", f"the mask of `{after.base}` changes")
    values = old.arrays["values"].view("<f4").astype(np.float64).ravel()
    need(bool(np.all(np.isfinite(values))), "V15", f"`{before.base}` is not finite")
    expected = nearest(new, values) if kind == "codebook" else rounded(new, values)
    need(bool(np.array_equal(expected, new.arrays["codes"])), "V15", f"a code of `{after.base}` is not the nearest one")
    error = np.abs(new.packed().view("<f4").astype(np.float64) - values)
    largest, rms = (float(error.max()), float(np.sqrt(np.mean(error * error)))) if len(error) else (0.0, 0.0)
    return f"{after.base}: error at most {largest:.3g}, root mean square {rms:.3g}"


BITS = integer(1, 8)
CODEBOOK = Rule("bounded", "size/1", record({"bits": BITS}), lambda rewrite, load: check("codebook", rewrite, load))
AFFINE = Rule(
    "bounded",
    "size/1",
    record({"axis": integer(-1, 7), "bits": BITS}),
    lambda rewrite, load: check("affine", rewrite, load),
)

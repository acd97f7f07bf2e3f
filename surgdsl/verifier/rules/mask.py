"""mask/1: some elements of one weight become zero, every other keeps its bits; a pattern that is stated is kept."""

from __future__ import annotations

import numpy as np

from surgdsl.verifier.content import Array, Load
from surgdsl.verifier.reject import need
from surgdsl.verifier.rewrite import Rewrite
from surgdsl.verifier.rules.schema import Rule, recoded
from surgdsl.verifier.schema import integer, natural, record, row

PAIR = row(integer(1, 1 << 16), integer(1, 1 << 16))


def check(rewrite: Rewrite, load: Load) -> str:
    """Every element is bit-equal to before or zero, as many are kept as stated, the inner encoding is the old one."""
    before, after = recoded(rewrite)
    need(after.coding == (*before.coding[:-1], True), "V14", f"`{after.base}` does not become its masked encoding")
    new, last = load(after), load(before)
    mask = new.arrays["mask"]
    for old, found in zip(last.decoded(), new.decoded(), strict=True):
        need(bool(np.all((found == old) | (found == 0))), "V15", f"an element of `{after.base}` that is kept changes")
    kept = int(np.count_nonzero(mask))
    need(str(kept) == rewrite.arguments["keep"], "V15", f"the mask of `{after.base}` keeps {kept} elements")
    stated, shaped = rewrite.arguments, mask.reshape(after.shape)
    need(len(stated) == 1 or len(after.shape) > 1, "V14", f"`{after.base}` has no neighbours and no tiles")
    few, whole = stated.get("few"), last.arrays.get("mask", np.ones_like(mask)).reshape(after.shape)
    need(few is None or of_each(shaped, *few), "V15", f"the mask of `{after.base}` keeps more of some neighbours")
    tile = stated.get("tile")
    need(tile is None or tiled(shaped, whole, *tile), "V15", f"the mask of `{after.base}` cuts a tile")
    return ""


def of_each(mask: Array, most: int, neighbours: int) -> bool:
    """Whether at most so many of every so many neighbours along dimension 1 are kept.

    >>> [of_each(np.array([[True, False, True, True, False]]), most, 4) for most in (2, 3)]
    [False, True]
    """
    starts = list(range(0, mask.shape[1], neighbours))
    return int(np.add.reduceat(mask, starts, axis=1, dtype=np.int64).max()) <= most


def tiled(mask: Array, before: Array, height: int, width: int) -> bool:
    """Whether every tile of rows (dimension 0) and columns (the others, row-major) is kept as it was, or empty.

    >>> mask = np.array([[True, True, False], [True, True, False]])
    >>> [tiled(mask, mask | True, 2, width) for width in (1, 2, 3)]
    [True, True, False]
    """
    rows, columns = (np.arange(0, extent, step) for extent, step in ((len(mask), height), (mask[0].size, width)))
    counts = (
        np.add.reduceat(np.add.reduceat(one.reshape(len(mask), -1), rows, axis=0, dtype=np.int64), columns, axis=1)
        for one in (mask, before)
    )
    new, old = counts
    return bool(np.all((new == old) | (new == 0)))


MASK = Rule("exact", "nnz/1", record({"keep": natural}, {"few": PAIR, "tile": PAIR}), check)

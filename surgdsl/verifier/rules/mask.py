"""mask/1: some elements of one weight become zero, every other keeps its bits."""

from __future__ import annotations

import numpy as np

from surgdsl.verifier.content import Load
from surgdsl.verifier.reject import need
from surgdsl.verifier.rewrite import Rewrite
from surgdsl.verifier.rules.schema import Rule, recoded
from surgdsl.verifier.schema import natural, record


def check(rewrite: Rewrite, load: Load) -> str:
    """Every element is bit-equal to before or zero, as many are kept as stated, the inner encoding is the old one."""
    before, after = recoded(rewrite)
    need(after.coding == (*before.coding[:-1], True), "V14", f"`{after.base}` does not become its masked encoding")
    new, old = load(after), load(before).decoded()
    found = new.decoded()
    need(bool(np.all((found == old) | (found == 0))), "V15", f"an element of `{after.base}` that is kept changes")
    kept = int(np.count_nonzero(new.arrays["mask"]))
    need(str(kept) == rewrite.arguments["keep"], "V15", f"the mask of `{after.base}` keeps {kept} elements")
    return ""


MASK = Rule("exact", "nnz/1", record({"keep": natural}), check)

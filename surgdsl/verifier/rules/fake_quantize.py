"""fake-quantize/1: some operations read a wire through a grid of integers. Lossy: what that does is not bounded."""

from __future__ import annotations

from surgdsl.verifier.content import Load
from surgdsl.verifier.reject import Reject, need
from surgdsl.verifier.rewrite import Rewrite

NAME = "aten.fake_quantize_per_tensor_affine.default"


def check(rewrite: Rewrite, load: Load) -> str:
    """One new operation rounds a wire of K to 2^bits points; the operations of L read it instead, else unchanged."""
    del load
    before, made = list(rewrite.left.operations.values()), list(rewrite.right.operations.values())
    new, grid = list(rewrite.right.wires), made[0] if made else None
    if grid is None or grid.name != NAME or list(grid.targets) != new or rewrite.deleted:
        raise Reject("V14", "R adds one operation that rounds, with its wire, and K has every wire of L")
    count = grid.attributes["quant_max"] - grid.attributes["quant_min"] + 1
    need(count == 1 << rewrite.arguments["bits"], "V14", f"a grid of {count} points is not one of that many bits")
    need(len(before) == len(made) - 1, "V14", "R has other operations than L")
    for old, other in zip(before, made[1:], strict=True):
        wired = tuple(new[0] if wire == grid.sources[0] else wire for wire in old.sources)
        same = (old.label, wired, old.targets) == (other.label, other.sources, other.targets) and old.weight is None
        need(same and wired != old.sources, "V14", f"`{old.name}` changes otherwise than by reading through the grid")
    return ""

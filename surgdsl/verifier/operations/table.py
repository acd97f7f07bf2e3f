"""The table of operators.txt read, and the functions that it names.

A new operator is mostly a row there; here stands only what letters cannot say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pkgutil import get_data

from surgdsl.verifier.extent import Extent
from surgdsl.verifier.operations import arrange, contract, create, fake_quantize, norm, reduce, windows
from surgdsl.verifier.operations.letters import Places
from surgdsl.verifier.operations.signature import Call, Cut, Signature


@dataclass(frozen=True, slots=True)
class Special:
    """Places that depend on the call, the relation of what letters do not bind, and what a cut changes."""

    places: Callable[[Call], Places] | str
    also: Callable[[Cut], bool] | None = None
    forced: str = ""
    cost: Callable[[Call, Places], list[Extent]] | None = None


SPECIAL = {
    "view": Special(arrange.view, arrange.reshaped, "size shape"), "permute": Special(arrange.permuted),
    "unsqueeze": Special(arrange.unsqueezed), "squeeze": Special(arrange.squeezed),
    "cat": Special(arrange.joined), "stack": Special(arrange.stacked),
    "split": Special(arrange.split, None, "split_sizes"), "unbind": Special(arrange.unbound),
    "slice": Special(arrange.window, None, "start end"), "expand": Special(arrange.expanded, None, "size"),
    "repeat": Special(arrange.repeated, None, "repeats dims"),
    "pad": Special(arrange.padded),
    "interleave": Special(arrange.interleaved, None, "repeats output_size"), "shuffle": Special(arrange.shuffled),
    "index": Special(arrange.indexed), "pick": Special(arrange.picked), "fill": Special(create.filled, None, "size"),
    "range": Special(create.counted), "over": Special(reduce.reduced), "sum": Special(reduce.summed),
    "along": Special(reduce.along), "running": Special(reduce.running),
    "topk": Special(reduce.ranked), "diff": Special(reduce.differences),
    "conv": Special(windows.conv, partial(windows.wired, 0), "groups"),
    "transposed": Special(windows.transposed, partial(windows.wired, -1), "groups"), "pool": Special(windows.pool),
    "adapt": Special(windows.adapted), "resample": Special(windows.resampled),
    "matmul": Special(contract.matmul),
    "einsum": Special(contract.einsum, None, "", contract.product_of_two),
    "attention": Special(contract.attention, contract.scaled, "scale"),
    "layers": Special(contract.layers, None, "", contract.steps), "layer": Special(norm.layer),
    "groups": Special(norm.grouped, norm.whole_groups, "num_groups"), "prelu": Special(norm.sloped),
    "polar": Special(norm.polar), "grid": Special(fake_quantize.gridded),
}  # fmt: skip

TABLE = get_data("surgdsl.verifier.operations", "operators.txt") or b""  # from a folder or from an archive


def catalogue() -> dict[str, Signature]:
    """The table, read once."""
    lines = TABLE.decode().replace("\n  ", " ").splitlines()
    words = dict(line.split(" = ") for line in lines if line.startswith("@"))
    found = dict[str, Signature]()
    for line in (line for line in lines if line and line[0] not in "#@"):
        names, schema, dtypes, places, cost = (*(cell.strip() for cell in line.split("|")), "", "", "")[:5]
        schema = " ".join(words.get(word, word) for word in schema.split())
        plain = " ".join(["~*"] * sum(":" not in item for item in schema.split())) + ">*"
        one = SPECIAL[places[1:-1]] if places.startswith("<") else Special(places or plain)
        row = Signature(schema, dtypes or "f", one.places, one.cost or cost, tuple(one.forced.split()), one.also)
        found |= {f"aten.{name}" + ".default" * ("." not in name): row for name in names.split()}
    return found


CATALOGUE = catalogue()

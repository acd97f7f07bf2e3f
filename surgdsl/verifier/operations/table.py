"""The table of operators.txt read, and the functions that it names.

A new operator is mostly a row there; here stands only what letters cannot say.
"""

from __future__ import annotations

from functools import partial
from pkgutil import get_data

from surgdsl.verifier.operations import arrange, contract, norm, windows
from surgdsl.verifier.operations.signature import Signature

PLACES = {
    "view": arrange.view, "permute": arrange.permuted, "squeeze": arrange.squeezed, "cat": arrange.joined,
    "stack": arrange.stacked, "split": arrange.split, "unbind": arrange.unbound, "slice": arrange.window,
    "scatter": arrange.scattered, "unfold": arrange.unfolded, "expand": arrange.expanded, "repeat": arrange.repeated,
    "interleave": arrange.interleaved, "pad": arrange.padded, "shuffle": arrange.shuffled, "index": arrange.indexed,
    "put": arrange.put, "topk": arrange.ranked, "diff": arrange.differences, "range": arrange.ranged,
    "conv": windows.conv, "transposed": windows.transposed, "pool": windows.pool, "columns": windows.columns,
    "resample": windows.resampled, "matmul": contract.matmul, "einsum": contract.einsum,
    "attention": contract.attention, "layers": contract.layers, "batch": norm.channels, "layer": norm.layer,
    "groups": norm.grouped, "vector": norm.vector, "prelu": norm.sloped, "polar": norm.polar, "grid": norm.gridded,
}  # fmt: skip
ALSO = {
    "view": arrange.reshaped, "conv": partial(windows.wired, 0), "transposed": partial(windows.wired, -1),
    "attention": contract.scaled, "groups": norm.whole_groups,
}  # fmt: skip
COSTS = {"einsum": contract.product_of_two, "layers": contract.steps}
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
        word = places[1:-1] if places.startswith("<") else ""
        where = PLACES[word] if word else places or plain
        row = Signature(schema, dtypes or "f", where, COSTS.get(word, cost), ALSO.get(word))
        found |= {full(name): row for name in names.split()}
    return found


def full(name: str) -> str:
    """The name of an operator as graphs have it: its library and its overload need not be written.

    >>> full("relu"), full("add.Tensor"), full("library.name.default")
    ('aten.relu.default', 'aten.add.Tensor', 'library.name.default')
    """
    return name if name.count(".") == 2 else f"aten.{name}" + ".default" * ("." not in name)


CATALOGUE = catalogue()

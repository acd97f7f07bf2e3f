"""The honest certificates of the corpus: every rule, every encoding, every form of claim, each as small as it can be.

They are made by the writer of the tests, which knows docs/certificate.md and neither the compiler nor the verifier.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.verifier import declaring as r
from tests.verifier import surgeries as s
from tests.verifier import test_accept as accept
from tests.verifier import test_figures as figures
from tests.verifier import test_grids as grids
from tests.verifier import test_scales as scales
from tests.verifier.conftest import KEEP, SCORES, cut
from tests.verifier.conftest import job as every_rule
from tests.verifier.encodings import DTYPES, Array, Weight, bits, dense, grouped
from tests.verifier.forge import Forge
from tests.verifier.test_bytes import small
from tests.verifier.test_fake_quantize import NAME, rounded, source

Options = tuple[str, ...]
Build = Callable[[], Forge]
ATTENTION = "scaled_dot_product_attention.default"


def promising(build: Build, metric: str = "params/1") -> Build:
    """The same, with the promise that a metric does not grow."""

    def forge() -> Forge:
        f = build()
        f.claims = [s.counted(metric, "1")]
        return f

    return forge


def pruned_cnn() -> Forge:
    f = s.cnn()
    s.prune(f, cut(f), KEEP, SCORES)
    f.claims = [s.counted("params/1", "3/4"), s.counted("macs/1", "3/4", "<")]
    f.interfaces = [{"name": "api", **f.boundary()}]
    return f


def applied(build: Build, *surgeries: Callable[[Forge], object]) -> Build:
    """A net under several surgeries."""

    def forge() -> Forge:
        f = build()
        for surgery in surgeries:
            surgery(f)
        return f

    return forge


def on_grids(f: Forge) -> None:
    """Scales for groups of elements, with zero points and without."""
    values = f.weight(f.named("fc1.weight")).decoded
    grids.on_grid(f, "fc1.weight", grouped("fc1.weight", values, 3, 1, 3, symmetric=False))
    values = f.weight(f.named("fc2.weight")).decoded
    grids.on_grid(f, "fc2.weight", grouped("fc2.weight", values, 4, -1, 16))


def on_axis(f: Forge) -> None:
    s.quantize_affine(f, "fc1.weight", 5, 1)
    s.quantize_affine(f, "fc2.weight", 8, -1)


def grid_between(f: Forge) -> None:
    """Layers read their input through a grid, and channels are cut through it."""
    last = f.find("linear.default", 1)
    rounded(f, [last], source(f, last))
    wires = [f.ops[f.find(name)]["targets"][0] for name in ("linear.default", "relu.default", NAME)]
    kept: s.Kept = {wire: {1: [0, 2]} for wire in wires}
    kept |= {wire: {0: [0, 2]} for wire in f.ops[f.find("linear.default")]["sources"][1:]}
    kept[f.ops[f.find("linear.default", 1)]["sources"][1]] = {1: [0, 2]}
    s.prune(f, kept, [0, 2], [9, 1, 9, 1])


def python() -> Forge:
    claim = (figures.python("3/2"), "<=", figures.n(2))
    return figures.job(claim, (figures.AVERAGE_BITS, "<", figures.n(32)))


def beyond_floats() -> Forge:
    """A figure that is no integer and larger than any float."""
    large = figures.ap("pow", figures.ap("pow", figures.n(10**30), figures.n(30)), figures.n(1))
    return figures.job((figures.ap("div", large, figures.n(3)), ">", figures.n(1)))


def attention() -> Forge:
    """x [B, 5, 4] → two heads of width three → y [B, 5, 4]."""
    f = Forge()
    x = f.input("x", ("B", 5, 4))
    heads = list[str]()
    for name in "qkv":
        y = f.op("view.default", [s.linear(f, x, name, 6)], ("B", 5, 2, 3), size=[{"extent": "B"}, 5, 2, 3])
        heads.append(f.op("transpose.int", [y], ("B", 2, 5, 3), dim0=1, dim1=2))
    none: dict[str, Any] = {"attn_mask": {"none": True}, "scale": {"none": True}, "dropout_p": {"float": (0.0).hex()}}
    y = f.op(ATTENTION, heads, ("B", 2, 5, 3), enable_gqa=False, is_causal=True, **none)
    y = f.op("transpose.int", [y], ("B", 5, 2, 3), dim0=1, dim1=2)
    y = f.op("reshape.default", [y], ("B", 5, 6), shape=[{"extent": "B"}, 5, 6])
    f.begin(("y", s.linear(f, y, "o", 4)), B=2)
    return f


def behind(f: Forge, wire: str) -> str:
    """The target of the only reader of a wire."""
    (op,) = (op for op in f.ops.values() if wire in op["sources"])
    return op["targets"][0]


def pruned_heads() -> Forge:
    """One head of two goes, through views and transposes."""
    f, columns = attention(), [3, 4, 5]
    kept: s.Kept = {}
    for op in [op for op in f.ops.values() if "linear" in op["raw"]["op"]]:
        if f.weight(f.maker(op["sources"][1])).base == "o.weight":
            kept[op["sources"][1]] = {1: columns}
            continue
        view = behind(f, op["targets"][0])
        kept |= {wire: {0: columns} for wire in op["sources"][1:]}
        kept |= {op["targets"][0]: {2: columns}, view: {2: [1]}, behind(f, view): {1: [1]}}
    mixed = f.ops[f.find(ATTENTION)]["targets"][0]
    turned = behind(f, mixed)
    kept |= {mixed: {1: [1]}, turned: {2: [1]}, behind(f, turned): {2: columns}}

    def narrower(made: dict[str, Any]) -> dict[str, Any]:
        size = {"view": [{"extent": "B"}, 5, 1, 3], "reshape": [{"extent": "B"}, 5, 3]}
        name = made["raw"]["op"].removeprefix("aten.").removesuffix(".default")
        rows = [[key, size[name]] if name in size else [key, value] for key, value in made["raw"].get("attributes", [])]
        return {**made, "raw": {**made["raw"], "attributes": rows}} if name in size else made

    s.prune(f, kept, [1], [4, 5], remake=narrower)
    return f


def symbols() -> Forge:
    """Extents of two symbols, and their product."""
    f = Forge()
    x = s.linear(f, f.input("x", ("B", "T", 3)), "a", 4)
    x = f.op("flatten.using_ints", [x], ("B*T", 4), start_dim=0, end_dim=1)
    x = f.op("cat.default", [x, x], ("2*B*T", 4), dim=0, tensors={"tensors": 2})
    f.begin(("y", s.linear(f, x, "b", 2)), B=2, T=3)
    s.mask(f, "a.weight", np.eye(4, 3) > 0)
    return f


def long_extents() -> Forge:
    """Extents whose product has more digits than any extent that may be written."""
    f = Forge()
    x = f.input("x", ("99999999*B", "99999999*B", 4))
    f.begin(("y", s.linear(f, x, "a", 2)), B=1)
    s.mask(f, "a.weight", np.eye(2, 4) > 0)
    return f


def tied() -> Forge:
    """One weight, read twice and stored once."""
    f = Forge()
    x, w = f.input("x", ("B", 3)), f.param(dense("w", s.noise(3, 3)))
    for _ in range(2):
        x = f.op("linear.default", [x, w], ("B", 3), bias={"none": True})
    f.begin(("y", x), B=1)
    s.quantize(f, "w", 1)
    return f


def dead() -> Forge:
    """The input file holds a tensor that the model does not need."""
    f = s.mlp()
    s.mask(f, "fc1.weight", np.abs(f.weight(f.named("fc1.weight")).decoded) > 0.5)
    f.param_op(dense("dead", s.noise(7)), "parameter", "none")
    digest = next(digest for digest, (_, shape, _) in f.pool.items() if shape == (7,))
    f.first_parts["dead"] = {"digest": digest}
    return f


def dtypes() -> Forge:
    """Weights of every width, integers and truth values among them."""
    f = Forge()
    tables = {"half": np.float16, "single": np.float32, "double": np.float64}
    rows = f.param(plain("rows", np.array([1, 0, 1])), "constant")
    f.wires[rows] = ("I64", (3,))
    found = list[tuple[str, str]]()
    for name, kind in tables.items():
        table = f.param(plain(name, s.noise(2, 4).astype(kind)))
        f.wires[table] = (DTYPES[np.dtype(kind).name], (2, 4))
        y = f.op("embedding.default", [table, rows], (3, 4), padding_idx=-1, scale_grad_by_freq=False, sparse=False)
        f.wires[y] = (DTYPES[np.dtype(kind).name], (3, 4))
        found.append((f"{name}.out", y))
    choice = f.param(plain("choice", np.array([True, False, True, True])), "buffer")
    f.wires[choice] = ("BOOL", (4,))
    single = found[1][1]
    found.append(("chosen", f.op("where.self", [choice, single, single], (3, 4))))
    f.begin(*found)
    return f


def plain(base: str, values: Array) -> Weight:
    return Weight(base, {"kind": "dense"}, {"values": values}, values)


def masked_grid() -> Forge:
    """A mask, and then codes for what it left, with a scale for each row."""
    f = grids.wide()
    values = f.weight(f.named("fc2.weight")).decoded
    keep = np.abs(values) > 0.5
    s.mask(f, "fc2.weight", keep)
    rows = np.where(keep, values, np.float32(0))
    scale = (np.abs(rows).max(axis=1) / 8).astype(np.float32)
    codes = np.clip(np.rint(rows.astype(np.float64) / scale[:, None]) + 8, 0, 15).astype(int)
    found = (scale.astype(np.float64)[:, None] * (codes - 8)).astype(np.float32)
    arrays = {"mask": bits(keep.astype(int), 1), "codes": bits(codes[keep], 4), "scale": scale}
    arrays["zero"] = np.full(8, 8, dtype=np.uint8)
    encoding = {"inner": {"axis": 0, "bits": 4, "kind": "affine"}, "kind": "masked"}
    weight = Weight("fc2.weight", encoding, arrays, np.where(keep, found, np.float32(0)))
    s.recode(f, "round", "quantize-affine/1", "size/1", {"axis": 0, "bits": 4}, "fc2.weight", weight)
    return f


GOOD: tuple[tuple[str, Build, Options], ...] = (
    ("identity", promising(s.mlp), ()),
    ("little", small, ()),
    ("prune-linear", promising(accept.pruned_mlp), ()),
    ("prune-conv", pruned_cnn, ()),
    ("prune-residual", promising(accept.pruned_residual), ()),
    ("prune-group", promising(accept.pruned_groups), ()),
    ("prune-in-groups", promising(lambda: accept.pruned_groups(whole=False), "macs/1"), ()),
    ("prune-cat", promising(accept.pruned_join), ()),
    ("prune-codes", promising(accept.pruned_codes, "size/1"), ()),
    ("prune-grid", promising(lambda: grids.quantized_and_cut([4, 5, 6, 7])), ()),
    ("prune-heads", promising(pruned_heads), ()),
    ("symbols", promising(symbols, "nnz/1"), ()),
    ("long-extents", promising(long_extents, "nnz/1"), ()),
    ("tied", promising(tied, "size/1"), ()),
    ("dead", promising(dead, "nnz/1"), ()),
    ("dtypes", promising(dtypes), ()),
    ("masked-grid", promising(masked_grid, "size/1"), ()),
    ("mask-patterns", promising(accept.patterned, "nnz/1"), ()),
    ("grids", promising(applied(grids.wide, on_grids), "size/1"), ()),
    ("affine", promising(applied(grids.wide, on_axis), "size/1"), ()),
    ("adjust", promising(accept.adjusted, "size/1"), ()),
    ("fake-quantize", promising(applied(s.mlp, grid_between)), ()),
    ("rule-fold", promising(applied(s.cnn, r.fold)), ()),
    ("claim-beyond-floats", beyond_floats, ()),
    ("rule-fold-eps", promising(applied(lambda: s.cnn(2.0**-10), r.fold)), ()),
    ("rule-fold-linear", promising(accept.folded_linear), ()),
    ("rule-fuse", promising(applied(r.chain, r.fuse)), ()),
    ("rule-twice", promising(applied(r.chain, r.twice)), ()),
    ("rule-factor", promising(applied(r.chain, r.factor)), ()),
    ("rule-lossy", promising(applied(r.chain, lambda f: r.twice(f, r.of(r.TWICE, grade="lossy")))), ()),
    ("rule-scales", promising(scales.job), ()),
    ("python", python, ("--trust", figures.SHA)),
    ("every-rule", every_rule, ()),
)

"""The honest certificates of the corpus: every rule, every encoding, every form of claim, each as small as it can be.

They are made by the writer of the tests, which knows docs/certificate.md and neither the compiler nor the verifier.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.verifier import declaring as r
from tests.verifier import surgeries as s
from tests.verifier import test_accept as accept
from tests.verifier import test_figures as figures
from tests.verifier import test_grids as grids
from tests.verifier import test_scales as scales
from tests.verifier.conftest import KEEP, SCORES, cut
from tests.verifier.conftest import job as every_rule
from tests.verifier.encodings import grouped
from tests.verifier.forge import Forge
from tests.verifier.test_bytes import small
from tests.verifier.test_fake_quantize import NAME, rounded, source

Options = tuple[str, ...]
Build = Callable[[], Forge]


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
    ("mask-patterns", promising(accept.patterned, "nnz/1"), ()),
    ("grids", promising(applied(grids.wide, on_grids), "size/1"), ()),
    ("affine", promising(applied(grids.wide, on_axis), "size/1"), ()),
    ("adjust", promising(accept.adjusted, "size/1"), ()),
    ("fake-quantize", promising(applied(s.mlp, grid_between)), ()),
    ("rule-fold", promising(applied(s.cnn, r.fold)), ()),
    ("rule-fold-linear", promising(accept.folded_linear), ()),
    ("rule-fuse", promising(applied(r.chain, r.fuse)), ()),
    ("rule-twice", promising(applied(r.chain, r.twice)), ()),
    ("rule-factor", promising(applied(r.chain, r.factor)), ()),
    ("rule-lossy", promising(applied(r.chain, lambda f: r.twice(f, r.of(r.TWICE, grade="lossy")))), ()),
    ("rule-scales", promising(scales.job), ()),
    ("python", python, ("--trust", figures.SHA)),
    ("every-rule", every_rule, ()),
)

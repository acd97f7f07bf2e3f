"""What boxes compute is what torch computes; and rules that are written down consistently, and lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from surgdsl.verifier.declared import meaning
from surgdsl.verifier.main import main
from surgdsl.verifier.reject import Reject
from tests.verifier import declaring as r
from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, reason_of
from tests.verifier.columns import array, value
from tests.verifier.declaring import Json, ap, box, given, of, over, v
from tests.verifier.encodings import Array
from tests.verifier.forge import Forge

Tensor = torch.Tensor
PLAIN: dict[str, Callable[[Tensor], Tensor]] = {
    "abs": torch.abs, "neg": torch.neg, "exp": torch.exp, "sqrt": torch.sqrt, "tanh": torch.tanh, "relu": torch.relu,
    "silu": functional.silu, "sigmoid": torch.sigmoid, "relu6": functional.relu6, "mish": functional.mish,
    "hardswish": functional.hardswish, "hardsigmoid": functional.hardsigmoid, "identity": torch.clone,
    "dropout": torch.clone,
}  # fmt: skip
TWO: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div,
}  # fmt: skip


def tensor(values: Array) -> Tensor:
    return torch.tensor(values)


def noise(*shape: int) -> Array:
    return 3 * np.random.default_rng(shape).standard_normal(shape)


def one(kind: str, sources: list[Array], weights: dict[str, Array], arguments: Json) -> Any:
    """The target of one box on its own."""
    names = [f"x{number}" for number in range(len(sources))]
    boxes = [box("A", kind, [], " ".join(names), "y")]
    given = {name: value(source) for name, source in zip(names, sources, strict=True)}
    held = {name: value(weight) for name, weight in weights.items()}
    found = meaning.run(boxes, {"A": held}, {"A": arguments}, given)
    return None if found is None else array(found["y"])


def test_every_kind_that_is_computed_is_tested() -> None:
    assert {*PLAIN} == {*meaning.UNARY}
    assert {*TWO} == {*meaning.BINARY}
    assert {*meaning.WEIGHED} == {"conv1d", "conv2d", "conv3d", "linear", "batchnorm", "layernorm", "gelu"}


@pytest.mark.parametrize("kind", PLAIN)
def test_one_wire(kind: str) -> None:
    x = np.abs(noise(4, 5)) if kind == "sqrt" else noise(4, 5)
    np.testing.assert_allclose(one(kind, [x], {}, {}), PLAIN[kind](tensor(x)).numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", TWO)
def test_two_wires_that_broadcast(kind: str) -> None:
    x, y = noise(4, 1, 5), noise(3, 5)
    expected = TWO[kind](tensor(x), tensor(y)).numpy()
    np.testing.assert_allclose(one(kind, [x, y], {}, {}), expected, rtol=1e-12)
    assert one("add", [x, y], {}, {"alpha": 2}) is None


CONVS = [
    (1, 1, [1], [0], [1]),
    (2, 2, [2, 1], [1, 2], [1, 2]),
    (2, 1, [2], [1], [1]),
    (3, 3, [1, 2, 1], [0, 1, 2], [2, 1, 1]),
]


@pytest.mark.parametrize(("rank", "groups", "stride", "padding", "dilation"), CONVS)
def test_convolutions(rank: int, groups: int, stride: list[int], padding: list[int], dilation: list[int]) -> None:
    x, w, b = noise(2, 6, *range(6, 6 + rank)), noise(6, 6 // groups, *range(2, 2 + rank)), noise(6)
    geometry = {"stride": stride, "padding": padding, "dilation": dilation}
    operator: Callable[..., Tensor] = [functional.conv1d, functional.conv2d, functional.conv3d][rank - 1]
    spread = {name: value * (rank // len(value)) for name, value in geometry.items()}
    expected = operator(tensor(x), tensor(w), tensor(b), **spread, groups=groups).numpy()
    found = one(f"conv{rank}d", [x], {"weight": w, "bias": b}, {**geometry, "groups": groups})
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_layers_and_norms() -> None:
    x, w, b = noise(2, 3, 5), noise(4, 5), noise(4)
    expected = functional.linear(tensor(x), tensor(w), tensor(b)).numpy()
    np.testing.assert_allclose(one("linear", [x], {"weight": w, "bias": b}, {}), expected, atol=1e-10)
    rows = {"mean": noise(3), "var": np.abs(noise(3)), "gamma": noise(3) + 1, "beta": noise(3) - 1}
    mean, var, gamma, beta = (tensor(row) for row in rows.values())
    told = functional.batch_norm(tensor(x), mean, var, gamma, beta, eps=0.25).numpy()
    np.testing.assert_allclose(one("batchnorm", [x], rows, {"eps": {"float": (0.25).hex()}}), told, atol=1e-10)


def test_layernorm_and_gelu() -> None:
    x, eps = noise(2, 3, 5), {"eps": {"float": (0.25).hex()}}
    gamma, beta = noise(5) + 1, noise(5) - 1
    told = functional.layer_norm(tensor(x), (5,), tensor(gamma), tensor(beta), eps=0.25).numpy()
    np.testing.assert_allclose(one("layernorm", [x], {"gamma": gamma, "beta": beta}, eps), told, atol=1e-10)
    for how in ("none", "tanh"):
        bent = functional.gelu(tensor(x), approximate=how).numpy()
        np.testing.assert_allclose(one("gelu", [x], {}, {"approximate": how}), bent, atol=1e-10)


def test_what_is_rare_large_or_not_finite_is_left_open() -> None:
    assert one("softmax", [noise(3)], {}, {}) is None
    assert one("sqrt", [-np.ones(3)], {}, {}) is None
    wide: meaning.Weights = {"weight": ((1 << 15, 1 << 14), []), "bias": value(np.zeros(1))}
    given = {"x": value(np.ones((1, 1 << 14)))}
    assert meaning.run([box("A", "linear", [], "x", "y")], {"A": wide}, {"A": {}}, given) is None


SCALED = [given("D", "weight", ap("mul", v("C.weight"), r.SCALE))]
UNSHIFTED = given("D", "bias", ap("mul", ap("sub", v("C.bias"), v("N.mean")), r.SCALE))
HALVED = given("C", "bias", over("h", ap("mul", v("A.bias"), v("B.weight"))))
SMALL = {**r.FACTOR["bound"], "factor": {"number": "1/1000"}}


def unshifted(f: Forge) -> None:
    """A fold that forgets β, declared as such and computed to the byte."""
    norm = f.find("batch_norm.default")
    mean, gamma, var, beta = (r.value(f, norm, name) for name in ("mean", "gamma", "var", "beta"))
    assert beta.any()

    def spoil(weight: Array, _: Array) -> tuple[Array, Array]:
        return weight, ((0.0 - mean) * (gamma / np.sqrt(var + 1e-5))).astype(np.float32)

    r.fold(f, of(r.FOLD, **{"with": [*SCALED, UNSHIFTED]}), spoil=spoil)


def without_the_second_bias(f: Forge) -> None:
    a, b = f.find("linear.default"), f.find("linear.default", 1)
    terms = r.value(f, a, "bias")[:, None] * r.value(f, b, "weight").T

    def spoil(weight: Array, _: Array) -> tuple[Array, Array]:
        return weight, np.add.accumulate(terms)[-1].astype(np.float32)

    r.fuse(f, of(r.FUSE, **{"with": [r.FUSE["with"][0], HALVED]}), spoil=spoil)


def another_activation(f: Forge) -> None:
    raw = f.ops[f.find("relu.default")]["raw"]
    r.twice(f, of(r.TWICE, right=[box("C", "abs", [], "x", "y")]), made={**raw, "op": "aten.abs.default"})


LIES: list[tuple[str, Callable[[], Forge], Callable[[Forge], None]]] = [
    ("is not exact", s.cnn, unshifted),
    ("is not exact", r.chain, without_the_second_bias),
    ("is not exact", r.chain, another_activation),
    ("more than its bound", r.chain, lambda f: r.factor(f, of(r.FACTOR, bound=SMALL), told=(0.002).hex())),
]


@pytest.mark.parametrize(("reason", "net", "lie"), LIES)
def test_a_false_rule_is_seen_whatever_is_attested(
    reason: str, net: Callable[[], Forge], lie: Callable[[Forge], None], tmp_path: Path
) -> None:
    f = net()
    lie(f)
    folder = f.write(tmp_path / "lie")
    assert (code_of(folder), reason) == ("V15", reason if reason in reason_of(folder) else reason_of(folder))


def test_the_same_is_accepted_when_it_is_called_lossy(tmp_path: Path) -> None:
    f = r.chain()
    raw = f.ops[f.find("relu.default")]["raw"]
    d = of(r.TWICE, right=[box("C", "abs", [], "x", "y")], grade="lossy")
    r.twice(f, d, made={**raw, "op": "aten.abs.default"})
    assert code_of(f.write(tmp_path / "job")) == ""


def test_what_is_not_computed_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    f = r.chain()
    names = {"left": [box("A", "aten.relu.default", [], "x", "m"), box("B", "relu", [], "m", "y")]}
    r.twice(f, of(r.TWICE, **names, decreases=None))
    assert main([str(f.write(tmp_path / "job"))]) == 0
    printed = capsys.readouterr().out
    assert "twice: its sides are not computed here, what spoke for it is attested" in printed
    assert [line.split()[-5] for line in printed.splitlines() if "rule/1 twice" in line] == ["attested"]


@pytest.mark.parametrize(("kind", "other"), [("relu6", "relu"), ("hardsigmoid", "sigmoid"), ("relu", "identity")])
def test_what_agrees_near_zero_only_is_not_equal(kind: str, other: str) -> None:
    glue = [r.wire("x"), r.wire("y")]
    d = r.declaration("bends", "exact", [box("A", kind, [], "x", "y")], [box("B", other, [], "x", "y")], glue)
    weights: tuple[meaning.Side, meaning.Side] = ({"A": {}}, {"A": {}}), ({"B": {}}, {"B": {}})
    given = meaning.point(d, {"x": ("B", 64), "y": ("B", 64)}, "5" * 64)
    with pytest.raises(Reject, match="it is not exact"):
        meaning.compared(d, weights, given, (True, 0.0))


def test_sides_may_call_different_wires_inside_the_same() -> None:
    glue = [r.wire("x"), r.wire("y")]
    left = [box("A", "neg", [], "x", "m"), box("B", "identity", [], "m", "y")]
    right = [box("C", "identity", [], "x", "m"), box("D", "neg", [], "m", "y")]
    d = r.declaration("moved", "exact", left, right, glue)
    empty: tuple[meaning.Side, meaning.Side] = (
        ({"A": {}, "B": {}}, {"A": {}, "B": {}}),
        ({"C": {}, "D": {}}, {"C": {}, "D": {}}),
    )
    assert meaning.compared(d, empty, {"x": value(np.arange(1.0, 5.0))}, (True, 0.0))


def sides(nudge: Array) -> tuple[meaning.Side, meaning.Side]:
    """Two layers of which the second one is off by these shares."""
    plain = {"weight": value(np.eye(2)), "bias": value(np.zeros(2))}
    other = {"weight": value(np.diag(1 + nudge)), "bias": value(np.zeros(2))}
    return ({"A": plain}, {"A": {}}), ({"A": other}, {"A": {}})


LAYER = [box("A", "linear", ["o", "i"], "x", "y")]
SAME = r.declaration("same", "exact", LAYER, LAYER, [r.wire("x"), r.wire("y")])
HERE = {"x": value(np.ones((1, 2)))}


def test_exact_sides_agree_up_to_what_floats_lose() -> None:
    for fine in (0.0, 2.0**-27):
        assert meaning.compared(SAME, sides(np.full(2, fine)), HERE, (True, 0.0))
    with pytest.raises(Reject, match="V15"):
        meaning.compared(SAME, sides(np.full(2, 2.0**-25)), HERE, (True, 0.0))
    assert meaning.compared(SAME, sides(np.full(2, 0.5)), HERE, (False, 0.0))


@pytest.mark.parametrize(("norm", "least"), [("l2", 0.5 / np.sqrt(2)), ("linf", 0.5)])
def test_a_bound_holds_in_its_norm(norm: str, least: float) -> None:
    d = of(SAME, grade="bounded", bound={"input": "x", "norm": norm, "output": "y"})
    assert meaning.compared(d, sides(np.array([0.5, 0.0])), HERE, (False, least))
    with pytest.raises(Reject, match="V15"):
        meaning.compared(d, sides(np.array([0.5, 0.0])), HERE, (False, least * (1 - 2.0**-20)))


def test_one_side_that_is_not_computed_leaves_it_open() -> None:
    rare = of(SAME, right=[box("A", "softmax", [], "x", "y")])
    assert not meaning.compared(rare, sides(np.zeros(2)), HERE, (True, 0.0))
    assert not meaning.compared(of(SAME, left=rare["right"], right=LAYER), sides(np.zeros(2)), HERE, (True, 0.0))

"""fake-quantize/1: what a new grid between a wire and its readers may be, and every way in which it is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from surgdsl.verifier.operations import check_type, related
from surgdsl.verifier.reject import Reject
from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, verdict
from tests.verifier.calls import recorded
from tests.verifier.forge import Forge

NAME = "fake_quantize_per_tensor_affine.default"
GRID: dict[str, Any] = {"scale": {"float": (0.5).hex()}, "zero_point": 3, "quant_min": 0, "quant_max": 255}
ARGUMENTS: dict[str, Any] = {
    "bits": 8, "data": "train", "figures": [["high", "63/4"], ["low", "-3/2"]], "method": "minmax",
}  # fmt: skip


def rounded(
    f: Forge,
    left: list[str],
    wire: str,
    *,
    grid: dict[str, Any] | None = None,
    arguments: dict[str, Any] | None = None,
    read: str = "q",
    sort: Any = None,
) -> None:
    """Let the operations `left` read `wire` through a grid."""
    touched = list(dict.fromkeys(w for i in left for side in ("sources", "targets") for w in f.ops[i][side]))
    written = {**GRID, **(grid or {})}
    raw = {"op": f"aten.{NAME}", "attributes": [[key, written[key]] for key in sorted(written)]}
    made: list[dict[str, Any]] = [{"raw": raw, "sources": [wire], "targets": ["q"]}]
    made += [{**f.ops[i], "sources": [read if w == wire else w for w in f.ops[i]["sources"]]} for i in left]
    f.rewrite(
        "act", "fake-quantize/1", "", {**ARGUMENTS, **(arguments or {})}, left, touched, {"q": sort or f.wires[wire]},
        made,
    )  # fmt: skip


def source(f: Forge, identity: str) -> str:
    return f.ops[identity]["sources"][0]


@pytest.mark.parametrize(("bits", "low", "high"), [(8, 0, 255), (8, -128, 127), (4, 0, 15), (2, 0, 3)])
def test_a_grid_before_a_layer_is_accepted(tmp_path: Path, bits: int, low: int, high: int) -> None:
    f = s.cnn()
    conv = f.find("conv2d.default", 1)
    zero = {"quant_min": low, "quant_max": high, "zero_point": low + 1}
    rounded(f, [conv], source(f, conv), grid=zero, arguments={"bits": bits})
    assert code_of(f.write(tmp_path)) == ""


def test_two_readers_share_a_grid(tmp_path: Path) -> None:
    f = s.joined()
    both = [f.find("conv2d.default"), f.find("conv2d.default", 1)]
    rounded(f, both, source(f, both[0]))
    assert code_of(f.write(tmp_path)) == ""


def test_channels_are_cut_through_a_grid(tmp_path: Path) -> None:
    f = s.mlp()
    last = f.find("linear.default", 1)
    rounded(f, [last], source(f, last))
    wires = [f.ops[f.find(name)]["targets"][0] for name in ("linear.default", "relu.default", NAME)]
    kept: s.Kept = {wire: {1: [0, 2]} for wire in wires}
    kept |= {wire: {0: [0, 2]} for wire in f.ops[f.find("linear.default")]["sources"][1:]}
    kept[f.ops[f.find("linear.default", 1)]["sources"][1]] = {1: [0, 2]}
    s.prune(f, kept, [0, 2], [9, 1, 9, 1])
    assert code_of(f.write(tmp_path)) == ""


@pytest.mark.parametrize(
    ("grid", "code"),
    [
        ({"zero_point": 256}, "V09"),
        ({"zero_point": -1}, "V09"),
        ({"scale": {"float": (0.0).hex()}}, "V09"),
        ({"scale": {"float": (-0.5).hex()}}, "V09"),
        ({"scale": {"float": "inf"}}, "V09"),
        ({"scale": "0.5"}, "V09"),
        ({"quant_max": 0, "zero_point": 0}, "V09"),
        ({"quant_max": 127}, "V14"),
        ({"quant_max": 511}, "V14"),
    ],
)
def test_a_grid_that_is_none(tmp_path: Path, grid: dict[str, Any], code: str) -> None:
    f = s.cnn()
    conv = f.find("conv2d.default", 1)
    rounded(f, [conv], source(f, conv), grid=grid)
    assert code_of(f.write(tmp_path)) == code


@pytest.mark.parametrize(
    "arguments", [{"bits": 9}, {"bits": 1}, {"bits": "8"}, {"figures": [["low", "0.5"]]}, {"more": 1}, {"data": "a b"}]
)
def test_arguments_of_another_form(tmp_path: Path, arguments: dict[str, Any]) -> None:
    f = s.cnn()
    conv = f.find("conv2d.default", 1)
    rounded(f, [conv], source(f, conv), arguments=arguments)
    assert code_of(f.write(tmp_path)) == "V03"


def test_a_grid_that_nothing_reads(tmp_path: Path) -> None:
    f = s.cnn()
    conv = f.find("conv2d.default", 1)
    rounded(f, [conv], source(f, conv), read=source(f, conv))
    assert code_of(f.write(tmp_path)) == "V12"


def test_a_reader_that_changes_besides(tmp_path: Path) -> None:
    f = s.residual()
    conv = f.find("conv2d.default", 1)
    wire = source(f, conv)
    raw = {"op": f"aten.{NAME}", "attributes": [[key, GRID[key]] for key in sorted(GRID)]}
    touched = [*f.ops[conv]["sources"], *f.ops[conv]["targets"]]
    old = f.ops[conv]["raw"]
    wide = {"dilation": [2, 2], "padding": [2, 2]}  # the same shape: only the rule can tell
    other = {**f.ops[conv], "raw": {**old, "attributes": [[k, wide.get(k, v)] for k, v in old["attributes"]]}}
    made = [{"raw": raw, "sources": [wire], "targets": ["q"]}, {**other, "sources": ["q", *touched[1:3]]}]
    f.rewrite("act", "fake-quantize/1", "", ARGUMENTS, [conv], touched, {"q": f.wires[wire]}, made)
    code, line = verdict(f.write(tmp_path))
    assert (code, line.get("code")) == (4, "V14"), line


def test_an_operation_that_does_not_read_the_wire_has_no_place(tmp_path: Path) -> None:
    f = s.cnn()
    conv = f.find("conv2d.default", 1)
    rounded(f, [conv, f.find("linear.default")], source(f, conv))
    assert code_of(f.write(tmp_path)) == "V14"


def test_two_readers_exchanged(tmp_path: Path) -> None:
    f = s.joined()
    one, two = f.find("conv2d.default"), f.find("conv2d.default", 1)
    wire = source(f, one)
    rounded(f, [one, two], wire)
    right = f.steps[-1]["right"]["operations"]
    f.steps[-1]["left"]["operations"].reverse()
    assert len(right) == 3
    assert code_of(f.write(tmp_path)) in ("V05", "V10", "V11")


def test_a_weight_is_not_read_through_a_grid_in_its_place(tmp_path: Path) -> None:
    f = s.cnn()
    param = f.named("conv2.weight")
    wire = f.ops[param]["targets"][0]
    raw = {"op": f"aten.{NAME}", "attributes": [[key, GRID[key]] for key in sorted(GRID)]}
    made = [{"raw": raw, "sources": [wire], "targets": ["q"]}, f.ops[param]]
    f.rewrite("act", "fake-quantize/1", "", ARGUMENTS, [param], [wire], {"q": f.wires[wire]}, made)
    assert code_of(f.write(tmp_path)) in ("V12", "V14")


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_typing_agrees_with_torch(dtype: torch.dtype) -> None:
    operation, wires = recorded(f"aten.{NAME}", (torch.zeros(2, 3, dtype=dtype), 0.5, 3, 0, 255), (2, 3), "F32")
    if dtype == torch.float32:
        check_type(operation, wires)
        kept = {"0": (None, (0, 2)), "y": (None, (0, 2))}
        assert related(operation, operation, (wires, wires), kept)
        assert not related(operation, operation, (wires, wires), {**kept, "y": (None, (0, 1))})
    else:
        with pytest.raises(Reject):
            check_type(operation, wires)
